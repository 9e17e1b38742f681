//! Branches of a network at one configuration.

use num_complex::Complex64;
use operator_core::{ChangeSets, Element};

use super::super::numbers::{Activation, Number, Order, Scalar};
use super::unit_loops::Product;
use super::{Change, ln_cosh, step};

/// A branch and its state at the present configuration.
pub(super) enum BranchWalker<'a, S: Scalar> {
    Sites {
        weights: &'a [S::Double],
        constant: S::Double,
    },
    LocalStates {
        sites: &'a [Vec<(i8, S::Double)>],
        constant: S::Double,
    },
    /// `fields_i = Σ_j J_ij x_j`
    Pairs {
        couplings: &'a [S::Double],
        fields: Vec<S::Double>,
        constant: S::Double,
    },
    Hidden {
        columns: &'a [S::Double],
        bias: &'a [S::Double],
        activation: Activation,
        theta: Units<S::Double>,
        moved: Units<S::Double>,
    },
    LnCosh(Box<ln_cosh::Units<'a, S::Real>>),
}

/// Hidden units and the sum of their activations.
pub(super) struct Units<T> {
    theta: Vec<T>,
    sum: T,
}

impl<S: Scalar> BranchWalker<'_, S> {
    /// Goes to x and returns the value of the branch.
    pub(super) fn start(&mut self, state: &[i8]) -> S::Double {
        let x = || state.iter().map(|&q| f64::from(q));
        match self {
            BranchWalker::Sites { weights, constant } => {
                weights.iter().zip(x()).fold(*constant, |sum, (&weight, x)| sum + weight * x)
            }
            BranchWalker::LocalStates { sites, constant } => {
                let states = sites.iter().zip(x());
                states.fold(*constant, |sum, (table, x)| sum + value_of(table, x as i8))
            }
            BranchWalker::Pairs { couplings, fields, constant } => {
                let rows = couplings.chunks_exact(fields.len().max(1));
                for (field, row) in fields.iter_mut().zip(rows) {
                    *field = row.iter().zip(x()).fold(S::Double::default(), |sum, (&j, x)| sum + j * x);
                }
                // Each pair is counted twice.
                fields.iter().zip(x()).fold(*constant, |sum, (&field, x)| sum + field * (0.5 * x))
            }
            BranchWalker::Hidden { columns, bias, activation, theta, .. } => {
                theta.theta.copy_from_slice(bias);
                for (column, x) in columns.chunks_exact(bias.len().max(1)).zip(x()) {
                    theta.theta.iter_mut().zip(column).for_each(|(theta, &weight)| *theta += weight * x);
                }
                theta.add_up(*activation)
            }
            BranchWalker::LnCosh(units) => real::<S>(units.start(state)),
        }
    }

    /// The change of the branch: a difference, and a factor whose logarithm is added to it.
    pub(super) fn difference(&mut self, x: &[i8], changes: &[Change]) -> (S::Double, f64) {
        let difference = match self {
            BranchWalker::Sites { weights, .. } => {
                let add = |sum, change: &Change| sum + weights[change.0] * step(x, change);
                changes.iter().fold(S::Double::default(), add)
            }
            BranchWalker::LocalStates { sites, .. } => {
                changes.iter().fold(S::Double::default(), |sum, &(site, to)| {
                    sum + value_of(&sites[site], to) - value_of(&sites[site], x[site])
                })
            }
            BranchWalker::Pairs { couplings, fields, .. } => {
                let n_sites = fields.len();
                let mut sum = S::Double::default();
                for (k, change) in changes.iter().enumerate() {
                    let by = step(x, change);
                    sum += fields[change.0] * by;
                    for other in &changes[..k] {
                        sum += couplings[change.0 * n_sites + other.0] * (by * step(x, other));
                    }
                }
                sum
            }
            BranchWalker::Hidden { columns, activation, theta, moved, .. } => {
                let n_hidden = theta.theta.len();
                moved.theta.copy_from_slice(&theta.theta);
                for change @ &(site, _) in changes {
                    let by = step(x, change);
                    let column = &columns[site * n_hidden..(site + 1) * n_hidden];
                    moved.theta.iter_mut().zip(column).for_each(|(theta, &weight)| *theta += weight * by);
                }
                moved.add_up(*activation) - theta.sum
            }
            BranchWalker::LnCosh(units) => {
                let Product { log, factor } = units.difference(changes);
                return (real::<S>(log), factor);
            }
        };
        (difference, 1.0)
    }

    /// The changes of the branch by several moves, in any order: the number of each move, and its
    /// [`difference`](Self::difference).
    pub(super) fn differences(
        &mut self,
        x: &[i8],
        changes: &ChangeSets,
        mut each: impl FnMut(usize, S::Double, f64),
    ) {
        if let BranchWalker::LnCosh(units) = self {
            return units.differences(changes, |k, Product { log, factor }| each(k, real::<S>(log), factor));
        }
        for (k, changes) in changes.iter().enumerate() {
            let (difference, factor) = self.difference(x, changes);
            each(k, difference, factor);
        }
    }

    /// Goes to the configuration of the last [`difference`](Self::difference).
    pub(super) fn accept(&mut self, x: &[i8], changes: &[Change]) {
        match self {
            BranchWalker::Sites { .. } | BranchWalker::LocalStates { .. } => {}
            BranchWalker::Pairs { couplings, fields, .. } => {
                let n_sites = fields.len();
                for change @ &(site, _) in changes {
                    let by = step(x, change);
                    let row = &couplings[site * n_sites..(site + 1) * n_sites];
                    fields.iter_mut().zip(row).for_each(|(field, &coupling)| *field += coupling * by);
                }
            }
            BranchWalker::Hidden { theta, moved, .. } => std::mem::swap(theta, moved),
            BranchWalker::LnCosh(units) => units.accept(changes),
        }
    }
}

impl<T: Number> Units<T> {
    pub(super) fn new(len: usize) -> Self {
        Units { theta: vec![T::default(); len], sum: T::default() }
    }

    fn add_up(&mut self, activation: Activation) -> T {
        self.sum = self.theta.iter().fold(T::default(), |sum, theta| sum + activate(*theta, activation));
        self.sum
    }
}

fn activate<T: Number>(value: T, activation: Activation) -> T {
    value.apply(|x| activation.real(Order::Value, x), |z| activation.complex(Order::Value, z))
}

fn real<S: Scalar>(value: f64) -> S::Double {
    S::Double::from_complex(Complex64::from(value))
}

fn value_of<T: Number>(table: &[(i8, T)], value: i8) -> T {
    table.iter().find(|(q, _)| *q == value).map_or(T::default(), |&(_, weight)| weight)
}
