//! Members and pieces of a group to one table.

use std::collections::{BTreeMap, BTreeSet};

use super::build::{Collected, Member, Members, digits_of, dims, index_of, leaves};
use super::pieces::{FactorTables, Piece};
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::kernel::conservation::{Conservation, names};
use crate::kernel::forms::Form;
use crate::kernel::offsets::offset;
use crate::terms::Term;

/// When a group's terms are joined into one table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableLimits {
    /// The most rows of the table,
    pub(super) rows: usize,
    /// and the most elements of all strings and products in it.
    pub(super) elements: usize,
}

impl TableLimits {
    pub(crate) const DEFAULT: Self = TableLimits { rows: 4096, elements: 2048 };
    /// No tables: everything is split by steps.
    #[cfg(feature = "testing")]
    pub(crate) const NONE: Self = TableLimits { rows: 0, elements: 0 };
}

/// Up to this many sites, a string's signs are part of its table, so that it shares the table with others on
/// these sites. Beyond, they become a sign set.
const MAX_SIGN_SITES: usize = 4;

/// A table over `sites` whose forms have no slots yet. It is negated if the digits on `sign` have an odd sum.
pub(super) struct Draft {
    pub(super) sites: Vec<usize>,
    pub(super) sign: Vec<usize>,
    pub(super) rows: Vec<BTreeMap<u32, Form>>,
    pub(super) terms: BTreeSet<u32>,
}

pub(super) fn n_rows(hilbert: &HilbertSpace, sites: impl IntoIterator<Item = usize>) -> usize {
    sites.into_iter().fold(1, |rows, site| rows.saturating_mul(hilbert.local_dim(site)))
}

/// The sites of a piece's table, and its signs on other sites.
pub(super) fn table_sites(piece: &Piece) -> (Vec<usize>, Vec<usize>) {
    let own = piece.own_sites();
    let with_signs: BTreeSet<usize> = own.iter().chain(&piece.sign).copied().collect();
    let sites = if with_signs.len() <= MAX_SIGN_SITES { with_signs.into_iter().collect() } else { own };
    let sign = piece.sign.iter().copied().filter(|site| sites.binary_search(site).is_err()).collect();
    (sites, sign)
}

/// Number of elements of a piece's table.
fn n_elements(hilbert: &HilbertSpace, piece: &Piece, tables: &FactorTables) -> usize {
    table_sites(piece).0.into_iter().fold(1, |n, site| {
        let own = match piece.factor(site, tables) {
            Some(table) => table.iter().filter(|value| **value != 0.0).count(),
            None => hilbert.local_dim(site),
        };
        n.saturating_mul(own)
    })
}

/// The sites of a table for several members or pieces: those of each, and those on which their sign sets differ.
pub(super) fn joined_sites(group: &Collected) -> BTreeSet<usize> {
    let keys: BTreeSet<(Vec<usize>, Vec<usize>)> =
        group.members.keys().cloned().chain(group.pieces.iter().map(table_sites)).collect();
    let mut sites: BTreeSet<usize> = keys.iter().flat_map(|(sites, _)| sites).copied().collect();
    let mut n_signs: BTreeMap<usize, usize> = BTreeMap::new();
    keys.iter().flat_map(|(_, sign)| sign).for_each(|&site| *n_signs.entry(site).or_default() += 1);
    let n = keys.len();
    sites.extend(n_signs.into_iter().filter(|&(_, in_n)| in_n < n).map(|(site, _)| site));
    sites
}

/// Whether a group becomes one table.
pub(super) fn is_joined(
    hilbert: &HilbertSpace,
    group: &Collected,
    tables: &FactorTables,
    limits: TableLimits,
) -> bool {
    // A matrix that was given as one fits into memory.
    if group.pieces.is_empty() && group.members.len() <= 1 {
        return limits.rows > 0;
    }
    let n = group.pieces.iter().map(|piece| n_elements(hilbert, piece, tables));
    let n = n.fold(0usize, usize::saturating_add);
    n <= limits.elements && n_rows(hilbert, joined_sites(group)) <= limits.rows
}

/// Adds the elements of a piece to the member with its sites.
pub(super) fn expand(
    hilbert: &HilbertSpace,
    piece: &Piece,
    tables: &FactorTables,
    members: &mut Members,
) -> Result<()> {
    let (sites, sign) = table_sites(piece);
    let changed_dims: Vec<usize> = piece.steps.iter().map(|&(site, _)| hilbert.local_dim(site)).collect();
    // Rows and targets with their weights, one site after another.
    let mut rows: Vec<(usize, Vec<usize>, f64)> = vec![(0, Vec::new(), 1.0)];
    for &site in &sites {
        let dim = hilbert.local_dim(site);
        let table = piece.factor(site, tables);
        let step = piece.steps.iter().find(|(other, _)| *other == site).map(|&(_, step)| step);
        let has_sign = piece.sign.binary_search(&site).is_ok();
        let mut next = Vec::with_capacity(rows.len() * dim);
        for (row, targets, weight) in rows {
            for digit in 0..dim {
                let factor = table.map_or(1.0, |table| table[digit]);
                if factor != 0.0 {
                    let mut targets = targets.clone();
                    targets.extend(step.map(|step| step.apply(digit)));
                    let sign = if has_sign && digit == 1 { -1.0 } else { 1.0 };
                    next.push((row * dim + digit, targets, weight * factor * sign));
                }
            }
        }
        rows = next;
    }
    let member = members.entry((sites, sign)).or_default();
    member.terms.insert(piece.term);
    for (row, targets, weight) in rows {
        let target = offset(index_of(&targets, &changed_dims))?;
        member.elements.entry((row, target)).or_default().add(piece.coefficient, weight.into());
    }
    Ok(())
}

