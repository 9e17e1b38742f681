//! Terms on sites of any local dimension to tables and steps.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use num_complex::Complex64;

use super::assemble::Assembler;
use super::kernel::TableKernel;
use super::pieces::{FactorTables, Piece, of_product, of_string};
use super::steps::by_steps;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::kernel::conservation::{Conservation, names};
use crate::kernel::forms::{Form, FormBuilder};
use crate::kernel::offsets::offset;
use crate::kernel::string::MaskString;
use crate::terms::{Coefficient, LocalTerm, Term, TermKind};

/// When a group's terms are joined into one table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableLimits {
    /// The most rows of the table,
    rows: usize,
    /// and the most elements of all strings and products in it.
    elements: usize,
}

impl Default for TableLimits {
    fn default() -> Self {
        TableLimits { rows: 4096, elements: 2048 }
    }
}

impl TableLimits {
    /// No tables: everything is split by steps.
    #[cfg(feature = "testing")]
    pub(crate) const NONE: Self = TableLimits { rows: 0, elements: 0 };
}

/// Up to this many sites, a string's signs are part of its table, so that it shares the table with others on
/// these sites. Beyond, they become a sign set.
const MAX_SIGN_SITES: usize = 4;

/// The elements of terms with equal (sorted) sites and sign sets that change the same of these sites, as linear
/// forms: (digits of the row, target) → form.
#[derive(Default)]
pub(super) struct Member {
    pub(super) elements: BTreeMap<(usize, u32), Form>,
    pub(super) terms: BTreeSet<u32>,
}

/// A table over `sites` whose forms have no slots yet. It is negated if the digits on `sign` have an odd sum.
pub(super) struct Draft {
    pub(super) sites: Vec<usize>,
    pub(super) sign: Vec<usize>,
    pub(super) rows: Vec<BTreeMap<u32, Form>>,
    pub(super) terms: BTreeSet<u32>,
}

/// Members by sites and sign set; the two have no site in common.
pub(super) type Members = BTreeMap<(Vec<usize>, Vec<usize>), Member>;

/// The terms that change the same sites: matrices as members, strings and products as pieces.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) members: Members,
    pub(super) pieces: Vec<Piece>,
}

pub(crate) fn build(
    hilbert: &HilbertSpace,
    terms: &[Term],
    forms: &mut FormBuilder,
    conservation: &mut Conservation<'_>,
    limits: TableLimits,
) -> Result<TableKernel> {
    let mut tables = FactorTables::default();
    let groups = collect_groups(hilbert, terms, &mut tables)?;
    let mut kernel = Assembler::new(hilbert, &tables);
    for (changed, mut group) in groups {
        if changed.is_empty() {
            expand_small(hilbert, &mut group, &tables, limits)?;
            let mut drafts = join(hilbert, std::mem::take(&mut group.members), limits);
            drafts.iter_mut().for_each(|draft| trim(draft, forms));
            kernel.push_diagonal(&drafts, forms)?;
            for step in by_steps(hilbert, &changed, group, forms)? {
                kernel.push_diagonal_products(&step, forms)?;
            }
        } else if is_joined(hilbert, &group, &tables, limits) {
            for piece in std::mem::take(&mut group.pieces) {
                expand(hilbert, &piece, &tables, &mut group.members)?;
            }
            for mut draft in join(hilbert, group.members, limits) {
                trim(&mut draft, forms);
                check_conserves(hilbert, &changed, &mut draft, terms, conservation)?;
                kernel.push_group(&changed, &draft, forms)?;
            }
        } else {
            for mut step in by_steps(hilbert, &changed, group, forms)? {
                step.check_conserves(hilbert, &tables, terms, conservation)?;
                kernel.push_step(&step, forms)?;
            }
        }
    }
    kernel.finish(forms)
}

fn trim(draft: &mut Draft, forms: &mut FormBuilder) {
    draft.rows.iter_mut().flat_map(BTreeMap::values_mut).for_each(|form| forms.trim(form));
}

