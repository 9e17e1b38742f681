//! Step groups for given values, laid out to list the elements of a sample without branches.

use super::kernel::{DIAGONAL_LANES, Product, TableKernel, sum_of_lanes};
use super::site_functions::{Bundle, SiteFunctions};
use crate::element::Element;
use crate::kernel::offsets::range;

/// Step groups for given values. Most are a single product of at most two functions without signs, as hops are; their
/// elements are listed without branches. The others are evaluated by the kernel.
#[derive(Debug)]
pub(crate) struct StepList<T> {
    /// All step groups in order.
    runs: Vec<Run<T>>,
    /// The products on the diagonal by the lane in which the kernel adds them up, if each is simple.
    diagonal: Option<Vec<[Pair<T>; DIAGONAL_LANES]>>,
    functions: SiteFunctions<T>,
}

/// Consecutive step groups.
#[derive(Debug)]
enum Run<T> {
    Simple(Vec<Pair<T>>),
    /// This many others.
    Others(usize),
}

/// A product of two functions; a missing one is 1.
#[derive(Clone, Copy, Debug)]
struct Pair<T> {
    coefficient: T,
    /// Where the functions' values are, once they are gathered.
    places: [u32; 2],
}

impl<T: Element> Pair<T> {
    /// `None` for a product of more functions or with signs.
    fn new(
        kernel: &TableKernel,
        product: &Product,
        values: &[T],
        functions: &SiteFunctions<T>,
    ) -> Option<Self> {
        let sites = &kernel.factor_sites[range(product.factors)];
        let tables = &kernel.factor_tables[range(product.factors)];
        if sites.len() > 2 || !range(product.signs).is_empty() {
            return None;
        }
        let function = |k: usize| Some((*sites.get(k)?, *tables.get(k)?));
        let places = std::array::from_fn(|k| functions.place(function(k)));
        Some(Pair { coefficient: values[product.slot as usize], places })
    }

    #[inline(always)]
    fn value(&self, at: &[T]) -> T {
        let [a, b] = self.places.map(|place| at[place as usize]);
        self.coefficient * a * b
    }
}

impl<T: Element> StepList<T> {
    pub(crate) fn new(kernel: &TableKernel, values: &[T]) -> Self {
        let functions = SiteFunctions::new(kernel);
        let pair = |product: &Product| Pair::new(kernel, product, values, &functions);
        let mut runs = Vec::new();
        for step in &kernel.steps {
            let simple = match &kernel.products[range(step.products)] {
                [product] if range(step.lookups).is_empty() => pair(product),
                _ => None,
            };
            match (simple, runs.last_mut()) {
                (Some(pair), Some(Run::Simple(pairs))) => pairs.push(pair),
                (Some(pair), _) => runs.push(Run::Simple(vec![pair])),
                (None, Some(Run::Others(n))) => *n += 1,
                (None, _) => runs.push(Run::Others(1)),
            }
        }
        let diagonal = diagonal_in_lanes(kernel, pair);
        StepList { runs, diagonal, functions }
    }

    /// Evaluates all step groups for a sample.
    ///
    /// Values come first and a list of those that are not 0 second: one loop that did both would take twice as long,
    /// since where it stores waits for what it computes.
    pub(crate) fn evaluate(
        &self,
        kernel: &TableKernel,
        digits: &[u8],
        values: &[T],
        scratch: &mut StepScratch<T>,
    ) {
        let StepScratch { functions, mels } = scratch;
        self.functions.gather(digits, functions);
        mels.resize(kernel.steps.len(), T::zero());
        let functions = functions.as_flattened();
        let mut s = 0;
        for run in &self.runs {
            match run {
                Run::Simple(pairs) => {
                    let mels = &mut mels[s..s + pairs.len()];
                    mels.iter_mut().zip(pairs).for_each(|(mel, pair)| *mel = pair.value(functions));
                    s += pairs.len();
                }
                Run::Others(n) => {
                    let steps = kernel.steps[s..s + n].iter();
                    let mels = &mut mels[s..s + n];
                    (mels.iter_mut().zip(steps))
                        .for_each(|(mel, step)| *mel = kernel.step_element(step, digits, values));
                    s += n;
                }
            }
        }
    }

    /// The part of the diagonal element that products give, added up as [`TableKernel::diagonal_products`] does. The
    /// sample has been [evaluated](Self::evaluate).
    #[inline]
    pub(crate) fn diagonal(
        &self,
        kernel: &TableKernel,
        digits: &[u8],
        values: &[T],
        scratch: &StepScratch<T>,
    ) -> T {
        let Some(diagonal) = &self.diagonal else { return kernel.diagonal_products(digits, values) };
        let functions = scratch.functions.as_flattened();
        let mut sums = [T::zero(); DIAGONAL_LANES];
        for lanes in diagonal {
            for (sum, lane) in sums.iter_mut().zip(lanes) {
                *sum += lane.value(functions);
            }
        }
        sum_of_lanes(sums)
    }
}

/// What step groups are worth for one sample.
#[derive(Clone, Debug, Default)]
pub(crate) struct StepScratch<T> {
    functions: Vec<Bundle<T>>,
    /// The element of each step group.
    mels: Vec<T>,
}

impl<T: Element> StepScratch<T> {
    /// Writes the elements that are not 0 and their items to the start of the lists, which have room for all step
    /// groups, and returns how many there are. `first` is the item of the first step group.
    #[inline]
    pub(crate) fn list(&self, first: u64, items: &mut [u64], mels: &mut [T]) -> usize {
        let mut n = 0;
        for (&mel, item) in self.mels.iter().zip(first..) {
            items[n] = item;
            mels[n] = mel;
            n += usize::from(mel != T::zero());
        }
        n
    }
}

/// The products on the diagonal in lanes, without those whose slot is 0; `None` if one is not simple.
fn diagonal_in_lanes<T: Element>(
    kernel: &TableKernel,
    pair: impl Fn(&Product) -> Option<Pair<T>>,
) -> Option<Vec<[Pair<T>; DIAGONAL_LANES]>> {
    let products = &kernel.products[..kernel.n_diagonal_products as usize];
    let pairs: Vec<Pair<T>> = products.iter().map(pair).collect::<Option<_>>()?;
    let lanes: [Vec<Pair<T>>; DIAGONAL_LANES] = std::array::from_fn(|lane| {
        let own = pairs.iter().skip(lane).step_by(DIAGONAL_LANES);
        own.copied().filter(|pair| pair.coefficient != T::zero()).collect()
    });
    // Shorter lanes add zeros.
    let zero = Pair { coefficient: T::zero(), places: [0; 2] };
    let longest = lanes.iter().map(Vec::len).max().unwrap_or(0);
    let at = |k: usize| std::array::from_fn(|lane: usize| lanes[lane].get(k).copied().unwrap_or(zero));
    Some((0..longest).map(at).collect())
}
