//! Whether a kernel on sites of any local dimension is Hermitian.

use std::collections::HashMap;

use num_complex::Complex64;

use super::kernel::{Group, Lookup, TableKernel};
use crate::kernel::offsets::range;
use crate::rounding::agrees;

/// Decides whether the operator is Hermitian on the unconstrained space.
///
/// For each group and each pair (old digits a, new digits b) on its changed sites, the element is a function
/// f_ab of the other sites' digits. It is a sum of functions of a few digits, sometimes times the parity of
/// many others. The operator is Hermitian if and only if f_ab = conj f_ba.
///
/// Each site has a basis of functions of its digit. On two-level sites these are 1 and the parity `(-1)^digit`.
/// On larger sites they are 1 and, for each digit other than 0, the function that is 1 there and vanishes
/// elsewhere. Their products are a basis of all functions. A function of a few sites expands in products on
/// these sites only, and a parity is itself a basis function. The expansion is unique, so comparing it term by
/// term is exact.
pub(crate) fn is_hermitian(kernel: &TableKernel, values: &[Complex64]) -> bool {
    diagonal_is_real(kernel, values)
        && kernel.groups.iter().all(|group| group_is_hermitian(kernel, group, values))
}

/// A product of basis functions: the sites whose function is not 1, and the function's number.
type Basis = Vec<(u32, usize)>;

fn diagonal_is_real(kernel: &TableKernel, values: &[Complex64]) -> bool {
    let mut expansion: HashMap<Basis, Complex64> = HashMap::new();
    for lookup in &kernel.diagonal {
        let sites = &kernel.sites[range(lookup.sites)];
        let slots = &kernel.diagonal_tables[lookup.table as usize..][..n_rows(kernel, sites)];
        let table = slots.iter().map(|&slot| values[slot as usize]).collect();
        expand(kernel, lookup, sites, table, |key, part| *expansion.entry(key).or_default() += part);
    }
    let size = largest(expansion.values());
    expansion.values().all(|value| agrees(value.im.abs(), size))
}

fn group_is_hermitian(kernel: &TableKernel, group: &Group, values: &[Complex64]) -> bool {
    let mut expansion: HashMap<(Vec<i8>, Vec<i8>, Basis), Complex64> = HashMap::new();
    for lookup in &kernel.lookups[range(group.lookups)] {
        let (outside, functions) = functions(kernel, group, lookup, values);
        for ((old, new), table) in functions {
            expand(kernel, lookup, &outside, table, |key, part| {
                *expansion.entry((old.clone(), new.clone(), key)).or_default() += part;
            });
        }
    }
    let size = largest(expansion.values());
    expansion.iter().all(|((old, new, key), value)| {
        let reversed = expansion.get(&(new.clone(), old.clone(), key.clone())).copied().unwrap_or_default();
        agrees((reversed - value.conj()).norm(), size)
    })
}

fn largest<'a>(values: impl Iterator<Item = &'a Complex64>) -> f64 {
    values.fold(0.0, |size, value| size.max(value.norm()))
}

/// Maps old and new quantum numbers on a group's changed sites to the element's values for all digits
/// elsewhere.
type Functions = HashMap<(Vec<i8>, Vec<i8>), Vec<Complex64>>;

/// The functions f_ab of one lookup, without its signs, and the sites they depend on.
fn functions(
    kernel: &TableKernel,
    group: &Group,
    lookup: &Lookup,
    values: &[Complex64],
) -> (Vec<u32>, Functions) {
    let changed = &kernel.changed[range(group.changed)];
    let sites = &kernel.sites[range(lookup.sites)];
    let outside: Vec<u32> = sites.iter().copied().filter(|site| !changed.contains(site)).collect();
    let mut functions = Functions::new();
    for index in 0..n_rows(kernel, sites) {
        let (mut old, mut place) = (Vec::with_capacity(changed.len()), 0);
        for (&site, &stride) in sites.iter().zip(&kernel.strides[range(lookup.sites)]) {
            let local = kernel.local(site as usize);
            let digit = index / stride as usize % local.len;
            if changed.contains(&site) {
                old.push(local.value(digit));
            } else {
                place = place * local.len + digit;
            }
        }
        let row = lookup.table as usize + index;
        let entries = kernel.row_starts[row] as usize..kernel.row_starts[row + 1] as usize;
        for entry in &kernel.entries[entries] {
            let start = group.new_values as usize + entry.target as usize * changed.len();
            let new = kernel.new_values[start..start + changed.len()].to_vec();
            let function = functions
                .entry((old.clone(), new))
                .or_insert_with(|| vec![Complex64::ZERO; n_rows(kernel, &outside)]);
            function[place] += values[entry.slot as usize];
        }
    }
    (outside, functions)
}

/// Expands a function of the digits on `sites`, times the lookup's signs, which are parities of other sites.
fn expand(
    kernel: &TableKernel,
    lookup: &Lookup,
    sites: &[u32],
    mut table: Vec<Complex64>,
    mut add: impl FnMut(Basis, Complex64),
) {
    let mut stride = 1;
    for &site in sites.iter().rev() {
        let dim = kernel.local(site as usize).len;
        for first in (0..table.len()).filter(|index| index / stride % dim == 0) {
            let zero = table[first];
            if dim == 2 {
                let one = table[first + stride];
                table[first] = (zero + one) * 0.5;
                table[first + stride] = (zero - one) * 0.5;
            } else {
                (1..dim).for_each(|digit| table[first + digit * stride] -= zero);
            }
        }
        stride *= dim;
    }
    let signs: Basis = kernel.signs[range(lookup.signs)]
        .iter()
        .flat_map(|&(start, end)| (start..end).map(|s| (s, 1)))
        .collect();
    for (mut index, value) in table.into_iter().enumerate().filter(|(_, value)| *value != Complex64::ZERO) {
        let mut key = signs.clone();
        for &site in sites.iter().rev() {
            let dim = kernel.local(site as usize).len;
            if index % dim > 0 {
                key.push((site, index % dim));
            }
            index /= dim;
        }
        key.sort_unstable();
        add(key, value);
    }
}

/// Number of rows of a table over some sites.
fn n_rows(kernel: &TableKernel, sites: &[u32]) -> usize {
    sites.iter().map(|&site| kernel.local(site as usize).len).product()
}
