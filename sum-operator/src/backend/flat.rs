//! Sums, products and embeddings on the flat backend, one sample at a time.

use std::fmt;
use std::ops::Range;

use backend_flat::{Connector, Emitter, Flat, FlatKernel, FlatOperator, VisitConn, Visitor};
use num_complex::Complex64;
use operator_core::{Definition, DiscreteOperator, Element, Error, HilbertSpace, MergedRow, Result};

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

/// At least one summand.
struct Sum<T: Element>(Vec<(T, FlatOperator<T>)>);

impl<T: Element> FlatKernel<T> for Sum<T> {
    fn hilbert(&self) -> &HilbertSpace {
        self.0[0].1.hilbert()
    }

    fn connect(&self, x: &[i8], emit: &mut Emitter<'_, T>) {
        self.connector().connect(x, emit);
    }

    fn connector(&self) -> Box<dyn Connector<T> + '_> {
        let summands = self.0.iter().map(|(coefficient, operator)| (*coefficient, operator.visitor()));
        Box::new(SumConnector { summands: summands.collect() })
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

struct SumConnector<'a, T: Element> {
    summands: Vec<(T, Visitor<'a, T>)>,
}

impl<T: Element> Connector<T> for SumConnector<'_, T> {
    fn connect(&mut self, x: &[i8], emit: &mut Emitter<'_, T>) {
        for (coefficient, visitor) in &mut self.summands {
            let visited = visitor.visit(x, |connected, mel| emit.connected(connected, *coefficient * mel));
            if let Err(error) = visited {
                emit.fail_with(error);
            }
        }
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
        self.connector().connect(x, emit);
    }

    fn connector(&self) -> Box<dyn Connector<T> + '_> {
        Box::new(ProductConnector {
            product: self,
            left: self.left.visitor(),
            right: self.right.visitor(),
            middle: Vec::new(),
            last: Vec::new(),
            row: MergedRow::new(),
        })
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

/// Follows every path from x: by the left operator to a middle state, and by the right one from there.
struct ProductConnector<'a, T: Element> {
    product: &'a Product<T>,
    left: Visitor<'a, T>,
    right: Visitor<'a, T>,
    middle: Vec<i8>,
    last: Vec<i8>,
    row: MergedRow<T>,
}

impl<T: Element> Connector<T> for ProductConnector<'_, T> {
    fn connect(&mut self, x: &[i8], emit: &mut Emitter<'_, T>) {
        let ProductConnector { product, left, right, middle, last, row } = self;
        row.start(x);
        let mut failed = false;
        let visited = left.visit(x, |connected, a| {
            middle.clear();
            middle.extend_from_slice(x);
            connected.write(middle);
            if let Err(error) = product.hilbert().check_row(0, middle) {
                failed = true;
                return emit.fail_with(Error::leaves_space(format!("{product:?}"), &error));
            }
            let visited = right.visit(middle, |connected, b| {
                last.clear();
                last.extend_from_slice(middle);
                connected.write(last);
                row.add(last, a * b);
            });
            if let Err(error) = visited {
                failed = true;
                emit.fail_with(error);
            }
        });
        if let Err(error) = visited {
            failed = true;
            emit.fail_with(error);
        }
        if !failed {
            row.kept().for_each(|place| emit.state(row.state(place), row.sum(place)));
        }
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
        self.connector().connect(x, emit);
    }

    fn connector(&self) -> Box<dyn Connector<T> + '_> {
        let (visitor, sites) = (self.operator.visitor(), self.sites.clone());
        Box::new(EmbeddedConnector { visitor, sites, row: Vec::new() })
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

struct EmbeddedConnector<'a, T: Element> {
    visitor: Visitor<'a, T>,
    sites: Range<usize>,
    row: Vec<i8>,
}

impl<T: Element> Connector<T> for EmbeddedConnector<'_, T> {
    fn connect(&mut self, x: &[i8], emit: &mut Emitter<'_, T>) {
        let EmbeddedConnector { visitor, sites, row } = self;
        row.clear();
        row.extend_from_slice(x);
        let own = &x[sites.clone()];
        let visited = visitor.visit(own, |connected, mel| {
            row[sites.clone()].copy_from_slice(own);
            connected.write(&mut row[sites.clone()]);
            emit.state(row, mel);
        });
        if let Err(error) = visited {
            emit.fail_with(error);
        }
    }
}

/// A real operator with complex elements.
pub(crate) struct Complexified(pub(crate) FlatOperator<f64>);

impl FlatKernel<Complex64> for Complexified {
    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn connect(&self, x: &[i8], emit: &mut Emitter<'_, Complex64>) {
        self.connector().connect(x, emit);
    }

    fn connector(&self) -> Box<dyn Connector<Complex64> + '_> {
        Box::new(ComplexifiedConnector(self.0.visitor()))
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

struct ComplexifiedConnector<'a>(Visitor<'a, f64>);

impl Connector<Complex64> for ComplexifiedConnector<'_> {
    fn connect(&mut self, x: &[i8], emit: &mut Emitter<'_, Complex64>) {
        let visited = self.0.visit(x, |connected, mel| emit.connected(connected, mel.into()));
        if let Err(error) = visited {
            emit.fail_with(error);
        }
    }
}
