//! Loops over hidden units, in the widest vectors that the processor has.

use pulp::{Arch, Simd, WithSimd};

/// Slices have a multiple of this length, so that no vector is cut.
pub(super) const PADDING: usize = 8;

/// Independent products or sums: enough to hide how long one takes.
const UNROLL: usize = 4;

/// `1 + e^−2|θ|` of so many units are multiplied before a logarithm is taken.
const UNITS_PER_LOGARITHM: usize = 512;

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
    pub(super) fn product_of_one(self, block: usize, kept: &[f64], decayed: &[f64], row: &[f64]) -> Product {
        self.0.dispatch(Multiply { block, rows: [kept, decayed, row], factor: OneRow })
    }

    /// `Π (a · row_a + b · row_b)`
    pub(super) fn product_of_two(
        self,
        block: usize,
        a: &[f64],
        b: &[f64],
        row_a: &[f64],
        row_b: &[f64],
    ) -> Product {
        self.0.dispatch(Multiply { block, rows: [a, b, row_a, row_b], factor: TwoRows })
    }

    /// `Π (a + b)`
    pub(super) fn product_of_sums(self, block: usize, a: &[f64], b: &[f64]) -> Product {
        self.0.dispatch(Multiply { block, rows: [a, b], factor: NoRow })
    }

    /// Multiplies by a row some times.
    pub(super) fn multiply(self, to: &mut [f64], row: &[f64], times: u32) {
        for _ in 0..times {
            self.0.dispatch(|| to.iter_mut().zip(row).for_each(|(to, row)| *to *= row));
        }
    }

    /// `to += by · row`
    pub(super) fn add(self, to: &mut [f64], by: f64, row: &[f64]) {
        self.0.dispatch(|| to.iter_mut().zip(row).for_each(|(to, row)| *to += by * row));
    }

    /// Scales each pair to the sum 1, and returns the smallest of all.
    pub(super) fn normalise(self, a: &mut [f64], b: &mut [f64]) -> f64 {
        self.0.dispatch(Normalise(a, b))
    }

    /// `bias + Σ_i x_i row_i`
    pub(super) fn weighted_sum(self, to: &mut [f64], bias: &[f64], rows: &[f64], x: &[i8]) {
        self.0.dispatch(WeightedSum { to, bias, rows, x });
    }

    /// `e^±θ / 2 cosh θ`, and returns `Σ ln cosh θ`.
    pub(super) fn sigmoids(self, theta: &[f64], plus: &mut [f64], minus: &mut [f64]) -> f64 {
        self.0.dispatch(Sigmoids { theta, plus, minus })
    }
}

/// One unit's factor, from `N` numbers.
trait Factor<const N: usize>: Copy {
    fn of<S: Simd>(self, simd: S, values: [S::f64s; N]) -> S::f64s;
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
    fn of<S: Simd>(self, simd: S, [a, b]: [S::f64s; 2]) -> S::f64s {
        simd.add_f64s(a, b)
    }
}

impl Factor<2> for Larger {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, [a, b]: [S::f64s; 2]) -> S::f64s {
        let larger = simd.max_f64s(a, b);
        simd.add_f64s(larger, larger)
    }
}

impl Factor<3> for OneRow {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, [kept, decayed, row]: [S::f64s; 3]) -> S::f64s {
        simd.mul_add_e_f64s(decayed, row, kept)
    }
}

impl Factor<4> for TwoRows {
    #[inline(always)]
    fn of<S: Simd>(self, simd: S, [a, b, row_a, row_b]: [S::f64s; 4]) -> S::f64s {
        simd.mul_add_e_f64s(a, row_a, simd.mul_f64s(b, row_b))
    }
}

struct Multiply<'a, F, const N: usize> {
    block: usize,
    rows: [&'a [f64]; N],
    factor: F,
}

impl<F: Factor<N>, const N: usize> WithSimd for Multiply<'_, F, N> {
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
fn multiply<S: Simd, F: Factor<N>, const N: usize>(simd: S, rows: [&[f64]; N], factor: F) -> f64 {
    let parts = rows.map(|row| S::as_simd_f64s(row).0.as_chunks::<UNROLL>());
    let n_chunks = parts.iter().map(|(chunks, _)| chunks.len()).min().unwrap_or(0);
    let mut products = [simd.splat_f64s(1.0); UNROLL];
    for k in 0..n_chunks {
        let chunks = parts.map(|(chunks, _)| &chunks[k]);
        for (lane, product) in products.iter_mut().enumerate() {
            *product = simd.mul_f64s(*product, factor.of(simd, chunks.map(|chunk| chunk[lane])));
        }
    }
    let n_rest = parts.iter().map(|(_, rest)| rest.len()).min().unwrap_or(0);
    for (k, product) in products.iter_mut().enumerate().take(n_rest) {
        *product = simd.mul_f64s(*product, factor.of(simd, parts.map(|(_, rest)| rest[k])));
    }
    let [a, b, c, d] = products;
    simd.reduce_product_f64s(simd.mul_f64s(simd.mul_f64s(a, b), simd.mul_f64s(c, d)))
}

