use std::collections::HashMap;

use num_complex::Complex64;

use super::range;
use super::table::{Group, Lookup, TableKernel};
use crate::hilbert::LocalStates;

/// Relative size below which a deviation from Hermiticity counts as rounding.
const TOLERANCE: f64 = 1e-12;

/// Decides whether the operator is Hermitian on the unconstrained space.
///
/// For each group and each pair (old digits a, new digits b) on its changed sites, the element is a function
/// f_ab of the other sites' digits, a sum of functions of a few of them. Hermitian means f_ab = conj f_ba.
/// A sum of functions of overlapping sets of sites is expanded in functions that vanish wherever one of
/// their digits is 0; this expansion is unique, so comparing it term by term is exact.
pub(super) fn is_hermitian(kernel: &TableKernel, values: &[Complex64]) -> bool {
    diagonal_is_real(kernel, values)
        && kernel.groups.iter().all(|group| group_is_hermitian(kernel, group, values))
}

/// Sites (with their digits) that a basis function depends on.
type Anchored = Vec<(u32, usize)>;

fn diagonal_is_real(kernel: &TableKernel, values: &[Complex64]) -> bool {
    let mut expansion: HashMap<Anchored, Complex64> = HashMap::new();
    for lookup in &kernel.diagonal {
        for (index, digits) in rows(kernel, lookup) {
            let value = values[kernel.diagonal_tables[lookup.table as usize + index] as usize];
            expand(kernel, &digits, value, &mut |key, part| *expansion.entry(key).or_default() += part);
        }
    }
    let size = largest(expansion.values());
    expansion.values().all(|value| value.im.abs() <= TOLERANCE * size)
}

fn group_is_hermitian(kernel: &TableKernel, group: &Group, values: &[Complex64]) -> bool {
    let changed = &kernel.changed[range(group.changed)];
    let mut expansion: HashMap<(Vec<i8>, Vec<i8>, Anchored), Complex64> = HashMap::new();
    for lookup in &kernel.lookups[range(group.lookups)] {
        for (index, digits) in rows(kernel, lookup) {
            let (inside, outside): (Anchored, Anchored) =
                digits.into_iter().partition(|(site, _)| changed.contains(site));
            let old: Vec<i8> = inside.iter().map(|&(site, digit)| local(kernel, site).value(digit)).collect();
            let row = lookup.table as usize + index;
            let entries =
                &kernel.entries[kernel.row_starts[row] as usize..kernel.row_starts[row + 1] as usize];
            for entry in entries {
                let start = group.new_values as usize + entry.target as usize * changed.len();
                let new = &kernel.new_values[start..start + changed.len()];
                expand(kernel, &outside, values[entry.slot as usize], &mut |key, part| {
                    *expansion.entry((old.clone(), new.to_vec(), key)).or_default() += part;
                });
            }
        }
    }
    let size = largest(expansion.values());
    expansion.iter().all(|((old, new, key), value)| {
        let reversed = expansion.get(&(new.clone(), old.clone(), key.clone())).copied().unwrap_or_default();
        (reversed - value.conj()).norm() <= TOLERANCE * size
    })
}

fn largest<'a>(values: impl Iterator<Item = &'a Complex64>) -> f64 {
    values.fold(0.0, |size, value| size.max(value.norm()))
}

/// Adds the value of a function at `digits` to its expansion.
///
/// The basis function of sites U with non-zero digits has the coefficient
/// `Σ_{V ⊆ U} (-1)^{|U| - |V|} f(digits on V, 0 elsewhere)`. So each zero of `digits` either stays out of U,
/// or joins it with any non-zero digit and a minus sign.
fn expand(
    kernel: &TableKernel,
    digits: &[(u32, usize)],
    value: Complex64,
    add: &mut impl FnMut(Anchored, Complex64),
) {
    let mut partial: Vec<(Anchored, Complex64)> = vec![(Anchored::new(), value)];
    for &(site, digit) in digits {
        let with = |key: &Anchored, digit: usize| {
            let mut key = key.clone();
            key.push((site, digit));
            key
        };
        partial = match digit {
            0 => {
                let joined: Vec<_> = partial
                    .iter()
                    .flat_map(|(key, value)| (1..dim(kernel, site)).map(move |d| (with(key, d), -value)))
                    .collect();
                partial.into_iter().chain(joined).collect()
            }
            digit => partial.iter().map(|(key, value)| (with(key, digit), *value)).collect(),
        };
    }
    partial.into_iter().for_each(|(key, value)| add(key, value));
}

/// Every index of a lookup's table with the digits of its sites.
fn rows(kernel: &TableKernel, lookup: &Lookup) -> Vec<(usize, Anchored)> {
    let sites = &kernel.sites[range(lookup.sites)];
    let strides = &kernel.strides[range(lookup.sites)];
    let n_rows: usize = sites.iter().map(|&site| dim(kernel, site)).product();
    let digit = |index: usize, k: usize| index / strides[k] as usize % dim(kernel, sites[k]);
    (0..n_rows)
        .map(|index| (index, sites.iter().enumerate().map(|(k, &site)| (site, digit(index, k))).collect()))
        .collect()
}

fn dim(kernel: &TableKernel, site: u32) -> usize {
    local(kernel, site).len
}

fn local(kernel: &TableKernel, site: u32) -> LocalStates {
    let site = site as usize;
    let block = kernel.blocks.partition_point(|block| block.start + block.n_sites <= site);
    kernel.blocks[block].local
}
