//! Makes an operator of a type that holds one in its field `operator`.

/// Writes methods that pass their arguments on. `$through` is a macro that says what to:
/// it gets `self`, the name and the arguments.
///
/// Every method that a backend may do faster than the trait's own way has to be passed on, or it is lost; the
/// lists of such methods stand once, in the macros below.
macro_rules! forward {
    ($through:ident; $(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> $out {
            $through!(self, $name($($arg),*))
        })*
    };
}
pub(crate) use forward;

/// What every operator answers with values of its own: all methods of
/// [`DiscreteOperator`](operator_core::DiscreteOperator) but those that return references, and those that
/// follow from the definition.
macro_rules! forward_answers {
    ($through:ident, $element:ty) => {
        $crate::composite::forward! { $through;
            fn max_conn_size() -> usize;
            fn is_hermitian() -> bool;
            fn describe() -> String;
            fn n_conn(x: ndarray::ArrayView2<'_, i8>) -> operator_core::Result<ndarray::Array1<usize>>;
            fn get_conn(
                x: ndarray::ArrayView1<'_, i8>
            ) -> operator_core::Result<(ndarray::Array2<i8>, ndarray::Array1<$element>)>;
            fn get_conn_flattened(
                x: ndarray::ArrayView2<'_, i8>
            ) -> operator_core::Result<operator_core::ConnBatch<$element>>;
            fn get_conn_flattened_into(
                x: ndarray::ArrayView2<'_, i8>,
                conn: &mut operator_core::ConnBatch<$element>
            ) -> operator_core::Result<()>;
            fn get_conn_padded(
                x: ndarray::ArrayView2<'_, i8>
            ) -> operator_core::Result<operator_core::PaddedConn<$element>>;
            fn get_conn_indices_into(
                states: std::ops::Range<usize>,
                conn: &mut operator_core::ConnBatch<$element, usize>
            ) -> operator_core::Result<()>;
            fn for_all_states(f: operator_core::RowVisitor<'_, $element>) -> operator_core::Result<()>;
        }
    };
}
pub(crate) use forward_answers;

/// Passes a method on to the operator that a composite comes to.
macro_rules! held {
    ($composite:ident, $name:ident $args:tt) => {
        $composite.operator().$name $args
    };
}
pub(crate) use held;

/// All that operators can do, for a type that holds one.
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

            fn definition(&self) -> Option<&operator_core::Definition> {
                self.operator.definition()
            }

            fn device(&self) -> <O::Backend as operator_core::Backend>::Device {
                self.operator.device()
            }

            $crate::composite::forward_answers!(held, O::Element);
        }

        impl<O: operator_core::DiscreteOperator> std::fmt::Display for $composite<O> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.operator.describe())
            }
        }
    };
}
pub(crate) use composite;
