//! The weights of a network in the layout that its walkers need.

use std::ops::Add;

use operator_core::{Element, HilbertSpace};

use super::super::architecture::{Architecture, Layer, Linear, Output, Places};
use super::super::numbers::{Activation, Scalar};
use super::branches::{BranchWalker, Units};
use super::ln_cosh::LnCosh;

/// The branches of a network without deep layers, with its present parameters.
#[derive(Clone)]
pub(in super::super) struct WalkerWeights<S: Scalar> {
    pub(super) n_sites: usize,
    pub(super) branches: Vec<(BranchWeights<S>, Output)>,
}

/// The parameters of a branch in the layout that walkers need.
#[derive(Clone)]
pub(super) enum BranchWeights<S: Scalar> {
    /// `constant + Σ_i w_i x_i`
    Sites { weights: Vec<S::Double>, constant: S::Double },
    /// `constant + Σ_i φ_i(x_i)`; for each site its quantum numbers, with φ.
    LocalStates { sites: Vec<Vec<(i8, S::Double)>>, constant: S::Double },
    /// `constant + Σ_{i<j} J_ij x_i x_j`; the rows of J, symmetric with a zero diagonal.
    Pairs { n_sites: usize, couplings: Vec<S::Double>, constant: S::Double },
    /// `Σ_j f(θ_j)` with `θ = b + W x`; the columns of W.
    Hidden { columns: Vec<S::Double>, bias: Vec<S::Double>, activation: Activation },
    /// The same with real weights and `f = ln cosh`, plus the linear branches.
    LnCosh(LnCosh<S::Real>),
}

impl<S: Scalar> WalkerWeights<S> {
    /// `None` if a branch is deeper than one hidden layer.
    pub(in super::super) fn new(
        hilbert: &HilbertSpace,
        architecture: &Architecture,
        parameters: &[S::Double],
    ) -> Option<Self> {
        let mut layers = architecture.placed_layers();
        let mut branches = Vec::new();
        let n_sites = hilbert.n_sites();
        for branch in architecture.branches() {
            let mut next = || layers.next().map(|(linear, places)| Spread { linear, places, parameters });
            if !branch.layers.first().is_some_and(|layer| is_of_sites(layer, n_sites)) {
                return None;
            }
            let weights = match branch.layers.as_slice() {
                [Layer::Linear(_)] => {
                    let spread = next()?;
                    BranchWeights::Sites { weights: spread.summed_kernel(), constant: spread.summed_bias() }
                }
                [Layer::Linear(_), Layer::Activation(activation)] => next()?.hidden(*activation, hilbert),
                [Layer::Indicators { sites, values }, Layer::Linear(_)] => {
                    next()?.local_states(n_sites, sites, values)
                }
                [Layer::Pairs { first, second }, Layer::Linear(_)] => next()?.pairs(n_sites, first, second),
                _ => return None,
            };
            branches.push((weights, branch.output));
        }
        merge_linear(&mut branches);
        Some(WalkerWeights { n_sites, branches })
    }
}

/// Adds linear branches to a branch of ln cosh units, if there is one, so that an RBM is followed as a whole.
fn merge_linear<S: Scalar>(branches: &mut Vec<(BranchWeights<S>, Output)>) {
    let is_ln_cosh = |(branch, output): &(BranchWeights<S>, Output)| {
        matches!((branch, output), (BranchWeights::LnCosh(_), Output::LogPsi))
    };
    let Some(place) = branches.iter().position(is_ln_cosh) else { return };
    let (mut units, output) = branches.swap_remove(place);
    branches.retain(|(branch, output)| match (branch, output, &mut units) {
        (BranchWeights::Sites { weights, constant }, Output::LogPsi, BranchWeights::LnCosh(units)) => {
            let weights: Vec<f64> = weights.iter().map(|weight| weight.to_complex().re).collect();
            units.add_linear(&weights, constant.to_complex().re);
            false
        }
        _ => true,
    });
    branches.push((units, output));
}

