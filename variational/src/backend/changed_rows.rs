//! Products with rows that differ from others in a few columns.

use pulp::{Arch, Simd, WithSimd};

use crate::wave_functions::network::Real;

/// Columns compared at a time.
const COLUMNS: usize = 16;

/// Matrices `product = a c` and `b` in row-major order. Row k of `b` differs from row `origins[k]` of `a` in a few
/// columns.
pub(crate) struct ChangedRows<'a, R> {
    pub(crate) product: &'a [R],
    pub(crate) a: &'a [R],
    pub(crate) origins: &'a [usize],
    pub(crate) b: &'a [R],
    pub(crate) c: &'a [R],
    /// Lengths of the rows of `b` and of the product.
    pub(crate) widths: (usize, usize),
}

impl<R: Real> ChangedRows<'_, R> {
    /// `b c` in row-major order: adds what the changed columns contribute to the rows of `product`.
    pub(crate) fn product(self) -> Vec<R> {
        let mut out = vec![R::zero(); self.origins.len() * self.widths.1];
        Arch::new().dispatch(AddChanges { out: &mut out, changed: self });
        out
    }
}

struct AddChanges<'o, 'a, R> {
    out: &'o mut [R],
    changed: ChangedRows<'a, R>,
}

impl<R: Real> WithSimd for AddChanges<'_, '_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let AddChanges { out, changed } = self;
        let ChangedRows { product, a, origins, b, c, widths: (n_in, n_out) } = changed;
        if n_in == 0 || n_out == 0 {
            return;
        }
        let rows = out.chunks_exact_mut(n_out).zip(b.chunks_exact(n_in)).zip(origins);
        for ((out, to), &origin) in rows {
            let from = &a[origin * n_in..][..n_in];
            out.copy_from_slice(&product[origin * n_out..][..n_out]);
            // Most columns are equal, so compare several at a time.
            let parts = to.chunks(COLUMNS).zip(from.chunks(COLUMNS)).zip(c.chunks(COLUMNS * n_out));
            for ((to, from), c) in parts {
                if to.iter().zip(from).fold(false, |differ, (to, from)| differ | (to != from)) {
                    for ((&to, &from), c) in to.iter().zip(from).zip(c.chunks_exact(n_out)) {
                        if to != from {
                            let by = to - from;
                            for (out, &c) in out.iter_mut().zip(c) {
                                *out += by * c;
                            }
                        }
                    }
                }
            }
        }
    }
}
