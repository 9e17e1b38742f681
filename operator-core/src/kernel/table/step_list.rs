//! Step groups for given values, laid out to list the elements of a sample without branches.

use super::kernel::TableKernel;
use crate::element::Element;
use crate::kernel::offsets::range;

/// Step groups for given values. Most are a single product of at most two functions without signs, as hops are; their
/// elements are listed without branches. The others are evaluated by the kernel.
#[derive(Debug)]
pub(crate) struct StepList<T> {
    /// All step groups, if each is a simple product.
    pairs: Option<Vec<Pair<T>>>,
    /// The functions' values, and at the end as many ones as a digit has values.
    factors: Vec<T>,
}

/// A product of two functions; a missing one is 1.
#[derive(Clone, Copy, Debug)]
struct Pair<T> {
    coefficient: T,
    sites: [u32; 2],
    tables: [u32; 2],
}

impl<T: Element> StepList<T> {
    pub(crate) fn new(kernel: &TableKernel, values: &[T]) -> Self {
        let mut factors: Vec<T> =
            kernel.factors.iter().map(|&factor| T::from_complex(factor.into())).collect();
        let ones = factors.len() as u32;
        factors.resize(factors.len() + usize::from(u8::MAX) + 1, T::one());
        let pair = |products: (u32, u32)| {
            let [product] = &kernel.products[range(products)] else { return None };
            let sites = &kernel.factor_sites[range(product.factors)];
            let tables = &kernel.factor_tables[range(product.factors)];
            if sites.len() > 2 || !range(product.signs).is_empty() {
                return None;
            }
            Some(Pair {
                coefficient: values[product.slot as usize],
                sites: std::array::from_fn(|k| sites.get(k).copied().unwrap_or(0)),
                tables: std::array::from_fn(|k| tables.get(k).map_or(ones, |table| table - kernel.n_slots)),
            })
        };
        let pairs = kernel
            .steps
            .iter()
            .map(|step| if range(step.lookups).is_empty() { pair(step.products) } else { None });
        StepList { pairs: pairs.collect(), factors }
    }

    /// Appends the non-zero elements of a sample and the numbers of their step groups, and returns how many there are.
    /// The lists have the given length before and are overwritten beyond it.
    #[inline]
    pub(crate) fn list(
        &self,
        kernel: &TableKernel,
        digits: &[u8],
        values: &[T],
        first: u64,
        items: &mut [u64],
        mels: &mut [T],
    ) -> usize {
        let mut n = 0;
        let mut push = |s: usize, mel: T| {
            items[n] = first + s as u64;
            mels[n] = mel;
            n += usize::from(mel != T::zero());
        };
        match &self.pairs {
            Some(pairs) => {
                for (s, pair) in pairs.iter().enumerate() {
                    let [a, b] = pair.sites.map(|site| usize::from(digits[site as usize]));
                    let factors =
                        (&self.factors[pair.tables[0] as usize..], &self.factors[pair.tables[1] as usize..]);
                    push(s, pair.coefficient * factors.0[a] * factors.1[b]);
                }
            }
            None => {
                for (s, step) in kernel.steps.iter().enumerate() {
                    push(s, kernel.step_element(step, digits, values));
                }
            }
        }
        n
    }
}
