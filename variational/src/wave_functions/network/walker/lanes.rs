//! Loops over hidden units, in the widest vectors that the processor has.

use pulp::{Arch, Simd, WithSimd};

use super::super::scalar::Real;
use super::super::vectors::UNROLL;

/// `1 + e^−2|θ|` of so many units are multiplied before a logarithm is taken. Each is at most 2, and at least
/// [`UNROLL`] lanes share them, so that single precision has the range for it.
const UNITS_PER_LOGARITHM: usize = 256;

/// Chooses the vectors when the program runs.
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
        match self.factor == 1.0 {
            true => Product { log: self.log, factor },
            false => Product { log: self.ln(), factor },
        }
    }
}

impl Lanes {
    pub(super) fn new() -> Self {
        Lanes(Arch::new())
    }

    /// Without vectors that not every processor of its kind has.
    #[cfg(test)]
    pub(super) fn portable() -> Self {
        Lanes(Arch::Scalar)
    }

    /// `Π (kept + decayed · row)`, multiplied in blocks.
    pub(super) fn product_of_one<R: Real>(
        self,
        block: usize,
        kept: &[R],
        decayed: &[R],
        row: &[R],
    ) -> Product {
        self.0.dispatch(Multiply { block, rows: [kept, decayed, row], factor: OneRow })
    }

    /// `Π (a · row_a + b · row_b)`
    pub(super) fn product_of_two<R: Real>(
        self,
        block: usize,
        a: &[R],
        b: &[R],
        row_a: &[R],
        row_b: &[R],
    ) -> Product {
        self.0.dispatch(Multiply { block, rows: [a, b, row_a, row_b], factor: TwoRows })
    }

    /// `Π (a + b)`
    pub(super) fn product_of_sums<R: Real>(self, block: usize, a: &[R], b: &[R]) -> Product {
        self.0.dispatch(Multiply { block, rows: [a, b], factor: NoRow })
    }

    /// Multiplies by a row some times.
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

    /// `bias + Σ_i x_i row_i`
    pub(super) fn weighted_sum<R: Real>(self, to: &mut [R], bias: &[R], rows: &[R], x: &[i8]) {
        self.0.dispatch(WeightedSum { to, bias, rows, x });
    }

    /// `e^±θ / 2 cosh θ`, and returns `Σ ln cosh θ`.
    pub(super) fn sigmoids<R: Real>(self, theta: &[R], plus: &mut [R], minus: &mut [R]) -> f64 {
        self.0.dispatch(Sigmoids { theta, plus, minus })
    }
}

/// One unit's factor, from `N` numbers.
trait Factor<const N: usize>: Copy {
    fn of<R: Real, S: Simd>(self, simd: S, values: [R::In<S>; N]) -> R::In<S>;
}

#[derive(Clone, Copy)]
struct NoRow;

/// Twice the larger of two.
#[derive(Clone, Copy)]
struct Larger;

#[derive(Clone, Copy)]
struct OneRow;

#[derive(Clone, Copy)]
struct TwoRows;

impl Factor<2> for NoRow {
    #[inline(always)]
    fn of<R: Real, S: Simd>(self, simd: S, [a, b]: [R::In<S>; 2]) -> R::In<S> {
        R::plus(simd, a, b)
    }
}

impl Factor<2> for Larger {
    #[inline(always)]
    fn of<R: Real, S: Simd>(self, simd: S, [a, b]: [R::In<S>; 2]) -> R::In<S> {
        let larger = R::larger(simd, a, b);
        R::plus(simd, larger, larger)
    }
}

impl Factor<3> for OneRow {
    #[inline(always)]
    fn of<R: Real, S: Simd>(self, simd: S, [kept, decayed, row]: [R::In<S>; 3]) -> R::In<S> {
        R::times_plus(simd, decayed, row, kept)
    }
}

impl Factor<4> for TwoRows {
    #[inline(always)]
    fn of<R: Real, S: Simd>(self, simd: S, [a, b, row_a, row_b]: [R::In<S>; 4]) -> R::In<S> {
        R::times_plus(simd, a, row_a, R::times(simd, b, row_b))
    }
}

