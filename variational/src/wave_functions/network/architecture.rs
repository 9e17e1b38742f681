//! The layers of a network, and the places of its parameters in them.

use std::sync::Arc;

use operator_core::{Error, HilbertSpace, Result};

use super::numbers::Activation;
use crate::derivatives::ParameterArray;

/// The layers of a network: ln ψ is a sum of branches, and each branch is a chain of layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    branches: Vec<Branch>,
}

/// A chain of layers. The outputs of the last layer are added up.
///
/// ```
/// use variational::wave_functions::network::{Activation, Branch};
///
/// let branch = Branch::new(10).dense("first", 8).activation(Activation::Tanh).dense("second", 1);
/// assert_eq!(branch.n_outputs(), 1);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    pub(super) layers: Vec<Layer>,
    n_outputs: usize,
    pub(super) output: Output,
    /// Weights of the first layer that does not fit into memory. It is not built, and the network is refused.
    oversized: Option<f64>,
}

/// The part of ln ψ that a branch's sum is added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    LogPsi,
    Phase,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Layer {
    /// 1 if the quantum number of a site equals this value, else 0.
    Indicators {
        sites: Arc<[u32]>,
        values: Arc<[f64]>,
    },
    /// Products of the values of two sites.
    Pairs {
        first: Arc<[u32]>,
        second: Arc<[u32]>,
    },
    Linear(Linear),
    Activation(Activation),
}

/// `W x + b`
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Linear {
    pub(super) name: String,
    pub(super) n_in: usize,
    pub(super) n_out: usize,
    pub(super) bias: Option<Sharing>,
    pub(super) kernel: Sharing,
}

/// For each place of the arrays, in row-major order: the index of its parameter among all parameters, or the
/// number of parameters if the place is zero.
pub(super) struct Places {
    pub(super) bias: Option<Vec<u32>>,
    pub(super) kernel: Vec<u32>,
}

/// The parameter at each place of an array. Places with the index `n_values` are zero.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sharing {
    /// In row-major order.
    pub(super) index: Arc<[u32]>,
    pub(super) shape: Vec<usize>,
    pub(super) n_values: usize,
    /// Whether each place has its own parameter, in order.
    pub(super) is_identity: bool,
}

impl Sharing {
    fn identity(shape: Vec<usize>) -> Self {
        let n_values = shape.iter().product();
        Sharing { index: (0..n_values as u32).collect(), shape, n_values, is_identity: true }
    }

    fn shared(index: Vec<u32>, shape: Vec<usize>) -> Self {
        let n_values = shape.iter().product();
        Sharing { index: index.into(), shape, n_values, is_identity: false }
    }
}

impl Branch {
    /// A branch whose first layer sees the quantum numbers of all `n_sites` sites.
    pub fn new(n_sites: usize) -> Self {
        Branch { layers: Vec::new(), n_outputs: n_sites, output: Output::LogPsi, oversized: None }
    }

    /// A branch whose first layer sees one number for each site and each of its local states: 1 if the site
    /// is in that state, else 0.
    pub fn of_local_states(hilbert: &HilbertSpace) -> Self {
        let (mut sites, mut values) = (Vec::new(), Vec::new());
        for site in 0..hilbert.n_sites() {
            let local = hilbert.local(site);
            sites.extend(std::iter::repeat_n(site as u32, local.dim()));
            values.extend((0..local.dim()).map(|index| f64::from(local.value(index))));
        }
        let n_outputs = sites.len();
        let layer = Layer::Indicators { sites: sites.into(), values: values.into() };
        Branch { layers: vec![layer], n_outputs, output: Output::LogPsi, oversized: None }
    }

    /// A branch whose first layer sees the products `x_i x_j` of all pairs i < j.
    pub fn of_pairs(n_sites: usize) -> Self {
        let n_pairs = 0.5 * (n_sites as f64).powi(2);
        if !fits(n_pairs) {
            return Branch { oversized: Some(n_pairs), ..Branch::new(1) };
        }
        let pairs = || (0..n_sites as u32).flat_map(|i| (i + 1..n_sites as u32).map(move |j| (i, j)));
        let (first, second): (Vec<u32>, Vec<u32>) = pairs().unzip();
        let n_outputs = first.len();
        let layer = Layer::Pairs { first: first.into(), second: second.into() };
        Branch { layers: vec![layer], n_outputs, output: Output::LogPsi, oversized: None }
    }

