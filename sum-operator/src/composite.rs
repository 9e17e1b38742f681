/// Makes an operator of a type that holds one in its field `operator`: all that operators can do.
macro_rules! composite {
    ($composite:ident) => {
        impl<O: operator_core::DiscreteOperator> $composite<O> {
            /// The operator that it comes to, on its backend.
            pub fn operator(&self) -> &O {
                &self.operator
            }

            /// The operator that it comes to, on its backend.
            pub fn into_operator(self) -> O {
                self.operator
            }
        }

        impl<O: operator_core::DiscreteOperator> operator_core::DiscreteOperator for $composite<O> {
            type Backend = O::Backend;
            type Element = O::Element;

            fn hilbert(&self) -> &operator_core::HilbertSpace {
                self.operator.hilbert()
            }

            fn max_conn_size(&self) -> usize {
                self.operator.max_conn_size()
            }

            fn is_hermitian(&self) -> bool {
                self.operator.is_hermitian()
            }

            fn definition(&self) -> Option<&operator_core::Definition> {
                self.operator.definition()
            }

            fn describe(&self) -> String {
                self.operator.describe()
            }

            fn get_conn_flattened_into(
                &self,
                x: ndarray::ArrayView2<'_, i8>,
                conn: &mut operator_core::ConnBatch<O::Element>,
            ) -> operator_core::Result<()> {
                self.operator.get_conn_flattened_into(x, conn)
            }

            fn n_conn(
                &self,
                x: ndarray::ArrayView2<'_, i8>,
            ) -> operator_core::Result<ndarray::Array1<usize>> {
                self.operator.n_conn(x)
            }

            fn get_conn_padded(
                &self,
                x: ndarray::ArrayView2<'_, i8>,
            ) -> operator_core::Result<operator_core::PaddedConn<O::Element>> {
                self.operator.get_conn_padded(x)
            }
        }

        #[cfg(feature = "flat")]
        impl<O: backend_flat::VisitConn> backend_flat::VisitConn for $composite<O> {
            fn visitor(&self) -> backend_flat::Visitor<'_, O::Element> {
                self.operator.visitor()
            }

            fn engine(&self) -> Option<&operator_core::kernel::Engine<O::Element>> {
                self.operator.engine()
            }
        }

        #[cfg(feature = "padded")]
        impl<O: backend_padded::TensorConn> backend_padded::TensorConn for $composite<O> {
            fn conn(&self, x: &candle_core::Tensor) -> operator_core::Result<backend_padded::ConnTensors> {
                self.operator.conn(x)
            }

            fn n_off_diagonal(&self, x: &candle_core::Tensor) -> operator_core::Result<candle_core::Tensor> {
                self.operator.n_off_diagonal(x)
            }

            fn select_off_diagonal(
                &self,
                x: &candle_core::Tensor,
                k: &candle_core::Tensor,
            ) -> operator_core::Result<candle_core::Tensor> {
                self.operator.select_off_diagonal(x, k)
            }

            fn device(&self) -> &candle_core::Device {
                self.operator.device()
            }
        }

        impl<O: operator_core::DiscreteOperator> std::fmt::Display for $composite<O> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.operator.describe())
            }
        }
    };
}
pub(crate) use composite;
