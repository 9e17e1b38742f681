//! Incremental first layers: `W x' + b = W x + b + Σ_i (x'_i − x_i) W_·i` for x' that differ from x in a few sites.

use std::ops::Range;

use operator_core::{Error, Result};

use super::matrix::{Field, Matrix};

/// The first linear layer of a branch.
pub(super) struct FirstLayer<M> {
    /// `Wᵀ`, whose rows hold the contributions of a site to all units.
    pub(super) columns: Field<M>,
    pub(super) bias: Option<Field<M>>,
}

impl<M: Matrix> FirstLayer<M> {
    /// `x Wᵀ + b`
    pub(super) fn values(&self, x: &M) -> Result<Field<M>> {
        let product = Field::real(x.clone()).times(&self.columns, M::product)?;
        match &self.bias {
            Some(bias) => product.add(bias),
            None => Ok(product),
        }
    }
}

/// The first layers at configurations x.
pub(super) struct FirstLayers<M> {
    x: M,
    /// `x Wᵀ + b` of each branch that starts with a linear layer.
    values: Vec<Option<Field<M>>>,
}

impl<M: Matrix> FirstLayers<M> {
    pub(super) fn new(layers: &[Option<FirstLayer<M>>], x: &M) -> Result<Self> {
        let values = layers.iter().map(|layer| layer.as_ref().map(|layer| layer.values(x)).transpose());
        Ok(FirstLayers { x: x.clone(), values: values.collect::<Result<_>>()? })
    }

    /// The rows of several parts below each other.
    pub(super) fn stack(parts: Vec<Self>) -> Result<Self> {
        let n_branches = parts.first().map_or(0, |part| part.values.len());
        let (mut x, mut values) = (Vec::new(), vec![Some(Vec::new()); n_branches]);
        for part in parts {
            x.push(Field::real(part.x));
            for (all, own) in values.iter_mut().zip(part.values) {
                *all = all.take().zip(own).map(|(mut all, own)| {
                    all.push(own);
                    all
                });
            }
        }
        let values = values.into_iter().map(|all| all.map(Field::stack).transpose());
        Ok(FirstLayers { values: values.collect::<Result<_>>()?, x: Field::stack(x)?.re })
    }
}

/// Configurations x' that each differ from one of the x in a few sites.
pub(super) struct Changed<'a, M> {
    pub(super) first: &'a FirstLayers<M>,
    pub(super) layers: &'a [Option<FirstLayer<M>>],
    /// For each x', the row of its x.
    pub(super) origins: &'a [usize],
}

impl<M: Matrix> Changed<'_, M> {
    /// `x' Wᵀ + b` of a branch for these rows; `None` if the branch does not start with a linear layer.
    pub(super) fn values(
        &self,
        branch: usize,
        rows: Range<usize>,
        connected: &M,
    ) -> Result<Option<Field<M>>> {
        let FirstLayers { x, values } = self.first;
        let (Some(Some(values)), Some(Some(FirstLayer { columns, .. }))) =
            (values.get(branch), self.layers.get(branch))
        else {
            return Ok(None);
        };
        let n_rows = self.origins.len();
        let origins = self.origins.get(rows.clone()).ok_or_else(|| Error::Count {
            what: "rows up to the last of a block".into(),
            got: rows.end,
            expected: format!("at most {n_rows}"),
        })?;
        let part = |values, columns| M::product_of_changed(values, x, origins, connected, columns);
        let im = values.im.as_ref().zip(columns.im.as_ref());
        Ok(Some(Field {
            re: part(&values.re, &columns.re)?,
            im: im.map(|(values, columns)| part(values, columns)).transpose()?,
        }))
    }
}

/// Checks that origins are rows of a batch.
///
/// # Errors
/// [`Error::OriginOutOfRange`].
pub(crate) fn check_origins(origins: &[usize], n_samples: usize) -> Result<()> {
    match origins.iter().position(|&origin| origin >= n_samples) {
        Some(row) => Err(Error::OriginOutOfRange { row, origin: origins[row], n_samples }),
        None => Ok(()),
    }
}
