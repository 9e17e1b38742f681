//! Loops over hidden units, in the widest vectors of the processor.

use pulp::{Arch, Simd, WithSimd};

use super::super::numbers::{Real, UNROLL};
use super::grouped_moves::Move;

/// The number of units whose `1 + e^−2|θ|` are multiplied before a logarithm is taken. Each factor is at most
/// 2, and at least [`UNROLL`] lanes share them, so the products stay in the range of single precision.
const UNITS_PER_LOGARITHM: usize = 256;

/// Chooses the vector width at run time.
#[derive(Clone, Copy)]
pub(super) struct Lanes(Arch);

/// `e^log · factor`
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) log: f64,
    pub(super) factor: f64,
}

impl Product {
    pub(super) const ONE: Product = Product { log: 0.0, factor: 1.0 };

    pub(super) fn ln(self) -> f64 {
        self.log + self.factor.ln()
    }

    fn then(self, factor: f64) -> Self {
        // The first factor needs no logarithm.
        let log = if self.factor == 1.0 { self.log } else { self.ln() };
        Product { log, factor }
    }
}

impl Lanes {
    pub(super) fn new() -> Self {
        Lanes(Arch::new())
    }

    /// Without vectors beyond the baseline of the architecture.
    #[cfg(test)]
    pub(super) fn portable() -> Self {
        Lanes(Arch::Scalar)
    }

    /// `Π (a + b · Π rows)`, multiplied in blocks.
    pub(super) fn product<R: Real, const N: usize>(
        self,
        block: usize,
        a: &[R],
        b: &[R],
        rows: [&[R]; N],
    ) -> Product {
        self.0.dispatch(Multiply { block, sides: [a, b], rows })
    }

    /// The same in one block, for several moves whose rows are in a table.
    pub(super) fn products<R: Real, const N: usize>(
        self,
        a: &[R],
        b: &[R],
        table: &[R],
        moves: &[Move<N>],
        out: &mut [f64],
    ) {
        self.0.dispatch(MultiplySeveral { sides: [a, b], table, moves, out });
    }

    /// Multiplies by a row several times.
    pub(super) fn multiply<R: Real>(self, to: &mut [R], row: &[R], times: u32) {
        for _ in 0..times {
            self.0.dispatch(|| to.iter_mut().zip(row).for_each(|(to, row)| *to *= *row));
        }
    }

    /// `to += by · row`
    pub(super) fn add<R: Real>(self, to: &mut [R], by: R, row: &[R]) {
        self.0.dispatch(|| to.iter_mut().zip(row).for_each(|(to, row)| *to += by * *row));
    }

    /// Scales each pair to the sum 1, and returns the smallest of all.
    pub(super) fn normalise<R: Real>(self, a: &mut [R], b: &mut [R]) -> R {
        self.0.dispatch(Normalise(a, b))
    }

    /// `start + Σ_k w_k row_k` for numbers of rows and their weights.
    pub(super) fn weighted_sum<R: Real>(self, to: &mut [R], start: &[R], rows: &[R], weights: &[(usize, R)]) {
        self.0.dispatch(WeightedSum { to, start, rows, weights });
    }

    /// `e^±θ / 2 cosh θ`, and returns `Σ ln cosh θ`.
    pub(super) fn sigmoids<R: Real>(self, theta: &[R], plus: &mut [R], minus: &mut [R]) -> f64 {
        self.0.dispatch(Sigmoids { theta, plus, minus })
    }
}

/// One unit's factor, from the numbers a and b of its two sides and from `N` rows.
trait Factor<const N: usize>: Copy {
    fn of<R: Real, S: Simd>(self, simd: S, sides: [R::In<S>; 2], rows: [R::In<S>; N]) -> R::In<S>;
}

/// `a + b · Π rows`
#[derive(Clone, Copy)]
struct Moved;

/// Twice the larger of two.
#[derive(Clone, Copy)]
struct Larger;

impl<const N: usize> Factor<N> for Moved {
    #[inline(always)]
    fn of<R: Real, S: Simd>(self, simd: S, [a, b]: [R::In<S>; 2], rows: [R::In<S>; N]) -> R::In<S> {
        match rows.split_last() {
            None => R::plus(simd, a, b),
            Some((last, others)) => {
                let mut product = b;
                for row in others {
                    product = R::times(simd, product, *row);
                }
                R::times_plus(simd, product, *last, a)
            }
        }
    }
}

