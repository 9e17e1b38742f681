//! Numbers with their sums: change one number, or find the one where a partial sum falls, in a few steps.

/// Fan-out of the tree of sums.
const FAN_OUT: usize = 16;

/// Small numbers with their sums. Changing one number, or finding the one where a partial sum falls, takes a
/// few steps.
#[derive(Clone, Debug)]
pub(crate) struct SumTree {
    /// The numbers, then the sums of 16 of the level before, up to a single node of 16.
    levels: Vec<Vec<[u32; FAN_OUT]>>,
    total: usize,
}

impl SumTree {
    /// `n` zeros.
    pub(crate) fn new(n: usize) -> Self {
        let mut levels = vec![vec![[0; FAN_OUT]; n.div_ceil(FAN_OUT).max(1)]];
        while let Some(last) = levels.last().filter(|last| last.len() > 1) {
            levels.push(vec![[0; FAN_OUT]; last.len().div_ceil(FAN_OUT)]);
        }
        SumTree { levels, total: 0 }
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }

    #[inline]
    pub(crate) fn get(&self, k: usize) -> u32 {
        self.levels[0][k / FAN_OUT][k % FAN_OUT]
    }

    /// Sets one number.
    #[inline]
    pub(crate) fn set(&mut self, k: usize, number: u32) {
        let before = self.get(k);
        let mut k = k;
        for level in &mut self.levels {
            let sum = &mut level[k / FAN_OUT][k % FAN_OUT];
            *sum = sum.wrapping_sub(before).wrapping_add(number);
            k /= FAN_OUT;
        }
        self.total = self.total + number as usize - before as usize;
    }

    /// Sets all numbers. Their count must not change.
    pub(crate) fn set_all(&mut self, numbers: &[u32]) {
        let [first, rest @ ..] = &mut self.levels[..] else { return };
        for (to, numbers) in first.iter_mut().zip(numbers.chunks(FAN_OUT)) {
            to[..numbers.len()].copy_from_slice(numbers);
        }
        let mut below = first;
        for sums in rest {
            for (to, numbers) in sums.iter_mut().zip(below.chunks(FAN_OUT)) {
                to.iter_mut().zip(numbers).for_each(|(to, numbers)| *to = numbers.iter().sum());
            }
            below = sums;
        }
        self.total = below.iter().flatten().map(|&sum| sum as usize).sum();
    }

    /// The k with `sum(numbers[..k]) <= part < sum(numbers[..=k])`, and `part` minus the former. `None` if
    /// `part` is not below the total.
    #[inline]
    pub(crate) fn find(&self, part: usize) -> Option<(usize, u32)> {
        if part >= self.total {
            return None;
        }
        let (mut k, mut rest) = (0, part as u32);
        for level in self.levels.iter().rev() {
            // No branches: the position is random.
            let (mut place, mut before, mut sum) = (0, 0, 0);
            for number in level[k] {
                sum += number;
                place += usize::from(sum <= rest);
                before = if sum <= rest { sum } else { before };
            }
            k = k * FAN_OUT + place;
            rest -= before;
        }
        Some((k, rest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_part_falls_in_its_number(
            numbers in prop::collection::vec(0u32..4, 0..700),
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0u32..4), 0..20),
        ) {
            let mut numbers = numbers;
            let mut tree = SumTree::new(numbers.len());
            tree.set_all(&numbers);
            let n = numbers.len();
            for (index, number) in changes.into_iter().filter(|_| n > 0) {
                let k = index.index(n);
                numbers[k] = number;
                tree.set(k, number);
            }
            let expected = numbers.iter().enumerate().flat_map(|(k, &n)| (0..n).map(move |rest| (k, rest)));
            let expected: Vec<_> = expected.collect();
            prop_assert_eq!(tree.total(), expected.len());
            prop_assert_eq!(tree.find(expected.len()), None);
            for (part, &place) in expected.iter().enumerate() {
                prop_assert_eq!(tree.find(part), Some(place));
            }
        }
    }
}
