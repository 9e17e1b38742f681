//! The layers of a network, and the places of its parameters in them.

use std::collections::HashSet;
use std::sync::Arc;

use operator_core::hilbert::Block;
use operator_core::{Error, HilbertSpace, Result, memory};

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
    /// Number of sites of the configurations that it sees.
    n_sites: usize,
    pub(super) layers: Vec<Layer>,
    n_outputs: usize,
    pub(super) output: Output,
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
    /// In row-major order. `None` if each place has its own parameter, in order.
    pub(super) index: Option<Arc<[u32]>>,
    pub(super) shape: Vec<usize>,
    /// As many as fit in a `usize`; [`Architecture::check`] refuses far fewer.
    pub(super) n_values: usize,
}

impl Sharing {
    fn identity(shape: Vec<usize>) -> Self {
        let n_values = product(&shape);
        Sharing { index: None, shape, n_values }
    }

    fn shared(index: Vec<u32>, shape: Vec<usize>) -> Self {
        let n_values = product(&shape);
        // Any index beyond the array is a weight of 0; the first of them stands for all.
        let index = index.into_iter().map(|k| if (k as usize) < n_values { k } else { n_values as u32 });
        Sharing { index: Some(index.collect()), shape, n_values }
    }

    /// Checks that there is an index for each place.
    fn check(&self, name: &str, n_places: usize) -> Result<()> {
        match &self.index {
            Some(index) if index.len() != n_places => Err(Error::Count {
                what: format!("indices of {name}"),
                got: index.len(),
                expected: format!("{n_places}, one for each output and input"),
            }),
            _ => Ok(()),
        }
    }
}

/// The product of an array's extents, at most the largest `usize`.
fn product(shape: &[usize]) -> usize {
    shape.iter().fold(1, |product, &n| product.saturating_mul(n))
}

impl Branch {
    /// A branch whose first layer sees the quantum numbers of all `n_sites` sites.
    pub fn new(n_sites: usize) -> Self {
        Branch { n_sites, layers: Vec::new(), n_outputs: n_sites, output: Output::LogPsi }
    }

    /// A branch whose first layer sees one number for each site and each of its local states: 1 if the site
    /// is in that state, else 0.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the local states of all sites do not fit into memory.
    pub fn of_local_states(hilbert: &HilbertSpace) -> Result<Self> {
        let n_local = |block: &Block| block.sites().len() as f64 * block.local().dim() as f64;
        let bytes = 12.0 * hilbert.blocks().iter().map(n_local).sum::<f64>();
        memory::expect_fits(|| format!("the local states of {hilbert}"), bytes, "take fewer sites")?;
        let (mut sites, mut values) = (Vec::new(), Vec::new());
        for block in hilbert.blocks() {
            let local = block.local();
            for site in block.sites() {
                sites.extend(std::iter::repeat_n(site as u32, local.dim()));
                values.extend(local.iter().map(f64::from));
            }
        }
        let n_outputs = sites.len();
        let layer = Layer::Indicators { sites: sites.into(), values: values.into() };
        let (n_sites, layers) = (hilbert.n_sites(), vec![layer]);
        Ok(Branch { n_sites, layers, n_outputs, output: Output::LogPsi })
    }

    /// A branch whose first layer sees the products `x_i x_j` of all pairs i < j.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the pairs do not fit into memory.
    pub fn of_pairs(n_sites: usize) -> Result<Self> {
        let what = || format!("the pairs of {n_sites} sites");
        expect_weights_fit(what, &[n_sites, n_sites.saturating_sub(1) / 2])?;
        let pairs = || (0..n_sites as u32).flat_map(|i| (i + 1..n_sites as u32).map(move |j| (i, j)));
        let (first, second): (Vec<u32>, Vec<u32>) = pairs().unzip();
        let n_outputs = first.len();
        let layer = Layer::Pairs { first: first.into(), second: second.into() };
        Ok(Branch { n_sites, layers: vec![layer], n_outputs, output: Output::LogPsi })
    }

