//! Vectors of single and double precision, and constants that follow from their ranges.

use ndarray::NdFloat;
use operator_core::functions::Elementary;
use pulp::Simd;
use pulp::bytemuck::cast_slice;

/// Number of independent products or sums: enough to hide the latency of one.
pub(in super::super) const UNROLL: usize = 4;

/// Vector operations of `f32` and `f64` for loops over hidden units.
///
/// Products in vectors run over the units of one lane, so each lane holds a fraction of all factors and stays
/// in the range of single precision. The lanes are multiplied together in double precision.
pub trait Vectors: Elementary + NdFloat {
    /// A vector of the processor.
    type In<S: Simd>: Copy;

    /// Slices have a multiple of this length, so they consist of whole vectors.
    const PADDING: usize;

    /// The largest logarithm of a product before it is taken out. `e^±MAX_LOG` and its products with an
    /// accepted p or q are finite in double precision. At least [`MIN_LANES`](Self::MIN_LANES) lanes share
    /// the factors, so `e^±(MAX_LOG / MIN_LANES)` must be finite in this type.
    const MAX_LOG: f64;

    /// The least number of lanes that share the factors of a product; at most [`UNROLL`].
    const MIN_LANES: usize;

    /// Below this, p and q are computed from θ again, because a number that has become 0 would stay 0.
    ///
    /// Between two checks, sums change by a factor of at most `e^±D`, D = `MAX_LOG / PADDING`. So this is
    /// `e^D` above the smallest number, and [`exp_of_negative`](Elementary::exp_of_negative) clamps its result at
    /// `e^-D` times this value: no factor underflows to 0, and a clamped one is still recognised by the next
    /// check.
    const SMALLEST: f64;

    /// Whole vectors of a slice.
    fn vectors<S: Simd>(values: &[Self]) -> &[Self::In<S>];

    /// Whole vectors of a slice.
    fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::In<S>];

    /// The same number in all lanes.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::In<S>;

    /// `a + b`
    fn plus<S: Simd>(simd: S, a: Self::In<S>, b: Self::In<S>) -> Self::In<S>;

    /// `a b`
    fn times<S: Simd>(simd: S, a: Self::In<S>, b: Self::In<S>) -> Self::In<S>;

    /// `a / b`
    fn over<S: Simd>(simd: S, a: Self::In<S>, b: Self::In<S>) -> Self::In<S>;

    /// The smaller one.
    fn smaller<S: Simd>(simd: S, a: Self::In<S>, b: Self::In<S>) -> Self::In<S>;

    /// The larger one.
    fn larger<S: Simd>(simd: S, a: Self::In<S>, b: Self::In<S>) -> Self::In<S>;

    /// `a b + c`, rounded once or twice.
    fn times_plus<S: Simd>(simd: S, a: Self::In<S>, b: Self::In<S>, c: Self::In<S>) -> Self::In<S>;

    /// The smallest of all lanes.
    fn smallest<S: Simd>(simd: S, a: Self::In<S>) -> Self;

    /// The products of the lanes of each.
    fn products<S: Simd>(simd: S, values: [Self::In<S>; UNROLL]) -> [f64; UNROLL];

    /// The product of all lanes.
    fn product<S: Simd>(simd: S, values: [Self::In<S>; UNROLL]) -> f64;
}

