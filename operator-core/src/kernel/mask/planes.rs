//! Masks on 64 samples at a time.
//!
//! A *plane* is one bit of 64 samples, stored in one word. Packed samples are transposed into one plane for
//! each site. Whether a group has an element, and which of its few values, are then Boolean functions of
//! planes: a handful of operations for 64 samples. Transposed back, the results give each sample's set of
//! groups that have elements.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use smallvec::SmallVec;

use super::diagonal::MAX_OUTCOMES;
use super::kernel::MaskKernel;
use super::pieces::Pieces;
use crate::bits;
use crate::element::Element;
use crate::kernel::offsets::range;
use crate::kernel::sink::Sink;

/// The most variables of a group's functions: their truth tables fit in a word.
const MAX_VARIABLES: usize = 6;
/// The most distinct non-zero values of a group's elements: two bits name them.
const MAX_VALUES: usize = 4;

/// All groups as Boolean functions, for given slot values.
#[derive(Debug)]
pub(crate) struct MaskPlanes<T> {
    functions: Functions,
    /// For each group, the values that the choice bits name: one, two or four.
    values: Vec<T>,
    /// Groups with more variables or values. Each sample is summed separately for them.
    summed: Vec<u32>,
    /// For each group, its number among the summed ones plus one; 0 if it is not summed.
    summed_of: Vec<u32>,
    /// Variables of the diagonal's pieces.
    pairs: Vec<(u32, u32)>,
    classes: Vec<Vec<(u32, u32)>>,
}

/// The part that does not depend on the type of the matrix elements.
#[derive(Debug)]
struct Functions {
    layout: PlaneLayout,
    groups: Vec<Function>,
    /// Number of choice bits, at most 2; 0 if every group has one value.
    n_choices: usize,
}

/// The variables of one group, and its truth tables in them.
#[derive(Clone, Copy, Debug, Default)]
struct Function {
    variables: (u32, u32),
    hit: u64,
    choices: [u64; 2],
}

/// The planes that exist, and the planes whose parity is each variable.
#[derive(Debug)]
struct PlaneLayout {
    n_sites: usize,
    /// Planes of sites come first; plane `n_sites + i` is the parity of all sites below i.
    has_prefixes: bool,
    /// Start of each variable's planes, and the end of the last one's.
    starts: Vec<usize>,
    planes: Vec<u32>,
}

/// The elements of 64 samples at a time, before they are written out.
#[derive(Clone, Debug, Default)]
pub(crate) struct MaskFound<T> {
    /// For each sample, the groups that have an element, and the bits that choose its value.
    hits: Vec<u64>,
    choices: [Vec<u64>; 2],
    /// The elements of the summed groups.
    sums: Vec<T>,
    /// The planes of the last 64 samples.
    planes: Vec<u64>,
}

impl PlaneLayout {
    fn new(n_sites: usize) -> Self {
        PlaneLayout { n_sites, has_prefixes: false, starts: vec![0], planes: Vec::new() }
    }

    fn n_variables(&self) -> u32 {
        (self.starts.len() - 1) as u32
    }

    fn push_site(&mut self, site: u32) {
        self.planes.push(site);
        self.starts.push(self.planes.len());
    }

    /// The parity of a set of sites: of the single sites, or of the prefixes that bound its runs.
    fn push_sign(&mut self, sign: &[u64]) {
        let sites: SmallVec<[usize; 8]> = bits::sites(sign).collect();
        let runs = || sites.chunk_by(|a, b| a + 1 == *b);
        if 2 * runs().count() < sites.len() {
            self.has_prefixes = true;
            for run in runs() {
                self.planes.push((self.n_sites + run[0]) as u32);
                self.planes.push((self.n_sites + run[0] + run.len()) as u32);
            }
        } else {
            self.planes.extend(sites.iter().map(|&site| site as u32));
        }
        self.starts.push(self.planes.len());
    }

    /// The variables of one piece: its support, then its sign.
    fn push_piece(&mut self, pieces: &Pieces, p: usize) -> (u32, u32) {
        let start = self.n_variables();
        pieces.support_of(p).iter().for_each(|&site| self.push_site(site));
        if pieces.list[p].has_sign {
            self.push_sign(pieces.sign(p));
        }
        (start, self.n_variables())
    }

