//! Lays groups out in the kernel's arrays.

use std::collections::{BTreeMap, HashMap};

use super::build::{digits_of, dims};
use super::join::Draft;
use super::kernel::{Entry, Group, Lookup, Move, Product, StepGroup, TableKernel};
use super::pieces::{FactorTables, Step};
use super::steps::{StepDraft, StepProduct};
use crate::error::Result;
use crate::hilbert::{HilbertSpace, LocalStates};
use crate::kernel::forms::{Form, FormBuilder};
use crate::kernel::offsets::offset;

/// Lays drafts out in the kernel's arrays; equal tables are stored once.
pub(super) struct Assembler<'a> {
    hilbert: &'a HilbertSpace,
    functions: &'a FactorTables,
    kernel: TableKernel,
    slot_tables: HashMap<Vec<u32>, u32>,
    tables: HashMap<Vec<Vec<Entry>>, u32>,
    targets: HashMap<Vec<LocalStates>, u32>,
    /// Where the functions that are used start in the kernel's factors.
    factors: HashMap<u32, u32>,
}

/// The table of a group, which others may share.
#[derive(Clone, Copy)]
pub(super) struct GroupTable {
    table: u32,
    /// The most entries of a row.
    width: usize,
}

impl<'a> Assembler<'a> {
    pub(super) fn new(hilbert: &'a HilbertSpace, functions: &'a FactorTables) -> Self {
        let kernel = TableKernel::empty(hilbert.blocks().to_vec());
        let (slot_tables, tables, targets, factors) = Default::default();
        Assembler { hilbert, functions, kernel, slot_tables, tables, targets, factors }
    }

    /// The table of a group's elements; `None` if they are all 0.
    pub(super) fn group_table(
        &mut self,
        draft: &Draft,
        forms: &mut FormBuilder,
    ) -> Result<Option<GroupTable>> {
        let rows: Vec<Vec<Entry>> = draft.rows.iter().map(|row| entries(row, forms)).collect();
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        Ok(if width == 0 { None } else { Some(GroupTable { table: self.table(rows)?, width }) })
    }

    /// Adds a group with a table over `sites`, negated if the digits on `sign` have an odd sum.
    pub(super) fn push_group(
        &mut self,
        changed: &[usize],
        [sites, sign]: [&[usize]; 2],
        table: Option<GroupTable>,
    ) -> Result<()> {
        let Some(GroupTable { table, width }) = table else { return Ok(()) };
        let lookup = self.lookup(sites, sign, table)?;
        let new_values = self.targets(changed)?;
        let changed = self.changed(changed)?;
        self.kernel.groups.push(Group { changed, lookup, new_values });
        self.kernel.max_conn_size += width;
        Ok(())
    }

    /// Where the table of a draft on the diagonal starts; `None` if it is 0.
    pub(super) fn diagonal_table(&mut self, draft: &Draft, forms: &mut FormBuilder) -> Result<Option<u32>> {
        let slot = |row: &BTreeMap<u32, Form>| row.get(&0).map_or(0, |form| forms.slot(form));
        let slots = draft.rows.iter().map(slot).collect();
        self.slot_table(slots)
    }

    /// Adds a part of the diagonal with a table over `sites`, negated if the digits on `sign` have an odd sum.
    pub(super) fn push_diagonal(&mut self, [sites, sign]: [&[usize]; 2], table: Option<u32>) -> Result<()> {
        let Some(table) = table else { return Ok(()) };
        let lookup = self.lookup(sites, sign, table)?;
        self.kernel.diagonal.push(lookup);
        self.kernel.max_conn_size = 1;
        Ok(())
    }

    pub(super) fn push_diagonal_products(
        &mut self,
        draft: &StepDraft,
        forms: &mut FormBuilder,
    ) -> Result<()> {
        self.products(&draft.products, forms)?;
        self.kernel.n_diagonal_products = offset(self.kernel.products.len())?;
        if self.kernel.n_diagonal_products > 0 {
            self.kernel.max_conn_size = 1;
        }
        Ok(())
    }

    pub(super) fn push_step(&mut self, draft: &StepDraft, forms: &mut FormBuilder) -> Result<()> {
        let first = offset(self.kernel.step_lookups.len())?;
        for ((sites, sign), table) in &draft.tables {
            let slots = table.forms.iter().map(|form| forms.slot(form)).collect();
            if let Some(table) = self.slot_table(slots)? {
                let lookup = self.lookup(sites, sign, table)?;
                self.kernel.step_lookups.push(lookup);
            }
        }
        let lookups = (first, offset(self.kernel.step_lookups.len())?);
        let products = self.products(&draft.products, forms)?;
        if lookups.0 == lookups.1 && products.0 == products.1 {
            return Ok(());
        }
        let start = offset(self.kernel.moves.len())?;
        for &(site, step) in &draft.steps {
            let local = self.hilbert.local(site);
            let (negate, offset) = match step {
                Step::Flip => (true, local.value(0).wrapping_add(local.value(1))),
                Step::By(by) => (false, (by as i8).wrapping_mul(local.step)),
            };
            self.kernel.moves.push(Move { offset, negate });
        }
        let changed = self.changed(&draft.changed())?;
        self.kernel.steps.push(StepGroup { changed, moves: start, lookups, products });
        self.kernel.max_conn_size += 1;
        Ok(())
    }