/// Joins the members of a group into one table if that is small, so that visiting them takes no addition. The
/// table covers all their sites and the sites on which their sign sets differ; the rest of the sign sets is
/// common to all.
pub(super) fn join(hilbert: &HilbertSpace, members: Members, limits: TableLimits) -> Vec<Draft> {
    let mut n_signs: BTreeMap<usize, usize> = BTreeMap::new();
    members.keys().flat_map(|(_, sign)| sign).for_each(|&site| *n_signs.entry(site).or_default() += 1);
    let in_some = n_signs.iter().filter(|&(_, &n)| n < members.len()).map(|(&site, _)| site);
    let mut union: Vec<usize> = members.keys().flat_map(|(sites, _)| sites).copied().chain(in_some).collect();
    union.sort_unstable();
    union.dedup();
    let union_dims = dims(hilbert, &union);
    let union_rows = n_rows(hilbert, union.iter().copied());
    if members.len() <= 1 || union_rows > limits.rows {
        return drafts(hilbert, members).collect();
    }
    let place = |sites: &[usize]| -> Vec<usize> {
        sites.iter().filter_map(|site| union.iter().position(|s| s == site)).collect()
    };
    let terms = members.values().flat_map(|member| &member.terms).copied().collect();
    let mut rows = vec![BTreeMap::<u32, Form>::new(); union_rows];
    for ((sites, sign), member) in &members {
        let (own, signs, member_dims) = (place(sites), place(sign), dims(hilbert, sites));
        for (index, row) in rows.iter_mut().enumerate() {
            let digits = digits_of(index, &union_dims);
            let local: Vec<usize> = own.iter().map(|&k| digits[k]).collect();
            let own = index_of(&local, &member_dims);
            let negative = signs.iter().map(|&k| digits[k]).sum::<usize>() % 2 == 1;
            for ((_, target), form) in member.elements.range((own, 0)..=(own, u32::MAX)) {
                row.entry(*target).or_default().add_form(form, negative);
            }
        }
    }
    let in_all = n_signs.into_iter().filter(|&(_, n)| n == members.len()).map(|(site, _)| site);
    let sign = in_all.filter(|site| union.binary_search(site).is_err()).collect();
    vec![Draft { sites: union, sign, rows, terms }]
}

/// Each member as its own draft.
pub(super) fn drafts(hilbert: &HilbertSpace, members: Members) -> impl Iterator<Item = Draft> {
    members.into_iter().map(|((sites, sign), member)| draft(hilbert, sites, sign, member))
}

fn draft(hilbert: &HilbertSpace, sites: Vec<usize>, sign: Vec<usize>, member: Member) -> Draft {
    let mut rows = vec![BTreeMap::new(); n_rows(hilbert, sites.iter().copied())];
    for ((row, target), form) in member.elements {
        rows[row].insert(target, form);
    }
    Draft { sites, sign, rows, terms: member.terms }
}

/// Rejects a table that takes an allowed configuration out of a constrained block, and returns whether no element does,
/// not even one that vanishes at present. The sign set does not matter here, since it makes no element 0.
pub(super) fn check_conserves(
    hilbert: &HilbertSpace,
    changed: &[usize],
    draft: &mut Draft,
    terms: &[Term],
    conservation: &mut Conservation<'_>,
) -> Result<bool> {
    let (dims, target_dims) = (dims(hilbert, &draft.sites), dims(hilbert, changed));
    let mut conserves = true;
    let of: Vec<u32> = draft.terms.iter().copied().collect();
    for block in hilbert.blocks() {
        let Some(total) = block.total else { continue };
        let inside = |site: usize| block.sites().contains(&site);
        if !changed.iter().any(|&site| inside(site)) {
            continue;
        }
        let n_known = draft.sites.iter().filter(|&&site| inside(site)).count();
        for (index, row) in draft.rows.iter_mut().enumerate() {
            let digits = digits_of(index, &dims);
            let sum_of = |sites: &[usize], digits: &[usize]| -> usize {
                sites.iter().zip(digits).filter(|(site, _)| inside(**site)).map(|(_, &digit)| digit).sum()
            };
            let reachable = total
                .checked_sub(sum_of(&draft.sites, &digits))
                .is_some_and(|outside| outside <= (block.local.len - 1) * (block.n_sites - n_known));
            if !reachable {
                continue;
            }
            let old: Vec<usize> = changed
                .iter()
                .filter_map(|site| draft.sites.iter().position(|s| s == site))
                .map(|k| digits[k])
                .collect();
            for (&target, form) in row.iter_mut().filter(|(_, form)| !form.is_zero()) {
                let new = digits_of(target as usize, &target_dims);
                if sum_of(changed, &old) != sum_of(changed, &new) {
                    conserves = false;
                    conservation
                        .judge(form, hilbert, || leaves(hilbert, changed, [&old, &new], names(terms, &of)))?;
                }
            }
        }
    }
    Ok(conserves)
}