/// Constants of a type, then the names of its operations in pulp.
macro_rules! vectors {
    (
        $real:ident in $vectors:ident, padding $padding:literal, max_log $max_log:literal in $min_lanes:literal, smallest $smallest:literal,
        $as_simd:ident, $as_mut_simd:ident, $splat:ident, $add:ident, $mul:ident, $div:ident,
        $min:ident, $max:ident, $mul_add:ident, $reduce_min:ident, $products:ident, $product:ident $(,)?
    ) => {
        impl Vectors for $real {
            type In<S: Simd> = S::$vectors;

            const PADDING: usize = $padding;
            const MAX_LOG: f64 = $max_log;
            const MIN_LANES: usize = $min_lanes;
            const SMALLEST: f64 = $smallest;

            #[inline(always)]
            fn vectors<S: Simd>(values: &[Self]) -> &[S::$vectors] {
                S::$as_simd(values).0
            }

            #[inline(always)]
            fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [S::$vectors] {
                S::$as_mut_simd(values).0
            }

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vectors {
                simd.$splat(value)
            }

            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$vectors {
                simd.$add(a, b)
            }

            #[inline(always)]
            fn times<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$vectors {
                simd.$mul(a, b)
            }

            #[inline(always)]
            fn over<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$vectors {
                simd.$div(a, b)
            }

            #[inline(always)]
            fn smaller<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$vectors {
                simd.$min(a, b)
            }

            #[inline(always)]
            fn larger<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$vectors {
                simd.$max(a, b)
            }

            #[inline(always)]
            fn times_plus<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors, c: S::$vectors) -> S::$vectors {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn smallest<S: Simd>(simd: S, a: S::$vectors) -> Self {
                simd.$reduce_min(a)
            }

            #[inline(always)]
            fn products<S: Simd>(simd: S, values: [S::$vectors; UNROLL]) -> [f64; UNROLL] {
                $products(simd, values)
            }

            #[inline(always)]
            fn product<S: Simd>(simd: S, values: [S::$vectors; UNROLL]) -> f64 {
                $product(simd, values)
            }
        }
    };
}

vectors!(
    f64 in f64s, padding 8, max_log 600.0 in 1, smallest 1e-250,
    as_simd_f64s, as_mut_simd_f64s, splat_f64s, add_f64s, mul_f64s, div_f64s,
    min_f64s, max_f64s, mul_add_e_f64s, reduce_min_f64s, products_in_double, product_in_double,
);

vectors!(
    f32 in f32s, padding 16, max_log 300.0 in 4, smallest 8e-30,
    as_simd_f32s, as_mut_simd_f32s, splat_f32s, add_f32s, mul_f32s, div_f32s,
    min_f32s, max_f32s, mul_add_e_f32s, reduce_min_f32s, products_in_single, product_in_single,
);

#[inline(always)]
fn products_in_double<S: Simd>(simd: S, values: [S::f64s; UNROLL]) -> [f64; UNROLL] {
    values.map(|lanes| simd.reduce_product_f64s(lanes))
}

#[inline(always)]
fn products_in_single<S: Simd>(_: S, values: [S::f32s; UNROLL]) -> [f64; UNROLL] {
    values.map(|lanes| cast_slice::<S::f32s, f32>(&[lanes]).iter().map(|&value| f64::from(value)).product())
}

#[inline(always)]
fn product_in_double<S: Simd>(simd: S, [a, b, c, d]: [S::f64s; UNROLL]) -> f64 {
    simd.reduce_product_f64s(simd.mul_f64s(simd.mul_f64s(a, b), simd.mul_f64s(c, d)))
}

/// In double precision, in a loop without branches, which the compiler vectorises.
#[inline(always)]
fn product_in_single<S: Simd>(_: S, values: [S::f32s; UNROLL]) -> f64 {
    let mut products = [1.0; UNROLL];
    for values in cast_slice::<S::f32s, f32>(&values).as_chunks::<UNROLL>().0 {
        products.iter_mut().zip(values).for_each(|(product, &value)| *product *= f64::from(value));
    }
    products.into_iter().product()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the comment on [`Vectors::SMALLEST`] says.
    fn check_range<R: Vectors>(lowest_power: f64) {
        let (largest, smallest): (f64, f64) = (R::max_value().into(), R::min_positive_value().into());
        let drift = R::MAX_LOG / R::PADDING as f64;
        assert!(R::MAX_LOG / (R::MIN_LANES as f64) < largest.ln().min(-smallest.ln()));
        assert!(R::MAX_LOG < f64::MAX.ln() && R::SMALLEST.ln() - drift > smallest.ln());
        assert!(lowest_power + drift < R::SMALLEST.ln());
        assert!(R::MIN_LANES <= UNROLL && R::PADDING.is_multiple_of(UNROLL));
    }

    #[test]
    fn nothing_leaves_the_range_of_numbers() {
        check_range::<f64>(-708.0);
        check_range::<f32>(-87.0);
    }
}
