//! Incremental first layers: `W x' = W x + Σ_i (x'_i − x_i) W_·i` for x' that differ from x in a few sites.

use std::ops::Range;

use operator_core::{Error, Result};

use super::matrix::{Field, Matrix};

/// The first layers at configurations x.
pub(super) struct FirstLayers<M> {
    x: M,
    /// `x Wᵀ` of each branch that starts with a linear layer.
    products: Vec<Option<Field<M>>>,
}

impl<M: Matrix> FirstLayers<M> {
    /// From the `Wᵀ` of each branch, whose rows hold the contributions of a site to all units.
    pub(super) fn new(columns: &[Option<Field<M>>], x: &M) -> Result<Self> {
        let product = |columns: &Field<M>| Field::real(x.clone()).times(columns, M::product);
        let products = columns.iter().map(|columns| columns.as_ref().map(product).transpose());
        Ok(FirstLayers { x: x.clone(), products: products.collect::<Result<_>>()? })
    }

    /// The rows of several parts below each other.
    pub(super) fn stack(parts: Vec<Self>) -> Result<Self> {
        let n_branches = parts.first().map_or(0, |part| part.products.len());
        let (mut x, mut products) = (Vec::new(), vec![Some(Vec::new()); n_branches]);
        for part in parts {
            x.push(Field::real(part.x));
            for (all, product) in products.iter_mut().zip(part.products) {
                *all = all.take().zip(product).map(|(mut all, product)| {
                    all.push(product);
                    all
                });
            }
        }
        let products = products.into_iter().map(|all| all.map(Field::stack).transpose());
        Ok(FirstLayers { products: products.collect::<Result<_>>()?, x: Field::stack(x)?.re })
    }
}

/// Configurations x' that each differ from one of the x in a few sites.
pub(super) struct Changed<'a, M> {
    pub(super) first: &'a FirstLayers<M>,
    pub(super) columns: &'a [Option<Field<M>>],
    /// For each x', the row of its x.
    pub(super) origins: &'a [usize],
}

impl<M: Matrix> Changed<'_, M> {
    /// `x' Wᵀ` of a branch for these rows; `None` if the branch does not start with a linear layer.
    pub(super) fn product(
        &self,
        branch: usize,
        rows: Range<usize>,
        connected: &M,
    ) -> Result<Option<Field<M>>> {
        let FirstLayers { x, products } = self.first;
        let (Some(Some(product)), Some(Some(columns))) = (products.get(branch), self.columns.get(branch))
        else {
            return Ok(None);
        };
        let n_rows = self.origins.len();
        let origins = self.origins.get(rows.clone()).ok_or_else(|| Error::Count {
            what: "rows up to the last of a block".into(),
            got: rows.end,
            expected: format!("at most {n_rows}"),
        })?;
        let part = |product, columns| M::product_of_changed(product, x, origins, connected, columns);
        let im = product.im.as_ref().zip(columns.im.as_ref());
        Ok(Some(Field {
            re: part(&product.re, &columns.re)?,
            im: im.map(|(product, columns)| part(product, columns)).transpose()?,
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
