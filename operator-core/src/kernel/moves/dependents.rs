//! Which groups must be recounted when a site changes.

use std::ops::Range;

use crate::bits;
use crate::element::Element;
use crate::kernel::lowered::Kernel;
use crate::kernel::mask::{MaskKernel, Words};
use crate::kernel::offsets::range;
use crate::kernel::table::TableKernel;

/// For each site, the groups whose number of non-zero elements may depend on it.
#[derive(Debug)]
pub(crate) struct Dependents {
    /// Range of each site's groups; `None` if so many depend on it that recounting all is as fast.
    lists: Vec<Option<Range<usize>>>,
    groups: Vec<u32>,
    /// The same groups as bonds, if each is one piece over two sites.
    bonds: Option<Vec<Bond>>,
}

/// A group of one piece over two sites: the bits for which it has an element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bond {
    sites: [u32; 2],
    /// Bit `a + 2 b` is set if there is an element for the sites' bits a and b.
    elements: u8,
}

impl Bond {
    fn new<T: Element>(kernel: &MaskKernel, values: &[T], g: u32) -> Option<Self> {
        let pieces = range(kernel.groups[g as usize].pieces);
        let all = &kernel.pieces;
        let piece = all.list.get(pieces.start).filter(|piece| pieces.len() == 1 && piece.n_support == 2)?;
        let slots = all.tables[piece.table as usize..].iter().take(4);
        let bits = slots.enumerate().map(|(k, &slot)| u8::from(values[slot as usize] != T::zero()) << k);
        Some(Bond { sites: piece.first_two, elements: bits.sum() })
    }

    /// Number of its elements, which is 0 or 1.
    #[inline]
    pub(crate) fn count(self, words: &(impl Words + ?Sized)) -> u32 {
        let index = words.bit(self.sites[0]) + 2 * words.bit(self.sites[1]);
        u32::from(self.elements >> index & 1)
    }
}

impl Dependents {
    pub(crate) fn new<T: Element>(kernel: &Kernel, values: &[T]) -> Self {
        let sites_of = |g: usize, sites: &mut Vec<u32>| {
            sites.clear();
            match kernel {
                Kernel::Mask(kernel) => mask_sites(kernel, values, g, sites),
                Kernel::Table(kernel) => table_sites(kernel, values, g, sites),
            }
            sites.sort_unstable();
            sites.dedup();
        };
        let mut sites = Vec::new();
        let mut counts = vec![0; kernel.n_sites()];
        for g in 0..kernel.n_groups() {
            sites_of(g, &mut sites);
            sites.iter().for_each(|&site| counts[site as usize] += 1);
        }
        // Most moves change at least two sites. If one site has half the groups, a move has nearly all.
        let many = kernel.n_tried() / 2;
        let mut end = 0;
        let mut lists: Vec<Option<Range<usize>>> = Vec::with_capacity(counts.len());
        for count in counts {
            lists.push((count <= many).then_some(end..end));
            end += if count <= many { count } else { 0 };
        }
        let mut groups = vec![0; end];
        for g in 0..kernel.n_groups() {
            sites_of(g, &mut sites);
            for &site in &sites {
                if let Some(list) = &mut lists[site as usize] {
                    groups[list.end] = g as u32;
                    list.end += 1;
                }
            }
        }
        let bonds = match kernel {
            Kernel::Mask(kernel) => groups.iter().map(|&g| Bond::new(kernel, values, g)).collect(),
            Kernel::Table(_) => None,
        };
        Dependents { lists, groups, bonds }
    }

    /// The range of the groups that may depend on a site, in order; `None` for nearly all of them.
    #[inline]
    pub(crate) fn of(&self, site: usize) -> Option<Range<usize>> {
        self.lists[site].clone()
    }

    #[inline]
    pub(crate) fn groups(&self) -> &[u32] {
        &self.groups
    }

    /// The same groups, if each is one piece over two sites.
    #[inline]
    pub(crate) fn bonds(&self) -> Option<&[Bond]> {
        self.bonds.as_deref()
    }
}

/// Collects the sites that decide whether the group has an element. A sign never makes a single piece zero;
/// neither do the sites of a table that has no zeros.
fn mask_sites<T: Element>(kernel: &MaskKernel, values: &[T], g: usize, sites: &mut Vec<u32>) {
    let pieces = range(kernel.groups[g].pieces);
    let is_single = pieces.len() == 1;
    for p in pieces {
        let support = kernel.pieces.support_of(p);
        let table = kernel.pieces.table_of(p);
        let is_zero = |slot: &u32| values[*slot as usize] == T::zero();
        if let Some((guard, _)) = kernel.pieces.guards_of(p) {
            sites.extend(bits::sites(guard).map(|site| site as u32));
        }
        if !is_single {
            sites.extend(bits::sites(kernel.pieces.sign(p)).map(|site| site as u32));
            sites.extend(support);
        } else if table.iter().any(|slot| is_zero(slot) != is_zero(&table[0])) {
            sites.extend(support);
        }
    }
}

/// As [`mask_sites`], for tables and products.
fn table_sites<T: Element>(kernel: &TableKernel, values: &[T], g: usize, sites: &mut Vec<u32>) {
    let Some(step) = kernel.step_group(g) else {
        let lookup = &kernel.groups[g].lookup;
        let n_elements = |row: usize| {
            let entries = kernel.entries_of(lookup.table as usize + row);
            entries.iter().filter(|entry| values[entry.slot as usize] != T::zero()).count()
        };
        if (1..kernel.n_rows(lookup)).any(|row| n_elements(row) != n_elements(0)) {
            sites.extend(&kernel.sites[range(lookup.sites)]);
        }
        return;
    };
    let (products, lookups) =
        (&kernel.products[range(step.products)], &kernel.step_lookups[range(step.lookups)]);
    let signs = products.iter().map(|product| product.signs).chain(lookups.iter().map(|lookup| lookup.signs));
    if products.len() + lookups.len() > 1 {
        let runs = signs.flat_map(|signs| &kernel.signs[range(signs)]);
        sites.extend(runs.flat_map(|&(start, end)| start..end));
    }
    products.iter().for_each(|product| sites.extend(&kernel.factor_sites[range(product.factors)]));
    lookups.iter().for_each(|lookup| sites.extend(&kernel.sites[range(lookup.sites)]));
}
