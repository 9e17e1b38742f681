//! Terms on sites of any local dimension to tables.

use std::collections::{BTreeMap, HashMap};

use num_complex::Complex64;

use super::kernel::{Entry, Group, Lookup, TableKernel};
use crate::bits::{self, SiteSet};
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::kernel::forms::{Form, FormBuilder};
use crate::kernel::offsets::offset;
use crate::kernel::string::MaskString;
use crate::terms::{Coefficient, LocalTerm, Term, TermKind};

/// A group's terms are joined into one table when it has at most this many rows.
const MAX_JOINED_ROWS: usize = 4096;
/// A string of operators becomes a table over at most this many sites.
const MAX_STRING_SITES: usize = 10;
/// Up to this many sites, a string's signs are part of its table, so that it shares the table with others on
/// these sites. Beyond, they become a sign set.
const MAX_SIGN_SITES: usize = 4;

/// The elements of terms with equal (sorted) sites and sign sets that change the same of these sites, as linear
/// forms: (digits of the row, target) → form.
#[derive(Default)]
struct Member {
    elements: BTreeMap<(usize, u32), Form>,
    term: u32,
}

/// A table over `sites` whose forms have no slots yet. It is negated if the digits on `sign` have an odd sum.
struct Draft {
    sites: Vec<usize>,
    sign: Vec<usize>,
    rows: Vec<BTreeMap<u32, Form>>,
    term: u32,
}

/// Members by sites and sign set; the two have no site in common.
type Members = BTreeMap<(Vec<usize>, Vec<usize>), Member>;

pub(crate) fn build(hilbert: &HilbertSpace, terms: &[Term], forms: &mut FormBuilder) -> Result<TableKernel> {
    let mut kernel = Assembler::new(hilbert);
    for (changed, members) in collect_groups(hilbert, terms)? {
        let drafts = join(hilbert, members);
        for draft in &drafts {
            check_conserves(hilbert, &changed, draft, terms)?;
        }
        kernel.push_group(&changed, &drafts, forms)?;
    }
    Ok(kernel.finish())
}

/// Groups in the order of their first element. The diagonal, which changes no site, comes first.
fn collect_groups(hilbert: &HilbertSpace, terms: &[Term]) -> Result<Vec<(Vec<usize>, Members)>> {
    let mut groups = Groups::new(hilbert);
    for (t, term) in terms.iter().enumerate() {
        let (t, coefficient) = (t as u32, term.coefficient);
        let string = match &term.kind {
            TermKind::Local(local) => {
                groups.push_matrix(local, coefficient, t)?;
                continue;
            }
            TermKind::Pauli(string) => Some(MaskString::from_pauli(string, coefficient, t)),
            TermKind::Fermion(string) => MaskString::from_fermion(hilbert, string, coefficient, t),
        };
        if let Some(string) = string {
            groups.push_string(&string, term)?;
        }
    }
    Ok(groups.groups)
}

struct Groups<'a> {
    hilbert: &'a HilbertSpace,
    groups: Vec<(Vec<usize>, Members)>,
    known: HashMap<Vec<usize>, usize>,
}

impl<'a> Groups<'a> {
    fn new(hilbert: &'a HilbertSpace) -> Self {
        let groups = vec![(Vec::new(), Members::new())];
        Groups { hilbert, groups, known: HashMap::from([(Vec::new(), 0)]) }
    }

