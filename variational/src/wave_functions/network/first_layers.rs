//! First layers of configurations that differ in a few sites from others: `W x' = W x + Σ_i (x'_i − x_i) W_·i`.

use std::ops::Range;

use operator_core::Result;

use super::algebra::{Field, NetworkBackend};
use super::evaluate::Evaluation;

/// The configurations that others differ from, and what their first layers make of them.
pub(super) struct FirstLayers<'a, M> {
    x: M,
    /// For each of the others, the row of x that it differs from.
    origins: &'a [usize],
    /// For each branch that starts with a linear layer.
    known: Vec<Option<Known<M>>>,
}

struct Known<M> {
    /// `x Wᵀ`
    product: Field<M>,
    /// `Wᵀ`, in which what a site adds to all units is a row.
    columns: Field<M>,
}

impl<'a, M: Clone + Send + Sync> FirstLayers<'a, M> {
    /// Of configurations x, which stand in both arguments.
    pub(super) fn new<B: NetworkBackend<Matrix = M>>(
        evaluation: &Evaluation<'_, M>,
        configurations: &B::Configurations,
        x: M,
        origins: &'a [usize],
    ) -> Result<Self> {
        let known = evaluation.first_kernels().into_iter().map(|kernel| {
            let Some(kernel) = kernel else { return Ok(None) };
            let columns = kernel.map(B::transpose)?;
            let product = |x: &M| Field::real(x.clone()).times::<B>(&columns, B::product);
            Ok(Some(Known { product: B::by_blocks(configurations, |_, x| product(x))?, columns }))
        });
        Ok(FirstLayers { x, origins, known: known.collect::<Result<_>>()? })
    }

    /// `x' Wᵀ` of a branch for these rows of the others, `None` if it does not start with a linear layer.
    pub(super) fn product<B: NetworkBackend<Matrix = M>>(
        &self,
        branch: usize,
        rows: Range<usize>,
        connected: &M,
    ) -> Result<Option<Field<M>>> {
        let Some(Some(Known { product, columns })) = self.known.get(branch) else { return Ok(None) };
        let origins = self.origins.get(rows).unwrap_or_default();
        let part =
            |product: &M, columns: &M| B::product_of_changed(product, &self.x, origins, connected, columns);
        let im = product.im.as_ref().zip(columns.im.as_ref());
        Ok(Some(Field {
            re: part(&product.re, &columns.re)?,
            im: im.map(|(product, columns)| part(product, columns)).transpose()?,
        }))
    }
}
