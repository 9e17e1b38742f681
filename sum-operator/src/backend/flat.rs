//! Sums, products and embeddings on the flat backend, one sample at a time.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use backend_flat::{Emitter, Flat, FlatKernel, FlatOperator, VisitConn};
use num_complex::Complex64;
use operator_core::kernel::Scratch;
use operator_core::{Definition, DiscreteOperator, Element, HilbertSpace, Result};

use crate::combine::Combine;
use crate::describe::{describe_embedded, describe_product, describe_sum, sum_is_hermitian};

impl<T: Element> Combine<FlatOperator<T>> for Flat {
    fn lower_like(definition: &Definition, _: &FlatOperator<T>) -> Result<FlatOperator<T>> {
        FlatOperator::new(definition.clone())
    }

    fn sum(summands: &[(T, FlatOperator<T>)]) -> Result<FlatOperator<T>> {
        FlatOperator::custom(Sum(summands.to_vec()))
    }

    fn product(left: &FlatOperator<T>, right: &FlatOperator<T>) -> Result<FlatOperator<T>> {
        FlatOperator::custom(Product { left: left.clone(), right: right.clone() })
    }

    fn embed(
        operator: &FlatOperator<T>,
        hilbert: &HilbertSpace,
        sites: Range<usize>,
    ) -> Result<FlatOperator<T>> {
        FlatOperator::custom(Embedded { operator: operator.clone(), hilbert: hilbert.clone(), sites })
    }
}

/// Never empty.
struct Sum<T: Element>(Vec<(T, FlatOperator<T>)>);

impl<T: Element> FlatKernel<T> for Sum<T> {
    fn hilbert(&self) -> &HilbertSpace {
        self.0[0].1.hilbert()
    }

    fn connect(&self, x: &[i8], emit: &mut Emitter<'_, T>) {
        let mut scratch = Scratch::default();
        for (coefficient, operator) in &self.0 {
            let mut pass = |connected: operator_core::kernel::Connected<'_>, mel| {
                emit.connected(connected, *coefficient * mel);
            };
            if let Err(error) = operator.visit_conn(x, &mut scratch, &mut pass) {
                emit.fail(error.to_string());
            }
        }
    }

    fn max_conn_size(&self) -> Option<usize> {
        Some(self.0.iter().fold(0, |sum, (_, operator)| sum.saturating_add(operator.max_conn_size())))
    }

    fn is_hermitian(&self) -> Option<bool> {
        sum_is_hermitian(&self.0)
    }
}

impl<T: Element> fmt::Debug for Sum<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_sum(&self.0))
    }
}

struct Product<T: Element> {
    left: FlatOperator<T>,
    right: FlatOperator<T>,
}

impl<T: Element> FlatKernel<T> for Product<T> {
    fn hilbert(&self) -> &HilbertSpace {
        self.left.hilbert()
    }

    fn connect(&self, x: &[i8], emit: &mut Emitter<'_, T>) {
        let (mut first, mut second) = (Scratch::default(), Scratch::default());
        let (mut states, mut places) = (Vec::<(Vec<i8>, T, f64)>::new(), HashMap::new());
        let (mut middle, mut last) = (x.to_vec(), x.to_vec());
        let mut failure = None;
        let visited = self.left.visit_conn(x, &mut first, &mut |connected, a| {
            middle.copy_from_slice(x);
            connected.write(&mut middle);
            if let Err(error) = self.hilbert().check_row(0, &middle) {
                failure.get_or_insert(format!("it leaves its space ({error})"));
                return;
            }
            let visited = self.right.visit_conn(&middle, &mut second, &mut |connected, b| {
                last.copy_from_slice(&middle);
                connected.write(&mut last);
                let (mel, next) = (a * b, states.len());
                let size = mel.to_complex().norm();
                match places.get(&last).and_then(|&place: &usize| states.get_mut(place)) {
                    Some((_, sum, total)) => {
                        *sum += mel;
                        *total += size;
                    }
                    None => {
                        places.insert(last.clone(), next);
                        states.push((last.clone(), mel, size));
                    }
                }
            });
            if let Err(error) = visited {
                failure.get_or_insert(error.to_string());
            }
        });
        if let Some(reason) = failure.or(visited.err().map(|error| error.to_string())) {
            return emit.fail(reason);
        }
        let kept = states.iter().filter(|(_, mel, size)| !mel.cancels(*size));
        kept.for_each(|(state, mel, _)| emit.state(state, *mel));
    }

    fn max_conn_size(&self) -> Option<usize> {
        let paths = self.left.max_conn_size().saturating_mul(self.right.max_conn_size());
        Some(paths.min(self.hilbert().n_states().unwrap_or(usize::MAX)))
    }
}

impl<T: Element> fmt::Debug for Product<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_product(&self.left, &self.right))
    }
}

struct Embedded<T: Element> {
    operator: FlatOperator<T>,
    hilbert: HilbertSpace,
    sites: Range<usize>,
}

impl<T: Element> FlatKernel<T> for Embedded<T> {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn connect(&self, x: &[i8], emit: &mut Emitter<'_, T>) {
        let mut row = x.to_vec();
        let own = &x[self.sites.clone()];
        let visited = self.operator.visit_conn(own, &mut Scratch::default(), &mut |connected, mel| {
            row[self.sites.clone()].copy_from_slice(own);
            connected.write(&mut row[self.sites.clone()]);
            emit.state(&row, mel);
        });
        if let Err(error) = visited {
            emit.fail(error.to_string());
        }
    }

    fn max_conn_size(&self) -> Option<usize> {
        Some(self.operator.max_conn_size())
    }

    fn is_hermitian(&self) -> Option<bool> {
        Some(self.operator.is_hermitian())
    }
}

impl<T: Element> fmt::Debug for Embedded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_embedded(&self.operator, &self.sites, &self.hilbert))
    }
}

/// A real operator with complex elements.
pub(crate) struct Complexified(pub(crate) FlatOperator<f64>);

impl FlatKernel<Complex64> for Complexified {
    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn connect(&self, x: &[i8], emit: &mut Emitter<'_, Complex64>) {
        let mut pass = |connected: operator_core::kernel::Connected<'_>, mel: f64| {
            emit.connected(connected, mel.into());
        };
        if let Err(error) = self.0.visit_conn(x, &mut Scratch::default(), &mut pass) {
            emit.fail(error.to_string());
        }
    }

    fn max_conn_size(&self) -> Option<usize> {
        Some(self.0.max_conn_size())
    }

    fn is_hermitian(&self) -> Option<bool> {
        Some(self.0.is_hermitian())
    }
}

impl fmt::Debug for Complexified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.describe())
    }
}