    /// The member with these sites and this sign set, in the group of the changed sites.
    fn member(&mut self, changed: Vec<usize>, sites: Vec<usize>, sign: Vec<usize>, term: u32) -> &mut Member {
        let next = self.groups.len();
        let group = *self.known.entry(changed.clone()).or_insert(next);
        if group == next {
            self.groups.push((changed, Members::new()));
        }
        let members = &mut self.groups[group].1;
        members.entry((sites, sign)).or_insert_with(|| Member { term, ..Member::default() })
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
            let member = self.member(changed, sorted.clone(), Vec::new(), term);
            member.elements.entry(key).or_default().add(coefficient, value);
        }
        Ok(())
    }

    /// A string becomes a table over the sites that it flips or guards. The rest of its signs become its sign
    /// set.
    fn push_string(&mut self, string: &MaskString, term: &Term) -> Result<()> {
        let union = |a: &SiteSet, b: &SiteSet| -> SiteSet { a.iter().zip(b).map(|(a, b)| a | b).collect() };
        let own = union(&string.flip, &string.guard);
        let with_signs = union(&own, &string.sign);
        let own = if bits::count(&with_signs) <= MAX_SIGN_SITES { with_signs } else { own };
        let sites: Vec<usize> = bits::sites(&own).collect();
        if sites.len() > MAX_STRING_SITES {
            return Err(Error::WrongHilbert {
                term: term.kind.to_string(),
                hilbert: self.hilbert.to_string(),
                reason: "beside sites of more than two states, strings flip or count at most 10 sites",
            });
        }
        let sign = bits::sites(&string.sign).filter(|&site| !bits::contains(&own, site)).collect();
        let changed: Vec<usize> = bits::sites(&string.flip).collect();
        // In tables the first site is the most significant digit; in a string's rows it is the lowest bit.
        let reversed: Vec<usize> = sites.iter().rev().copied().collect();
        let flipped: Vec<usize> =
            (0..reversed.len()).rev().filter(|&k| bits::contains(&string.flip, reversed[k])).collect();
        let member = self.member(changed, sites, sign, string.term);
        for (row, parity) in string.rows(&reversed) {
            let target = flipped.iter().fold(0, |target, k| target << 1 | (!row >> k & 1) as u32);
            member.elements.entry((row, target)).or_default().add(string.coefficient, parity);
        }
        Ok(())
    }
}

fn dims(hilbert: &HilbertSpace, sites: &[usize]) -> Vec<usize> {
    sites.iter().map(|&site| hilbert.local_dim(site)).collect()
}

/// Joins the members of a group into one table if that is small, so that visiting them takes no addition. The
/// table covers all their sites and the sites on which their sign sets differ; the rest of the sign sets is
/// common to all.
fn join(hilbert: &HilbertSpace, members: Members) -> Vec<Draft> {
    let mut n_signs: BTreeMap<usize, usize> = BTreeMap::new();
    members.keys().flat_map(|(_, sign)| sign).for_each(|&site| *n_signs.entry(site).or_default() += 1);
    let in_some = n_signs.iter().filter(|&(_, &n)| n < members.len()).map(|(&site, _)| site);
    let mut union: Vec<usize> = members.keys().flat_map(|(sites, _)| sites).copied().chain(in_some).collect();
    union.sort_unstable();
    union.dedup();
    let union_dims = dims(hilbert, &union);
    let union_rows = union_dims.iter().fold(1usize, |n, &d| n.saturating_mul(d));
    if members.len() <= 1 || union_rows > MAX_JOINED_ROWS {
        return members
            .into_iter()
            .map(|((sites, sign), member)| draft(hilbert, sites, sign, member))
            .collect();
    }
    let place = |sites: &[usize]| -> Vec<usize> {
        sites.iter().filter_map(|site| union.iter().position(|s| s == site)).collect()
    };
    let term = members.values().map(|member| member.term).min().expect("more than one member");
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
    vec![Draft { sites: union, sign, rows, term }]
}

/// One member as its own draft.
fn draft(hilbert: &HilbertSpace, sites: Vec<usize>, sign: Vec<usize>, member: Member) -> Draft {
    let n_rows = dims(hilbert, &sites).iter().product();
    let mut rows = vec![BTreeMap::new(); n_rows];
    for ((row, target), form) in member.elements {
        rows[row].insert(target, form);
    }
    Draft { sites, sign, rows, term: member.term }
}

