//! First layers of configurations that differ in a few sites from others: `W x' = W x + Σ_i (x'_i − x_i) W_·i`.

use std::ops::Range;

use operator_core::Result;

use super::algebra::{Field, Matrix};

/// The linear layer that a branch starts with.
pub(super) struct FirstLayer<M> {
    /// `Wᵀ`, in which what a site adds to all units is a row.
    pub(super) columns: Field<M>,
    /// b, `(1, n_out)`
    pub(super) bias: Option<Field<M>>,
}

/// What first layers make of some configurations x.
pub(super) struct FirstLayers<M> {
    x: M,
    /// `x Wᵀ + b` of each branch that starts with a linear layer.
    values: Vec<Option<Field<M>>>,
}

impl<M: Matrix> FirstLayer<M> {
    fn values(&self, x: &M) -> Result<Field<M>> {
        let product = Field::real(x.clone()).times(&self.columns, M::product)?;
        match &self.bias {
            Some(bias) => product.add(bias),
            None => Ok(product),
        }
    }
}

impl<M: Matrix> FirstLayers<M> {
    /// From the first layer of each branch.
    pub(super) fn new(layers: &[Option<FirstLayer<M>>], x: &M) -> Result<Self> {
        let values = layers.iter().map(|layer| layer.as_ref().map(|layer| layer.values(x)).transpose());
        Ok(FirstLayers { x: x.clone(), values: values.collect::<Result<_>>()? })
    }

    /// Of all rows of some under each other.
    pub(super) fn stack(parts: Vec<Self>) -> Result<Self> {
        let n_branches = parts.first().map_or(0, |part| part.values.len());
        let (mut x, mut values) = (Vec::new(), vec![Some(Vec::new()); n_branches]);
        for part in parts {
            x.push(Field::real(part.x));
            for (all, values) in values.iter_mut().zip(part.values) {
                *all = all.take().zip(values).map(|(mut all, values)| {
                    all.push(values);
                    all
                });
            }
        }
        let values = values.into_iter().map(|all| all.map(Field::stack).transpose());
        Ok(FirstLayers { values: values.collect::<Result<_>>()?, x: Field::stack(x)?.re })
    }
}

/// Configurations, each of which differs in a few sites from one of those x.
pub(super) struct Changed<'a, M> {
    pub(super) first: &'a FirstLayers<M>,
    pub(super) layers: &'a [Option<FirstLayer<M>>],
    /// For each configuration, the row of x.
    pub(super) origins: &'a [usize],
}

impl<M: Matrix> Changed<'_, M> {
    /// `x' Wᵀ + b` of a branch for these rows of the configurations, `None` if it does not start with a linear
    /// layer.
    pub(super) fn values(
        &self,
        branch: usize,
        rows: Range<usize>,
        connected: &M,
    ) -> Result<Option<Field<M>>> {
        let FirstLayers { x, values } = self.first;
        let (Some(Some(values)), Some(Some(layer))) = (values.get(branch), self.layers.get(branch)) else {
            return Ok(None);
        };
        let origins = self.origins.get(rows).unwrap_or_default();
        // What holds for products holds with a bias that all rows have.
        let part = |values: &M, columns: &M| M::product_of_changed(values, x, origins, connected, columns);
        let im = values.im.as_ref().map(|values| match &layer.columns.im {
            Some(columns) => part(values, columns),
            None => part(values, &M::zeros_like(&layer.columns.re)?),
        });
        Ok(Some(Field { re: part(&values.re, &layer.columns.re)?, im: im.transpose()? }))
    }
}
