//! `+`, `-` and `*` for types whose algebra can fail.

/// Implements the operators between values and references of `$type`, by its methods `plus`, `minus`,
/// `times`, `scaled`, `plus_number` and `subtracted_from`. What comes out is a `Result`.
macro_rules! fallible_operators {
    ($type:ty) => {
        $crate::overload::fallible_operators!(@binary $type, Add::add, plus);
        $crate::overload::fallible_operators!(@binary $type, Sub::sub, minus);
        $crate::overload::fallible_operators!(@binary $type, Mul::mul, times);
        $crate::overload::fallible_operators!(@scalar $type, f64);
        $crate::overload::fallible_operators!(@scalar $type, num_complex::Complex64);
        $crate::overload::fallible_operators!(@negative $type, $type);
        $crate::overload::fallible_operators!(@negative &$type, $type);
    };
    (@binary $type:ty, $trait:ident::$operator:ident, $method:ident) => {
        $crate::overload::fallible_operators!(@pair $type, $type, $type, $trait::$operator, $method);
        $crate::overload::fallible_operators!(@pair $type, &$type, $type, $trait::$operator, $method);
        $crate::overload::fallible_operators!(@pair &$type, $type, $type, $trait::$operator, $method);
        $crate::overload::fallible_operators!(@pair &$type, &$type, $type, $trait::$operator, $method);
    };
    (@pair $left:ty, $right:ty, $type:ty, $trait:ident::$operator:ident, $method:ident) => {
        impl std::ops::$trait<$right> for $left {
            type Output = $crate::error::Result<$type>;
            fn $operator(self, other: $right) -> Self::Output {
                <$type>::$method(&self, &other)
            }
        }
    };
    (@scalar $type:ty, $scalar:ty) => {
        $crate::overload::fallible_operators!(@factor $type, $scalar, $type);
        $crate::overload::fallible_operators!(@factor &$type, $scalar, $type);
    };
    (@factor $operand:ty, $scalar:ty, $type:ty) => {
        impl std::ops::Mul<$scalar> for $operand {
            type Output = $crate::error::Result<$type>;
            fn mul(self, factor: $scalar) -> Self::Output {
                self.scaled(factor)
            }
        }
        impl std::ops::Mul<$operand> for $scalar {
            type Output = $crate::error::Result<$type>;
            fn mul(self, operand: $operand) -> Self::Output {
                operand.scaled(self)
            }
        }
        impl std::ops::Add<$scalar> for $operand {
            type Output = $crate::error::Result<$type>;
            fn add(self, number: $scalar) -> Self::Output {
                self.plus_number(number.into())
            }
        }
        impl std::ops::Add<$operand> for $scalar {
            type Output = $crate::error::Result<$type>;
            fn add(self, operand: $operand) -> Self::Output {
                operand.plus_number(self.into())
            }
        }
        impl std::ops::Sub<$scalar> for $operand {
            type Output = $crate::error::Result<$type>;
            fn sub(self, number: $scalar) -> Self::Output {
                self.plus_number((-number).into())
            }
        }
        impl std::ops::Sub<$operand> for $scalar {
            type Output = $crate::error::Result<$type>;
            fn sub(self, operand: $operand) -> Self::Output {
                operand.subtracted_from(self.into())
            }
        }
    };
    (@negative $operand:ty, $type:ty) => {
        impl std::ops::Neg for $operand {
            type Output = $crate::error::Result<$type>;
            fn neg(self) -> Self::Output {
                self.scaled(-1.0)
            }
        }
    };
}
pub(crate) use fallible_operators;