/// Whether the first layer of a branch sees exactly the sites of the space.
fn is_of_sites(layer: &Layer, n_sites: usize) -> bool {
    let among = |sites: &[u32]| sites.iter().all(|&site| (site as usize) < n_sites);
    match layer {
        Layer::Linear(linear) => linear.n_in == n_sites,
        Layer::Indicators { sites, .. } => among(sites),
        Layer::Pairs { first, second } => among(first) && among(second),
        Layer::Activation(_) => false,
    }
}

impl<S: Scalar> BranchWeights<S> {
    pub(super) fn follow(&self) -> BranchWalker<'_, S> {
        match self {
            BranchWeights::Sites { weights, constant } => {
                BranchWalker::Sites { weights, constant: *constant }
            }
            BranchWeights::LocalStates { sites, constant } => {
                BranchWalker::LocalStates { sites, constant: *constant }
            }
            BranchWeights::Pairs { n_sites, couplings, constant } => BranchWalker::Pairs {
                couplings,
                fields: vec![S::Double::default(); *n_sites],
                constant: *constant,
            },
            BranchWeights::Hidden { columns, bias, activation } => {
                let (theta, moved) = (Units::new(bias.len()), Units::new(bias.len()));
                BranchWalker::Hidden { columns, bias, activation: *activation, theta, moved }
            }
            BranchWeights::LnCosh(tables) => BranchWalker::LnCosh(Box::new(tables.follow())),
        }
    }
}

/// A linear layer with its parameters.
struct Spread<'a, S: Scalar> {
    linear: &'a Linear,
    places: Places,
    parameters: &'a [S::Double],
}

impl<S: Scalar> Spread<'_, S> {
    /// The parameter at a place, 0 if the place is zero.
    fn at(&self, place: u32) -> S::Double {
        let place = place as usize;
        if place == self.parameters.len() { S::Double::default() } else { self.parameters[place] }
    }

    fn weight(&self, output: usize, input: usize) -> S::Double {
        self.at(self.places.kernel[output * self.linear.n_in + input])
    }

    fn bias(&self) -> Vec<S::Double> {
        match &self.places.bias {
            Some(bias) => bias.iter().map(|&place| self.at(place)).collect(),
            None => vec![S::Double::default(); self.linear.n_out],
        }
    }

    fn summed_bias(&self) -> S::Double {
        self.bias().into_iter().fold(S::Double::default(), Add::add)
    }

    /// For each input, the sum of its weights.
    fn summed_kernel(&self) -> Vec<S::Double> {
        let sum = |input| {
            (0..self.linear.n_out).map(|o| self.weight(o, input)).fold(S::Double::default(), Add::add)
        };
        (0..self.linear.n_in).map(sum).collect()
    }

    fn hidden(&self, activation: Activation, hilbert: &HilbertSpace) -> BranchWeights<S> {
        let (n_in, n_out) = (self.linear.n_in, self.linear.n_out);
        let columns = (0..n_in).flat_map(|i| (0..n_out).map(move |o| self.weight(o, i))).collect();
        let bias = self.bias();
        match activation {
            Activation::LnCosh if !S::IS_COMPLEX => {
                let real =
                    |values: Vec<S::Double>| values.into_iter().map(|value| value.to_complex().re).collect();
                BranchWeights::LnCosh(LnCosh::new(hilbert, real(columns), real(bias)))
            }
            _ => BranchWeights::Hidden { columns, bias, activation },
        }
    }

    fn local_states(&self, n_sites: usize, sites: &[u32], values: &[f64]) -> BranchWeights<S> {
        let mut table = vec![Vec::new(); n_sites];
        for ((&site, &value), weight) in sites.iter().zip(values).zip(self.summed_kernel()) {
            table[site as usize].push((value as i8, weight));
        }
        BranchWeights::LocalStates { sites: table, constant: self.summed_bias() }
    }

    fn pairs(&self, n_sites: usize, first: &[u32], second: &[u32]) -> BranchWeights<S> {
        let mut couplings = vec![S::Double::default(); n_sites * n_sites];
        for ((&i, &j), coupling) in first.iter().zip(second).zip(self.summed_kernel()) {
            couplings[i as usize * n_sites + j as usize] = coupling;
            couplings[j as usize * n_sites + i as usize] = coupling;
        }
        BranchWeights::Pairs { n_sites, couplings, constant: self.summed_bias() }
    }
}