/// Groups in the order of their first element. The diagonal, which changes no site, comes first.
fn collect_groups(
    hilbert: &HilbertSpace,
    terms: &[Term],
    tables: &mut FactorTables,
) -> Result<Vec<(Vec<usize>, Collected)>> {
    let mut groups = Groups::new(hilbert);
    for (t, term) in terms.iter().enumerate() {
        let (t, coefficient) = (t as u32, term.coefficient);
        match &term.kind {
            TermKind::Local(local) => groups.push_matrix(local, coefficient, t)?,
            TermKind::Product(product) => {
                for piece in of_product(hilbert, product, coefficient, t, tables)? {
                    groups.push_piece(piece);
                }
            }
            TermKind::Pauli(string) => {
                groups.push_piece(of_string(&MaskString::from_pauli(string, coefficient, t), tables));
            }
            TermKind::Fermion(string) => {
                let string = MaskString::from_fermion(hilbert, string, coefficient, t);
                string.into_iter().for_each(|string| groups.push_piece(of_string(&string, tables)));
            }
        }
    }
    Ok(groups.groups)
}

struct Groups<'a> {
    hilbert: &'a HilbertSpace,
    groups: Vec<(Vec<usize>, Collected)>,
    known: HashMap<Vec<usize>, usize>,
}

impl<'a> Groups<'a> {
    fn new(hilbert: &'a HilbertSpace) -> Self {
        let groups = vec![(Vec::new(), Collected::default())];
        Groups { hilbert, groups, known: HashMap::from([(Vec::new(), 0)]) }
    }

    /// The group of the changed sites.
    fn group(&mut self, changed: Vec<usize>) -> &mut Collected {
        let next = self.groups.len();
        let group = *self.known.entry(changed.clone()).or_insert(next);
        if group == next {
            self.groups.push((changed, Collected::default()));
        }
        &mut self.groups[group].1
    }

    fn push_piece(&mut self, piece: Piece) {
        self.group(piece.changed()).pieces.push(piece);
    }

    fn push_matrix(&mut self, local: &LocalTerm, coefficient: Coefficient, term: u32) -> Result<()> {
        let sites = local.sites();
        let mut sorted = sites.to_vec();
        sorted.sort_unstable();
        let place: Vec<usize> =
            sites.iter().filter_map(|site| sorted.iter().position(|s| s == site)).collect();
        let (dims, sorted_dims) = (dims(self.hilbert, sites), dims(self.hilbert, &sorted));
        for ((r, c), &value) in local.matrix().indexed_iter().filter(|(_, value)| **value != Complex64::ZERO)
        {
            let row = reordered(&digits_of(r, &dims), &place);
            let col = reordered(&digits_of(c, &dims), &place);
            let differs: Vec<usize> = (0..sorted.len()).filter(|&k| row[k] != col[k]).collect();
            let changed: Vec<usize> = differs.iter().map(|&k| sorted[k]).collect();
            let target_dims: Vec<usize> = differs.iter().map(|&k| sorted_dims[k]).collect();
            let new_digits: Vec<usize> = differs.iter().map(|&k| col[k]).collect();
            let key = (index_of(&row, &sorted_dims), offset(index_of(&new_digits, &target_dims))?);
            let member = self.group(changed).members.entry((sorted.clone(), Vec::new())).or_default();
            member.terms.insert(term);
            member.elements.entry(key).or_default().add(coefficient, value);
        }
        Ok(())
    }
}

pub(super) fn dims(hilbert: &HilbertSpace, sites: &[usize]) -> Vec<usize> {
    sites.iter().map(|&site| hilbert.local_dim(site)).collect()
}

fn n_rows(hilbert: &HilbertSpace, sites: impl IntoIterator<Item = usize>) -> usize {
    sites.into_iter().fold(1, |rows, site| rows.saturating_mul(hilbert.local_dim(site)))
}