    /// Adds a linear layer `W x + b` with `n_out` outputs. Its parameters are `name.bias`, `(n_out,)`, and
    /// `name.kernel`, `(n_out, n_in)`.
    #[must_use]
    pub fn dense(self, name: &str, n_out: usize) -> Self {
        if let Some(refused) = self.refused(n_out) {
            return refused;
        }
        let kernel = Sharing::identity(vec![n_out, self.n_outputs]);
        self.linear(name, n_out, Some(Sharing::identity(vec![n_out])), kernel)
    }

    /// Adds a linear layer `w · x` with one output and no bias. Its parameters are `name`, `(n_in,)`.
    #[must_use]
    pub fn weighted_sum(self, name: &str) -> Self {
        let kernel = Sharing::identity(vec![self.n_outputs]);
        self.linear(name, 1, None, kernel)
    }

    /// Adds a linear layer whose weights are shared or missing.
    ///
    /// `kernel` is a list of indices and the shape of the parameter array that they index. The list holds one
    /// index for each output and input, in row-major order. `bias` is the same with one index for each
    /// output. An index beyond the array is a weight of 0. A list that is too long is cut; one that is too
    /// short is filled up with zeros. Parameters are named as by [`dense`](Self::dense) if there is a bias,
    /// else as by [`weighted_sum`](Self::weighted_sum).
    #[must_use]
    pub fn shared(
        self,
        name: &str,
        n_out: usize,
        bias: Option<(Vec<u32>, Vec<usize>)>,
        (kernel, kernel_shape): (Vec<u32>, Vec<usize>),
    ) -> Self {
        if let Some(refused) = self.refused(n_out) {
            return refused;
        }
        let fitted = |mut index: Vec<u32>, len: usize, shape: Vec<usize>| {
            let n_values = shape.iter().product::<usize>() as u32;
            index.resize(len, n_values);
            index.iter_mut().for_each(|k| *k = (*k).min(n_values));
            Sharing::shared(index, shape)
        };
        let bias = bias.map(|(bias, shape)| fitted(bias, n_out, shape));
        let kernel = fitted(kernel, n_out * self.n_outputs, kernel_shape);
        self.linear(name, n_out, bias, kernel)
    }

    /// This branch without a layer of so many outputs, if the layer, or one before it, is too large to be built.
    fn refused(&self, n_out: usize) -> Option<Self> {
        let n_weights = n_out as f64 * (self.n_outputs as f64 + 1.0);
        let oversized = self.oversized.or_else(|| (!fits(n_weights)).then_some(n_weights))?;
        Some(Branch { oversized: Some(oversized), ..self.clone() })
    }

    fn linear(mut self, name: &str, n_out: usize, bias: Option<Sharing>, kernel: Sharing) -> Self {
        let linear = Linear { name: name.into(), n_in: self.n_outputs, n_out, bias, kernel };
        self.layers.push(Layer::Linear(linear));
        self.n_outputs = n_out;
        self
    }

    /// Adds a layer that applies a function to each value.
    #[must_use]
    pub fn activation(mut self, activation: Activation) -> Self {
        self.layers.push(Layer::Activation(activation));
        self
    }

    /// Makes the branch a phase: i times its sum is added to ln ψ.
    #[must_use]
    pub fn phase(mut self) -> Self {
        self.output = Output::Phase;
        self
    }

    /// Number of outputs of the last layer.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }
}

/// Bytes of a weight: its parameter, its place among the parameters, and its value in the layer.
const WEIGHT_BYTES: f64 = 20.0;

/// The largest network, in bytes.
const MAX_BYTES: f64 = 8.0 * 1024.0 * 1024.0 * 1024.0;

fn fits(n_weights: f64) -> bool {
    n_weights * WEIGHT_BYTES <= MAX_BYTES
}

