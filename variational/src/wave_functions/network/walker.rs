//! Networks without deep layers, followed from one configuration to the next.

use std::ops::Add;

use num_complex::Complex64;
use operator_core::Walker;

use super::Scalar;
use super::activation::Activation;
use super::architecture::{Architecture, Layer, Linear, Output, Places};

/// What changes of a few sites do to each branch.
pub(super) struct NetworkWalker<T> {
    x: Vec<i8>,
    branches: Vec<(Followed<T>, Output)>,
    /// The last move that was asked for: sites, new quantum numbers and the differences to the present ones.
    changes: Vec<(usize, i8, f64)>,
}

/// A branch, and what it has in memory.
enum Followed<T> {
    /// `constant + Σ_i w_i x_i`
    Sites { weights: Vec<T>, constant: T },
    /// `constant + Σ_i φ_i(x_i)`; for each site its values, with φ.
    LocalStates { sites: Vec<Vec<(i8, T)>>, constant: T },
    /// `constant + Σ_{i<j} J_ij x_i x_j`; J is symmetric with zeros on its diagonal, by rows, and
    /// `fields_i = Σ_j J_ij x_j`.
    Pairs { couplings: Vec<T>, fields: Vec<T>, constant: T },
    /// `Σ_j f(θ_j)` with `θ = b + W x`; W by columns.
    Hidden { columns: Vec<T>, bias: Vec<T>, activation: Activation, theta: Units<T>, moved: Units<T> },
}

/// Hidden units and the sum of their activations.
struct Units<T> {
    theta: Vec<T>,
    sum: T,
}

impl<T: Scalar> NetworkWalker<T> {
    /// `None` if a branch has layers that each change goes through anew.
    pub(super) fn new(architecture: &Architecture, parameters: &[T]) -> Option<Self> {
        let mut layers = architecture.placed_layers();
        let mut branches = Vec::new();
        let mut n_sites = 0;
        for branch in architecture.branches() {
            let mut next = || layers.next().map(|(linear, places)| Spread { linear, places, parameters });
            let followed = match branch.layers.as_slice() {
                [Layer::Linear(linear)] => {
                    n_sites = linear.n_in;
                    let spread = next()?;
                    Followed::Sites { weights: spread.summed_kernel(), constant: spread.summed_bias() }
                }
                [Layer::Linear(linear), Layer::Activation(activation)] => {
                    n_sites = linear.n_in;
                    next()?.hidden(*activation)
                }
                [Layer::Indicators { sites, values }, Layer::Linear(_)] => {
                    n_sites = sites.last().map_or(0, |&site| site as usize + 1);
                    next()?.local_states(n_sites, sites, values)
                }
                [Layer::Pairs { first, second }, Layer::Linear(_)] => {
                    n_sites = second.last().map_or(0, |&site| site as usize + 1);
                    next()?.pairs(n_sites, first, second)
                }
                _ => return None,
            };
            branches.push((followed, branch.output));
        }
        Some(NetworkWalker { x: vec![0; n_sites], branches, changes: Vec::new() })
    }
}

/// A linear layer with the parameters that stand in it.
struct Spread<'a, T> {
    linear: &'a Linear,
    places: Places,
    parameters: &'a [T],
}

impl<T: Scalar> Spread<'_, T> {
    fn at(&self, place: u32) -> T {
        self.parameters.get(place as usize).copied().unwrap_or_default()
    }

    fn weight(&self, output: usize, input: usize) -> T {
        self.at(self.places.kernel[output * self.linear.n_in + input])
    }

    fn bias(&self) -> Vec<T> {
        match &self.places.bias {
            Some(bias) => bias.iter().map(|&place| self.at(place)).collect(),
            None => vec![T::default(); self.linear.n_out],
        }
    }

    fn summed_bias(&self) -> T {
        self.bias().into_iter().fold(T::default(), Add::add)
    }

    /// For each input, the sum of its weights.
    fn summed_kernel(&self) -> Vec<T> {
        let sum = |input| (0..self.linear.n_out).map(|o| self.weight(o, input)).fold(T::default(), Add::add);
        (0..self.linear.n_in).map(sum).collect()
    }

    fn hidden(&self, activation: Activation) -> Followed<T> {
        let (n_in, n_out) = (self.linear.n_in, self.linear.n_out);
        let columns = (0..n_in).flat_map(|i| (0..n_out).map(move |o| self.weight(o, i))).collect();
        let units = || Units { theta: vec![T::default(); n_out], sum: T::default() };
        Followed::Hidden { columns, bias: self.bias(), activation, theta: units(), moved: units() }
    }

    fn local_states(&self, n_sites: usize, sites: &[u32], values: &[f64]) -> Followed<T> {
        let mut table = vec![Vec::new(); n_sites];
        for ((&site, &value), weight) in sites.iter().zip(values).zip(self.summed_kernel()) {
            table[site as usize].push((value as i8, weight));
        }
        Followed::LocalStates { sites: table, constant: self.summed_bias() }
    }

    fn pairs(&self, n_sites: usize, first: &[u32], second: &[u32]) -> Followed<T> {
        let mut couplings = vec![T::default(); n_sites * n_sites];
        for ((&i, &j), coupling) in first.iter().zip(second).zip(self.summed_kernel()) {
            couplings[i as usize * n_sites + j as usize] = coupling;
            couplings[j as usize * n_sites + i as usize] = coupling;
        }
        Followed::Pairs { couplings, fields: vec![T::default(); n_sites], constant: self.summed_bias() }
    }
}

