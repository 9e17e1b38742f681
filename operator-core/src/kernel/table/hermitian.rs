//! Whether a kernel on sites of any local dimension is Hermitian.

use std::collections::HashMap;

use num_complex::Complex64;

use super::kernel::{Group, Lookup, Move, StepGroup, TableKernel};
use crate::kernel::contraction::{N_TESTS, Scaled, Weights, sums_agree};
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
        && steps_are_hermitian(kernel, values)
}

/// The same for step groups, whose products have too long expansions: the elements f of each group, and those of the
/// group with the reverse steps, g(x') = conj f(x). Both are summed over all configurations with random weights; the
/// weights of the second are moved back.
fn steps_are_hermitian(kernel: &TableKernel, values: &[Complex64]) -> bool {
    let key = |step: &StepGroup, reverse: bool| -> Vec<(u32, Move)> {
        let (sites, moves) = kernel.moves_of(step);
        let turned = |change: &Move| match change {
            Move { negate: false, offset } if reverse => {
                Move { negate: false, offset: offset.wrapping_neg() }
            }
            change => *change,
        };
        sites.iter().zip(moves).map(|(&site, change)| (site, turned(change))).collect()
    };
    let groups: HashMap<Vec<(u32, Move)>, &StepGroup> =
        kernel.steps.iter().map(|step| (key(step, false), step)).collect();
    let conjugated: Vec<Complex64> = values.iter().map(Complex64::conj).collect();
    (0..N_TESTS).map(Weights::new).all(|weights| {
        kernel.steps.iter().all(|step| {
            let own = key(step, false);
            let weights_of = |site: u32| weights.of(site as usize, kernel.local(site as usize).len);
            // Weights of x as a function of x' = x + step.
            let back = |site: u32| {
                let (local, weights) = (kernel.local(site as usize), weights_of(site));
                let Ok(place) = own.binary_search_by_key(&site, |&(other, _)| other) else { return weights };
                let (change, mut moved) = (own[place].1, vec![Complex64::ZERO; local.len]);
                for (digit, weight) in weights.into_iter().enumerate() {
                    if let Some(new) = local.index(change.apply(local.value(digit))) {
                        moved[new] = weight;
                    }
                }
                moved
            };
            let sum = of_step(kernel, step, values, &weights_of);
            let reverse = match groups.get(&key(step, true)) {
                Some(reverse) => of_step(kernel, reverse, &conjugated, &back),
                None => Vec::new(),
            };
            sums_agree(&sum, &reverse)
        })
    })
}

fn of_step(
    kernel: &TableKernel,
    step: &StepGroup,
    values: &[Complex64],
    weights: &dyn Fn(u32) -> Vec<Complex64>,
) -> Vec<Scaled> {
    let (changed, lookups) =
        (&kernel.changed[range(step.changed)], &kernel.step_lookups[range(step.lookups)]);
    contraction(kernel, changed, step.products, lookups, values, weights)
}

/// The summands of the sum of products and lookups that change some sites, over all configurations with a product of
/// weights.
fn contraction(
    kernel: &TableKernel,
    changed: &[u32],
    products: (u32, u32),
    lookups: &[Lookup],
    values: &[Complex64],
    weights: impl Fn(u32) -> Vec<Complex64>,
) -> Vec<Scaled> {
    let mut terms = Vec::new();
    // A step does not start at every digit. The table of the element is 0 where it does not, so a site that changes and
    // has no table of its own is on two levels.
    // Sites and ranges of signs are in ascending order.
    let free = |sites: &[u32], signs: (u32, u32)| -> Scaled {
        let ranges = &kernel.signs[range(signs)];
        let negated = |site: u32| {
            let next = ranges.partition_point(|&(start, _)| start <= site);
            next > 0 && site < ranges[next - 1].1
        };
        let is_free = |site: &u32| sites.binary_search(site).is_err();
        let rest = changed.iter().copied().filter(|site| is_free(site) && !negated(*site));
        let rest = rest.map(|site| weights(site).iter().sum::<Complex64>());
        let signs = ranges.iter().flat_map(|&(start, end)| start..end).filter(is_free);
        Scaled::product(rest.chain(signs.map(|site| weights(site)[0] - weights(site)[1])))
    };
    for product in &kernel.products[range(products)] {
        let sites = &kernel.factor_sites[range(product.factors)];
        let tables = &kernel.factor_tables[range(product.factors)];
        let factors = sites.iter().zip(tables).map(|(&site, &table)| -> Complex64 {
            let own = &kernel.factors[(table - kernel.n_slots) as usize..];
            weights(site).iter().zip(own).map(|(weight, factor)| weight * factor).sum()
        });
        let factors = Scaled::product(factors).times(values[product.slot as usize]);
        terms.push(factors.and(free(sites, product.signs)));
    }
    for lookup in lookups {
        let sites = &kernel.sites[range(lookup.sites)];
        let own: Vec<Vec<Complex64>> = sites.iter().map(|&site| weights(site)).collect();
        let free = free(sites, lookup.signs);
        let strides = &kernel.strides[range(lookup.sites)];
        for index in 0..n_rows(kernel, sites) {
            let slot = kernel.slot_tables[lookup.table as usize + index];
            let weight = |(weights, &stride): (&Vec<Complex64>, &u32)| {
                weights[index / stride as usize % weights.len()]
            };
            let weights = Scaled::product(own.iter().zip(strides).map(weight));
            terms.push(free.and(weights).times(values[slot as usize]));
        }
    }
    terms
}

/// A product of basis functions: the sites whose function is not 1, and the function's number.
type Basis = Vec<(u32, usize)>;

fn diagonal_is_real(kernel: &TableKernel, values: &[Complex64]) -> bool {
    let products = (0, kernel.n_diagonal_products);
    if kernel.products[range(products)].iter().any(|product| values[product.slot as usize].im != 0.0) {
        let conjugated: Vec<Complex64> = values.iter().map(Complex64::conj).collect();
        return (0..N_TESTS).map(Weights::new).all(|weights| {
            let sum = |values: &[Complex64]| {
                let of = |site: u32| weights.of(site as usize, kernel.local(site as usize).len);
                contraction(kernel, &[], products, &kernel.diagonal, values, of)
            };
            sums_agree(&sum(values), &sum(&conjugated))
        });
    }
    let mut expansion: HashMap<Basis, Complex64> = HashMap::new();
    for lookup in &kernel.diagonal {
        let sites = &kernel.sites[range(lookup.sites)];
        let slots = &kernel.slot_tables[lookup.table as usize..][..n_rows(kernel, sites)];
        let table = slots.iter().map(|&slot| values[slot as usize]).collect();
        expand(kernel, lookup, sites, table, |key, part| *expansion.entry(key).or_default() += part);
    }
    let size = largest(expansion.values());
    expansion.values().all(|value| agrees(value.im.abs(), size))
}

fn group_is_hermitian(kernel: &TableKernel, group: &Group, values: &[Complex64]) -> bool {
    let mut expansion: HashMap<(Vec<i8>, Vec<i8>, Basis), Complex64> = HashMap::new();
    let (outside, functions) = functions(kernel, group, &group.lookup, values);
    for ((old, new), table) in functions {
        expand(kernel, &group.lookup, &outside, table, |key, part| {
            *expansion.entry((old.clone(), new.clone(), key)).or_default() += part;
        });
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
