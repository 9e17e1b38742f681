//! How large an element can become: elements are sums, which may overflow although no summand does.

use super::lowered::Kernel;
use super::mask::{GUARDED, MaskKernel};
use super::offsets::range;
use super::table::{Lookup, TableKernel};

impl Kernel {
    /// Whether no element exceeds `limit`, by the magnitudes of the slots. Summands that exclude each other count as if
    /// they came together.
    pub(crate) fn is_bounded_by(&self, limit: f64, sizes: &[f64]) -> bool {
        // Nearly all operators are far from the limit, and need no look at each element.
        let largest = sizes.iter().copied().fold(0.0, f64::max);
        self.n_summands() * largest <= limit || self.largest_sum(sizes) <= limit
    }

    /// No less than the number of summands of any element, each with the factors beside its slot.
    fn n_summands(&self) -> f64 {
        match self {
            Kernel::Mask(kernel) => kernel.pieces.list.len() as f64,
            Kernel::Table(kernel) => {
                let factor = kernel.factors.iter().map(|factor| factor.abs()).fold(1.0, f64::max);
                let products = kernel.products.iter().map(|product| range(product.factors).len());
                let products: f64 = products.map(|n_factors| factor.powi(n_factors as i32)).sum();
                (kernel.diagonal.len() + kernel.step_lookups.len() + 1) as f64 + products
            }
        }
    }

    /// The largest sum of the magnitudes of an element's summands.
    fn largest_sum(&self, sizes: &[f64]) -> f64 {
        match self {
            Kernel::Mask(kernel) => {
                let groups = kernel.groups.iter().map(|group| group.pieces);
                let sums = std::iter::once((0, kernel.n_diagonal)).chain(groups);
                sums.map(|pieces| sum_of_pieces(kernel, pieces, sizes)).fold(0.0, f64::max)
            }
            Kernel::Table(kernel) => {
                let diagonal = sum_of_lookups(kernel, &kernel.diagonal, sizes)
                    + sum_of_products(kernel, (0, kernel.n_diagonal_products), sizes);
                let steps = kernel.steps.iter().map(|step| {
                    sum_of_lookups(kernel, &kernel.step_lookups[range(step.lookups)], sizes)
                        + sum_of_products(kernel, step.products, sizes)
                });
                // Groups have one slot an element.
                steps.fold(diagonal, f64::max)
            }
        }
    }
}

fn largest_of(slots: &[u32], sizes: &[f64]) -> f64 {
    slots.iter().map(|&slot| sizes[slot as usize]).fold(0.0, f64::max)
}

fn sum_of_pieces(kernel: &MaskKernel, pieces: (u32, u32), sizes: &[f64]) -> f64 {
    let pieces = kernel.pieces.list[range(pieces)].iter();
    pieces
        .map(|piece| {
            let n_slots = if piece.n_support == GUARDED { 2 } else { 1 << piece.n_support };
            largest_of(&kernel.pieces.tables[piece.table as usize..][..n_slots], sizes)
        })
        .sum()
}

fn sum_of_lookups(kernel: &TableKernel, lookups: &[Lookup], sizes: &[f64]) -> f64 {
    let slots = |lookup| &kernel.slot_tables[(lookup as &Lookup).table as usize..][..kernel.n_rows(lookup)];
    lookups.iter().map(|lookup| largest_of(slots(lookup), sizes)).sum()
}

fn sum_of_products(kernel: &TableKernel, products: (u32, u32), sizes: &[f64]) -> f64 {
    let largest_factor = |k: usize| {
        let start = (kernel.factor_tables[k] - kernel.n_slots) as usize;
        let values = &kernel.factors[start..][..kernel.local_dim(kernel.factor_sites[k] as usize)];
        values.iter().map(|value| value.abs()).fold(0.0, f64::max)
    };
    kernel.products[range(products)]
        .iter()
        .map(|product| {
            range(product.factors).map(largest_factor).fold(sizes[product.slot as usize], |size, f| size * f)
        })
        .sum()
}
