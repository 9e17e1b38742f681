//! The kernel on sites of any local dimension as arrays.

use super::{EngineBlock, EngineKind, SpaceArrays};
use crate::kernel::changes::{Changes, Edit};
use crate::kernel::table::{Group, Lookup, StepGroup, TableKernel};

/// An operator on sites of any local dimension. Pairs `[first, end]` are parts of arrays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableArrays {
    /// Local states and constraints.
    pub space: SpaceArrays,
    /// Number of slots.
    pub n_slots: usize,
    /// The diagonal's lookups: `[first site, end, first sign range, end, table]`. Their tables are in `slot_tables`.
    pub diagonal: Vec<[u32; 5]>,
    /// The first products are those of the diagonal.
    pub n_diagonal_products: usize,
    /// Slots of the diagonal's and of step groups' tables.
    pub slot_tables: Vec<u32>,
    /// A lookup, whose table is in `row_starts`, and the number of the change to target 0.
    pub groups: Vec<[u32; 6]>,
    /// `[first lookup, end, first product, end, number of the change]`.
    pub steps: Vec<[u32; 5]>,
    /// Lookups of step groups.
    pub step_lookups: Vec<[u32; 5]>,
    /// `[slot, first factor, end, first sign range, end]`.
    pub products: Vec<[u32; 5]>,
    /// The site of each factor.
    pub factor_sites: Vec<u32>,
    /// Where each factor's numbers start in `factors`.
    pub factor_tables: Vec<u32>,
    /// Numbers, one a local index.
    pub factors: Vec<f64>,
    /// Sites of lookups.
    pub sites: Vec<u32>,
    /// The weight of each such site's local index.
    pub strides: Vec<u32>,
    /// Ranges of sites whose indices' odd sum negates.
    pub signs: Vec<[u32; 2]>,
    /// Where the entries of each row of groups' tables start, and where those of the last end.
    pub row_starts: Vec<u32>,
    /// `[target, slot]`
    pub entries: Vec<[u32; 2]>,
    /// The group that makes each change, step groups after the others; 0 for change 0.
    pub group_of_change: Vec<u32>,
    /// Where the edits of each change start, and where those of the last end.
    pub edits_of_change: Vec<u32>,
    /// What is done to local indices: index i of `site` becomes `offset + factor · i` modulo 256.
    pub edits: Vec<Edit>,
}

impl TableArrays {
    pub(super) fn new(kernel: &TableKernel, changes: &Changes) -> Self {
        let space = SpaceArrays::new(&kernel.blocks);
        let first = changes.first();
        let (of_groups, of_steps) = first.split_at(kernel.groups.len());
        let group = |(group, &change): (&Group, &u32)| {
            let [a, b, c, d, e] = lookup(&group.lookup);
            [a, b, c, d, e, change]
        };
        let step = |(step, &change): (&StepGroup, &u32)| {
            let (lookups, products) = (step.lookups, step.products);
            [lookups.0, lookups.1, products.0, products.1, change]
        };
        let mut out = TableArrays {
            n_slots: kernel.n_slots as usize,
            diagonal: kernel.diagonal.iter().map(lookup).collect(),
            n_diagonal_products: kernel.n_diagonal_products as usize,
            slot_tables: kernel.slot_tables.clone(),
            groups: kernel.groups.iter().zip(of_groups).map(group).collect(),
            steps: kernel.steps.iter().zip(of_steps).map(step).collect(),
            step_lookups: kernel.step_lookups.iter().map(lookup).collect(),
            products: kernel
                .products
                .iter()
                .map(|p| [p.slot, p.factors.0, p.factors.1, p.signs.0, p.signs.1])
                .collect(),
            factor_sites: kernel.factor_sites.clone(),
            factor_tables: kernel.factor_tables.iter().map(|table| table - kernel.n_slots).collect(),
            factors: kernel.factors.clone(),
            sites: kernel.sites.clone(),
            strides: kernel.strides.clone(),
            signs: kernel.signs.iter().map(|&(start, end)| [start, end]).collect(),
            row_starts: kernel.row_starts.clone(),
            entries: kernel.entries.iter().map(|entry| [entry.target, entry.slot]).collect(),
            group_of_change: vec![0; changes.len()],
            edits_of_change: vec![0],
            edits: Vec::new(),
            space,
        };
        for (g, &start) in first.iter().enumerate() {
            let end = first.get(g + 1).map_or(changes.len(), |&end| end as usize);
            out.group_of_change[start as usize..end].fill(g as u32);
        }
        for number in 0..changes.len() as u32 {
            let edits = changes.edits(number).iter().map(|&edit| out.space.on_indices(edit));
            out.edits.extend(edits);
            out.edits_of_change.push(out.edits.len() as u32);
        }
        out
    }

    pub(super) fn kind(&self) -> EngineKind {
        EngineKind::Tables {
            has_signs: !self.signs.is_empty(),
            has_steps: !self.products.is_empty() || !self.steps.is_empty(),
        }
    }

    pub(super) fn block(&self) -> EngineBlock {
        let edit = |edit: &Edit| {
            let [a, b, c, d] = edit.site.to_le_bytes();
            [a, b, c, d, edit.offset as u8, edit.factor as u8, 0, 0]
        };
        let block = EngineBlock::default()
            .u32s(self.diagonal.as_flattened())
            .u32s(&self.slot_tables)
            .u32s(self.groups.as_flattened())
            .u32s(self.steps.as_flattened())
            .u32s(self.step_lookups.as_flattened())
            .u32s(self.products.as_flattened())
            .u32s(&self.factor_sites)
            .u32s(&self.factor_tables)
            .array(self.factors.iter().map(|factor| factor.to_le_bytes()))
            .u32s(&self.sites)
            .u32s(&self.strides)
            .u32s(self.signs.as_flattened())
            .u32s(&self.row_starts)
            .u32s(self.entries.as_flattened())
            .u32s(&self.group_of_change)
            .u32s(&self.edits_of_change)
            .array(self.edits.iter().map(edit));
        self.space.add_to(block).numbers([
            self.space.n_sites(),
            self.space.totals.len(),
            self.n_slots,
            self.diagonal.len(),
            self.n_diagonal_products,
            self.groups.len(),
            self.steps.len(),
        ])
    }
}

fn lookup(lookup: &Lookup) -> [u32; 5] {
    [lookup.sites.0, lookup.sites.1, lookup.signs.0, lookup.signs.1, lookup.table]
}