impl Factor<0> for Larger {
    #[inline(always)]
    fn of<R: Real, S: Simd>(self, simd: S, [a, b]: [R::In<S>; 2], []: [R::In<S>; 0]) -> R::In<S> {
        let larger = R::larger(simd, a, b);
        R::plus(simd, larger, larger)
    }
}

struct Multiply<'a, R, const N: usize> {
    block: usize,
    sides: [&'a [R]; 2],
    rows: [&'a [R]; N],
}

impl<R: Real, const N: usize> WithSimd for Multiply<'_, R, N> {
    type Output = Product;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Product {
        let Multiply { block, sides, rows } = self;
        let width = sides[0].len();
        let mut product = Product::ONE;
        let mut start = 0;
        while start < width {
            let end = width.min(start + block.max(1));
            let (sides, rows) = (sides.map(|side| &side[start..end]), rows.map(|row| &row[start..end]));
            product = product.then(multiply(simd, sides, rows, Moved));
            start = end;
        }
        product
    }
}

/// The product of the factors of all units, as several independent products.
///
/// Arrays are filled in loops, so that the compiler sees that all rows have the same length.
#[inline(always)]
fn multiply<R: Real, S: Simd, F: Factor<N>, const N: usize>(
    simd: S,
    [a, b]: [&[R]; 2],
    rows: [&[R]; N],
    factor: F,
) -> f64 {
    let a = R::vectors::<S>(a);
    let n_vectors = a.len();
    let b = &R::vectors::<S>(b)[..n_vectors];
    let mut vectors: [&[R::In<S>]; N] = [&[]; N];
    for (vectors, row) in vectors.iter_mut().zip(rows) {
        *vectors = &R::vectors::<S>(row)[..n_vectors];
    }
    let factor_of = |k: usize| {
        let mut rows = [a[k]; N];
        for (to, row) in rows.iter_mut().zip(&vectors) {
            *to = row[k];
        }
        factor.of::<R, S>(simd, [a[k], b[k]], rows)
    };
    let mut products = [R::splat(simd, R::one()); UNROLL];
    let mut k = 0;
    while k + UNROLL <= n_vectors {
        for (lane, product) in products.iter_mut().enumerate() {
            *product = R::times(simd, *product, factor_of(k + lane));
        }
        k += UNROLL;
    }
    while k < n_vectors {
        products[0] = R::times(simd, products[0], factor_of(k));
        k += 1;
    }
    R::product(simd, products)
}

/// Products for several moves, [`UNROLL`] at a time. They are independent and share the loads of the sides.
struct MultiplySeveral<'a, R, const N: usize> {
    sides: [&'a [R]; 2],
    table: &'a [R],
    moves: &'a [Move<N>],
    out: &'a mut [f64],
}

impl<R: Real, const N: usize> WithSimd for MultiplySeveral<'_, R, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let MultiplySeveral { sides, table, moves, out } = self;
        let width = sides[0].len();
        // In narrower vectors a single product of a move would overflow; several do not.
        let has_range = size_of::<R::In<S>>() / size_of::<R>() >= R::MIN_LANES;
        let together = if has_range { moves.as_chunks::<UNROLL>().0 } else { &[] };
        let (outs, rest) = out.split_at_mut(together.len() * UNROLL);
        for (moves, out) in together.iter().zip(outs.as_chunks_mut().0) {
            *out = multiply_together(simd, sides, table, moves);
        }
        for (one, out) in moves[together.len() * UNROLL..].iter().zip(rest) {
            let rows = one.rows.map(|row| &table[row * width..][..width]);
            *out = multiply(simd, sides, rows, Moved);
        }
    }
}

#[inline(always)]
fn multiply_together<R: Real, S: Simd, const N: usize>(
    simd: S,
    [a, b]: [&[R]; 2],
    table: &[R],
    moves: &[Move<N>; UNROLL],
) -> [f64; UNROLL] {
    let (a, b, table) = (R::vectors::<S>(a), R::vectors::<S>(b), R::vectors::<S>(table));
    let n_vectors = a.len();
    let b = &b[..n_vectors];
    let mut rows: [[&[R::In<S>]; N]; UNROLL] = [[&[]; N]; UNROLL];
    for (rows, one) in rows.iter_mut().zip(moves) {
        for (row, &number) in rows.iter_mut().zip(&one.rows) {
            *row = &table[number * n_vectors..][..n_vectors];
        }
    }
    let mut products = [R::splat(simd, R::one()); UNROLL];
    for k in 0..n_vectors {
        for (product, rows) in products.iter_mut().zip(&rows) {
            let mut moved = [a[k]; N];
            for (moved, row) in moved.iter_mut().zip(rows) {
                *moved = row[k];
            }
            *product = R::times(simd, *product, Moved.of::<R, S>(simd, [a[k], b[k]], moved));
        }
    }
    R::products(simd, products)
}