/// Rejects a table that takes an allowed configuration out of a constrained block. The sign set does not matter
/// here, since it makes no element 0.
fn check_conserves(hilbert: &HilbertSpace, changed: &[usize], draft: &Draft, terms: &[Term]) -> Result<()> {
    let (dims, target_dims) = (dims(hilbert, &draft.sites), dims(hilbert, changed));
    for block in hilbert.blocks() {
        let Some(total) = block.total else { continue };
        let inside = |site: usize| (block.start..block.start + block.n_sites).contains(&site);
        if !changed.iter().any(|&site| inside(site)) {
            continue;
        }
        let n_known = draft.sites.iter().filter(|&&site| inside(site)).count();
        for (index, row) in draft.rows.iter().enumerate() {
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
            for (&target, _) in row.iter().filter(|(_, form)| !form.is_zero()) {
                let new = digits_of(target as usize, &target_dims);
                if sum_of(changed, &old) != sum_of(changed, &new) {
                    let value = |(&site, &digit): (&usize, &usize)| (site, hilbert.local(site).value(digit));
                    // The element is <x|O|x'> from the old digits, x, to the new ones, and O takes x' to x.
                    let from = changed.iter().zip(&new).map(value);
                    let from: Vec<String> =
                        from.map(|(site, value)| format!("{value} at site {site}")).collect();
                    let to = changed.iter().zip(&old).map(value);
                    let to: Vec<String> = to.map(|(_, value)| value.to_string()).collect();
                    return Err(Error::LeavesHilbert {
                        term: terms[draft.term as usize].kind.described(),
                        hilbert: hilbert.to_string(),
                        from: from.join(" and "),
                        to: to.join(" and "),
                    });
                }
            }
        }
    }
    Ok(())
}

/// Lays drafts out in the kernel's arrays; equal tables are stored once.
struct Assembler<'a> {
    hilbert: &'a HilbertSpace,
    kernel: TableKernel,
    diagonal_tables: HashMap<Vec<u32>, u32>,
    tables: HashMap<Vec<Vec<Entry>>, u32>,
    targets: HashMap<Vec<i8>, u32>,
}

impl<'a> Assembler<'a> {
    fn new(hilbert: &'a HilbertSpace) -> Self {
        let kernel = TableKernel {
            blocks: hilbert.blocks().to_vec(),
            diagonal: Vec::new(),
            diagonal_tables: Vec::new(),
            groups: Vec::new(),
            lookups: Vec::new(),
            sites: Vec::new(),
            strides: Vec::new(),
            signs: Vec::new(),
            row_starts: vec![0],
            entries: Vec::new(),
            changed: Vec::new(),
            new_values: Vec::new(),
            max_conn_size: 0,
        };
        let (diagonal_tables, tables, targets) = Default::default();
        Assembler { hilbert, kernel, diagonal_tables, tables, targets }
    }

    fn push_group(&mut self, changed: &[usize], drafts: &[Draft], forms: &mut FormBuilder) -> Result<()> {
        if changed.is_empty() {
            return self.push_diagonal(drafts, forms);
        }
        let first = offset(self.kernel.lookups.len())?;
        let mut widest = 0;
        for draft in drafts {
            let rows: Vec<Vec<Entry>> = draft.rows.iter().map(|row| entries(row, forms)).collect();
            let width = rows.iter().map(Vec::len).max().unwrap_or(0);
            if width > 0 {
                widest += width;
                let table = self.table(rows)?;
                let lookup = self.lookup(draft, table)?;
                self.kernel.lookups.push(lookup);
            }
        }
        let lookups = (first, offset(self.kernel.lookups.len())?);
        if lookups.0 == lookups.1 {
            return Ok(());
        }
        // Each changed site leaves its old digit.
        let reachable = changed.iter().map(|&site| self.hilbert.local_dim(site) - 1).product();
        let (new_values, n_targets) = self.targets(changed)?;
        let start = offset(self.kernel.changed.len())?;
        self.kernel.changed.extend(changed.iter().map(|&site| site as u32));
        let changed = (start, offset(self.kernel.changed.len())?);
        self.kernel.groups.push(Group { changed, lookups, new_values, n_targets });
        self.kernel.max_conn_size += widest.min(reachable);
        Ok(())
    }

