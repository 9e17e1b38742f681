//! Masks on 64 samples at a time.
//!
//! A *plane* is one bit of 64 samples: one word. Packed samples are transposed to a plane a site, and then
//! whether a group has an element, and which of its few values, are Boolean functions of planes: a handful of
//! operations for 64 samples. Transposed again, the results are for each sample the set of groups that have
//! elements.

use smallvec::SmallVec;

use super::mask::MaskKernel;
use super::mask_diagonal::Outcome;
use super::range;
use crate::bits;
use crate::element::Element;

/// A group's functions have no more variables than this: their truth tables fit a word.
const MAX_VARIABLES: usize = 6;
/// A group's non-zero elements have no more values than this, named by two bits.
const MAX_VALUES: usize = 4;

/// The Boolean functions of all groups, for given values of the slots.
#[derive(Debug)]
pub(super) struct MaskPlanes<T> {
    layout: PlaneLayout,
    groups: Vec<Function>,
    /// For each group the values that the two choice bits name.
    values: Vec<[T; MAX_VALUES]>,
    /// How many choice bits there are, at most 2: none if every group has one value.
    n_choices: usize,
    /// Groups with more variables or values, which are summed for each sample by itself.
    summed: Vec<u32>,
    pairs: Vec<(u32, u32)>,
    classes: Vec<Vec<(u32, u32)>>,
}

/// The variables of one group, and truth tables in them.
#[derive(Clone, Copy, Debug, Default)]
struct Function {
    variables: (u32, u32),
    hit: u64,
    choices: [u64; 2],
    /// One more than the number among those that are summed.
    summed: u32,
}

/// Which planes there are, and which of them each variable is the parity of.
#[derive(Debug)]
struct PlaneLayout {
    n_sites: usize,
    /// Planes of sites come first; plane `n_sites + i` is the parity of all sites below i.
    has_prefixes: bool,
    /// Where each variable's planes start, and where the last one's end.
    starts: Vec<usize>,
    planes: Vec<u32>,
}

/// The elements of 64 samples at a time, not yet written out.
#[derive(Clone, Debug, Default)]
pub(super) struct MaskFound<T> {
    /// Packed samples.
    pub(super) words: Vec<u64>,
    pub(super) diagonal: Vec<T>,
    /// For each sample, the groups that have an element, and the bits that choose its value.
    hits: Vec<u64>,
    choices: [Vec<u64>; 2],
    /// The elements of the groups that are summed.
    sums: Vec<T>,
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

    /// The parity of a set of sites: of each, or of the prefixes that its runs lie between.
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
    fn push_piece(&mut self, kernel: &MaskKernel, p: usize) -> (u32, u32) {
        let start = self.n_variables();
        kernel.support_of(p).iter().for_each(|&site| self.push_site(site));
        if kernel.pieces[p].has_sign {
            self.push_sign(kernel.sign(p));
        }
        (start, self.n_variables())
    }

    #[inline(always)]
    fn variable(&self, v: usize, planes: &[u64]) -> u64 {
        self.planes[self.starts[v]..self.starts[v + 1]]
            .iter()
            .fold(0, |parity, &p| parity ^ planes[p as usize])
    }

