//! Numbers the states of one block.

use super::block::Block;

/// Numbers the states of a block in lexicographic order of local indices, first site most significant.
///
/// Without a constraint the number has mixed radix. With one, `count[m][t]` is the number of ways in which the
/// local indices of m sites sum to t. The number of a state is the number of states before it: at each site,
/// those with a smaller index there.
#[derive(Clone, Debug)]
pub(super) struct Ranking {
    n_sites: usize,
    dim: usize,
    total: Option<usize>,
    /// `count[m * (total + 1) + t]`, saturating at the largest number; empty without a constraint.
    count: Vec<u64>,
    n_states: Option<usize>,
    log2_n_states: f64,
}

impl Ranking {
    pub(super) fn new(block: &Block) -> Self {
        let (n_sites, dim) = (block.n_sites, block.local.len);
        let unconstrained_log2 = n_sites as f64 * (dim as f64).log2();
        let Some(total) = block.total else {
            let n_states = u32::try_from(n_sites).ok().and_then(|n| dim.checked_pow(n));
            let count = Vec::new();
            return Ranking { n_sites, dim, total: None, count, n_states, log2_n_states: unconstrained_log2 };
        };
        let count = counts(n_sites, dim, total);
        let last = count[n_sites * (total + 1) + total];
        let n_states = (last != u64::MAX).then(|| usize::try_from(last).ok()).flatten();
        let log2_n_states = match n_states {
            Some(n) => (n as f64).log2(),
            None => weights(n_sites, dim, total).1,
        };
        Ranking { n_sites, dim, total: Some(total), count, n_states, log2_n_states }
    }

    pub(super) fn n_states(&self) -> Option<usize> {
        self.n_states
    }

    pub(super) fn log2_n_states(&self) -> f64 {
        self.log2_n_states
    }

    /// Number of the state with these local indices, which must satisfy the constraint.
    #[inline]
    pub(super) fn rank(&self, digits: impl Iterator<Item = usize>) -> usize {
        match self.total {
            None => digits.fold(0, |rank, digit| rank * self.dim + digit),
            Some(_) => self.states_before(0, 0, digits),
        }
    }

    /// Considers the states that agree on the sites before `first`, whose digits sum to `sum_before`. Returns
    /// how many of them precede the states with these next digits.
    #[inline]
    pub(super) fn states_before(
        &self,
        first: usize,
        sum_before: usize,
        digits: impl Iterator<Item = usize>,
    ) -> usize {
        let Some(total) = self.total else {
            let place = |site: usize| self.dim.pow((self.n_sites - 1 - site) as u32);
            return (first..).zip(digits).map(|(site, digit)| digit * place(site)).sum();
        };
        let (mut rank, mut left) = (0u64, total.saturating_sub(sum_before));
        for (site, digit) in (first..).zip(digits) {
            let row = (self.n_sites - 1 - site) * (total + 1);
            for smaller in 0..digit.min(left + 1) {
                rank = rank.saturating_add(self.count[row + left - smaller]);
            }
            left -= digit.min(left);
        }
        rank as usize
    }

    /// Calls `set(site, digit)` for each site of the state with this number.
    pub(super) fn unrank(&self, mut rank: usize, mut set: impl FnMut(usize, usize)) {
        let Some(total) = self.total else {
            for site in (0..self.n_sites).rev() {
                set(site, rank % self.dim);
                rank /= self.dim;
            }
            return;
        };
        let (mut rank, mut left) = (rank as u64, total);
        for site in 0..self.n_sites {
            let row = (self.n_sites - 1 - site) * (total + 1);
            let mut digit = 0;
            while digit + 1 < self.dim && digit < left && rank >= self.count[row + left - digit] {
                rank -= self.count[row + left - digit];
                digit += 1;
            }
            set(site, digit);
            left -= digit;
        }
    }
}

/// For all m up to `n_sites` and all t, the number of ways in which the indices of m sites sum to t.
fn counts(n_sites: usize, dim: usize, total: usize) -> Vec<u64> {
    let mut count = vec![0u64; (n_sites + 1) * (total + 1)];
    count[0] = 1;
    for m in 1..=n_sites {
        let (before, row) = count.split_at_mut(m * (total + 1));
        let before = &before[(m - 1) * (total + 1)..];
        for t in 0..=total {
            let ways = (0..dim.min(t + 1)).map(|digit| before[t - digit]);
            row[t] = ways.fold(0, u64::saturating_add);
        }
    }
    count
}

/// [`counts`] as floating-point numbers, each row scaled by its largest, and the base-2 logarithm of the
/// unscaled last one. Unlike counts they never overflow.
pub(super) fn weights(n_sites: usize, dim: usize, total: usize) -> (Vec<f64>, f64) {
    let mut weight = vec![0.0f64; (n_sites + 1) * (total + 1)];
    weight[0] = 1.0;
    let mut log2_scale = 0.0;
    for m in 1..=n_sites {
        let (before, row) = weight.split_at_mut(m * (total + 1));
        let before = &before[(m - 1) * (total + 1)..];
        for t in 0..=total {
            row[t] = (0..dim.min(t + 1)).map(|digit| before[t - digit]).sum();
        }
        let largest = row[..=total].iter().fold(0.0f64, |a, &b| a.max(b));
        row[..=total].iter_mut().for_each(|w| *w /= largest);
        log2_scale += largest.log2();
    }
    let last = weight[n_sites * (total + 1) + total];
    (weight, last.log2() + log2_scale)
}
