//! Composites lose nothing that the operator they hold does faster.
#![cfg(any(feature = "flat", feature = "padded"))]

use std::ops::Range;

use crate::common::counted::{Calls, Counted, check_operator_calls};
use crate::common::{Complete, Operator, TestResult};
use operator_core::hilbert::Spin;
use operator_core::{
    Backend, Boundary, Definition, DiscreteOperator, Error, Graph, HilbertSpace, Ising, Lower, Model, Result,
};
use sum_operator::{Combine, EmbedOperator, ProductOperator, SumOperator, TensorOperator};

/// Combinations are the first operand, so that they count with it.
macro_rules! combined_as_it_is {
    ($backend:ty) => {
        impl Combine<Counted<Operator<$backend>>> for $backend {
            fn terms_of(_: &Counted<Operator<$backend>>) -> Option<&Definition> {
                None
            }

            fn lower_like(
                _: &Definition,
                like: &Counted<Operator<$backend>>,
            ) -> Result<Counted<Operator<$backend>>> {
                Err(Error::NoDefinition { operator: like.describe(), action: "be lowered" })
            }

            fn sum(summands: &[(f64, Counted<Operator<$backend>>)]) -> Result<Counted<Operator<$backend>>> {
                Ok(summands[0].1.clone())
            }

            fn product(
                left: &Counted<Operator<$backend>>,
                _: &Counted<Operator<$backend>>,
            ) -> Result<Counted<Operator<$backend>>> {
                Ok(left.clone())
            }

            fn embed(
                operator: &Counted<Operator<$backend>>,
                _: &HilbertSpace,
                _: Range<usize>,
            ) -> Result<Counted<Operator<$backend>>> {
                Ok(operator.clone())
            }
        }
    };
}
#[cfg(feature = "flat")]
combined_as_it_is!(backend_flat::Flat);
#[cfg(feature = "padded")]
combined_as_it_is!(backend_padded::Padded);

fn ising<B: Lower<f64>>() -> Result<Counted<Operator<B>>> {
    let chain = Graph::chain(2, Boundary::Open)?;
    Ok(Counted::new(Ising::new(Spin::half(2)?, &chain, 1.0, 0.5)?.lower::<B>()?))
}

/// The four composites of one operator each.
type Composites<O> = (SumOperator<O>, ProductOperator<O>, TensorOperator<O>, EmbedOperator<O>);

fn composites<O>(operator: &O) -> Result<Composites<O>>
where
    O: DiscreteOperator<Element = f64, Backend: Combine<O>> + Clone,
{
    Ok((
        SumOperator::new([(1.0, operator.clone())])?,
        ProductOperator::new(operator, operator)?,
        TensorOperator::new([operator])?,
        EmbedOperator::new(operator, operator.hilbert(), 0)?,
    ))
}

fn every_call_is_passed_on_by_its_name<B>() -> TestResult
where
    B: Complete + Backend + Combine<Counted<Operator<B>>>,
{
    let operator = ising::<B>()?;
    let (sum, product, tensor, embedded) = composites(&operator)?;
    check_operator_calls(&sum, &operator.calls);
    check_operator_calls(&product, &operator.calls);
    check_operator_calls(&tensor, &operator.calls);
    check_operator_calls(&embedded, &operator.calls);
    Ok(())
}

on_backends!(every_call_is_passed_on_by_its_name);

fn check(calls: &Calls, name: &'static str, succeeded: bool) {
    assert!(succeeded, "{name} fails");
    assert_eq!(calls.take(), [(name, 1)], "{name} is not passed on");
}

#[cfg(feature = "flat")]
mod on_the_flat_backend {
    use backend_flat::{Flat, VisitConn, Visitor};
    use ndarray::{ArrayView2, aview2};
    use operator_core::PackedConn;
    use operator_core::kernel::Engine;

    use super::*;

    impl<O: VisitConn> VisitConn for Counted<O> {
        fn visitor(&self) -> Visitor<'_, O::Element> {
            self.calls.count("visitor");
            self.inner.visitor()
        }

        fn engine(&self) -> Option<&Engine<O::Element>> {
            self.calls.count("engine");
            self.inner.engine()
        }

        fn get_conn_packed_into(
            &self,
            x: ArrayView2<'_, i8>,
            conn: &mut PackedConn<O::Element>,
        ) -> Result<()> {
            self.calls.count("get_conn_packed_into");
            self.inner.get_conn_packed_into(x, conn)
        }
    }

    fn check_calls<O: VisitConn>(outer: &O, calls: &Calls) {
        calls.take();
        let visited = outer.visitor().visit(&[1, -1], |_, _| ());
        check(calls, "visitor", visited.is_ok());
        check(calls, "engine", outer.engine().is_some());
        let packed = outer.get_conn_packed_into(aview2(&[[1, -1]]), &mut PackedConn::new());
        check(calls, "get_conn_packed_into", packed.is_ok());
    }

    #[test]
    fn visits_moves_and_packed_rows_are_passed_on() -> TestResult {
        let operator = ising::<Flat>()?;
        let (sum, product, tensor, embedded) = composites(&operator)?;
        check_calls(&sum, &operator.calls);
        check_calls(&product, &operator.calls);
        check_calls(&tensor, &operator.calls);
        check_calls(&embedded, &operator.calls);
        Ok(())
    }
}

#[cfg(feature = "padded")]
mod on_the_padded_backend {
    use backend_padded::{ConnTensors, Differentiable, Padded, TensorConn};
    use candle_core::{Device, Tensor};

    use super::*;

    impl<O: TensorConn> TensorConn for Counted<O> {
        fn conn(&self, x: &Tensor) -> Result<ConnTensors> {
            self.calls.count("conn");
            self.inner.conn(x)
        }

        fn n_off_diagonal(&self, x: &Tensor) -> Result<Tensor> {
            self.calls.count("n_off_diagonal");
            self.inner.n_off_diagonal(x)
        }

        fn select_off_diagonal(&self, x: &Tensor, k: &Tensor) -> Result<Tensor> {
            self.calls.count("select_off_diagonal");
            self.inner.select_off_diagonal(x, k)
        }

        fn differentiable(&self) -> Result<&Differentiable> {
            self.calls.count("differentiable");
            self.inner.differentiable()
        }
    }

    fn check_calls<O: TensorConn>(outer: &O, calls: &Calls) -> TestResult {
        let (x, k) = (Tensor::new(&[[1f32, -1.0]], &Device::Cpu)?, Tensor::new(&[0u32], &Device::Cpu)?);
        calls.take();
        check(calls, "conn", outer.conn(&x).is_ok());
        check(calls, "n_off_diagonal", outer.n_off_diagonal(&x).is_ok());
        check(calls, "select_off_diagonal", outer.select_off_diagonal(&x, &k).is_ok());
        check(calls, "differentiable", outer.differentiable().is_ok());
        Ok(())
    }

    #[test]
    fn tensors_are_passed_on() -> TestResult {
        let operator = ising::<Padded>()?;
        let (sum, product, tensor, embedded) = composites(&operator)?;
        check_calls(&sum, &operator.calls)?;
        check_calls(&product, &operator.calls)?;
        check_calls(&tensor, &operator.calls)?;
        check_calls(&embedded, &operator.calls)
    }
}