    fn products(&mut self, products: &[StepProduct], forms: &mut FormBuilder) -> Result<(u32, u32)> {
        let first = offset(self.kernel.products.len())?;
        for product in products.iter().filter(|product| !product.form.is_zero()) {
            let start = offset(self.kernel.factor_sites.len())?;
            for &(site, function) in &product.factors {
                let table = self.factor(function)?;
                self.kernel.factor_sites.push(site as u32);
                self.kernel.factor_tables.push(table);
            }
            let factors = (start, offset(self.kernel.factor_sites.len())?);
            let signs = self.signs(&product.sign)?;
            let slot = forms.slot(&product.form);
            self.kernel.products.push(Product { slot, factors, signs });
        }
        Ok((first, offset(self.kernel.products.len())?))
    }

    /// Where a function's values start among the kernel's factors.
    fn factor(&mut self, function: u32) -> Result<u32> {
        let next = offset(self.kernel.factors.len())?;
        let start = *self.factors.entry(function).or_insert(next);
        if start == next {
            self.kernel.factors.extend_from_slice(self.functions.get(function));
        }
        Ok(start)
    }

    fn changed(&mut self, changed: &[usize]) -> Result<(u32, u32)> {
        let start = offset(self.kernel.changed.len())?;
        self.kernel.changed.extend(changed.iter().map(|&site| site as u32));
        Ok((start, offset(self.kernel.changed.len())?))
    }

    /// Where a table of one slot for each row starts; `None` if all are 0.
    fn slot_table(&mut self, slots: Vec<u32>) -> Result<Option<u32>> {
        if slots.iter().all(|&slot| slot == 0) {
            return Ok(None);
        }
        if let Some(&known) = self.slot_tables.get(&slots) {
            return Ok(Some(known));
        }
        let table = offset(self.kernel.slot_tables.len())?;
        self.kernel.slot_tables.extend_from_slice(&slots);
        self.slot_tables.insert(slots, table);
        Ok(Some(table))
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

    fn lookup(&mut self, own: &[usize], sign: &[usize], table: u32) -> Result<Lookup> {
        let start = offset(self.kernel.sites.len())?;
        let mut stride = 1usize;
        let mut strides = vec![0; own.len()];
        for (k, &site) in own.iter().enumerate().rev() {
            strides[k] = offset(stride)?;
            stride *= self.hilbert.local_dim(site);
        }
        self.kernel.sites.extend(own.iter().map(|&site| site as u32));
        self.kernel.strides.extend(strides);
        let sites = (start, offset(self.kernel.sites.len())?);
        Ok(Lookup { sites, signs: self.signs(sign)?, table })
    }

    fn signs(&mut self, sign: &[usize]) -> Result<(u32, u32)> {
        let start = offset(self.kernel.signs.len())?;
        let runs = sign.chunk_by(|a, b| a + 1 == *b);
        let ends = |run: &[usize]| Some((*run.first()? as u32, *run.last()? as u32 + 1));
        self.kernel.signs.extend(runs.filter_map(ends));
        Ok((start, offset(self.kernel.signs.len())?))
    }

    /// Start of the quantum numbers of all targets on `changed`, ordered by target.
    fn targets(&mut self, changed: &[usize]) -> Result<u32> {
        let locals: Vec<LocalStates> = changed.iter().map(|&site| self.hilbert.local(site)).collect();
        let next = offset(self.kernel.new_values.len())?;
        let start = *self.targets.entry(locals.clone()).or_insert(next);
        if start == next {
            let dims = dims(self.hilbert, changed);
            for target in 0..dims.iter().product() {
                let digits = digits_of(target, &dims);
                let values = locals.iter().zip(digits).map(|(local, digit)| local.value(digit));
                self.kernel.new_values.extend(values);
            }
        }
        Ok(start)
    }

    pub(super) fn finish(mut self, forms: &FormBuilder) -> Result<TableKernel> {
        // Factors follow the slots' values.
        let n_slots = offset(forms.n_slots())?;
        self.kernel.n_slots = n_slots;
        offset(forms.n_slots() + self.kernel.factors.len())?;
        self.kernel.factor_tables.iter_mut().for_each(|table| *table += n_slots);
        Ok(self.kernel)
    }
}

fn entries(row: &BTreeMap<u32, Form>, forms: &mut FormBuilder) -> Vec<Entry> {
    row.iter()
        .map(|(&target, form)| Entry { target, slot: forms.slot(form) })
        .filter(|entry| entry.slot != 0)
        .collect()
}