/// `Σ |value|` in double precision, in a loop without branches, which the compiler vectorises.
#[inline(always)]
fn sum_of_sizes<R: Real>(values: &[R]) -> f64 {
    const N_SUMS: usize = 2 * UNROLL;
    let mut sums = [0.0; N_SUMS];
    for values in values.as_chunks::<N_SUMS>().0 {
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value.abs().into());
    }
    sums.into_iter().sum()
}

struct Normalise<'a, R>(&'a mut [R], &'a mut [R]);

impl<R: Real> WithSimd for Normalise<'_, R> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> R {
        let (a, b) = (R::vectors_mut::<S>(self.0), R::vectors_mut::<S>(self.1));
        let one = R::splat(simd, R::one());
        let mut smallest = one;
        for (a, b) in a.iter_mut().zip(b) {
            let inverse = R::over(simd, one, R::plus(simd, *a, *b));
            (*a, *b) = (R::times(simd, *a, inverse), R::times(simd, *b, inverse));
            smallest = R::smaller(simd, smallest, R::smaller(simd, *a, *b));
        }
        R::smallest(simd, smallest)
    }
}

struct WeightedSum<'a, R> {
    to: &'a mut [R],
    start: &'a [R],
    rows: &'a [R],
    weights: &'a [(usize, R)],
}

impl<R: Real> WithSimd for WeightedSum<'_, R> {
    type Output = ();

    /// Eight columns at a time, then the rest.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let WeightedSum { to, start, rows, weights } = self;
        let (to, rows) = (R::vectors_mut::<S>(to), R::vectors::<S>(rows));
        to.copy_from_slice(R::vectors::<S>(start));
        let width = to.len();
        let n = add_columns::<R, S, 8>(simd, to, 0, rows, width, weights);
        let n = add_columns::<R, S, 2>(simd, to, n, rows, width, weights);
        add_columns::<R, S, 1>(simd, to, n, rows, width, weights);
    }
}

/// Adds to the columns from `first` on, `N` at a time, with their sums in registers. Returns the first column
/// that is left.
#[inline(always)]
fn add_columns<R: Real, S: Simd, const N: usize>(
    simd: S,
    to: &mut [R::In<S>],
    mut first: usize,
    rows: &[R::In<S>],
    width: usize,
    weights: &[(usize, R)],
) -> usize {
    while let Some(to) = to.get_mut(first..).and_then(|to| to.first_chunk_mut::<N>()) {
        let mut sums = *to;
        for &(row, weight) in weights {
            let row = rows.get(row * width + first..).and_then(|row| row.first_chunk::<N>());
            let row = row.expect("the weights have a row for each change");
            let weight = R::splat(simd, weight);
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum = R::times_plus(simd, *value, weight, *sum);
            }
        }
        *to = sums;
        first += N;
    }
    first
}

struct Sigmoids<'a, R> {
    theta: &'a [R],
    plus: &'a mut [R],
    minus: &'a mut [R],
}

impl<R: Real> WithSimd for Sigmoids<'_, R> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let mut log = 0.0;
        let blocks = self.theta.chunks(UNITS_PER_LOGARITHM);
        let sides = self.plus.chunks_mut(UNITS_PER_LOGARITHM).zip(self.minus.chunks_mut(UNITS_PER_LOGARITHM));
        for (theta, (plus, minus)) in blocks.zip(sides) {
            if S::IS_SCALAR {
                sigmoids::<false, R>(theta, plus, minus);
            } else {
                sigmoids::<true, R>(theta, plus, minus);
            }
            // ln cosh θ = |θ| − ln(2 · the larger of the two)
            log += sum_of_sizes(theta) - multiply(simd, [plus, minus], [], Larger).ln();
        }
        log
    }
}

/// In a loop without branches, which the compiler vectorises.
#[inline(always)]
fn sigmoids<const FUSED: bool, R: Real>(theta: &[R], plus: &mut [R], minus: &mut [R]) {
    for ((theta, plus), minus) in theta.iter().zip(plus).zip(minus) {
        let size = theta.abs();
        let small = (-(size + size)).exp_of_negative::<FUSED>();
        let large = R::one() / (R::one() + small);
        let other = small * large;
        (*plus, *minus) = if *theta < R::zero() { (other, large) } else { (large, other) };
    }
}
