//! Whether a kernel on two-level sites is Hermitian.

use std::collections::HashMap;

use num_complex::Complex64;

use super::kernel::{Group, MaskKernel};
use super::pieces::Pieces;
use crate::bits::{self, SiteSet};
use crate::kernel::contraction::{N_TESTS, Scaled, Weights, sums_agree};
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
    if range(group.pieces).any(|p| kernel.pieces.guards_of(p).is_some()) {
        return (0..N_TESTS).all(|test| contraction_is_hermitian(kernel, group, values, Weights::new(test)));
    }
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

/// The same for pieces with many guards, whose expansion would be too long: the sums of f(x ^ flip) and of conj f(x)
/// over all x with random weights. The first is the sum of f(x) with the weights of flipped sites exchanged.
fn contraction_is_hermitian(
    kernel: &MaskKernel,
    group: &Group,
    values: &[Complex64],
    weights: Weights,
) -> bool {
    let flips = &kernel.flips[range(group.flips)];
    let sum = |reflected: bool| {
        let mut terms = Vec::new();
        for p in range(group.pieces) {
            let weights = |site: usize| {
                let [zero, one] = <[Complex64; 2]>::try_from(weights.of(site, 2)).expect("two local states");
                if reflected && flips.binary_search(&(site as u32)).is_ok() {
                    [one, zero]
                } else {
                    [zero, one]
                }
            };
            let value = |slot: u32| values[slot as usize];
            if reflected {
                contraction(&kernel.pieces, p, value, weights, &mut terms);
            } else {
                contraction(&kernel.pieces, p, |slot| value(slot).conj(), weights, &mut terms);
            }
        }
        terms
    };
    sums_agree(&sum(true), &sum(false))
}

/// Adds the summands of a piece's sum over all configurations with a product of weights.
fn contraction(
    pieces: &Pieces,
    p: usize,
    value: impl Fn(u32) -> Complex64,
    weights: impl Fn(usize) -> [Complex64; 2],
    terms: &mut Vec<Scaled>,
) {
    let difference = |[zero, one]: [Complex64; 2]| zero - one;
    let signs = Scaled::product(bits::sites(pieces.sign(p)).map(|site| difference(weights(site))));
    let slots = pieces.table_of(p);
    if let Some((guard, bits_of)) = pieces.guards_of(p) {
        let weight = |site| weights(site)[usize::from(bits::contains(bits_of, site))];
        let guards = Scaled::product(bits::sites(guard).map(weight));
        terms.push(signs.and(guards).times(value(slots[1])));
    } else {
        let support: Vec<[Complex64; 2]> =
            pieces.support_of(p).iter().map(|&site| weights(site as usize)).collect();
        for (index, &slot) in slots.iter().enumerate() {
            let weights = support.iter().enumerate().map(|(k, weights)| weights[index >> k & 1]);
            terms.push(signs.and(Scaled::product(weights)).times(value(slot)));
        }
    }
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
