//! `+`, `-`, `*` of expressions and numbers, which cannot fail.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use num_complex::Complex64;

use super::{Expression, Factor, Product};
use crate::memory;

impl From<f64> for Expression {
    fn from(number: f64) -> Self {
        Complex64::new(number, 0.0).into()
    }
}

impl From<Complex64> for Expression {
    fn from(number: Complex64) -> Self {
        Expression::of_products(vec![Product { coefficient: number, factors: Default::default() }])
    }
}

impl AddAssign<Expression> for Expression {
    fn add_assign(&mut self, other: Expression) {
        self.products.extend(other.products);
        self.too_large = self.too_large.or(other.too_large);
    }
}

impl AddAssign<&Expression> for Expression {
    fn add_assign(&mut self, other: &Expression) {
        self.products.extend_from_slice(&other.products);
        self.too_large = self.too_large.or(other.too_large);
    }
}

impl SubAssign<Expression> for Expression {
    fn sub_assign(&mut self, other: Expression) {
        *self += -other;
    }
}

impl SubAssign<&Expression> for Expression {
    fn sub_assign(&mut self, other: &Expression) {
        *self += -other;
    }
}

impl MulAssign<Complex64> for Expression {
    fn mul_assign(&mut self, factor: Complex64) {
        self.products.iter_mut().for_each(|product| product.coefficient *= factor);
    }
}

impl MulAssign<f64> for Expression {
    fn mul_assign(&mut self, factor: f64) {
        *self *= Complex64::new(factor, 0.0);
    }
}

impl MulAssign<&Expression> for Expression {
    fn mul_assign(&mut self, other: &Expression) {
        self.too_large = self.too_large.or(other.too_large).or_else(|| {
            let bytes = bytes_of_products(&self.products, &other.products);
            memory::expect_fits(String::new, bytes, "").is_err().then_some(bytes)
        });
        if self.too_large.is_some() {
            self.products.clear();
            return;
        }
        let times = |left: &Product| {
            let (coefficient, factors) = (left.coefficient, left.factors.clone());
            let right = other.products.iter();
            right.map(move |right| {
                let mut factors = factors.clone();
                factors.extend_from_slice(&right.factors);
                Product { coefficient: coefficient * right.coefficient, factors }
            })
        };
        self.products = self.products.iter().flat_map(times).collect();
    }
}

/// About the memory of all products of two sums.
fn bytes_of_products(left: &[Product], right: &[Product]) -> f64 {
    let n_factors = |sum: &[Product]| sum.iter().map(|product| product.factors.len()).sum::<usize>() as f64;
    let (n_left, n_right) = (left.len() as f64, right.len() as f64);
    let n_factors = n_factors(left) * n_right + n_factors(right) * n_left;
    n_left * n_right * size_of::<Product>() as f64 + n_factors * size_of::<Factor>() as f64
}

impl MulAssign<Expression> for Expression {
    fn mul_assign(&mut self, other: Expression) {
        *self *= &other;
    }
}

impl Neg for Expression {
    type Output = Expression;
    fn neg(mut self) -> Expression {
        self *= -1.0;
        self
    }
}

impl Neg for &Expression {
    type Output = Expression;
    fn neg(self) -> Expression {
        -self.clone()
    }
}

impl Sum for Expression {
    fn sum<I: Iterator<Item = Expression>>(summands: I) -> Self {
        summands.fold(Expression::new(), |mut sum, summand| {
            sum += summand;
            sum
        })
    }
}

impl<'a> Sum<&'a Expression> for Expression {
    fn sum<I: Iterator<Item = &'a Expression>>(summands: I) -> Self {
        summands.fold(Expression::new(), |mut sum, summand| {
            sum += summand;
            sum
        })
    }
}

macro_rules! binary {
    ($($trait:ident::$operator:ident, $assign:ident;)*) => {$(
        binary!(@pair $trait::$operator, $assign, Expression, |left: Expression| left);
        binary!(@pair $trait::$operator, $assign, &Expression, |left: &Expression| left.clone());
        binary!(@number $trait::$operator, $assign, f64);
        binary!(@number $trait::$operator, $assign, Complex64);
    )*};
    (@pair $trait:ident::$operator:ident, $assign:ident, $left:ty, $owned:expr) => {
        binary!(@one $trait::$operator, $assign, $left, Expression, $owned, |right| right);
        binary!(@one $trait::$operator, $assign, $left, &Expression, $owned, |right| right);
    };
    (@number $trait:ident::$operator:ident, $assign:ident, $number:ty) => {
        binary!(@one $trait::$operator, $assign, Expression, $number, |left: Expression| left, Expression::from);
        binary!(@one $trait::$operator, $assign, &Expression, $number, |left: &Expression| left.clone(), Expression::from);
        binary!(@one $trait::$operator, $assign, $number, Expression, Expression::from, |right| right);
        binary!(@one $trait::$operator, $assign, $number, &Expression, Expression::from, |right| right);
    };
    (@one $trait:ident::$operator:ident, $assign:ident, $left:ty, $right:ty, $owned:expr, $operand:expr) => {
        impl $trait<$right> for $left {
            type Output = Expression;
            fn $operator(self, other: $right) -> Expression {
                let owned: fn($left) -> Expression = $owned;
                let mut result = owned(self);
                #[allow(clippy::redundant_closure_call)]
                result.$assign(($operand)(other));
                result
            }
        }
    };
}

binary! {
    Add::add, add_assign;
    Sub::sub, sub_assign;
    Mul::mul, mul_assign;
}