impl<T: Scalar> Followed<T> {
    /// Goes to x and returns the value of the branch.
    fn start(&mut self, x: &[i8]) -> T {
        let x = || x.iter().map(|&q| f64::from(q));
        match self {
            Followed::Sites { weights, constant } => {
                weights.iter().zip(x()).fold(*constant, |sum, (&weight, x)| sum + weight * x)
            }
            Followed::LocalStates { sites, constant } => {
                let states = sites.iter().zip(x());
                states.fold(*constant, |sum, (table, x)| sum + value_of(table, x as i8))
            }
            Followed::Pairs { couplings, fields, constant } => {
                let rows = couplings.chunks_exact(fields.len().max(1));
                for (field, row) in fields.iter_mut().zip(rows) {
                    *field = row.iter().zip(x()).fold(T::default(), |sum, (&j, x)| sum + j * x);
                }
                // Each pair comes twice.
                fields.iter().zip(x()).fold(*constant, |sum, (&field, x)| sum + field * (0.5 * x))
            }
            Followed::Hidden { columns, bias, activation, theta, .. } => {
                theta.theta.copy_from_slice(bias);
                for (column, x) in columns.chunks_exact(bias.len().max(1)).zip(x()) {
                    theta.theta.iter_mut().zip(column).for_each(|(theta, &weight)| *theta += weight * x);
                }
                theta.add_up(*activation)
            }
        }
    }

    /// How the branch changes.
    fn difference(&mut self, x: &[i8], changes: &[(usize, i8, f64)]) -> T {
        match self {
            Followed::Sites { weights, .. } => {
                changes.iter().fold(T::default(), |sum, &(site, _, by)| sum + weights[site] * by)
            }
            Followed::LocalStates { sites, .. } => {
                changes.iter().fold(T::default(), |sum, &(site, to, _)| {
                    sum + value_of(&sites[site], to) - value_of(&sites[site], x[site])
                })
            }
            Followed::Pairs { couplings, fields, .. } => {
                let n_sites = fields.len();
                let mut sum = T::default();
                for (k, &(site, _, by)) in changes.iter().enumerate() {
                    sum += fields[site] * by;
                    for &(other, _, other_by) in &changes[..k] {
                        sum += couplings[site * n_sites + other] * (by * other_by);
                    }
                }
                sum
            }
            Followed::Hidden { columns, activation, theta, moved, .. } => {
                let n_hidden = theta.theta.len();
                moved.theta.copy_from_slice(&theta.theta);
                for &(site, _, by) in changes {
                    let column = &columns[site * n_hidden..(site + 1) * n_hidden];
                    moved.theta.iter_mut().zip(column).for_each(|(theta, &weight)| *theta += weight * by);
                }
                moved.add_up(*activation) - theta.sum
            }
        }
    }

    /// Goes where the last [`difference`](Self::difference) led.
    fn accept(&mut self, changes: &[(usize, i8, f64)]) {
        match self {
            Followed::Sites { .. } | Followed::LocalStates { .. } => {}
            Followed::Pairs { couplings, fields, .. } => {
                let n_sites = fields.len();
                for &(site, _, by) in changes {
                    let row = &couplings[site * n_sites..(site + 1) * n_sites];
                    fields.iter_mut().zip(row).for_each(|(field, &coupling)| *field += coupling * by);
                }
            }
            Followed::Hidden { theta, moved, .. } => std::mem::swap(theta, moved),
        }
    }
}

impl<T: Scalar> Units<T> {
    fn add_up(&mut self, activation: Activation) -> T {
        self.sum = self.theta.iter().fold(T::default(), |sum, theta| sum + theta.activate(activation));
        self.sum
    }
}

fn value_of<T: Scalar>(table: &[(i8, T)], value: i8) -> T {
    table.iter().find(|(q, _)| *q == value).map_or(T::default(), |&(_, weight)| weight)
}

fn with_phase(value: Complex64, output: Output) -> Complex64 {
    match output {
        Output::LogPsi => value,
        Output::Phase => Complex64::i() * value,
    }
}

impl<T: Scalar> Walker for NetworkWalker<T> {
    fn start(&mut self, x: &[i8]) -> Complex64 {
        self.x.clear();
        self.x.extend_from_slice(x);
        self.branches.iter_mut().map(|(branch, output)| with_phase(branch.start(x).into(), *output)).sum()
    }

    fn ratio(&mut self, changes: &[(usize, i8)]) -> Complex64 {
        let NetworkWalker { x, branches, changes: noted } = self;
        let by = |site: usize, value: i8| f64::from(value) - f64::from(x[site]);
        noted.clear();
        noted.extend(changes.iter().map(|&(site, value)| (site, value, by(site, value))));
        let difference: Complex64 = branches
            .iter_mut()
            .map(|(branch, output)| with_phase(branch.difference(x, noted).into(), *output))
            .sum();
        difference.exp()
    }

    fn accept(&mut self) {
        for (branch, _) in &mut self.branches {
            branch.accept(&self.changes);
        }
        for &(site, value, _) in &self.changes {
            self.x[site] = value;
        }
    }
}