    /// The first variables of a range; 0 beyond it.
    #[inline(always)]
    fn read(&self, variables: (u32, u32), planes: &[u64]) -> ([u64; MAX_VARIABLES], usize) {
        let mut out = [0; MAX_VARIABLES];
        let variables = range(variables);
        let n = variables.len();
        out.iter_mut().zip(variables).for_each(|(out, v)| *out = self.variable(v, planes));
        (out, n)
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

/// A Boolean function of `n` variables on planes: its truth table is halved variable by variable.
#[inline(always)]
fn evaluate(truth: u64, variables: &[u64; MAX_VARIABLES], n: usize) -> u64 {
    let constant = |index: usize| 0u64.wrapping_sub(truth >> index & 1);
    let choose = |v: u64, zero: u64, one: u64| zero ^ (v & (zero ^ one));
    match (n, variables) {
        (0, _) => constant(0),
        (1, [a, ..]) => choose(*a, constant(0), constant(1)),
        (2, [a, b, ..]) => {
            choose(*b, choose(*a, constant(0), constant(1)), choose(*a, constant(2), constant(3)))
        }
        _ => {
            let mut table: [u64; 1 << MAX_VARIABLES] = std::array::from_fn(constant);
            let mut length = 1 << n;
            for &v in &variables[..n] {
                length /= 2;
                for k in 0..length {
                    table[k] = choose(v, table[2 * k], table[2 * k + 1]);
                }
            }
            table[0]
        }
    }
}

impl<T: Element> MaskPlanes<T> {
    pub(super) fn new(kernel: &MaskKernel, slots: &[T]) -> Self {
        let mut out = MaskPlanes {
            layout: PlaneLayout::new(kernel.mirror.len()),
            groups: Vec::with_capacity(kernel.groups.len()),
            values: Vec::with_capacity(kernel.groups.len()),
            n_choices: 0,
            summed: Vec::new(),
            pairs: Vec::new(),
            classes: Vec::new(),
        };
        for g in 0..kernel.groups.len() {
            out.push_group(kernel, g, slots);
        }
        let diagonal = &kernel.diagonal;
        for class in &diagonal.classes {
            let pieces = class.pieces.iter().map(|&p| out.layout.push_piece(kernel, p as usize));
            out.classes.push(pieces.collect());
        }
        out.pairs = diagonal.pairs.iter().map(|&(p, _)| out.layout.push_piece(kernel, p as usize)).collect();
        out
    }

    /// The truth tables of a group come from its value for each value of its variables: the sites of its
    /// pieces' supports, and the parities on their sign masks.
    fn push_group(&mut self, kernel: &MaskKernel, g: usize, slots: &[T]) {
        let pieces = range(kernel.groups[g].pieces);
        let mut sites: SmallVec<[u32; 8]> = SmallVec::new();
        let mut signs: SmallVec<[&[u64]; 4]> = SmallVec::new();
        for p in pieces.clone() {
            sites.extend_from_slice(kernel.support_of(p));
            if kernel.pieces[p].has_sign && !signs.contains(&kernel.sign(p)) {
                signs.push(kernel.sign(p));
            }
        }
        sites.sort_unstable();
        sites.dedup();
        let n = sites.len() + signs.len();
        let function = (n <= MAX_VARIABLES).then(|| {
            let of_index = |index: usize| {
                let bit = |k: usize| index >> k & 1;
                pieces.clone().fold(T::zero(), |mel, p| {
                    let support = kernel.support_of(p).iter().enumerate();
                    let entry: usize = support
                        .filter_map(|(k, site)| Some(bit(sites.iter().position(|s| s == site)?) << k))
                        .sum();
                    let sign =
                        signs.iter().position(|&sign| kernel.pieces[p].has_sign && sign == kernel.sign(p));
                    let negative = sign.is_some_and(|k| bit(sites.len() + k) == 1);
                    let value = slots[kernel.tables[kernel.pieces[p].table as usize + entry] as usize];
                    mel + if negative { -value } else { value }
                })
            };
            truth_tables(n, of_index)
        });
        let start = self.layout.n_variables();
        match function.flatten() {
            Some((mut function, values, n_choices)) => {
                sites.iter().for_each(|&site| self.layout.push_site(site));
                signs.iter().for_each(|sign| self.layout.push_sign(sign));
                function.variables = (start, self.layout.n_variables());
                self.n_choices = self.n_choices.max(n_choices);
                self.groups.push(function);
                self.values.push(values);
            }
            None => {
                self.summed.push(g as u32);
                self.groups.push(Function { summed: self.summed.len() as u32, ..Function::default() });
                self.values.push([T::zero(); MAX_VALUES]);
            }
        }
    }

    pub(super) fn n_groups(&self) -> usize {
        self.groups.len()
    }

    fn n_group_words(&self) -> usize {
        self.groups.len().div_ceil(64)
    }

    /// Finds the elements of packed samples and counts them.
    #[inline(always)]
    pub(super) fn find(
        &self,
        kernel: &MaskKernel,
        slots: &[T],
        found: &mut MaskFound<T>,
        counts: &mut [usize],
    ) {
        let (n_samples, n_group_words) = (counts.len(), self.n_group_words());
        found.diagonal.clear();
        found.diagonal.resize(n_samples, T::zero());
        found.sums.clear();
        found.sums.resize(n_samples * self.summed.len(), T::zero());
        found.hits.resize(n_samples * n_group_words, 0);
        found.choices[..self.n_choices]
            .iter_mut()
            .for_each(|choices| choices.resize(n_samples * n_group_words, 0));
        for start in (0..n_samples).step_by(64) {
            let end = n_samples.min(start + 64);
            let words = &found.words[start * kernel.n_words..end * kernel.n_words];
            self.layout.fill(words, kernel.n_words, &mut found.planes);
            self.diagonal(kernel, slots, words, &found.planes, &mut found.diagonal[start..end]);
            let sums = &mut found.sums[start * self.summed.len()..end * self.summed.len()];
            self.sum(kernel, slots, words, sums);
            let own = start * n_group_words..end * n_group_words;
            let truth = |function: &Function| function.hit;
            self.gather(truth, &found.planes, Some(sums), &mut found.hits[own.clone()]);
            for (k, choices) in found.choices[..self.n_choices].iter_mut().enumerate() {
                self.gather(|function| function.choices[k], &found.planes, None, &mut choices[own.clone()]);
            }
        }
        if n_group_words == 0 {
            counts.fill(0);
        } else {
            for (count, hits) in counts.iter_mut().zip(found.hits.chunks_exact(n_group_words)) {
                *count = bits::count(hits);
            }
        }
        for (count, diagonal) in counts.iter_mut().zip(&found.diagonal) {
            *count += usize::from(*diagonal != T::zero());
        }
    }

    /// One function of all groups, as sets of groups for each sample.
    #[inline(always)]
    fn gather(&self, truth: impl Fn(&Function) -> u64, planes: &[u64], sums: Option<&[T]>, out: &mut [u64]) {
        let n_group_words = self.n_group_words();
        for (w, groups) in self.groups.chunks(64).enumerate() {
            let mut block = [0u64; 64];
            for (plane, function) in block.iter_mut().zip(groups) {
                let (variables, n) = self.layout.read(function.variables, planes);
                *plane = evaluate(truth(function), &variables, n);
                if let (Some(sums), Some(k)) = (sums, function.summed.checked_sub(1)) {
                    for (s, sums) in sums.chunks_exact(self.summed.len()).enumerate() {
                        *plane |= u64::from(sums[k as usize] != T::zero()) << s;
                    }
                }
            }
            bits::transpose(&mut block);
            for (out, set) in out.chunks_exact_mut(n_group_words).zip(block) {
                out[w] = set;
            }
        }
    }

    /// The elements of the groups that are summed sample by sample.
    fn sum(&self, kernel: &MaskKernel, slots: &[T], words: &[u64], sums: &mut [T]) {
        if self.summed.is_empty() {
            return;
        }
        for (words, sums) in words.chunks_exact(kernel.n_words).zip(sums.chunks_exact_mut(self.summed.len()))
        {
            for (sum, &g) in sums.iter_mut().zip(&self.summed) {
                *sum = kernel.sum(kernel.groups[g as usize].pieces, words, slots);
            }
        }
    }

    /// The diagonal elements, added up in the order of [`Diagonal::element`](super::mask_diagonal::Diagonal).
    #[inline(always)]
    fn diagonal(&self, kernel: &MaskKernel, slots: &[T], words: &[u64], planes: &[u64], diagonal: &mut [T]) {
        for (class, pieces) in kernel.diagonal.classes.iter().zip(&self.classes) {
            let mut counts = [[0usize; 1 << MAX_VARIABLES]; 64];
            for pieces in pieces.chunks(64) {
                let last = class.outcomes.len() - 1;
                for (o, outcome) in class.outcomes[..last].iter().enumerate() {
                    let sets = self.outcome_sets(outcome, pieces, planes);
                    for (counts, set) in counts.iter_mut().zip(sets) {
                        counts[o] += set.count_ones() as usize;
                    }
                }
            }
            for (mel, counts) in diagonal.iter_mut().zip(&mut counts) {
                // Each piece has one of the outcomes.
                let last = class.outcomes.len() - 1;
                counts[last] = pieces.len() - counts[..last].iter().sum::<usize>();
                *mel += class.sum(counts, slots);
            }
        }
        for ((_, outcomes), &variables) in kernel.diagonal.pairs.iter().zip(&self.pairs) {
            let (variables, n) = self.layout.read(variables, planes);
            let plane = evaluate(outcomes[1].truth, &variables, n);
            let [zero, one] = outcomes.map(|outcome| outcome.value(slots));
            for (s, mel) in diagonal.iter_mut().enumerate() {
                *mel += if plane >> s & 1 == 1 { one } else { zero };
            }
        }
        for &p in &kernel.diagonal.others {
            for (mel, words) in diagonal.iter_mut().zip(words.chunks_exact(kernel.n_words)) {
                *mel += kernel.value(p as usize, words, slots);
            }
        }
    }

    /// For each sample the set of up to 64 pieces that have this outcome.
    #[inline(always)]
    fn outcome_sets(&self, outcome: &Outcome, pieces: &[(u32, u32)], planes: &[u64]) -> [u64; 64] {
        let mut block = [0; 64];
        for (plane, &variables) in block.iter_mut().zip(pieces) {
            let (variables, n) = self.layout.read(variables, planes);
            *plane = evaluate(outcome.truth, &variables, n);
        }
        bits::transpose(&mut block);
        block
    }

    /// Calls `f` with each group that has an element on sample `b`, and the element.
    #[inline(always)]
    pub(super) fn for_each(&self, found: &MaskFound<T>, b: usize, f: impl FnMut(u32, T)) {
        match (self.n_choices, self.summed.len()) {
            (0, 0) => self.for_each_hit(found, b, |_, _| 0, f),
            (1, 0) => {
                let choices = self.choices(found, b, 0);
                self.for_each_hit(found, b, |w, bit| choices[w] >> bit & 1, f);
            }
            (_, n_summed) => {
                let (first, second) = (self.choices(found, b, 0), self.choices(found, b, 1));
                let sums = &found.sums[b * n_summed..(b + 1) * n_summed];
                let choice = |w: usize, bit: u32| {
                    let bit_of = |choices: &[u64]| choices.get(w).map_or(0, |word| word >> bit & 1);
                    bit_of(first) | bit_of(second) << 1
                };
                let mut f = f;
                self.for_each_hit(found, b, choice, |g, mel| {
                    let summed = self.groups[g as usize].summed;
                    f(g, if summed == 0 { mel } else { sums[summed as usize - 1] });
                });
            }
        }
    }

    fn choices<'a>(&self, found: &'a MaskFound<T>, b: usize, k: usize) -> &'a [u64] {
        let n = if k < self.n_choices { self.n_group_words() } else { 0 };
        &found.choices[k][b * n..(b + 1) * n]
    }

    #[inline(always)]
    fn for_each_hit(
        &self,
        found: &MaskFound<T>,
        b: usize,
        choice: impl Fn(usize, u32) -> u64,
        mut f: impl FnMut(u32, T),
    ) {
        let n = self.n_group_words();
        let hits = &found.hits[b * n..(b + 1) * n];
        for ((w, &hits), values) in hits.iter().enumerate().zip(self.values.chunks(64)) {
            let mut emit = |bit: u32| {
                let value = values[bit as usize][choice(w, bit) as usize % MAX_VALUES];
                f(64 * w as u32 + bit, value);
            };
            if hits == u64::MAX {
                (0..64).for_each(emit);
            } else {
                let mut rest = hits;
                while rest != 0 {
                    emit(rest.trailing_zeros());
                    rest &= rest - 1;
                }
            }
        }
    }
}

/// The truth tables of a function of `n` bits: where it is not zero, and which of its values it takes there.
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
