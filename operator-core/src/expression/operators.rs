//! `+`, `-`, `*` of expressions and numbers, which cannot fail.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use num_complex::Complex64;

use super::Expression;
use super::product::{Factor, MAX_MULTIPLIED_OUT, Product};

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
        self.too_deep = self.too_deep || other.too_deep;
    }
}

impl AddAssign<&Expression> for Expression {
    fn add_assign(&mut self, other: &Expression) {
        self.products.extend_from_slice(&other.products);
        self.too_deep = self.too_deep || other.too_deep;
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
        let (n_left, n_right) = (self.products.len(), other.products.len());
        let is_long = n_left.min(n_right) > 1 && n_left.saturating_mul(n_right) > MAX_MULTIPLIED_OUT;
        // Nor would each product of the other sum have its own copy of a power.
        let copies_power = n_right > 1 && self.has_power() || n_left > 1 && other.has_power();
        let product = if is_long || copies_power {
            match (self.as_product(), other.as_product()) {
                (Some(left), Some(right)) => Expression::of_products(vec![left.times(&right)]),
                _ => Expression::too_deep(),
            }
        } else {
            let times = |left| other.products.iter().map(move |right| Product::times(left, right));
            Expression::of_products(self.products.iter().flat_map(times).collect())
        };
        let too_deep = self.too_deep || other.too_deep || product.too_deep;
        *self = Expression { too_deep, ..product };
    }
}

impl Expression {
    fn has_power(&self) -> bool {
        let mut factors = self.products.iter().flat_map(|product| &product.factors);
        factors.any(|factor| matches!(factor, Factor::Power(_)))
    }

    /// The sum as one product; `None` if powers stand in it too deep.
    fn as_product(&self) -> Option<Product> {
        match &self.products[..] {
            [product] => Some(product.clone()),
            _ => Factor::power(self, 1).map(Product::of),
        }
    }
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