    #[inline(always)]
    fn variable(&self, v: usize, planes: &[u64]) -> u64 {
        self.planes[self.starts[v]..self.starts[v + 1]]
            .iter()
            .fold(0, |parity, &p| parity ^ planes[p as usize])
    }

    /// Boolean functions of the same variables, evaluated on planes: each truth table is halved variable by
    /// variable.
    #[inline(always)]
    fn evaluate<const N: usize>(&self, truth: [u64; N], variables: (u32, u32), planes: &[u64]) -> [u64; N] {
        let variables = range(variables);
        let first = variables.start;
        let v = |k: usize| self.variable(first + k, planes);
        match variables.len() {
            0 => truth.map(|truth| constant(truth, 0)),
            1 => {
                let a = v(0);
                truth.map(|truth| of_one(truth, a))
            }
            2 => {
                let (a, b) = (v(0), v(1));
                truth.map(|truth| of_two(truth, a, b))
            }
            3 => {
                let (a, b, c) = (v(0), v(1), v(2));
                truth.map(|truth| choose(c, of_two(truth, a, b), of_two(truth >> 4, a, b)))
            }
            n => {
                let mut tables = truth.map(|truth| {
                    let table: [u64; 1 << MAX_VARIABLES] = std::array::from_fn(|k| constant(truth, k));
                    table
                });
                let mut length = 1 << n;
                for k in 0..n {
                    let v = v(k);
                    length /= 2;
                    for table in &mut tables {
                        for k in 0..length {
                            table[k] = choose(v, table[2 * k], table[2 * k + 1]);
                        }
                    }
                }
                tables.map(|table| table[0])
            }
        }
    }

    /// The planes of 64 packed samples of `n_words` words.
    #[inline(always)]
    fn fill(&self, words: &[u64], n_words: usize, planes: &mut Vec<u64>) {
        planes.clear();
        for w in 0..n_words {
            let mut block = [0; 64];
            block.iter_mut().zip(words.chunks_exact(n_words)).for_each(|(to, from)| *to = from[w]);
            bits::transpose(&mut block);
            planes.extend_from_slice(&block);
        }
        planes.truncate(self.n_sites);
        planes.resize(self.n_sites, 0);
        if self.has_prefixes {
            let mut parity = 0;
            planes.push(parity);
            for site in 0..self.n_sites {
                parity ^= planes[site];
                planes.push(parity);
            }
        }
    }
}

/// An entry of a truth table, spread over all samples.
#[inline(always)]
fn constant(truth: u64, index: usize) -> u64 {
    0u64.wrapping_sub(truth >> index & 1)
}

/// `one` where `v` is set, `zero` elsewhere.
#[inline(always)]
fn choose(v: u64, zero: u64, one: u64) -> u64 {
    zero ^ (v & (zero ^ one))
}

#[inline(always)]
fn of_one(truth: u64, a: u64) -> u64 {
    choose(a, constant(truth, 0), constant(truth, 1))
}

#[inline(always)]
fn of_two(truth: u64, a: u64, b: u64) -> u64 {
    choose(b, of_one(truth, a), of_one(truth >> 2, a))
}

impl Functions {
    fn n_group_words(&self) -> usize {
        self.groups.len().div_ceil(64)
    }
}

/// Finds which groups have elements on up to 64 packed samples, and the bits that choose their values. Leaves
/// the samples' planes behind.
struct Gather<'a> {
    functions: &'a Functions,
    words: &'a [u64],
    n_words: usize,
    planes: &'a mut Vec<u64>,
    hits: &'a mut [u64],
    choices: [&'a mut [u64]; 2],
}

impl WithSimd for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Gather { functions, words, n_words, planes, hits, choices: [first, second] } = self;
        functions.layout.fill(words, n_words, planes);
        match functions.n_choices {
            0 => functions.gather(|f| [f.hit], planes, [hits]),
            1 => functions.gather(|f| [f.hit, f.choices[0]], planes, [hits, first]),
            _ => functions.gather(|f| [f.hit, f.choices[0], f.choices[1]], planes, [hits, first, second]),
        }
    }
}

