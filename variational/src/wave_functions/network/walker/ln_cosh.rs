//! Hidden units with real weights, `c + Σ_i a_i x_i + Σ_j ln cosh θ_j`. Tables hold the effect of one step of
//! a site.
//!
//! With `p = e^θ / 2 cosh θ`, `q = e^−θ / 2 cosh θ` and the shift s of θ, `cosh(θ + s) / cosh θ` is
//! `e^s (p + q e^−2s)`. The first factor of all units together is one number per site, and `e^−2s` is
//! tabulated, so a unit costs one multiplication and one addition per step, and no transcendental function.
//! All terms are positive, so nothing cancels for any θ.
//!
//! An accepted move multiplies q by its tables, so p + q is no longer 1. The next ratio is divided by the
//! product of all these sums, which is known from the move itself. The pairs are normalised only when the
//! sums are so far from 1 that products could overflow or underflow.

use operator_core::{ChangeSets, HilbertSpace};

use super::super::numbers::{Activation, Order, Real};
use super::grouped_moves::GroupedMoves;
use super::unit_loops::{Lanes, Product};
use super::{Change, step};

/// Weights and tables, shared by all walkers. Each row holds one number per hidden unit, padded to whole
/// vectors with units whose θ is always 0.
#[derive(Clone)]
pub(super) struct LnCosh<R> {
    lanes: Lanes,
    /// Number of units, including the padding.
    width: usize,
    /// The first quantum number of each site, and θ if all sites have it.
    first: Vec<i8>,
    theta_of_first: Vec<R>,
    /// `W_ji`, one row for each site i.
    weights: Vec<R>,
    /// `e^(−2 δ_i W_ji)` for the step δ of the site between neighbouring quantum numbers, and its inverse for
    /// the step down: two rows for each site i.
    factors: Vec<R>,
    /// `δ_i`
    steps: Vec<f64>,
    /// `a_i`, and c.
    linear: Vec<f64>,
    constant: f64,
    /// `a_i + Σ_j W_ji`
    sums: Vec<f64>,
    /// The largest `|2 δ_i W_ji|`.
    largest: f64,
    /// The number of steps after which the product of all sums is still a finite number.
    max_steps: f64,
}

/// Hidden units of one configuration.
pub(super) struct Units<'a, R> {
    tables: &'a LnCosh<R>,
    x: Vec<i8>,
    /// Sites that do not have the first quantum number, with the difference. Room for one more than all
    /// sites.
    others: Vec<(usize, R)>,
    /// θ, once it was needed.
    theta: Vec<R>,
    keeps_theta: bool,
    /// p and q of each unit, up to a common factor.
    plus: Vec<R>,
    minus: Vec<R>,
    /// The product of their sums, and the steps since all of them were 1.
    product: f64,
    n_steps: f64,
    /// The product of their sums after the last proposed move.
    weighed: f64,
    /// `minus` after several steps.
    multiplied: Vec<R>,
    /// θ after the last proposed move, if it was evaluated without tables.
    moved: Option<Vec<R>>,
    /// Moves that are evaluated together.
    moves: GroupedMoves,
}

impl<R: Real> LnCosh<R> {
    /// From weights, for each site those of all units, and biases, which are numbers of type R.
    pub(super) fn new(hilbert: &HilbertSpace, columns: Vec<f64>, bias: Vec<f64>) -> Self {
        Self::with_lanes(Lanes::new(), hilbert, &columns, bias)
    }