/// The sites of a piece's table, and its signs on other sites.
fn table_sites(piece: &Piece) -> (Vec<usize>, Vec<usize>) {
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
fn joined_sites(group: &Collected) -> BTreeSet<usize> {
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
fn is_joined(hilbert: &HilbertSpace, group: &Collected, tables: &FactorTables, limits: TableLimits) -> bool {
    // A matrix that was given as one fits into memory.
    if group.pieces.is_empty() && group.members.len() <= 1 {
        return limits.rows > 0;
    }
    let n = group.pieces.iter().map(|piece| n_elements(hilbert, piece, tables));
    let n = n.fold(0usize, usize::saturating_add);
    n <= limits.elements && n_rows(hilbert, joined_sites(group)) <= limits.rows
}

/// Turns the small pieces of a group into members.
fn expand_small(
    hilbert: &HilbertSpace,
    group: &mut Collected,
    tables: &FactorTables,
    limits: TableLimits,
) -> Result<()> {
    for piece in std::mem::take(&mut group.pieces) {
        if n_rows(hilbert, table_sites(&piece).0) <= limits.elements {
            expand(hilbert, &piece, tables, &mut group.members)?;
        } else {
            group.pieces.push(piece);
        }
    }
    Ok(())
}

/// Adds the elements of a piece to the member with its sites.
fn expand(hilbert: &HilbertSpace, piece: &Piece, tables: &FactorTables, members: &mut Members) -> Result<()> {
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
fn join(hilbert: &HilbertSpace, members: Members, limits: TableLimits) -> Vec<Draft> {
    let mut n_signs: BTreeMap<usize, usize> = BTreeMap::new();
    members.keys().flat_map(|(_, sign)| sign).for_each(|&site| *n_signs.entry(site).or_default() += 1);
    let in_some = n_signs.iter().filter(|&(_, &n)| n < members.len()).map(|(&site, _)| site);
    let mut union: Vec<usize> = members.keys().flat_map(|(sites, _)| sites).copied().chain(in_some).collect();
    union.sort_unstable();
    union.dedup();
    let union_dims = dims(hilbert, &union);
    let union_rows = n_rows(hilbert, union.iter().copied());
    if members.len() <= 1 || union_rows > limits.rows {
        return members
            .into_iter()
            .map(|((sites, sign), member)| draft(hilbert, sites, sign, member))
            .collect();
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

/// One member as its own draft.
fn draft(hilbert: &HilbertSpace, sites: Vec<usize>, sign: Vec<usize>, member: Member) -> Draft {
    let mut rows = vec![BTreeMap::new(); n_rows(hilbert, sites.iter().copied())];
    for ((row, target), form) in member.elements {
        rows[row].insert(target, form);
    }
    Draft { sites, sign, rows, terms: member.terms }
}

/// Rejects a table that takes an allowed configuration out of a constrained block. The sign set does not matter
/// here, since it makes no element 0.
fn check_conserves(
    hilbert: &HilbertSpace,
    changed: &[usize],
    draft: &mut Draft,
    terms: &[Term],
    conservation: &mut Conservation<'_>,
) -> Result<()> {
    let (dims, target_dims) = (dims(hilbert, &draft.sites), dims(hilbert, changed));
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
                    conservation
                        .judge(form, hilbert, || leaves(hilbert, changed, [&old, &new], names(terms, &of)))?;
                }
            }
        }
    }
    Ok(())
}

/// The names of terms that leave a space, and what they do, for messages.
pub(super) fn leaves(
    hilbert: &HilbertSpace,
    changed: &[usize],
    [old, new]: [&[usize]; 2],
    names: String,
) -> [String; 3] {
    let values = |digits: &[usize]| -> Vec<i8> {
        changed.iter().zip(digits).map(|(&site, &digit)| hilbert.local(site).value(digit)).collect()
    };
    [names, format!("{:?} at sites {changed:?}", values(old)), format!("{:?}", values(new))]
}

/// Digits of a mixed-radix number, most significant first.
pub(super) fn digits_of(mut index: usize, dims: &[usize]) -> Vec<usize> {
    let mut digits = vec![0; dims.len()];
    for (digit, &dim) in digits.iter_mut().zip(dims).rev() {
        *digit = index % dim;
        index /= dim;
    }
    digits
}

pub(super) fn index_of(digits: &[usize], dims: &[usize]) -> usize {
    digits.iter().zip(dims).fold(0, |index, (&digit, &dim)| index * dim + digit)
}

/// `out[place[k]] = digits[k]`.
fn reordered(digits: &[usize], place: &[usize]) -> Vec<usize> {
    let mut out = vec![0; digits.len()];
    for (&digit, &k) in digits.iter().zip(place) {
        out[k] = digit;
    }
    out
}