impl Functions {
    /// The functions of all groups, each as a set of groups for each sample.
    #[inline(always)]
    fn gather<const N: usize>(
        &self,
        truth: impl Fn(&Function) -> [u64; N],
        planes: &[u64],
        mut out: [&mut [u64]; N],
    ) {
        let n_group_words = self.n_group_words();
        for (w, groups) in self.groups.chunks(64).enumerate() {
            let mut blocks = [[0u64; 64]; N];
            for (k, function) in groups.iter().enumerate() {
                let values = self.layout.evaluate(truth(function), function.variables, planes);
                blocks.iter_mut().zip(values).for_each(|(block, value)| block[k] = value);
            }
            for (block, out) in blocks.iter_mut().zip(&mut out) {
                bits::transpose(block);
                for (out, &set) in out.chunks_exact_mut(n_group_words).zip(&*block) {
                    out[w] = set;
                }
            }
        }
    }
}

/// How often each outcome occurs among some pieces, given by their variables, on up to 64 samples.
struct CountOutcome<'a> {
    layout: &'a PlaneLayout,
    pieces: &'a [(u32, u32)],
    truth: u64,
    planes: &'a [u64],
}

impl WithSimd for CountOutcome<'_> {
    type Output = [usize; 64];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> [usize; 64] {
        let mut counts = [0; 64];
        for pieces in self.pieces.chunks(64) {
            let mut block = [0; 64];
            for (plane, &variables) in block.iter_mut().zip(pieces) {
                [*plane] = self.layout.evaluate([self.truth], variables, self.planes);
            }
            bits::transpose(&mut block);
            counts.iter_mut().zip(block).for_each(|(count, set)| *count += set.count_ones() as usize);
        }
        counts
    }
}

impl<T: Element> MaskPlanes<T> {
    pub(crate) fn new(kernel: &MaskKernel, slots: &[T]) -> Self {
        let layout = PlaneLayout::new(kernel.mirror.len());
        let groups = Vec::with_capacity(kernel.groups.len());
        let mut out = MaskPlanes {
            functions: Functions { layout, groups, n_choices: 0 },
            values: Vec::new(),
            summed: Vec::new(),
            summed_of: Vec::with_capacity(kernel.groups.len()),
            pairs: Vec::new(),
            classes: Vec::new(),
        };
        let mut values = Vec::with_capacity(kernel.groups.len());
        for g in 0..kernel.groups.len() {
            values.push(out.push_group(kernel, g, slots));
        }
        let n_values = 1 << out.functions.n_choices;
        out.values = values.iter().flat_map(|values| &values[..n_values]).copied().collect();
        let (layout, diagonal) = (&mut out.functions.layout, &kernel.diagonal);
        for class in &diagonal.classes {
            let pieces = class.pieces.iter().map(|&p| layout.push_piece(&kernel.pieces, p as usize));
            out.classes.push(pieces.collect());
        }
        out.pairs =
            diagonal.pairs.iter().map(|&(p, _)| layout.push_piece(&kernel.pieces, p as usize)).collect();
        out
    }

    /// Returns a group's values and builds its truth tables. They follow from the group's value at each
    /// assignment of its variables: the sites of its pieces' supports, and the parities on their sign masks.
    fn push_group(&mut self, kernel: &MaskKernel, g: usize, slots: &[T]) -> [T; MAX_VALUES] {
        let (all, pieces) = (&kernel.pieces, range(kernel.groups[g].pieces));
        let mut sites: SmallVec<[u32; 8]> = SmallVec::new();
        let mut signs: SmallVec<[&[u64]; 4]> = SmallVec::new();
        for p in pieces.clone() {
            sites.extend_from_slice(all.support_of(p));
            if all.list[p].has_sign && !signs.contains(&all.sign(p)) {
                signs.push(all.sign(p));
            }
        }
        sites.sort_unstable();
        sites.dedup();
        let n = sites.len() + signs.len();
        let guarded = pieces.clone().any(|p| all.guards_of(p).is_some());
        let function = (n <= MAX_VARIABLES && !guarded).then(|| {
            let of_index = |index: usize| {
                let bit = |k: usize| index >> k & 1;
                pieces.clone().fold(T::zero(), |mel, p| {
                    let support = all.support_of(p).iter().enumerate();
                    let entry: usize = support
                        .filter_map(|(k, site)| Some(bit(sites.iter().position(|s| s == site)?) << k))
                        .sum();
                    let sign = signs.iter().position(|&sign| all.list[p].has_sign && sign == all.sign(p));
                    let negative = sign.is_some_and(|k| bit(sites.len() + k) == 1);
                    let value = slots[all.table_of(p)[entry] as usize];
                    mel + if negative { -value } else { value }
                })
            };
            truth_tables(n, of_index)
        });
        let Functions { layout, groups, n_choices } = &mut self.functions;
        let start = layout.n_variables();
        match function.flatten() {
            Some((mut function, values, n)) => {
                sites.iter().for_each(|&site| layout.push_site(site));
                signs.iter().for_each(|sign| layout.push_sign(sign));
                function.variables = (start, layout.n_variables());
                *n_choices = (*n_choices).max(n);
                groups.push(function);
                self.summed_of.push(0);
                values
            }
            None => {
                self.summed.push(g as u32);
                groups.push(Function::default());
                self.summed_of.push(self.summed.len() as u32);
                [T::zero(); MAX_VALUES]
            }
        }
    }

