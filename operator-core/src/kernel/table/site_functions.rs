//! Functions of single digits, laid out so that a sample's values are gathered once for all products.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::kernel::TableKernel;
use crate::element::Element;
use crate::kernel::offsets::range;

/// How many functions of one digit stand side by side.
const WIDTH: usize = 4;

/// The values of up to [`WIDTH`] functions at one digit.
pub(crate) type Bundle<T> = [T; WIDTH];

/// The functions that products use, in bundles of functions of the same digit. A site has few of them: a hop uses two
/// of each site, however many bonds meet there. So the values of a sample are a short array that stays in the nearest
/// cache, and a product of functions reads it without looking at digits.
#[derive(Debug)]
pub(crate) struct SiteFunctions<T> {
    /// The site of each bundle, and where its row for digit 0 is. The rows of the other digits follow.
    bundles: Vec<(u32, u32)>,
    rows: Vec<Bundle<T>>,
    /// Where the value of each function on each site is after [`gather`](Self::gather).
    places: HashMap<(u32, u32), u32>,
}

impl<T: Element> SiteFunctions<T> {
    /// The functions of all products of a kernel.
    pub(crate) fn new(kernel: &TableKernel) -> Self {
        // In order, so that sites with the same functions have the same bundles.
        let mut of_sites: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for product in &kernel.products {
            let (sites, tables) = (&kernel.factor_sites, &kernel.factor_tables);
            for k in range(product.factors) {
                of_sites.entry(sites[k]).or_default().insert(tables[k]);
            }
        }
        // Place 0 is a bundle of ones, for functions that are missing.
        let mut out = SiteFunctions { bundles: vec![(0, 0)], rows: Vec::new(), places: HashMap::new() };
        out.rows.resize(usize::from(u8::MAX) + 1, [T::one(); WIDTH]);
        let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
        for (site, tables) in of_sites {
            let dim = kernel.local(site as usize).len;
            let tables: Vec<u32> = tables.into_iter().collect();
            for tables in tables.chunks(WIDTH) {
                let next = out.rows.len() as u32;
                let start = *known.entry(tables.to_vec()).or_insert(next);
                if start == next {
                    out.rows.extend((0..dim).map(|digit| {
                        let value = |table: &u32| kernel.factors[(table - kernel.n_slots) as usize + digit];
                        std::array::from_fn(|k| {
                            tables.get(k).map_or(T::zero(), |table| T::from_complex(value(table).into()))
                        })
                    }));
                }
                let first = (out.bundles.len() * WIDTH) as u32;
                out.places.extend((first..).zip(tables).map(|(place, &table)| ((site, table), place)));
                out.bundles.push((site, start));
            }
        }
        out
    }

    /// Where the value of a function on a site is among the gathered ones; `None` stands for the function 1.
    pub(crate) fn place(&self, function: Option<(u32, u32)>) -> u32 {
        function.map_or(0, |function| self.places[&function])
    }

    /// Gathers the values of all functions for a sample.
    #[inline]
    pub(crate) fn gather(&self, digits: &[u8], values: &mut Vec<Bundle<T>>) {
        values.resize(self.bundles.len(), [T::zero(); WIDTH]);
        for (to, &(site, start)) in values.iter_mut().zip(&self.bundles) {
            *to = self.rows[start as usize + usize::from(digits[site as usize])];
        }
    }
}
