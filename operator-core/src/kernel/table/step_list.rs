//! Step groups for given values, laid out to list the elements of a sample without branches.

use super::kernel::{Product, TableKernel};
use crate::element::Element;
use crate::kernel::offsets::range;

/// Step groups for given values. Most are a single product of at most two functions without signs, as hops are; their
/// elements are listed without branches. The others are evaluated by the kernel.
#[derive(Debug)]
pub(crate) struct StepList<T> {
    /// All step groups, if each is a simple product.
    pairs: Option<Vec<Pair<T>>>,
    /// The products on the diagonal whose slot is not 0, if each is simple.
    diagonal: Option<Vec<Pair<T>>>,
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

impl<T: Element> Pair<T> {
    /// `None` for a product of more functions or with signs. `ones` is where the function 1 starts.
    fn new(kernel: &TableKernel, product: &Product, values: &[T], ones: u32) -> Option<Self> {
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
    }

    #[inline(always)]
    fn value(&self, factors: &[T], digits: &[u8]) -> T {
        let [a, b]: [T; 2] = std::array::from_fn(|k| {
            factors[self.tables[k] as usize + usize::from(digits[self.sites[k] as usize])]
        });
        self.coefficient * a * b
    }
}

impl<T: Element> StepList<T> {
    pub(crate) fn new(kernel: &TableKernel, values: &[T]) -> Self {
        let mut factors: Vec<T> =
            kernel.factors.iter().map(|&factor| T::from_complex(factor.into())).collect();
        let ones = factors.len() as u32;
        factors.resize(factors.len() + usize::from(u8::MAX) + 1, T::one());
        let pairs = kernel.steps.iter().map(|step| match &kernel.products[range(step.products)] {
            [product] if range(step.lookups).is_empty() => Pair::new(kernel, product, values, ones),
            _ => None,
        });
        let pairs = pairs.collect();
        let diagonal = kernel.products[..kernel.n_diagonal_products as usize].iter();
        let diagonal = diagonal.filter(|product| values[product.slot as usize] != T::zero());
        let diagonal = diagonal.map(|product| Pair::new(kernel, product, values, ones)).collect();
        StepList { pairs, diagonal, factors }
    }

    /// Writes the non-zero elements of a sample and their items to the start of the lists, which have room for one
    /// more than there are step groups, and returns how many there are. `first` is the item of the first step group.
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
                pairs.iter().enumerate().for_each(|(s, pair)| push(s, pair.value(&self.factors, digits)));
            }
            None => {
                let steps = kernel.steps.iter().enumerate();
                steps.for_each(|(s, step)| push(s, kernel.step_element(step, digits, values)));
            }
        }
        n
    }

    /// The part of the diagonal element that products give, added up as [`TableKernel::diagonal_products`] does.
    #[inline]
    pub(crate) fn diagonal(&self, kernel: &TableKernel, digits: &[u8], values: &[T]) -> T {
        match &self.diagonal {
            Some(pairs) => pairs.iter().fold(T::zero(), |sum, pair| sum + pair.value(&self.factors, digits)),
            None => kernel.diagonal_products(digits, values),
        }
    }
}