    /// Adds a linear layer `W x + b` with `n_out` outputs. Its parameters are `name.bias`, `(n_out,)`, and
    /// `name.kernel`, `(n_out, n_in)`.
    #[must_use]
    pub fn dense(self, name: &str, n_out: usize) -> Self {
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
    /// output. An index beyond the array is a weight of 0. A network refuses a list of another length when it is
    /// built. Parameters are named as by [`dense`](Self::dense) if there is a bias, else as by
    /// [`weighted_sum`](Self::weighted_sum).
    #[must_use]
    pub fn shared(
        self,
        name: &str,
        n_out: usize,
        bias: Option<(Vec<u32>, Vec<usize>)>,
        (kernel, kernel_shape): (Vec<u32>, Vec<usize>),
    ) -> Self {
        let bias = bias.map(|(bias, shape)| Sharing::shared(bias, shape));
        self.linear(name, n_out, bias, Sharing::shared(kernel, kernel_shape))
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
                match &sharing.index {
                    Some(index) => index.iter().map(place).collect(),
                    None => (first..start).collect(),
                }
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
        self.linear_layers().map(Linear::n_values).fold(0, usize::saturating_add)
    }

    /// Refuses architectures that cannot be evaluated.
    pub(super) fn check(&self, hilbert: &HilbertSpace, is_complex: bool) -> Result<()> {
        let refused = |what: String, expected: &str| Error::Count { what, got: 0, expected: expected.into() };
        if self.n_values() == 0 {
            return Err(refused(format!("parameters of a network on {hilbert}"), "at least 1"));
        }
        if self.n_values() > u32::MAX as usize / 2 {
            let (what, bytes) = (format!("a network on {hilbert}"), 8.0 * self.n_values() as f64);
            let (limit, remedy) = (4.0 * f64::from(u32::MAX), "share weights or take fewer units");
            return Err(Error::TooLarge { what, bytes, limit, remedy });
        }
        if let Some(other) = self.branches.iter().find(|branch| branch.n_sites != hilbert.n_sites()) {
            return Err(Error::Count {
                what: "sites in a branch of a network".into(),
                got: other.n_sites,
                expected: format!("{} as {hilbert} has", hilbert.n_sites()),
            });
        }
        for linear in self.linear_layers() {
            let Linear { name, n_in, n_out, .. } = linear;
            expect_weights_fit(|| format!("layer {name} of a network on {hilbert}"), &[*n_out, *n_in])?;
            linear.kernel.check(name, n_out * n_in)?;
            linear.bias.iter().try_for_each(|bias| bias.check(&format!("{name}.bias"), *n_out))?;
        }
        let (layout, mut names) = (self.layout(), HashSet::new());
        if let Some(array) = layout.iter().find(|array| !names.insert(array.name())) {
            let name = array.name();
            let got = layout.iter().filter(|array| array.name() == name).count();
            let what = format!("parameter arrays of a network are named {name:?}");
            return Err(Error::Count { what, got, expected: "1; give each layer a name of its own".into() });
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

/// Checks that a product of so many weights fits into memory, each with the index of its parameter.
pub(crate) fn expect_weights_fit(what: impl FnOnce() -> String, factors: &[usize]) -> Result<()> {
    let bytes = factors.iter().fold(12.0, |bytes, &n| bytes * n as f64);
    memory::expect_fits(what, bytes, "take fewer units")
}

impl Linear {
    /// The mean number of weights per output.
    pub(super) fn fan_in(&self) -> f64 {
        let missing = self.kernel.n_values as u32;
        let present = match &self.kernel.index {
            Some(index) => index.iter().filter(|&&k| k < missing).count(),
            None => self.kernel.n_values,
        };
        present as f64 / self.n_out.max(1) as f64
    }

    pub(super) fn n_values(&self) -> usize {
        self.kernel.n_values.saturating_add(self.bias.as_ref().map_or(0, |bias| bias.n_values))
    }
}
