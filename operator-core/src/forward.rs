//! References and smart pointers to operators are operators.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use sprs::CsMat;

use crate::backend::Backend;
use crate::conn::{ConnBatch, PaddedConn};
use crate::definition::{Definition, Structure};
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::operator::{DiscreteOperator, RowVisitor};
use crate::parameters::Parameters;

/// Forwards every method that does not need a sized operator. `adjoint` and `to_backend` do, but follow from the
/// definition and the device, which are forwarded.
macro_rules! forward {
    ($($pointer:ty),*) => {
        $(impl<O: DiscreteOperator + ?Sized> DiscreteOperator for $pointer {
            type Backend = O::Backend;
            type Element = O::Element;

            fn hilbert(&self) -> &HilbertSpace {
                (**self).hilbert()
            }

            fn device(&self) -> <O::Backend as Backend>::Device {
                (**self).device()
            }

            fn max_conn_size(&self) -> usize {
                (**self).max_conn_size()
            }

            fn is_hermitian(&self) -> bool {
                (**self).is_hermitian()
            }

            fn get_conn_flattened_into(
                &self,
                x: ArrayView2<'_, i8>,
                conn: &mut ConnBatch<O::Element>,
            ) -> Result<()> {
                (**self).get_conn_flattened_into(x, conn)
            }

            fn definition(&self) -> Option<&Definition> {
                (**self).definition()
            }

            fn describe(&self) -> String {
                (**self).describe()
            }

            fn n_conn(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
                (**self).n_conn(x)
            }

            fn get_conn(&self, x: ArrayView1<'_, i8>) -> Result<(Array2<i8>, Array1<O::Element>)> {
                (**self).get_conn(x)
            }

            fn get_conn_flattened(&self, x: ArrayView2<'_, i8>) -> Result<ConnBatch<O::Element>> {
                (**self).get_conn_flattened(x)
            }

            fn get_conn_padded(&self, x: ArrayView2<'_, i8>) -> Result<PaddedConn<O::Element>> {
                (**self).get_conn_padded(x)
            }

            fn to_sparse(&self) -> Result<CsMat<O::Element>> {
                (**self).to_sparse()
            }

            fn to_dense(&self) -> Result<Array2<O::Element>> {
                (**self).to_dense()
            }

            fn apply(&self, v: ArrayView1<'_, O::Element>) -> Result<Array1<O::Element>> {
                (**self).apply(v)
            }

            fn for_all_states(&self, f: RowVisitor<'_, O::Element>) -> Result<()> {
                (**self).for_all_states(f)
            }

            fn get_conn_indices_into(
                &self,
                states: Range<usize>,
                conn: &mut ConnBatch<O::Element, usize>,
            ) -> Result<()> {
                (**self).get_conn_indices_into(states, conn)
            }

            fn unpack(&self) -> Result<(Parameters, Structure)> {
                (**self).unpack()
            }
        })*
    };
}
forward!(&O, Arc<O>, Box<O>);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ndarray::aview1;

    use super::*;
    use crate::backend::HostBackend;
    use crate::hilbert::Spin;

    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    struct Nowhere;

    impl HostBackend for Nowhere {
        const NAME: &'static str = "nowhere";
    }

    /// The identity, which counts how often the methods are called that it overrides.
    struct Counting {
        hilbert: HilbertSpace,
        calls: AtomicUsize,
    }

    impl Counting {
        fn called(&self) {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl DiscreteOperator for Counting {
        type Backend = Nowhere;
        type Element = f64;

        fn hilbert(&self) -> &HilbertSpace {
            &self.hilbert
        }

        fn max_conn_size(&self) -> usize {
            1
        }

        fn is_hermitian(&self) -> bool {
            true
        }

        fn definition(&self) -> Option<&Definition> {
            None
        }

        fn get_conn_flattened_into(&self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<f64>) -> Result<()> {
            let (states, mels, _) = conn.reset(x.ncols(), &vec![1; x.nrows()])?;
            states.iter_mut().zip(x).for_each(|(to, &from)| *to = from);
            mels.fill(1.0);
            Ok(())
        }

        fn n_conn(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
            self.called();
            Ok(Array1::ones(x.nrows()))
        }

        fn get_conn_padded(&self, x: ArrayView2<'_, i8>) -> Result<PaddedConn<f64>> {
            self.called();
            self.get_conn_flattened(x)?.to_padded(x, 1)
        }

        fn get_conn_indices_into(
            &self,
            states: Range<usize>,
            conn: &mut ConnBatch<f64, usize>,
        ) -> Result<()> {
            self.called();
            let (columns, mels, _) = conn.reset(1, &vec![1; states.len()])?;
            columns.iter_mut().zip(states).for_each(|(to, state)| *to = state);
            mels.fill(1.0);
            Ok(())
        }
    }

    fn counting() -> Counting {
        Counting { hilbert: Spin::half(2).unwrap().into(), calls: AtomicUsize::new(0) }
    }

    /// Calls what backends override, and what stands on it.
    fn use_it<O: DiscreteOperator<Element = f64>>(operator: O) {
        let x = operator.hilbert().all_states().unwrap();
        operator.n_conn(x.view()).unwrap();
        operator.get_conn_padded(x.view()).unwrap();
        operator.to_sparse().unwrap();
        operator.apply(aview1(&[1.0; 4])).unwrap();
    }

    #[test]
    fn fast_paths_are_taken_through_pointers() {
        let direct = counting();
        use_it(&direct);
        // One for each call; the defaults would stand on get_conn_flattened_into, which does not count.
        assert_eq!(direct.calls.load(Ordering::Relaxed), 4);
        let shared = Arc::new(counting());
        use_it(shared.clone());
        use_it(Box::new(shared.clone()));
        use_it(&shared);
        assert_eq!(shared.calls.load(Ordering::Relaxed), 12);
        let dynamic: Box<dyn DiscreteOperator<Backend = Nowhere, Element = f64>> = Box::new(counting());
        use_it(dynamic);
    }
}
