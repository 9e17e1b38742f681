//! Terms on sites of any local dimension to tables and steps.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use num_complex::Complex64;

use super::assemble::{Assembler, GroupTable};
use super::join::{
    Draft, TableLimits, check_conserves, drafts, expand, is_joined, join, joined_sites, n_rows, table_sites,
};
use super::kernel::TableKernel;
use super::pieces::{FactorTables, Piece, of_product, of_string};
use super::shapes::Shape;
use super::steps::by_steps;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::kernel::conservation::Conservation;
use crate::kernel::forms::{Form, FormBuilder};
use crate::kernel::offsets::offset;
use crate::kernel::string::MaskString;
use crate::terms::{Coefficient, LocalTerm, Term, TermKind};

/// The elements of terms with equal (sorted) sites and sign sets that change the same of these sites, as linear
/// forms: (digits of the row, target) → form.
#[derive(Default)]
pub(super) struct Member {
    pub(super) elements: BTreeMap<(usize, u32), Form>,
    pub(super) terms: BTreeSet<u32>,
}

/// Sites and sign set of a table; the two have no site in common.
type TableSites = (Vec<usize>, Vec<usize>);

pub(super) type Members = BTreeMap<TableSites, Member>;

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
    let mut functions = FactorTables::default();
    let groups = collect_groups(hilbert, terms, &mut functions)?;
    let (kernel, known) = (Assembler::new(hilbert, &functions), HashMap::new());
    let mut builder =
        Builder { hilbert, terms, functions: &functions, limits, forms, conservation, kernel, known };
    for (changed, group) in groups {
        if changed.is_empty() {
            builder.push_diagonal(group)?;
        } else if is_joined(hilbert, &group, &functions, limits) {
            builder.push_joined(&changed, group)?;
        } else {
            builder.push_steps(&changed, group)?;
        }
    }
    builder.kernel.finish(builder.forms)
}

struct Builder<'a, 'c> {
    hilbert: &'a HilbertSpace,
    terms: &'a [Term],
    functions: &'a FactorTables,
    limits: TableLimits,
    forms: &'a mut FormBuilder,
    conservation: &'a mut Conservation<'c>,
    kernel: Assembler<'a>,
    /// The tables of groups by shape.
    known: HashMap<Shape, Option<GroupTable>>,
}

impl Builder<'_, '_> {
    /// Lays out the diagonal: matrices and small pieces as tables, the other pieces as products.
    fn push_diagonal(&mut self, mut group: Collected) -> Result<()> {
        let (hilbert, limits) = (self.hilbert, self.limits);
        let is_small = |piece: &Piece| n_rows(hilbert, table_sites(piece).0) <= limits.elements;
        let (small, large) = std::mem::take(&mut group.pieces).into_iter().partition(is_small);
        let mut small = Collected { members: std::mem::take(&mut group.members), pieces: small };
        group.pieces = large;
        if n_rows(hilbert, joined_sites(&small)) <= limits.rows {
            for piece in &small.pieces {
                expand(hilbert, piece, self.functions, &mut small.members)?;
            }
            for mut draft in join(hilbert, small.members, limits) {
                let table = self.diagonal_table(&mut draft)?;
                self.kernel.push_diagonal([&draft.sites, &draft.sign], table)?;
            }
        } else {
            self.push_diagonal_by_sites(small)?;
        }
        for step in by_steps(hilbert, &[], group, self.forms)? {
            self.kernel.push_diagonal_products(&step, self.forms)?;
        }
        Ok(())
    }