    fn push_diagonal(&mut self, drafts: &[Draft], forms: &mut FormBuilder) -> Result<()> {
        for draft in drafts {
            let slots: Vec<u32> =
                draft.rows.iter().map(|row| row.get(&0).map_or(0, |form| forms.slot(form))).collect();
            if slots.iter().all(|&slot| slot == 0) {
                continue;
            }
            let next = offset(self.kernel.diagonal_tables.len())?;
            let table = match self.diagonal_tables.get(&slots) {
                Some(&known) => known,
                None => {
                    self.kernel.diagonal_tables.extend_from_slice(&slots);
                    self.diagonal_tables.insert(slots, next);
                    next
                }
            };
            let lookup = self.lookup(draft, table)?;
            self.kernel.diagonal.push(lookup);
        }
        self.kernel.max_conn_size += usize::from(!self.kernel.diagonal.is_empty());
        Ok(())
    }

    fn table(&mut self, rows: Vec<Vec<Entry>>) -> Result<u32> {
        if let Some(&known) = self.tables.get(&rows) {
            return Ok(known);
        }
        // `row_starts` ends with the start of the next row.
        let table = offset(self.kernel.row_starts.len() - 1)?;
        for row in &rows {
            self.kernel.entries.extend_from_slice(row);
            self.kernel.row_starts.push(offset(self.kernel.entries.len())?);
        }
        self.tables.insert(rows, table);
        Ok(table)
    }

    fn lookup(&mut self, draft: &Draft, table: u32) -> Result<Lookup> {
        let start = offset(self.kernel.sites.len())?;
        let mut stride = 1usize;
        let mut strides = vec![0; draft.sites.len()];
        for (k, &site) in draft.sites.iter().enumerate().rev() {
            strides[k] = offset(stride)?;
            stride *= self.hilbert.local_dim(site);
        }
        self.kernel.sites.extend(draft.sites.iter().map(|&site| site as u32));
        self.kernel.strides.extend(strides);
        let sites = (start, offset(self.kernel.sites.len())?);
        let start = offset(self.kernel.signs.len())?;
        let runs = draft.sign.chunk_by(|a, b| a + 1 == *b);
        let ends = |run: &[usize]| Some((*run.first()? as u32, *run.last()? as u32 + 1));
        self.kernel.signs.extend(runs.filter_map(ends));
        Ok(Lookup { sites, signs: (start, offset(self.kernel.signs.len())?), table })
    }

    /// Start and number of the quantum numbers of all targets on `changed`, ordered by target.
    fn targets(&mut self, changed: &[usize]) -> Result<(u32, u32)> {
        let dims = dims(self.hilbert, changed);
        let n_targets: usize = dims.iter().product();
        let values: Vec<i8> = (0..n_targets)
            .flat_map(|target| {
                let digits = digits_of(target, &dims);
                changed
                    .iter()
                    .zip(digits)
                    .map(|(&site, digit)| self.hilbert.local(site).value(digit))
                    .collect::<Vec<_>>()
            })
            .collect();
        let next = offset(self.kernel.new_values.len())?;
        let start = *self.targets.entry(values.clone()).or_insert(next);
        if start == next {
            self.kernel.new_values.extend(values);
        }
        Ok((start, offset(n_targets)?))
    }

    fn finish(self) -> TableKernel {
        self.kernel
    }
}

fn entries(row: &BTreeMap<u32, Form>, forms: &mut FormBuilder) -> Vec<Entry> {
    row.iter()
        .map(|(&target, form)| Entry { target, slot: forms.slot(form) })
        .filter(|entry| entry.slot != 0)
        .collect()
}

/// Digits of a mixed-radix number, most significant first.
fn digits_of(mut index: usize, dims: &[usize]) -> Vec<usize> {
    let mut digits = vec![0; dims.len()];
    for (digit, &dim) in digits.iter_mut().zip(dims).rev() {
        *digit = index % dim;
        index /= dim;
    }
    digits
}

fn index_of(digits: &[usize], dims: &[usize]) -> usize {
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