    fn with_lanes(lanes: Lanes, hilbert: &HilbertSpace, columns: &[f64], bias: Vec<f64>) -> Self {
        let n_units = bias.len();
        let width = n_units.next_multiple_of(R::PADDING);
        let filled = |units: &mut dyn Iterator<Item = f64>, others: R| -> Vec<R> {
            units.map(R::from_f64).chain(std::iter::repeat_n(others, width - n_units)).collect()
        };
        let steps: Vec<f64> = (hilbert.blocks().iter())
            .flat_map(|block| std::iter::repeat_n(f64::from(block.local().step()).abs(), block.sites().len()))
            .collect();
        let (mut weights, mut factors) = (Vec::new(), Vec::new());
        let (mut sums, mut largest) = (Vec::new(), 0.0f64);
        // Not by chunks: without units there would be none.
        let column_of = |site: usize| &columns[site * n_units..(site + 1) * n_units];
        for (site, step) in steps.iter().enumerate() {
            let column = column_of(site);
            weights.extend(filled(&mut column.iter().copied(), R::zero()));
            for step in [*step, -*step] {
                factors
                    .extend(filled(&mut column.iter().map(|weight| (-2.0 * step * weight).exp()), R::one()));
            }
            sums.push(column.iter().sum());
            largest = column.iter().fold(largest, |largest, weight| largest.max(2.0 * step * weight.abs()));
        }
        let first: Vec<i8> = (hilbert.blocks().iter())
            .flat_map(|block| std::iter::repeat_n(block.local().first(), block.sites().len()))
            .collect();
        let mut theta_of_first = bias;
        for (site, &q) in first.iter().enumerate() {
            let thetas = theta_of_first.iter_mut().zip(column_of(site));
            thetas.for_each(|(theta, weight)| *theta += weight * f64::from(q));
        }
        let theta_of_first = filled(&mut theta_of_first.into_iter(), R::zero());
        let (linear, constant) = (vec![0.0; sums.len()], 0.0);
        let max_steps = R::MAX_LOG / (largest * width as f64);
        LnCosh {
            lanes,
            width,
            first,
            theta_of_first,
            weights,
            factors,
            steps,
            linear,
            constant,
            sums,
            largest,
            max_steps,
        }
    }

    /// Adds `constant + Σ_i w_i x_i`.
    pub(super) fn add_linear(&mut self, weights: &[f64], constant: f64) {
        self.linear.iter_mut().zip(weights).for_each(|(a, weight)| *a += weight);
        self.sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
        self.constant += constant;
    }

    pub(super) fn follow(&self) -> Units<'_, R> {
        let zeros = || vec![R::zero(); self.width];
        Units {
            tables: self,
            x: Vec::new(),
            others: vec![(0, R::zero()); self.first.len() + 1],
            theta: zeros(),
            keeps_theta: false,
            plus: zeros(),
            minus: zeros(),
            product: 1.0,
            n_steps: 0.0,
            weighed: 1.0,
            multiplied: zeros(),
            moved: None,
            moves: GroupedMoves::default(),
        }
    }

    fn weights_of(&self, site: usize) -> &[R] {
        &self.weights[site * self.width..(site + 1) * self.width]
    }

    fn factors_of(&self, site: usize, by: f64) -> &[R] {
        &self.factors[Self::row(site, by) * self.width..][..self.width]
    }

    pub(super) fn lanes(&self) -> Lanes {
        self.lanes
    }

    /// The table of [`row`](Self::row).
    pub(super) fn factors(&self) -> &[R] {
        &self.factors
    }

    /// The row that each step multiplies q by, if a site changes by this difference.
    #[inline]
    pub(super) fn row(site: usize, by: f64) -> usize {
        2 * site + usize::from(by < 0.0)
    }

    /// The difference in steps between neighbouring quantum numbers.
    #[inline]
    pub(super) fn n_steps(&self, site: usize, by: f64) -> f64 {
        let (size, one) = (by.abs(), self.steps[site]);
        // Usually one step, which needs no division.
        if size == one { 1.0 } else { size / one }
    }

    /// The logarithm of the factor common to all units.
    #[inline]
    pub(super) fn log(&self, site: usize, by: f64) -> f64 {
        by * self.sums[site]
    }

    /// The number of units that can be multiplied before a logarithm is taken, this many steps after sums
    /// were 1. `None` if weights are too large.
    fn block(&self, n_steps: f64) -> Option<usize> {
        if n_steps <= self.max_steps {
            return Some(self.width);
        }
        // NaN fails this comparison.
        let units = (R::MAX_LOG / (n_steps * self.largest)).min(self.width as f64) as usize;
        (units >= R::PADDING).then_some(units - units % R::PADDING)
    }
}

