//! The kernel on sites of any local dimension.

use crate::element::Element;
use crate::hilbert::{Block, LocalStates};
use crate::kernel::offsets::range;

/// An operator on sites of any local dimension.
///
/// A configuration is a list of digits, the local indices. Matrix elements that change the same sites form a
/// *group* with a *lookup*: the digits on the lookup's sites give an index. For this index the table lists which new
/// digits (*targets*) are reached, and by which slots.
///
/// Where a table over all these sites would be too large, the elements are split into *step groups* instead. A step
/// group moves each of its sites by a fixed step, so it reaches at most one x'. Its element is a sum of tables and of
/// *products*: a slot times a number for each of some digits. A hop of bosons is a product of two functions of one
/// digit each, however many bosons fit on a site.
///
/// Besides its own sites, a lookup or product may have a *sign set* of two-level sites: its values are negated if the
/// digits there have an odd sum. A fermion hop is thus a table over its two modes, however long the Jordan-Wigner
/// string between them.
///
/// Groups are numbered before step groups.
#[derive(Debug)]
pub(crate) struct TableKernel {
    pub(crate) blocks: Vec<Block>,
    /// The diagonal is a sum of slots, `slot_tables[lookup.table + index]`,
    pub(crate) diagonal: Vec<Lookup>,
    /// and of the first products.
    pub(crate) n_diagonal_products: u32,
    pub(crate) slot_tables: Vec<u32>,
    pub(crate) groups: Vec<Group>,
    pub(crate) steps: Vec<StepGroup>,
    /// Lookups of step groups, with slots as those of the diagonal.
    pub(crate) step_lookups: Vec<Lookup>,
    pub(crate) products: Vec<Product>,
    /// Sites of all products' functions, and where each function starts among the values.
    pub(crate) factor_sites: Vec<u32>,
    pub(crate) factor_tables: Vec<u32>,
    /// The functions' values. Among all values they follow those of the slots.
    pub(crate) factors: Vec<f64>,
    pub(crate) n_slots: u32,
    /// Sites of all lookups, and the weight of each site's digit in the index.
    pub(crate) sites: Vec<u32>,
    pub(crate) strides: Vec<u32>,
    /// Sign sets, as ranges of sites: most consist of the modes between two others.
    pub(crate) signs: Vec<(u32, u32)>,
    /// `entries[row_starts[lookup.table + index] .. row_starts[lookup.table + index + 1]]`.
    pub(crate) row_starts: Vec<u32>,
    pub(crate) entries: Vec<Entry>,
    /// Sites changed by each group and step group.
    pub(crate) changed: Vec<u32>,
    /// What step groups do to them.
    pub(crate) moves: Vec<Move>,
    /// New quantum numbers of groups, as many as changed sites for each target.
    pub(crate) new_values: Vec<i8>,
    pub(crate) max_conn_size: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Lookup {
    pub(crate) sites: (u32, u32),
    pub(crate) signs: (u32, u32),
    pub(crate) table: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) changed: (u32, u32),
    pub(crate) lookup: Lookup,
    /// Start of the targets' quantum numbers.
    pub(crate) new_values: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct StepGroup {
    pub(crate) changed: (u32, u32),
    /// Start of the changed sites' moves.
    pub(crate) moves: u32,
    pub(crate) lookups: (u32, u32),
    pub(crate) products: (u32, u32),
}

/// A slot times functions of single digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    pub(crate) slot: u32,
    pub(crate) factors: (u32, u32),
    pub(crate) signs: (u32, u32),
}

/// What a step does to a quantum number: it adds `offset` to it, or to its negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Move {
    pub(crate) offset: i8,
    pub(crate) negate: bool,
}

impl Move {
    #[inline(always)]
    pub(crate) fn apply(self, q: i8) -> i8 {
        self.offset.wrapping_add(if self.negate { q.wrapping_neg() } else { q })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) target: u32,
    pub(crate) slot: u32,
}

/// Number of partial sums of the diagonal.
pub(crate) const DIAGONAL_LANES: usize = 4;