    /// One table for each set of sites.
    fn push_diagonal_by_sites(&mut self, small: Collected) -> Result<()> {
        let mut by_sites: BTreeMap<TableSites, (Option<Member>, Vec<Piece>)> = BTreeMap::new();
        for (sites, member) in small.members {
            by_sites.entry(sites).or_default().0 = Some(member);
        }
        for piece in small.pieces {
            by_sites.entry(table_sites(&piece)).or_default().1.push(piece);
        }
        let mut known = HashMap::new();
        for ((sites, sign), (member, pieces)) in by_sites {
            let mut shape = member.is_none().then(|| Shape::new(self.hilbert, &sites, &pieces));
            if let Some(&table) = shape.as_ref().and_then(|shape| known.get(shape)) {
                self.kernel.push_diagonal([&sites, &sign], table)?;
                continue;
            }
            let mut members = Members::from_iter(member.map(|member| ((sites, sign), member)));
            for piece in &pieces {
                expand(self.hilbert, piece, self.functions, &mut members)?;
            }
            let dropped = self.forms.dropped();
            for mut draft in drafts(self.hilbert, members) {
                let table = self.diagonal_table(&mut draft)?;
                self.kernel.push_diagonal([&draft.sites, &draft.sign], table)?;
                // What is dropped is counted for each set of sites.
                if self.forms.dropped() == dropped {
                    known.extend(shape.take().map(|shape| (shape, table)));
                }
            }
        }
        Ok(())
    }

    fn diagonal_table(&mut self, draft: &mut Draft) -> Result<Option<u32>> {
        trim(draft, self.forms);
        self.kernel.diagonal_table(draft, self.forms)
    }

    /// Lays out a group as one table, which it shares with groups of the same shape.
    fn push_joined(&mut self, changed: &[usize], mut group: Collected) -> Result<()> {
        let hilbert = self.hilbert;
        let sites: Vec<usize> = joined_sites(&group).into_iter().collect();
        let mut shape = group.members.is_empty().then(|| Shape::new(hilbert, &sites, &group.pieces));
        if let Some(&table) = shape.as_ref().and_then(|shape| self.known.get(shape)) {
            // The sign set is what the pieces' sets have in common beyond the table's sites.
            let mut sign = group.pieces.pop().map_or_else(Vec::new, |piece| piece.sign);
            sign.retain(|site| sites.binary_search(site).is_err());
            return self.kernel.push_group(changed, [&sites, &sign], table);
        }
        for piece in std::mem::take(&mut group.pieces) {
            expand(hilbert, &piece, self.functions, &mut group.members)?;
        }
        let dropped = self.forms.dropped();
        for mut draft in join(hilbert, group.members, self.limits) {
            trim(&mut draft, self.forms);
            let conserves = check_conserves(hilbert, changed, &mut draft, self.terms, self.conservation)?;
            let table = self.kernel.group_table(&draft, self.forms)?;
            self.kernel.push_group(changed, [&draft.sites, &draft.sign], table)?;
            // What is dropped is counted for each group, and what leaves the space is named.
            if conserves && self.forms.dropped() == dropped {
                self.known.extend(shape.take().map(|shape| (shape, table)));
            }
        }
        Ok(())
    }

    /// Splits a group by steps.
    fn push_steps(&mut self, changed: &[usize], group: Collected) -> Result<()> {
        for mut step in by_steps(self.hilbert, changed, group, self.forms)? {
            step.check_conserves(self.hilbert, self.functions, self.terms, self.conservation)?;
            self.kernel.push_step(&step, self.forms)?;
        }
        Ok(())
    }
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

/// The names of terms that leave a space, and what they do, for messages.
pub(super) fn leaves(
    hilbert: &HilbertSpace,
    changed: &[usize],
    [old, new]: [&[usize]; 2],
    names: String,
) -> [String; 3] {
    let value = |(&site, &digit): (&usize, &usize)| (site, hilbert.local(site).value(digit));
    // The element is <x|O|x'> from the old digits, x, to the new ones, and O takes x' to x.
    let from = changed.iter().zip(new).map(value).map(|(site, value)| format!("{value} at site {site}"));
    let to = changed.iter().zip(old).map(value).map(|(_, value)| value.to_string());
    [names, from.collect::<Vec<_>>().join(" and "), to.collect::<Vec<_>>().join(" and ")]
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