    /// Finds the elements of packed samples, counts the off-diagonal ones, and adds the diagonal ones to
    /// `diagonal`.
    pub(crate) fn find(
        &self,
        kernel: &MaskKernel,
        slots: &[T],
        words: &[u64],
        found: &mut MaskFound<T>,
        diagonal: &mut [T],
        counts: &mut [usize],
    ) {
        let (n_samples, n_group_words) = (counts.len(), self.functions.n_group_words());
        let n_sets = n_samples * n_group_words;
        found.sums.resize(n_samples * self.summed.len(), T::zero());
        found.hits.resize(n_sets, 0);
        let [first, second] = &mut found.choices;
        first.resize(if self.functions.n_choices > 0 { n_sets } else { 0 }, 0);
        second.resize(if self.functions.n_choices > 1 { n_sets } else { 0 }, 0);
        for start in (0..n_samples).step_by(64) {
            let samples = start..n_samples.min(start + 64);
            let words = &words[of_each(&samples, kernel.n_words())];
            let sets = of_each(&samples, n_group_words);
            let choices =
                found.choices.each_mut().map(|choices| choices.get_mut(sets.clone()).unwrap_or_default());
            let hits = &mut found.hits[sets];
            Arch::new().dispatch(Gather {
                functions: &self.functions,
                words,
                n_words: kernel.n_words(),
                planes: &mut found.planes,
                hits: &mut *hits,
                choices,
            });
            let planes = &found.planes[..];
            self.sum(kernel, slots, words, &mut found.sums[of_each(&samples, self.summed.len())], hits);
            self.diagonal(kernel, slots, words, planes, &mut diagonal[samples]);
        }
        counts.fill(0);
        for (count, hits) in counts.iter_mut().zip(found.hits.chunks_exact(n_group_words.max(1))) {
            *count = bits::count(hits);
        }
    }

    /// Computes the elements of the summed groups and adds these groups to the sets.
    fn sum(&self, kernel: &MaskKernel, slots: &[T], words: &[u64], sums: &mut [T], hits: &mut [u64]) {
        if self.summed.is_empty() {
            return;
        }
        let sums = sums.chunks_exact_mut(self.summed.len());
        let hits = hits.chunks_exact_mut(self.functions.n_group_words());
        for ((words, sums), hits) in words.chunks_exact(kernel.n_words()).zip(sums).zip(hits) {
            for (sum, &g) in sums.iter_mut().zip(&self.summed) {
                *sum = kernel.pieces.sum(kernel.groups[g as usize].pieces, words, slots);
                hits[g as usize / 64] |= u64::from(*sum != T::zero()) << (g % 64);
            }
        }
    }