struct Multiply<'a, R, F, const N: usize> {
    block: usize,
    rows: [&'a [R]; N],
    factor: F,
}

impl<R: Real, F: Factor<N>, const N: usize> WithSimd for Multiply<'_, R, F, N> {
    type Output = Product;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Product {
        let width = self.rows.iter().map(|row| row.len()).min().unwrap_or(0);
        let mut product = Product::ONE;
        let mut start = 0;
        while start < width {
            let end = width.min(start + self.block.max(1));
            product = product.then(multiply(simd, self.rows.map(|row| &row[start..end]), self.factor));
            start = end;
        }
        product
    }
}

#[inline(always)]
fn multiply<R: Real, S: Simd, F: Factor<N>, const N: usize>(simd: S, rows: [&[R]; N], factor: F) -> f64 {
    let parts = rows.map(|row| R::vectors::<S>(row).as_chunks::<UNROLL>());
    let n_chunks = parts.iter().map(|(chunks, _)| chunks.len()).min().unwrap_or(0);
    let mut products = [R::splat(simd, R::one()); UNROLL];
    for k in 0..n_chunks {
        let chunks = parts.map(|(chunks, _)| &chunks[k]);
        for (lane, product) in products.iter_mut().enumerate() {
            *product = R::times(simd, *product, factor.of::<R, S>(simd, chunks.map(|chunk| chunk[lane])));
        }
    }
    let n_rest = parts.iter().map(|(_, rest)| rest.len()).min().unwrap_or(0);
    for (k, product) in products.iter_mut().enumerate().take(n_rest) {
        *product = R::times(simd, *product, factor.of::<R, S>(simd, parts.map(|(_, rest)| rest[k])));
    }
    R::product(simd, products)
}

/// `Σ |value|` in double precision, in a loop without branches, from which the compiler makes vectors.
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
    bias: &'a [R],
    rows: &'a [R],
    x: &'a [i8],
}

impl<R: Real> WithSimd for WeightedSum<'_, R> {
    type Output = ();

    /// A few columns at a time, so that the sums stay in registers.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.to.len();
        let n_lanes = size_of::<R::In<S>>() / size_of::<R>();
        let (to, bias) = (R::vectors_mut::<S>(self.to), R::vectors::<S>(self.bias));
        for (k, (to, bias)) in to.chunks_mut(UNROLL).zip(bias.chunks(UNROLL)).enumerate() {
            let start = k * UNROLL * n_lanes;
            let mut sums = [R::splat(simd, R::zero()); UNROLL];
            sums.iter_mut().zip(bias).for_each(|(sum, bias)| *sum = *bias);
            for (row, &x) in self.rows.chunks_exact(width).zip(self.x) {
                let x = R::splat(simd, R::from_f64(x.into()));
                let row = R::vectors::<S>(&row[start..]);
                match row.first_chunk::<UNROLL>() {
                    Some(row) => {
                        for (sum, weight) in sums.iter_mut().zip(row) {
                            *sum = R::times_plus(simd, *weight, x, *sum);
                        }
                    }
                    None => {
                        for (sum, weight) in sums.iter_mut().zip(row) {
                            *sum = R::times_plus(simd, *weight, x, *sum);
                        }
                    }
                }
            }
            to.iter_mut().zip(sums).for_each(|(to, sum)| *to = sum);
        }
    }
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
            // Loops without branches, from which the compiler makes vectors.
            for ((theta, plus), minus) in theta.iter().zip(&mut *plus).zip(&mut *minus) {
                let size = theta.abs();
                let small = (-(size + size)).exp_of_negative();
                let large = R::one() / (R::one() + small);
                let other = small * large;
                (*plus, *minus) = if *theta < R::zero() { (other, large) } else { (large, other) };
            }
            // ln cosh θ = |θ| − ln(2 · the larger of the two)
            log += sum_of_sizes(theta) - multiply(simd, [plus, minus], Larger).ln();
        }
        log
    }
}