/// Checks the memory that a layer or a network takes, before it is built. Sizes are in floating point, whose products
/// do not overflow.
pub(in crate::wave_functions) fn check_weights(hilbert: &HilbertSpace, n_weights: f64) -> Result<()> {
    if fits(n_weights) {
        return Ok(());
    }
    let (what, bytes) = (format!("a network on {hilbert}"), n_weights * WEIGHT_BYTES);
    Err(Error::TooLarge { what, bytes, limit: MAX_BYTES, remedy: "share weights or take fewer units" })
}

impl Architecture {
    /// A sum of branches.
    pub fn new(branches: impl Into<Vec<Branch>>) -> Self {
        Architecture { branches: branches.into() }
    }

    /// The branches.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// Whether a branch starts with a linear layer and has more layers after it.
    pub(super) fn goes_on_from_linear(&self) -> bool {
        self.branches.iter().any(|branch| matches!(branch.layers[..], [Layer::Linear(_), _, ..]))
    }

    pub(super) fn linear_layers(&self) -> impl Iterator<Item = &Linear> {
        self.branches.iter().flat_map(|branch| &branch.layers).filter_map(|layer| match layer {
            Layer::Linear(linear) => Some(linear),
            _ => None,
        })
    }

    /// All linear layers, with the parameters at each place of their arrays.
    pub(super) fn placed_layers(&self) -> impl Iterator<Item = (&Linear, Places)> {
        let (mut start, missing) = (0, self.n_values() as u32);
        self.linear_layers().map(move |linear| {
            let mut places = |sharing: &Sharing| {
                let (first, n_values) = (start, sharing.n_values as u32);
                start += n_values;
                let place = |&k: &u32| if k < n_values { first + k } else { missing };
                sharing.index.iter().map(place).collect()
            };
            let bias = linear.bias.as_ref().map(&mut places);
            (linear, Places { bias, kernel: places(&linear.kernel) })
        })
    }

    /// The arrays of parameters in order: layer by layer, each bias before its kernel.
    pub fn layout(&self) -> Vec<ParameterArray> {
        let mut arrays = Vec::new();
        for linear in self.linear_layers() {
            let array = |name: String, sharing: &Sharing| ParameterArray::new(name, sharing.shape.clone());
            let name = &linear.name;
            match &linear.bias {
                Some(bias) => {
                    arrays.push(array(format!("{name}.bias"), bias));
                    arrays.push(array(format!("{name}.kernel"), &linear.kernel));
                }
                None => arrays.push(array(name.clone(), &linear.kernel)),
            }
        }
        arrays
    }

    /// Number of parameters. A complex parameter counts once.
    pub fn n_values(&self) -> usize {
        self.linear_layers().map(Linear::n_values).sum()
    }

    /// Refuses architectures that cannot be evaluated.
    pub(super) fn check(&self, hilbert: &HilbertSpace, is_complex: bool) -> Result<()> {
        let oversized = self.branches.iter().find_map(|branch| branch.oversized);
        let n_weights: usize = self.linear_layers().map(|linear| linear.kernel.index.len()).sum();
        check_weights(hilbert, oversized.unwrap_or(n_weights as f64))?;
        let refused = |what: String, expected: &str| Error::Count { what, got: 0, expected: expected.into() };
        if self.n_values() == 0 {
            return Err(refused(format!("parameters of a network on {hilbert}"), "at least 1"));
        }
        let layers = || self.branches.iter().flat_map(|branch| &branch.layers);
        let real_only = layers().find_map(|layer| match layer {
            Layer::Activation(activation) if !activation.is_holomorphic() => Some(*activation),
            _ => None,
        });
        if let (true, Some(activation)) = (is_complex, real_only) {
            let what = format!("complex derivatives of {activation:?}");
            return Err(refused(what, "one; take LnCosh or Tanh, or real parameters"));
        }
        Ok(())
    }
}

impl Linear {
    /// The mean number of weights per output.
    pub(super) fn fan_in(&self) -> f64 {
        let missing = self.kernel.n_values as u32;
        let present = self.kernel.index.iter().filter(|&&k| k < missing).count();
        present as f64 / self.n_out.max(1) as f64
    }

    pub(super) fn n_values(&self) -> usize {
        self.kernel.n_values + self.bias.as_ref().map_or(0, |bias| bias.n_values)
    }
}
