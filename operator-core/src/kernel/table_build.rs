//! Terms on sites of any local dimension to tables.

use std::collections::{BTreeMap, HashMap};

use ndarray::Array2;
use num_complex::Complex64;

use super::table::{Entry, Group, Lookup, TableKernel};
use super::{Form, FormBuilder, offset};
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::terms::{Pauli, PauliString, Term, TermKind};

/// A group's terms are joined into one table when it has at most this many rows.
const MAX_JOINED_ROWS: usize = 4096;
/// Pauli strings longer than this are not expanded into matrices.
const MAX_PAULI_SITES: usize = 10;

/// The elements of some terms with equal (sorted) sites that change the same of these sites, as linear
/// forms: (digits of the row, target) → form.
#[derive(Default)]
struct Member {
    elements: BTreeMap<(usize, u32), Form>,
    term: u32,
}

/// A table over `sites` before its forms have slots.
struct Draft {
    sites: Vec<usize>,
    rows: Vec<BTreeMap<u32, Form>>,
    term: u32,
}

type Members = BTreeMap<Vec<usize>, Member>;

pub(super) fn build(hilbert: &HilbertSpace, terms: &[Term], forms: &mut FormBuilder) -> Result<TableKernel> {
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

/// Groups in the order of their first element; the diagonal, whose changed sites are none, first.
fn collect_groups(hilbert: &HilbertSpace, terms: &[Term]) -> Result<Vec<(Vec<usize>, Members)>> {
    let mut groups: Vec<(Vec<usize>, Members)> = vec![(Vec::new(), Members::new())];
    let mut known: HashMap<Vec<usize>, usize> = HashMap::from([(Vec::new(), 0)]);
    for (t, term) in terms.iter().enumerate() {
        let (sites, matrix) = as_matrix(hilbert, term)?;
        let mut sorted = sites.clone();
        sorted.sort_unstable();
        let place: Vec<usize> =
            sites.iter().filter_map(|site| sorted.iter().position(|s| s == site)).collect();
        let dims: Vec<usize> = sites.iter().map(|&site| hilbert.local_dim(site)).collect();
        let sorted_dims: Vec<usize> = sorted.iter().map(|&site| hilbert.local_dim(site)).collect();
        for ((r, c), &value) in matrix.indexed_iter().filter(|(_, value)| **value != Complex64::ZERO) {
            let row = reordered(&digits_of(r, &dims), &place);
            let col = reordered(&digits_of(c, &dims), &place);
            let differs: Vec<usize> = (0..sorted.len()).filter(|&k| row[k] != col[k]).collect();
            let changed: Vec<usize> = differs.iter().map(|&k| sorted[k]).collect();
            let target_dims: Vec<usize> = differs.iter().map(|&k| sorted_dims[k]).collect();
            let new_digits: Vec<usize> = differs.iter().map(|&k| col[k]).collect();
            let next = groups.len();
            let group = *known.entry(changed.clone()).or_insert(next);
            if group == next {
                groups.push((changed, Members::new()));
            }
            let member = groups[group]
                .1
                .entry(sorted.clone())
                .or_insert_with(|| Member { term: t as u32, ..Member::default() });
            let key = (index_of(&row, &sorted_dims), offset(index_of(&new_digits, &target_dims))?);
            member.elements.entry(key).or_default().add(term.coefficient, value);
        }
    }
    Ok(groups)
}

/// Any term as a matrix on a list of sites.
fn as_matrix(hilbert: &HilbertSpace, term: &Term) -> Result<(Vec<usize>, Array2<Complex64>)> {
    match &term.kind {
        TermKind::Local(local) => Ok((local.sites().to_vec(), local.matrix().clone())),
        TermKind::Pauli(string) => pauli_matrix(hilbert, string),
        TermKind::Fermion(string) => Err(Error::WrongHilbert {
            term: string.to_string(),
            hilbert: hilbert.to_string(),
            reason: "fermion strings need a space made of two-level sites only",
        }),
    }
}

fn pauli_matrix(hilbert: &HilbertSpace, string: &PauliString) -> Result<(Vec<usize>, Array2<Complex64>)> {
    let paulis = string.paulis();
    if paulis.len() > MAX_PAULI_SITES {
        return Err(Error::WrongHilbert {
            term: string.to_string(),
            hilbert: hilbert.to_string(),
            reason: "on a space with sites of more than two states, Pauli strings have at most 10 sites",
        });
    }
    let n = paulis.len();
    let bit = |index: usize, k: usize| index >> (n - 1 - k) & 1;
    let matrix = Array2::from_shape_fn((1 << n, 1 << n), |(r, c)| {
        paulis.iter().enumerate().map(|(k, &(_, pauli))| element(pauli, bit(r, k), bit(c, k))).product()
    });
    Ok((paulis.iter().map(|&(site, _)| site).collect(), matrix))
}

fn element(pauli: Pauli, row: usize, col: usize) -> Complex64 {
    let sign = if row == 0 { 1.0 } else { -1.0 };
    match (pauli, row == col) {
        (Pauli::Z, true) => Complex64::new(sign, 0.0),
        (Pauli::X, false) => Complex64::ONE,
        (Pauli::Y, false) => Complex64::new(0.0, -sign),
        _ => Complex64::ZERO,
    }
}

/// Joins the members of a group into one table where that is small, so that its elements need no adding up
/// when they are visited.
fn join(hilbert: &HilbertSpace, members: Members) -> Vec<Draft> {
    let dims =
        |sites: &[usize]| -> Vec<usize> { sites.iter().map(|&site| hilbert.local_dim(site)).collect() };
    let mut union: Vec<usize> = members.keys().flatten().copied().collect();
    union.sort_unstable();
    union.dedup();
    let union_rows = dims(&union).iter().fold(1usize, |n, &d| n.saturating_mul(d));
    if members.len() > 1 && union_rows <= MAX_JOINED_ROWS {
        let term = members.values().map(|member| member.term).min().unwrap_or(0);
        let mut rows = vec![BTreeMap::<u32, Form>::new(); union_rows];
        let union_dims = dims(&union);
        for (sites, member) in &members {
            let place: Vec<usize> =
                sites.iter().filter_map(|site| union.iter().position(|s| s == site)).collect();
            let member_dims = dims(sites);
            for (index, row) in rows.iter_mut().enumerate() {
                let digits = digits_of(index, &union_dims);
                let local: Vec<usize> = place.iter().map(|&k| digits[k]).collect();
                let own = index_of(&local, &member_dims);
                for ((_, target), form) in member.elements.range((own, 0)..=(own, u32::MAX)) {
                    row.entry(*target).or_default().add_form(form);
                }
            }
        }
        return vec![Draft { sites: union, rows, term }];
    }
    members
        .into_iter()
        .map(|(sites, member)| {
            let n_rows = dims(&sites).iter().product();
            let mut rows = vec![BTreeMap::new(); n_rows];
            for ((row, target), form) in member.elements {
                rows[row].insert(target, form);
            }
            Draft { sites, rows, term: member.term }
        })
        .collect()
}

/// Refuses a table that takes an allowed configuration out of a constrained block.
fn check_conserves(hilbert: &HilbertSpace, changed: &[usize], draft: &Draft, terms: &[Term]) -> Result<()> {
    let dims: Vec<usize> = draft.sites.iter().map(|&site| hilbert.local_dim(site)).collect();
    let target_dims: Vec<usize> = changed.iter().map(|&site| hilbert.local_dim(site)).collect();
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
                    let values = |digits: &[usize]| -> Vec<i8> {
                        changed.iter().zip(digits).map(|(&site, &d)| hilbert.local(site).value(d)).collect()
                    };
                    return Err(Error::LeavesHilbert {
                        term: terms[draft.term as usize].kind.to_string(),
                        hilbert: hilbert.to_string(),
                        from: format!("{:?} at sites {changed:?}", values(&old)),
                        to: format!("{:?}", values(&new)),
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
                let lookup = self.lookup(&draft.sites, table)?;
                self.kernel.lookups.push(lookup);
            }
        }
        let lookups = (first, offset(self.kernel.lookups.len())?);
        if lookups.0 == lookups.1 {
            return Ok(());
        }
        let (new_values, n_targets) = self.targets(changed)?;
        let start = offset(self.kernel.changed.len())?;
        self.kernel.changed.extend(changed.iter().map(|&site| site as u32));
        let changed = (start, offset(self.kernel.changed.len())?);
        self.kernel.groups.push(Group { changed, lookups, new_values, n_targets });
        self.kernel.max_conn_size += widest.min(n_targets as usize);
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
            let lookup = self.lookup(&draft.sites, table)?;
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

    fn lookup(&mut self, sites: &[usize], table: u32) -> Result<Lookup> {
        let start = offset(self.kernel.sites.len())?;
        let mut stride = 1usize;
        let mut strides = vec![0; sites.len()];
        for (k, &site) in sites.iter().enumerate().rev() {
            strides[k] = offset(stride)?;
            stride *= self.hilbert.local_dim(site);
        }
        self.kernel.sites.extend(sites.iter().map(|&site| site as u32));
        self.kernel.strides.extend(strides);
        Ok(Lookup { sites: (start, offset(self.kernel.sites.len())?), table })
    }

    /// Start and number of the quantum numbers of all targets on `changed`, in order of target.
    fn targets(&mut self, changed: &[usize]) -> Result<(u32, u32)> {
        let dims: Vec<usize> = changed.iter().map(|&site| self.hilbert.local_dim(site)).collect();
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