/// `Σ |value|`
#[inline(always)]
fn sum_of_sizes<S: Simd>(simd: S, values: &[f64]) -> f64 {
    let mut sums = [simd.splat_f64s(0.0); UNROLL];
    for values in S::as_simd_f64s(values).0.chunks(UNROLL) {
        sums.iter_mut()
            .zip(values)
            .for_each(|(sum, value)| *sum = simd.add_f64s(*sum, simd.abs_f64s(*value)));
    }
    let [a, b, c, d] = sums;
    simd.reduce_sum_f64s(simd.add_f64s(simd.add_f64s(a, b), simd.add_f64s(c, d)))
}

struct Normalise<'a>(&'a mut [f64], &'a mut [f64]);

impl WithSimd for Normalise<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let (a, b) = (S::as_mut_simd_f64s(self.0).0, S::as_mut_simd_f64s(self.1).0);
        let one = simd.splat_f64s(1.0);
        let mut smallest = one;
        for (a, b) in a.iter_mut().zip(b) {
            let inverse = simd.div_f64s(one, simd.add_f64s(*a, *b));
            (*a, *b) = (simd.mul_f64s(*a, inverse), simd.mul_f64s(*b, inverse));
            smallest = simd.min_f64s(smallest, simd.min_f64s(*a, *b));
        }
        simd.reduce_min_f64s(smallest)
    }
}

struct WeightedSum<'a> {
    to: &'a mut [f64],
    bias: &'a [f64],
    rows: &'a [f64],
    x: &'a [i8],
}

impl WithSimd for WeightedSum<'_> {
    type Output = ();

    /// A few columns at a time, so that the sums stay in registers.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.to.len();
        let (to, _) = S::as_mut_simd_f64s(self.to);
        let (bias, _) = S::as_simd_f64s(self.bias);
        for (k, (to, bias)) in to.chunks_mut(UNROLL).zip(bias.chunks(UNROLL)).enumerate() {
            let start = k * UNROLL * S::F64_LANES;
            let mut sums = [simd.splat_f64s(0.0); UNROLL];
            sums.iter_mut().zip(bias).for_each(|(sum, bias)| *sum = *bias);
            for (row, &x) in self.rows.chunks_exact(width).zip(self.x) {
                let x = simd.splat_f64s(f64::from(x));
                let (row, _) = S::as_simd_f64s(&row[start..]);
                match row.first_chunk::<UNROLL>() {
                    Some(row) => {
                        for (sum, weight) in sums.iter_mut().zip(row) {
                            *sum = simd.mul_add_e_f64s(*weight, x, *sum);
                        }
                    }
                    None => {
                        for (sum, weight) in sums.iter_mut().zip(row) {
                            *sum = simd.mul_add_e_f64s(*weight, x, *sum);
                        }
                    }
                }
            }
            to.iter_mut().zip(sums).for_each(|(to, sum)| *to = sum);
        }
    }
}

struct Sigmoids<'a> {
    theta: &'a [f64],
    plus: &'a mut [f64],
    minus: &'a mut [f64],
}

impl WithSimd for Sigmoids<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let mut log = 0.0;
        let blocks = self.theta.chunks(UNITS_PER_LOGARITHM);
        let sides = self.plus.chunks_mut(UNITS_PER_LOGARITHM).zip(self.minus.chunks_mut(UNITS_PER_LOGARITHM));
        for (theta, (plus, minus)) in blocks.zip(sides) {
            // Loops without branches, from which the compiler makes vectors.
            for ((theta, plus), minus) in theta.iter().zip(&mut *plus).zip(&mut *minus) {
                let small = exp_of_negative(-2.0 * theta.abs());
                let large = 1.0 / (1.0 + small);
                let other = small * large;
                (*plus, *minus) = if *theta < 0.0 { (other, large) } else { (large, other) };
            }
            // ln cosh θ = |θ| − ln(2 · the larger of the two)
            log += sum_of_sizes(simd, theta) - multiply(simd, [plus, minus], Larger).ln();
        }
        log
    }
}

/// e^x for x ≤ 0, by Taylor's series within half a power of two; e^−708 for all that is less.
#[inline(always)]
fn exp_of_negative(x: f64) -> f64 {
    // Adding it rounds to whole numbers, which then stand in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 · 2^52
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8; // its last 21 bits are 0
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const SERIES: [f64; 14] = inverse_factorials();
    let x = if x < -708.0 { -708.0 } else { x };
    let rounded = x * std::f64::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let rest = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let power = f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52);
    SERIES.iter().rev().fold(0.0, |sum, coefficient| sum * rest + coefficient) * power
}

const fn inverse_factorials<const N: usize>() -> [f64; N] {
    let mut out = [1.0; N];
    let mut k = 1;
    while k < N {
        out[k] = out[k - 1] / k as f64;
        k += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_right_to_the_last_digits() {
        for k in 0..200_000 {
            let x = -f64::from(k) * 0.00354;
            let (found, expected) = (exp_of_negative(x), x.exp());
            assert!((found - expected).abs() <= 4.0 * f64::EPSILON * expected, "{x}: {found} {expected}");
        }
        assert!(exp_of_negative(f64::NAN).is_nan());
        assert!(exp_of_negative(f64::NEG_INFINITY) < 1e-300);
    }
}