    /// The diagonal elements, added up in the order of [`Diagonal::element`](super::diagonal::Diagonal).
    fn diagonal(&self, kernel: &MaskKernel, slots: &[T], words: &[u64], planes: &[u64], diagonal: &mut [T]) {
        let layout = &self.functions.layout;
        for (class, pieces) in kernel.diagonal.classes.iter().zip(&self.classes) {
            let mut counts = [[0; MAX_OUTCOMES]; 64];
            let last = class.outcomes.len() - 1;
            for (o, outcome) in class.outcomes[..last].iter().enumerate() {
                let n = Arch::new().dispatch(CountOutcome { layout, pieces, truth: outcome.truth, planes });
                counts.iter_mut().zip(n).for_each(|(counts, n)| counts[o] = n);
            }
            for (mel, counts) in diagonal.iter_mut().zip(&mut counts) {
                // Each piece has exactly one of the outcomes.
                counts[last] = pieces.len() - counts[..last].iter().sum::<usize>();
                *mel += class.sum(counts, slots);
            }
        }
        for ((_, outcomes), &variables) in kernel.diagonal.pairs.iter().zip(&self.pairs) {
            let [plane] = layout.evaluate([outcomes[1].truth], variables, planes);
            let [zero, one] = outcomes.map(|outcome| outcome.value(slots));
            for (s, mel) in diagonal.iter_mut().enumerate() {
                *mel += if plane >> s & 1 == 1 { one } else { zero };
            }
        }
        for &p in &kernel.diagonal.others {
            for (mel, words) in diagonal.iter_mut().zip(words.chunks_exact(kernel.n_words())) {
                *mel += kernel.pieces.value(p as usize, words, slots);
            }
        }
    }

    /// A value of a group. Indices are made from this plan's groups and choices, so they are in range; without a panic
    /// in release, writers keep their state in registers.
    #[inline(always)]
    fn value(&self, index: usize) -> T {
        debug_assert!(index < self.values.len(), "groups and choices are those of this plan");
        self.values.get(index).copied().unwrap_or_default()
    }

    /// Passes on the groups that have an element on sample `b`, in order, with their elements.
    #[inline(always)]
    pub(crate) fn for_each<'a>(&self, found: &'a MaskFound<T>, b: usize, sink: &mut impl Sink<T>) {
        let n = self.functions.n_group_words();
        let own = |sets: &'a [u64]| sets.chunks_exact(n.max(1)).nth(b).unwrap_or_default();
        let (hits, [first, second]) = (own(&found.hits), found.choices.each_ref().map(|sets| own(sets)));
        match (self.functions.n_choices, self.summed.len()) {
            (0, 0) => {
                for (w, &hits) in hits.iter().enumerate() {
                    for k in bits::ones(hits) {
                        let g = 64 * w + k;
                        sink.element(g as u64, self.value(g));
                    }
                }
            }
            (1, 0) => {
                for (w, (&hits, first)) in hits.iter().zip(first).enumerate() {
                    for k in bits::ones(hits) {
                        let g = 64 * w + k;
                        sink.element(g as u64, self.value(2 * g + (first >> k & 1) as usize));
                    }
                }
            }
            (_, n_summed) => {
                let sums = &found.sums[b * n_summed..(b + 1) * n_summed];
                let bit =
                    |set: &[u64], g: usize| set.get(g / 64).map_or(0, |word| (word >> (g % 64) & 1) as usize);
                for g in bits::sites(hits) {
                    let value = match self.summed_of[g] {
                        0 => {
                            self.values[(g << self.functions.n_choices) + bit(first, g) + 2 * bit(second, g)]
                        }
                        k => sums[k as usize - 1],
                    };
                    sink.element(g as u64, value);
                }
            }
        }
    }
}

/// The samples' range in a list with `n` entries for each sample.
fn of_each(samples: &Range<usize>, n: usize) -> Range<usize> {
    samples.start * n..samples.end * n
}

/// The truth tables of a function of `n` bits: where it is non-zero, and which of its values it takes there.
/// `None` if it takes too many.
fn truth_tables<T: Element>(
    n: usize,
    of_index: impl Fn(usize) -> T,
) -> Option<(Function, [T; MAX_VALUES], usize)> {
    let mut function = Function::default();
    let mut values: SmallVec<[T; MAX_VALUES]> = SmallVec::new();
    for index in 0..1usize << n {
        let value = of_index(index);
        if value == T::zero() {
            continue;
        }
        let number = values.iter().position(|&known| known == value).unwrap_or(values.len());
        if number == MAX_VALUES {
            return None;
        }
        if number == values.len() {
            values.push(value);
        }
        function.hit |= 1 << index;
        for (k, choice) in function.choices.iter_mut().enumerate() {
            *choice |= (number as u64 >> k & 1) << index;
        }
    }
    let n_choices = match values.len() {
        0 | 1 => 0,
        2 => 1,
        _ => 2,
    };
    let all = std::array::from_fn(|k| values.get(k).copied().unwrap_or_default());
    Some((function, all, n_choices))
}