#[inline]
pub(crate) fn sum_of_lanes<T: Element>(lanes: [T; DIAGONAL_LANES]) -> T {
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

#[inline]
fn signed<T: Element>(value: T, negative: bool) -> T {
    if negative { -value } else { value }
}

impl TableKernel {
    /// The operator 0.
    pub(crate) fn empty(blocks: Vec<Block>) -> Self {
        TableKernel {
            blocks,
            diagonal: Vec::new(),
            n_diagonal_products: 0,
            slot_tables: Vec::new(),
            groups: Vec::new(),
            steps: Vec::new(),
            step_lookups: Vec::new(),
            products: Vec::new(),
            factor_sites: Vec::new(),
            factor_tables: Vec::new(),
            factors: Vec::new(),
            n_slots: 0,
            sites: Vec::new(),
            strides: Vec::new(),
            signs: Vec::new(),
            row_starts: vec![0],
            entries: Vec::new(),
            changed: Vec::new(),
            moves: Vec::new(),
            new_values: Vec::new(),
            max_conn_size: 0,
        }
    }

    pub(crate) fn max_conn_size(&self) -> usize {
        self.max_conn_size
    }

    /// Number of groups and step groups.
    pub(crate) fn n_groups(&self) -> usize {
        self.groups.len() + self.steps.len()
    }

    /// The step group with this number; `None` for other groups.
    #[inline]
    pub(crate) fn step_group(&self, g: usize) -> Option<&StepGroup> {
        g.checked_sub(self.groups.len()).map(|s| &self.steps[s])
    }

    /// Appends the local indices of quantum numbers, which must be local states.
    #[inline]
    pub(crate) fn push_digits(&self, x: &[i8], digits: &mut Vec<u8>) {
        for block in &self.blocks {
            let (first, step) = (i16::from(block.local.first), i16::from(block.local.step));
            let row = &x[block.start..block.start + block.n_sites];
            match step {
                1 => digits.extend(row.iter().map(|&q| (i16::from(q) - first) as u8)),
                -2 => digits.extend(row.iter().map(|&q| ((first - i16::from(q)) / 2) as u8)),
                _ => digits.extend(row.iter().map(|&q| ((i16::from(q) - first) / step) as u8)),
            }
        }
    }

    /// Calls `f` with group, target and value of each non-zero off-diagonal element. The target of a step group is 0.
    #[inline]
    pub(crate) fn for_each<T: Element>(&self, digits: &[u8], values: &[T], mut f: impl FnMut(usize, u32, T)) {
        for (g, group) in self.groups.iter().enumerate() {
            self.for_each_of_group(group, digits, values, |target, mel| f(g, target, mel));
        }
        for (s, step) in self.steps.iter().enumerate() {
            let mel = self.step_element(step, digits, values);
            if mel != T::zero() {
                f(self.groups.len() + s, 0, mel);
            }
        }
    }

    /// The same for group `g` only, without its number.
    #[inline(always)]
    pub(crate) fn for_each_of<T: Element>(
        &self,
        g: usize,
        digits: &[u8],
        values: &[T],
        mut f: impl FnMut(u32, T),
    ) {
        match self.step_group(g) {
            None => self.for_each_of_group(&self.groups[g], digits, values, f),
            Some(step) => {
                let mel = self.step_element(step, digits, values);
                if mel != T::zero() {
                    f(0, mel);
                }
            }
        }
    }

    #[inline(always)]
    fn for_each_of_group<T: Element>(
        &self,
        group: &Group,
        digits: &[u8],
        values: &[T],
        mut f: impl FnMut(u32, T),
    ) {
        let row = self.row(&group.lookup, digits);
        let negative = !row.is_empty() && self.is_negative(&group.lookup, digits);
        for entry in row {
            let mel = signed(values[entry.slot as usize], negative);
            if mel != T::zero() {
                f(entry.target, mel);
            }
        }
    }

    /// The element of a step group.
    #[inline]
    pub(crate) fn step_element<T: Element>(&self, step: &StepGroup, digits: &[u8], values: &[T]) -> T {
        let mut mel = self.sum_of_products(step.products, digits, values);
        for lookup in &self.step_lookups[range(step.lookups)] {
            let slot = self.slot_tables[lookup.table as usize + self.index(lookup, digits)];
            mel += signed(values[slot as usize], self.is_negative(lookup, digits));
        }
        mel
    }

    #[inline]
    fn sum_of_products<T: Element>(&self, products: (u32, u32), digits: &[u8], values: &[T]) -> T {
        let products = &self.products[range(products)];
        products.iter().fold(T::zero(), |sum, product| sum + self.product(product, digits, values))
    }

    #[inline(always)]
    fn product<T: Element>(&self, product: &Product, digits: &[u8], values: &[T]) -> T {
        let sites = &self.factor_sites[range(product.factors)];
        let tables = &self.factor_tables[range(product.factors)];
        let slot = values[product.slot as usize];
        let factor = |site: u32, table: u32| values[table as usize + usize::from(digits[site as usize])];
        // Most products have one or two functions.
        let value = match (sites, tables) {
            (&[a], &[f]) => slot * factor(a, f),
            (&[a, b], &[f, g]) => slot * factor(a, f) * factor(b, g),
            _ => sites.iter().zip(tables).fold(slot, |value, (&site, &table)| value * factor(site, table)),
        };
        signed(value, self.is_odd(product.signs, digits))
    }

    /// Where the values of a product's functions are among all values, for a configuration's digits.
    #[inline]
    fn factors_of(&self, product: &Product, digits: &[u8]) -> impl Iterator<Item = usize> {
        let (sites, tables) =
            (&self.factor_sites[range(product.factors)], &self.factor_tables[range(product.factors)]);
        sites.iter().zip(tables).map(|(&site, &table)| table as usize + usize::from(digits[site as usize]))
    }

    /// Turns the sample's row into the target of group `g`.
    #[inline]
    pub(crate) fn edit(&self, g: usize, target: u32, row: &mut [i8]) {
        match self.step_group(g) {
            None => {
                let (sites, values) = self.target(g, target);
                for (&site, &value) in sites.iter().zip(values) {
                    row[site as usize] = value;
                }
            }
            Some(step) => {
                let (sites, moves) = self.moves_of(step);
                for (&site, change) in sites.iter().zip(moves) {
                    row[site as usize] = change.apply(row[site as usize]);
                }
            }
        }
    }

    /// The sites that a step group changes, and what it does to each.
    #[inline]
    pub(crate) fn moves_of(&self, step: &StepGroup) -> (&[u32], &[Move]) {
        let sites = &self.changed[range(step.changed)];
        (sites, &self.moves[step.moves as usize..][..sites.len()])
    }

    /// The sites that group `g` changes, and the quantum numbers of a target on them.
    #[inline]
    pub(crate) fn target(&self, g: usize, target: u32) -> (&[u32], &[i8]) {
        let group = &self.groups[g];
        let sites = &self.changed[range(group.changed)];
        let start = group.new_values as usize + target as usize * sites.len();
        (sites, &self.new_values[start..start + sites.len()])
    }

    /// The sites that group `g` changes.
    #[inline]
    pub(crate) fn changed_by(&self, g: usize) -> &[u32] {
        let changed = self.step_group(g).map_or_else(|| self.groups[g].changed, |step| step.changed);
        &self.changed[range(changed)]
    }

    /// Whether every site has two local states.
    pub(crate) fn is_two_level(&self) -> bool {
        self.blocks.iter().all(|block| block.local.len == 2)
    }

    /// The number of targets that group `g` has.
    pub(crate) fn n_targets(&self, g: usize) -> u32 {
        let sites = &self.changed[range(self.groups[g].changed)];
        sites.iter().map(|&site| self.local_dim(site as usize) as u32).product()
    }

    /// The diagonal element.
    #[inline]
    pub(crate) fn diagonal<T: Element>(&self, digits: &[u8], values: &[T]) -> T {
        let tables = self.diagonal_of_tables(digits, values);
        if self.n_diagonal_products == 0 { tables } else { tables + self.diagonal_products(digits, values) }
    }

    /// The part of the diagonal element that tables give, added up in lanes so that no addition waits for the previous one.
    #[inline]
    pub(crate) fn diagonal_of_tables<T: Element>(&self, digits: &[u8], values: &[T]) -> T {
        let mut lanes = [T::zero(); DIAGONAL_LANES];
        for lookups in self.diagonal.chunks(DIAGONAL_LANES) {
            for (lane, lookup) in lanes.iter_mut().zip(lookups) {
                let slot = self.slot_tables[lookup.table as usize + self.index(lookup, digits)];
                *lane += signed(values[slot as usize], self.is_negative(lookup, digits));
            }
        }
        sum_of_lanes(lanes)
    }

    /// The part of the diagonal element that products give, added up in lanes as well.
    #[inline]
    pub(crate) fn diagonal_products<T: Element>(&self, digits: &[u8], values: &[T]) -> T {
        let mut lanes = [T::zero(); DIAGONAL_LANES];
        for products in self.products[..self.n_diagonal_products as usize].chunks(DIAGONAL_LANES) {
            for (lane, product) in lanes.iter_mut().zip(products) {
                *lane += self.product(product, digits, values);
            }
        }
        sum_of_lanes(lanes)
    }

    #[inline]
    pub(crate) fn index(&self, lookup: &Lookup, digits: &[u8]) -> usize {
        let sites = &self.sites[range(lookup.sites)];
        let strides = &self.strides[range(lookup.sites)];
        // Most lookups cover one site or one bond.
        match (sites, strides) {
            (&[a], _) => return usize::from(digits[a as usize]),
            (&[a, b], &[stride, _]) => {
                return usize::from(digits[a as usize]) * stride as usize + usize::from(digits[b as usize]);
            }
            _ => {}
        }
        sites
            .iter()
            .zip(strides)
            .map(|(&site, &stride)| usize::from(digits[site as usize]) * stride as usize)
            .sum()
    }

    /// Whether a configuration's values are negated.
    #[inline]
    pub(crate) fn is_negative(&self, lookup: &Lookup, digits: &[u8]) -> bool {
        self.is_odd(lookup.signs, digits)
    }

    /// Whether the digits on a sign set have an odd sum.
    #[inline]
    fn is_odd(&self, signs: (u32, u32), digits: &[u8]) -> bool {
        if signs.0 == signs.1 {
            return false;
        }
        let parity = self.signs[range(signs)].iter().fold(0, |parity, &(start, end)| {
            digits[start as usize..end as usize].iter().fold(parity, |parity, digit| parity ^ digit)
        });
        parity & 1 == 1
    }

    /// Number of rows of a lookup's table.
    pub(crate) fn n_rows(&self, lookup: &Lookup) -> usize {
        let (sites, strides) = (&self.sites[range(lookup.sites)], &self.strides[range(lookup.sites)]);
        match (sites.first(), strides.first()) {
            (Some(&site), Some(&stride)) => self.local_dim(site as usize) * stride as usize,
            _ => 1,
        }
    }

    pub(crate) fn local_dim(&self, site: usize) -> usize {
        self.local(site).len
    }

    /// The local states of a site.
    pub(crate) fn local(&self, site: usize) -> LocalStates {
        let block = self.blocks.partition_point(|block| block.start + block.n_sites <= site);
        self.blocks[block].local
    }

    #[inline]
    fn row(&self, lookup: &Lookup, digits: &[u8]) -> &[Entry] {
        self.entries_of(lookup.table as usize + self.index(lookup, digits))
    }

    /// The entries of a row of all tables.
    #[inline]
    pub(crate) fn entries_of(&self, row: usize) -> &[Entry] {
        &self.entries[self.row_starts[row] as usize..self.row_starts[row + 1] as usize]
    }

    /// The slots that add up to the diagonal element, each with its factor.
    pub(crate) fn diagonal_slots(&self, digits: &[u8], f: &mut impl FnMut(usize, f64)) {
        self.slots_of_lookups(&self.diagonal, digits, f);
        self.slots_of_products((0, self.n_diagonal_products), digits, f);
    }

    /// The slots that add up to an element of group `g`, each with its factor.
    pub(crate) fn target_slots(&self, g: usize, target: u32, digits: &[u8], f: &mut impl FnMut(usize, f64)) {
        match self.step_group(g) {
            None => {
                let lookup = &self.groups[g].lookup;
                for entry in self.row(lookup, digits).iter().filter(|entry| entry.target == target) {
                    f(entry.slot as usize, signed(1.0, self.is_negative(lookup, digits)));
                }
            }
            Some(step) => {
                self.slots_of_products(step.products, digits, f);
                self.slots_of_lookups(&self.step_lookups[range(step.lookups)], digits, f);
            }
        }
    }

    fn slots_of_lookups(&self, lookups: &[Lookup], digits: &[u8], f: &mut impl FnMut(usize, f64)) {
        for lookup in lookups {
            let slot = self.slot_tables[lookup.table as usize + self.index(lookup, digits)];
            f(slot as usize, signed(1.0, self.is_negative(lookup, digits)));
        }
    }

    fn slots_of_products(&self, products: (u32, u32), digits: &[u8], f: &mut impl FnMut(usize, f64)) {
        for product in &self.products[range(products)] {
            let factor =
                self.factors_of(product, digits).map(|k| self.factors[k - self.n_slots as usize]).product();
            f(product.slot as usize, signed(factor, self.is_odd(product.signs, digits)));
        }
    }
}
