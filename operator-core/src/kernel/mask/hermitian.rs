//! Whether a kernel on two-level sites is Hermitian.

use std::collections::HashMap;

use num_complex::Complex64;

use super::kernel::{Group, MaskKernel};
use super::pieces::Pieces;
use crate::bits::{self, SiteSet};
use crate::kernel::offsets::range;
use crate::rounding::agrees;

/// Decides whether the operator is Hermitian on the unconstrained space.
///
/// The element of a group is a function f(x) of the configuration. The operator is Hermitian if and only if f(x
/// ^ flip) = conj f(x) for each group. In the basis of parities `(-1)^|x & m|`, where f = Σ_m c_m (…), this
/// means `c_m (-1)^|m & flip| = conj c_m` for every m. The expansion is unique, so the test is exact.
pub(crate) fn is_hermitian(kernel: &MaskKernel, values: &[Complex64]) -> bool {
    let diagonal = Group { flips: (0, 0), pieces: (0, kernel.n_diagonal) };
    std::iter::once(&diagonal).chain(&kernel.groups).all(|group| group_is_hermitian(kernel, group, values))
}

fn group_is_hermitian(kernel: &MaskKernel, group: &Group, values: &[Complex64]) -> bool {
    let mut flip = bits::empty(kernel.n_words());
    kernel.flips[range(group.flips)].iter().for_each(|&site| bits::insert(&mut flip, site as usize));
    let mut coefficients: HashMap<SiteSet, Complex64> = HashMap::new();
    for p in range(group.pieces) {
        for (mask, value) in parities(&kernel.pieces, p, values) {
            *coefficients.entry(mask).or_default() += value;
        }
    }
    let size = coefficients.values().fold(0.0f64, |size, value| size.max(value.norm()));
    coefficients.iter().all(|(mask, value)| {
        let reflected = if bits::odd_overlap(mask, &flip) { -value } else { *value };
        agrees((reflected - value.conj()).norm(), size)
    })
}

/// One piece in the basis of parities, by a Walsh-Hadamard transform of its table.
fn parities(pieces: &Pieces, p: usize, values: &[Complex64]) -> Vec<(SiteSet, Complex64)> {
    let (support, slots) = (pieces.support_of(p), pieces.table_of(p));
    let n = support.len();
    let mut table: Vec<Complex64> = slots.iter().map(|&slot| values[slot as usize]).collect();
    for k in 0..n {
        for index in (0..table.len()).filter(|index| index >> k & 1 == 0) {
            let (even, odd) = (table[index], table[index | 1 << k]);
            table[index] = (even + odd) * 0.5;
            table[index | 1 << k] = (even - odd) * 0.5;
        }
    }
    let with_sites = |index: usize| {
        let mut mask = SiteSet::from_slice(pieces.sign(p));
        let inside = (0..n).filter(|k| index >> k & 1 == 1);
        inside.for_each(|k| bits::toggle(&mut mask, support[k] as usize));
        mask
    };
    table.into_iter().enumerate().map(|(index, value)| (with_sites(index), value)).collect()
}