impl<R: Real> Units<'_, R> {
    /// Goes to x and returns the value there.
    pub(super) fn start(&mut self, x: &[i8]) -> f64 {
        self.x.clear();
        self.x.extend_from_slice(x);
        self.keeps_theta = false;
        let sum = self.find_from_theta();
        self.keeps_theta = false;
        let linear = self.tables.linear.iter().zip(x).map(|(a, &x)| a * f64::from(x));
        self.tables.constant + linear.sum::<f64>() + sum
    }

    fn find_theta(&mut self) {
        if !self.keeps_theta {
            let LnCosh { lanes, first, theta_of_first, weights, .. } = self.tables;
            // Without a branch, which random spins would mispredict half of the time.
            let mut n = 0;
            for (site, (&q, &first)) in self.x.iter().zip(first).enumerate() {
                self.others[n] = (site, R::from_f64(f64::from(q) - f64::from(first)));
                n += usize::from(q != first);
            }
            lanes.weighted_sum(&mut self.theta, theta_of_first, weights, &self.others[..n]);
            self.keeps_theta = true;
        }
    }

    /// Computes p and q, and returns `Σ_j ln cosh θ_j`.
    fn find_from_theta(&mut self) -> f64 {
        self.find_theta();
        (self.product, self.n_steps) = (1.0, 0.0);
        self.tables.lanes.sigmoids(&self.theta, &mut self.plus, &mut self.minus)
    }

    /// Scales p and q to the sum 1.
    fn normalise(&mut self) {
        (self.product, self.n_steps) = (1.0, 0.0);
        if self.tables.lanes.normalise(&mut self.plus, &mut self.minus).into() < R::SMALLEST {
            self.find_from_theta();
        }
    }

    /// The change of the value: the logarithm of one factor, and a second factor.
    pub(super) fn difference(&mut self, changes: &[Change]) -> Product {
        let tables = self.tables;
        self.moved = None;
        let (mut total, mut log) = (0.0, 0.0);
        for change @ &(site, _) in changes {
            let by = step(&self.x, change);
            total += tables.n_steps(site, by);
            log += tables.log(site, by);
        }
        if self.n_steps > 0.0 && self.n_steps + total > tables.max_steps {
            self.normalise();
        }
        let Some(block) = tables.block(self.n_steps + total) else {
            return self.difference_by_theta(changes);
        };
        let factors = |change: &Change| tables.factors_of(change.0, step(&self.x, change));
        let (lanes, plus, minus) = (tables.lanes, &self.plus, &self.minus);
        let product = match changes {
            [change] if total == 1.0 => lanes.product(block, plus, minus, [factors(change)]),
            [a, b] if total == 2.0 => lanes.product(block, plus, minus, [factors(a), factors(b)]),
            _ => {
                self.multiplied.copy_from_slice(minus);
                for change in changes {
                    let n_steps = tables.n_steps(change.0, step(&self.x, change));
                    lanes.multiply(&mut self.multiplied, factors(change), n_steps as u32);
                }
                lanes.product(block, plus, &self.multiplied, [])
            }
        };
        // With several blocks it is 1 and not used.
        self.weighed = product.factor;
        Product { log: log + product.log, factor: product.factor / self.product }
    }

    /// The changes of the value by several moves, in any order, with the numbers of the moves.
    pub(super) fn differences(&mut self, changes: &ChangeSets, mut each: impl FnMut(usize, Product)) {
        let tables = self.tables;
        let mut several = std::mem::take(&mut self.moves);
        several.clear();
        let fits = self.n_steps + GroupedMoves::MAX_STEPS <= tables.max_steps;
        for (k, changes) in changes.iter().enumerate() {
            if changes.is_empty() {
                each(k, Product::ONE);
            } else if !(fits && several.push(tables, &self.x, k, changes)) {
                each(k, self.difference(changes));
            }
        }
        several.multiply(tables, &self.plus, &self.minus, |k, Product { log, factor }| {
            each(k, Product { log, factor: factor / self.product });
        });
        self.moves = several;
    }

    /// Without tables, for steps that would overflow or underflow.
    fn difference_by_theta(&mut self, changes: &[Change]) -> Product {
        self.find_theta();
        let mut moved = self.theta.clone();
        for change @ &(site, _) in changes {
            let by = R::from_f64(step(&self.x, change));
            self.tables.lanes.add(&mut moved, by, self.tables.weights_of(site));
        }
        let ln_cosh = |theta: R| Activation::LnCosh.real(Order::Value, theta.into());
        let units = moved.iter().zip(&self.theta).map(|(&to, &from)| ln_cosh(to) - ln_cosh(from));
        let linear = changes.iter().map(|change| self.tables.linear[change.0] * step(&self.x, change));
        let log = units.sum::<f64>() + linear.sum::<f64>();
        self.moved = Some(moved);
        Product { log, factor: 1.0 }
    }

    /// Goes to the configuration of the last [`difference`](Self::difference).
    pub(super) fn accept(&mut self, changes: &[Change]) {
        if let Some(moved) = self.moved.take() {
            self.theta = moved;
            self.move_to(changes);
            self.find_from_theta();
            return;
        }
        let tables = self.tables;
        for change @ &(site, _) in changes {
            let by = step(&self.x, change);
            let n_steps = tables.n_steps(site, by);
            tables.lanes.multiply(&mut self.minus, tables.factors_of(site, by), n_steps as u32);
            self.n_steps += n_steps;
            if self.keeps_theta {
                tables.lanes.add(&mut self.theta, R::from_f64(by), tables.weights_of(site));
            }
        }
        self.move_to(changes);
        self.product = self.weighed;
    }

    fn move_to(&mut self, changes: &[Change]) {
        changes.iter().for_each(|&(site, value)| self.x[site] = value);
    }
}

