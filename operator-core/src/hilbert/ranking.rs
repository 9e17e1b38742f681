//! Numbers the states of one block.

use super::block::Block;

/// Numbers the states of a block in lexicographic order of local indices, first site most significant.
///
/// Without a constraint the number has mixed radix. With one, the number of a state is the number of states before
/// it: at each site, those with a smaller index there.
#[derive(Clone, Debug)]
pub(super) struct Ranking {
    n_sites: usize,
    dim: usize,
    n_states: usize,
    ways: Option<Ways>,
}

impl Ranking {
    /// For a block that has `n_states` states.
    pub(super) fn new(block: &Block, n_states: usize) -> Self {
        let (n_sites, dim) = (block.n_sites, block.local.len);
        let ways = block.total.map(|total| Ways::new(n_sites, dim, total));
        Ranking { n_sites, dim, n_states, ways }
    }

    /// The bytes of its tables.
    pub(super) fn bytes(block: &Block) -> f64 {
        let (n_sites, dim) = (block.n_sites, block.local.len);
        block
            .total
            .map_or(0.0, |total| 8.0 * (n_sites as f64 + 1.0) * Ways::width(n_sites, dim, total) as f64)
    }

    pub(super) fn n_states(&self) -> usize {
        self.n_states
    }

    /// Number of the state with these local indices, which must satisfy the constraint.
    #[inline]
    pub(super) fn rank(&self, digits: impl Iterator<Item = usize>) -> usize {
        match self.ways {
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
        let Some(ways) = &self.ways else {
            let place = |site: usize| self.dim.pow((self.n_sites - 1 - site) as u32);
            return (first..).zip(digits).map(|(site, digit)| digit * place(site)).sum();
        };
        let (mut rank, mut left) = (0u64, ways.total.saturating_sub(sum_before));
        for (site, digit) in (first..).zip(digits) {
            let after = ways.of(self.n_sites - 1 - site);
            for smaller in 0..digit.min(left + 1) {
                rank = rank.saturating_add(after(left - smaller));
            }
            left -= digit.min(left);
        }
        rank as usize
    }

    /// Calls `set(site, digit)` for each site of the state with this number.
    pub(super) fn unrank(&self, mut rank: usize, mut set: impl FnMut(usize, usize)) {
        let Some(ways) = &self.ways else {
            for site in (0..self.n_sites).rev() {
                set(site, rank % self.dim);
                rank /= self.dim;
            }
            return;
        };
        let (mut rank, mut left) = (rank as u64, ways.total);
        for site in 0..self.n_sites {
            let after = ways.of(self.n_sites - 1 - site);
            let mut digit = 0;
            while digit + 1 < self.dim && digit < left && rank >= after(left - digit) {
                rank -= after(left - digit);
                digit += 1;
            }
            set(site, digit);
            left -= digit;
        }
    }
}

/// In how many ways the local indices of the last m sites sum to t, for all m and t that states of the block have.
///
/// For each m these t are few: the sites before can add neither less than 0 nor more than their largest indices.
#[derive(Clone, Debug)]
struct Ways {
    n_sites: usize,
    dim: usize,
    total: usize,
    /// Number of sums stored for each m.
    width: usize,
    /// `count[m · width + t − lowest(m)]`.
    count: Vec<u64>,
}

impl Ways {
    /// For a block whose counts all fit in a `u64`.
    fn new(n_sites: usize, dim: usize, total: usize) -> Self {
        let width = Self::width(n_sites, dim, total);
        let mut ways = Ways { n_sites, dim, total, width, count: Vec::new() };
        ways.count.reserve_exact((n_sites + 1) * width);
        let lowest = ways.lowest(0);
        ways.count.extend((lowest..lowest + width).map(|t| u64::from(t == 0)));
        for m in 1..=n_sites {
            let row = ways.row_after(m);
            ways.count.extend(row);
        }
        ways
    }

    /// The row for m sites, from that for m − 1.
    fn row_after(&self, m: usize) -> Vec<u64> {
        let (lowest, before) = (self.lowest(m), self.of(m - 1));
        let choices = |t: usize| 0..self.dim.min(t + 1);
        (lowest..lowest + self.width)
            .map(|t| choices(t).map(|digit| before(t - digit)).fold(0, u64::saturating_add))
            .collect()
    }

    fn width(n_sites: usize, dim: usize, total: usize) -> usize {
        total.min(n_sites * (dim - 1) - total) + 1
    }

    /// The smallest sum that the last m sites have in a state of the block.
    #[inline]
    fn lowest(&self, m: usize) -> usize {
        self.total.saturating_sub((self.n_sites - m) * (self.dim - 1))
    }

    /// The number of ways for m sites as a function of the sum; 0 for sums that no state has.
    #[inline]
    fn of(&self, m: usize) -> impl Fn(usize) -> u64 {
        let (row, lowest) = (&self.count[m * self.width..][..self.width], self.lowest(m));
        move |t| row.get(t.wrapping_sub(lowest)).copied().unwrap_or(0)
    }
}
