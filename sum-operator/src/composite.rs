//! Macros that forward the methods of operators to an operator inside.

/// Writes methods that forward their arguments. The macro `$through` makes the call from `self`, the name and the
/// arguments.
///
/// A backend may override any default method with a faster one, which is lost unless it is forwarded. The macros below
/// are the only lists of such methods.
macro_rules! forward {
    ($through:ident; $(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> $out {
            $through!(self, $name($($arg),*))
        })*
    };
}
pub(crate) use forward;

/// The methods of [`DiscreteOperator`](operator_core::DiscreteOperator) that return owned values, except those that
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

/// Forwards a method to the operator that a composite holds.
macro_rules! held {
    ($composite:ident, $name:ident $args:tt) => {
        $composite.operator().$name $args
    };
}
pub(crate) use held;

/// Makes an operator of a type with an operator in its field `operator`.
macro_rules! composite {
    ($composite:ident) => {
        impl<O: operator_core::DiscreteOperator> $composite<O> {
            /// The combined operator, as its backend runs it.
            pub fn operator(&self) -> &O {
                &self.operator
            }

            /// The combined operator, as [`operator`](Self::operator).
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