#[cfg(test)]
mod tests {
    use operator_core::hilbert::{Fock, Spin};
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    /// `ln cosh b − ln cosh a`, where nothing large is subtracted.
    fn difference_of_ln_cosh(a: f64, b: f64) -> f64 {
        let tail = |theta: f64| (-2.0 * theta.abs()).exp().ln_1p();
        let sizes = if (a < 0.0) == (b < 0.0) { (b - a) * a.signum() } else { b.abs() - a.abs() };
        sizes + (tail(b) - tail(a))
    }

    /// A sum to full precision (Neumaier), and the sum of sizes, to which rounding is relative.
    fn exact_sum(terms: impl Iterator<Item = f64>) -> (f64, f64) {
        let (mut sum, mut lost, mut sizes) = (0.0f64, 0.0, 0.0);
        for term in terms {
            let next = sum + term;
            lost += if sum.abs() >= term.abs() { (sum - next) + term } else { (term - next) + sum };
            sum = next;
            sizes += term.abs();
        }
        (sum + lost, sizes)
    }

    /// Random units with |b| up to `theta` and |W| up to `weight`, followed with moves of one, two and more
    /// sites, of which half are taken. All ratios are those of ln cosh.
    fn check_walk<R: Real>(
        hilbert: &HilbertSpace,
        lanes: Lanes,
        n_units: usize,
        theta: f64,
        weight: f64,
        seed: u64,
    ) {
        let (n_sites, mut rng) = (hilbert.n_sites(), Xoshiro256PlusPlus::seed_from_u64(seed));
        let mut numbers = |n: usize, size: f64| -> Vec<f64> {
            (0..n).map(|_| R::from_f64(size * (2.0 * rng.random::<f64>() - 1.0)).into()).collect()
        };
        let (bias, columns) = (numbers(n_units, theta), numbers(n_units * n_sites, weight));
        let tables = LnCosh::<R>::with_lanes(lanes, hilbert, &columns, bias.clone());
        let mut units = tables.follow();
        let mut x: Vec<i8> = hilbert.random_states(1, &mut rng).unwrap().iter().copied().collect();
        let theta_of = |x: &[i8]| -> Vec<f64> {
            let of = |j: usize| x.iter().enumerate().map(move |(i, &x)| (i, j, x));
            (0..n_units)
                .map(|j| of(j).fold(bias[j], |sum, (i, j, x)| sum + columns[i * n_units + j] * f64::from(x)))
                .collect()
        };
        // θ is a sum itself. Units round by themselves, and what they lose adds up as random numbers do.
        let epsilon: f64 = R::epsilon().into();
        let rounding = 8.0 * epsilon * (n_units as f64).sqrt() * (1.0 + theta + n_sites as f64 * weight);
        let close =
            |found: f64, (expected, sizes): (f64, f64)| (found - expected).abs() <= 1e-13 * sizes + rounding;
        let start = units.start(&x);
        let expected = exact_sum(theta_of(&x).into_iter().map(|theta| difference_of_ln_cosh(0.0, theta)));
        assert!(close(start, expected), "{start} {expected:?}");
        for step in 0..40 {
            let mut to = x.clone();
            for _ in 0..[1, 1, 2, 2, 3, n_sites][step % 6] {
                let (site, other) =
                    (rng.random_range(0..n_sites), hilbert.random_states(1, &mut rng).unwrap());
                to[site] = other[[0, site]];
            }
            let changes: Vec<Change> = (0..n_sites).filter(|&k| to[k] != x[k]).map(|k| (k, to[k])).collect();
            if changes.is_empty() {
                continue;
            }
            let mut together = ChangeSets::new();
            together.push([]);
            // Moves of their own rows: all that change, each site, and neighbouring pairs of them.
            let parts = std::iter::once(&changes[..]).chain(changes.chunks(1)).chain(changes.windows(2));
            parts.for_each(|part| together.push(part.iter().copied()));
            let mut differences = vec![Product { log: f64::NAN, factor: 1.0 }; together.len()];
            units.differences(&together, |k, difference| differences[k] = difference);
            assert_eq!(differences[0].ln(), 0.0);
            for (part, difference) in together.iter().zip(differences).skip(1) {
                let alone = units.difference(part).ln();
                assert!(close(difference.ln(), (alone, alone.abs())), "{part:?}: {difference:?}, {alone}");
            }
            let found = units.difference(&changes).ln();
            let pairs = theta_of(&x).into_iter().zip(theta_of(&to));
            let expected = exact_sum(pairs.map(|(a, b)| difference_of_ln_cosh(a, b)));
            assert!(
                close(found, expected),
                "{found} instead of {expected:?} in step {step}, |W| up to {weight}, {rounding}"
            );
            if step % 2 == 0 {
                units.accept(&changes);
                x = to;
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// From weights that nothing happens with to weights that no table can hold.
        #[test]
        fn walks_agree_with_ln_cosh_at_any_weights(
            n_units in 0usize..70, log_weight in -4.0..2.0f64, theta in 0.0..400.0f64, seed: u64
        ) {
            let weight = 10f64.powf(log_weight);
            let spaces = [HilbertSpace::from(Spin::half(7).unwrap()), Fock::new(5, 4).unwrap().into()];
            for hilbert in spaces.into_iter().chain([Spin::new(1.5, 3).unwrap().into()]) {
                for lanes in [Lanes::new(), Lanes::portable()] {
                    check_walk::<f64>(&hilbert, lanes, n_units, theta, weight, seed);
                    check_walk::<f32>(&hilbert, lanes, n_units, theta, weight, seed);
                }
            }
        }
    }

    #[test]
    fn ten_thousand_units_with_theta_up_to_100_stay_in_range() {
        let hilbert = HilbertSpace::from(Spin::half(12).unwrap());
        for (weight, seed) in [(0.01, 1), (0.3, 2), (2.0, 3), (20.0, 4)] {
            for lanes in [Lanes::new(), Lanes::portable()] {
                check_walk::<f64>(&hilbert, lanes, 10_000, 100.0, weight, seed);
                check_walk::<f32>(&hilbert, lanes, 10_000, 100.0, weight, seed);
            }
        }
    }

    /// One unit from θ = 40 `weight` to its opposite, by steps that are almost too large for tables.
    fn check_way_back<R: Real>(weight: f64, tolerance: f64) {
        let hilbert = HilbertSpace::from(Spin::half(40).unwrap());
        let tables = LnCosh::<R>::new(&hilbert, vec![weight; 40], vec![0.0]);
        assert!(tables.block(1.0).is_some_and(|_| tables.block(2.0).is_none()));
        let mut units = tables.follow();
        units.start(&[1; 40]);
        for site in 0..40 {
            let changes = [(site, -1)];
            let theta = |n_flipped: usize| weight * (40.0 - 2.0 * n_flipped as f64);
            let found = units.difference(&changes).ln();
            let expected = difference_of_ln_cosh(theta(site), theta(site + 1));
            assert!((found - expected).abs() < tolerance, "{site}: {found} {expected}");
            units.accept(&changes);
        }
    }

    /// A unit whose smaller number underflowed comes back when θ does.
    #[test]
    fn units_come_back_from_where_exponentials_are_zero() {
        check_way_back::<f64>(12.0, 1e-11);
        check_way_back::<f32>(4.0, 1e-5);
    }
}
