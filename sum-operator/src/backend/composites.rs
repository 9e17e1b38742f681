//! The traits of each backend, for composites that hold its operators.

#[cfg(feature = "flat")]
mod flat {
    use backend_flat::Visitor;
    use ndarray::ArrayView2;
    use operator_core::kernel::Engine;
    use operator_core::{PackedConn, Result};

    use crate::composite::{forward, held};

    macro_rules! visits {
        ($($composite:ident),*) => {
            $(impl<O: backend_flat::VisitConn> backend_flat::VisitConn for crate::$composite<O> {
                forward! { held;
                    fn visitor() -> Visitor<'_, O::Element>;
                    fn engine() -> Option<&Engine<O::Element>>;
                    fn get_conn_packed_into(
                        x: ArrayView2<'_, i8>,
                        conn: &mut PackedConn<O::Element>
                    ) -> Result<()>;
                }
            })*
        };
    }

    visits!(SumOperator, ProductOperator, TensorOperator, EmbedOperator);
}

#[cfg(feature = "padded")]
mod padded {
    use backend_padded::{ConnTensors, Differentiable, Origins};
    use candle_core::Tensor;
    use operator_core::Result;
    use operator_core::kernel::Engine;

    use crate::composite::{forward, held};

    macro_rules! gives_tensors {
        ($($composite:ident),*) => {
            $(impl<O: backend_padded::TensorConn> backend_padded::TensorConn for crate::$composite<O> {
                forward! { held;
                    fn conn(x: &Tensor) -> Result<ConnTensors>;
                    fn conn_into(x: &Tensor, conn: &mut ConnTensors) -> Result<()>;
                    fn origins(x: &Tensor) -> Result<Option<Origins<O::Element>>>;
                    fn engine() -> Option<&Engine<O::Element>>;
                    fn parameters_as_tensor() -> Option<&Tensor>;
                    fn n_off_diagonal(x: &Tensor) -> Result<Tensor>;
                    fn select_off_diagonal(x: &Tensor, k: &Tensor) -> Result<Tensor>;
                    fn differentiable() -> Result<&Differentiable>;
                }
            })*
        };
    }

    gives_tensors!(SumOperator, ProductOperator, TensorOperator, EmbedOperator);
}
