//! Autoregressive networks.

use ndarray::{Array1, Array2, ArrayView1, s};
use operator_core::{Error, HilbertSpace, Result, WaveFunction};
use sampler::Autoregressive;

use super::network::{
    Activation, Architecture, Arithmetic, Branch, Field, Init, Matrix, Network, NetworkBackend, NetworkKind,
};
use crate::derivatives::{LogDerivatives, ParameterArray, Trainable};

/// An autoregressive network of masked dense layers, which is normalised and drawn from directly (Germain et
/// al., arXiv:1502.03509; Sharir et al., PRL 124, 020503 (2020)).
///
/// `ln ψ(x) = Σ_i [½ ln p_i(x_i | x_0 … x_{i−1}) + i φ_i(x_i | x_0 … x_{i−1})]`: the probabilities are
/// normalised exponentials of one network's outputs, and the phases, if there are any, those of another.
/// Where the space fixes a sum, local states with which it cannot be met any more have probability 0.
///
/// ```
/// use operator_core::hilbert::Spin;
/// use sampler::{DirectSampler, Sampler};
/// use variational::wave_functions::network::Activation;
/// use variational::{Arnn, Flat, FullSumState, MonteCarloState, VariationalState};
///
/// let spins = Spin::half(8)?.with_total_sz(0.0)?;
/// let arnn = Arnn::<Flat>::new(spins.clone(), &[4], Activation::Tanh, 1)?;
/// let mut state = MonteCarloState::new(DirectSampler::<Flat>::new(spins), arnn, 1000)?;
/// assert_eq!(state.samples()?.dim(), (1008, 8)); // the same number for each of 16 chains
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Arnn<B: NetworkBackend> {
    network: Network<B, ArnnKind>,
    /// Number of local states of each site.
    lens: Vec<usize>,
}

type MatrixOf<B> = <B as NetworkBackend>::Matrix<f64>;

/// Marks the networks in [`Arnn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArnnKind;

impl NetworkKind for ArnnKind {
    type Scalar = f64;
    const NAME: &'static str = "autoregressive network";
}

impl<B: NetworkBackend> Arnn<B> {
    /// A positive wave function, with hidden layers of this many units a site.
    ///
    /// # Errors
    /// [`Count`](operator_core::Error::Count) for a layer without units;
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        units: &[usize],
        activation: Activation,
        seed: u64,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        let branches = vec![masked(&hilbert, units, activation, "")?];
        Self::build(hilbert, branches, seed)
    }

    /// A complex wave function: phases come from a second network of the same form.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_phase(
        hilbert: impl Into<HilbertSpace>,
        units: &[usize],
        activation: Activation,
        seed: u64,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        let modulus = masked(&hilbert, units, activation, "modulus.")?;
        let phase = masked(&hilbert, units, activation, "phase.")?.phase();
        Self::build(hilbert, vec![modulus, phase], seed)
    }

    fn build(hilbert: HilbertSpace, branches: Vec<Branch>, seed: u64) -> Result<Self> {
        let lens = (0..hilbert.n_sites()).map(|site| hilbert.local_dim(site)).collect();
        let architecture = Architecture::new(branches);
        let network = Network::build(hilbert, architecture, Init::LecunNormal, seed, B::default_device())?;
        Ok(Arnn { network, lens })
    }

    /// 1 for each site's present local state, 0 for the others, shape `(rows, Σ local_dim)`.
    fn indicators(&self, x: &MatrixOf<B>) -> Result<MatrixOf<B>> {
        let hilbert = self.network.hilbert();
        let sites =
            self.lens.iter().enumerate().flat_map(|(site, &len)| std::iter::repeat_n(site as u32, len));
        let values = (0..hilbert.n_sites()).flat_map(|site| hilbert.local(site).iter().map(f64::from));
        Matrix::equals(&Matrix::gather(x, &sites.collect::<Vec<_>>())?, &values.collect::<Vec<_>>())
    }

    /// 1 for local states with which each row can still meet the fixed sums, `None` if there are none.
    fn allowed(&self, x: &MatrixOf<B>) -> Result<Option<MatrixOf<B>>> {
        let hilbert = self.network.hilbert();
        if !hilbert.is_constrained() {
            return Ok(None);
        }
        let x = Matrix::to_array(x)?;
        let mut allowed = Array2::ones((x.nrows(), self.lens.iter().sum()));
        for (x, mut allowed) in x.rows().into_iter().zip(allowed.rows_mut()) {
            let mut column = 0;
            for block in hilbert.blocks() {
                let n_columns = block.sites().len() * block.local().dim();
                if let Some(total) = block.total() {
                    let sites = x.slice(s![block.sites()]);
                    let reachable = reachable(sites, block.local(), total);
                    allowed.slice_mut(s![column..column + n_columns]).assign(&reachable);
                }
                column += n_columns;
            }
        }
        B::matrix(allowed, self.network.device()).map(Some)
    }

    /// ln p and p of all local states of all sites, shape `(rows, Σ local_dim)`, from the network's first values.
    fn probabilities(
        &self,
        x: &MatrixOf<B>,
        values: &Field<MatrixOf<B>>,
    ) -> Result<(MatrixOf<B>, MatrixOf<B>)> {
        Matrix::log_softmax(&values.re, &self.lens, self.allowed(x)?.as_ref())
    }
}

/// Of the branch that probabilities are made of.
fn first<M>(values: &[Field<M>]) -> &Field<M> {
    values.first().expect("the first branch gives the probabilities")
}

/// For each site and local state of a block, whether the sum of local indices can still become `total` when
/// the sites before are what they are.
fn reachable(
    sites: ArrayView1<'_, f64>,
    local: operator_core::hilbert::LocalStates,
    total: usize,
) -> Array1<f64> {
    let mut sum = 0;
    let mut out = Vec::with_capacity(sites.len() * local.dim());
    for (k, &q) in sites.iter().enumerate() {
        let most_after = (sites.len() - k - 1) * local.dim().saturating_sub(1);
        out.extend((0..local.dim()).map(|index| {
            let missing = total.checked_sub(sum + index);
            f64::from(u8::from(missing.is_some_and(|missing| missing <= most_after)))
        }));
        // Sites after the one that is asked for may hold anything, and change the sites after them only.
        sum += local.index(q as i8).unwrap_or(0);
    }
    out.into()
}

/// Layers whose units belong to sites: those of the first layer see the sites before, those after it the
/// units of their own site too.
fn masked(hilbert: &HilbertSpace, units: &[usize], activation: Activation, prefix: &str) -> Result<Branch> {
    let sites_of = |lens: &[usize]| -> Vec<usize> {
        lens.iter().enumerate().flat_map(|(site, &len)| std::iter::repeat_n(site, len)).collect()
    };
    let local: Vec<usize> = (0..hilbert.n_sites()).map(|site| hilbert.local_dim(site)).collect();
    let outputs = sites_of(&local);
    let mut branch = Branch::of_local_states(hilbert);
    let mut inputs = outputs.clone();
    for (k, &n_units) in units.iter().enumerate() {
        super::at_least_one("units of a site", n_units, hilbert)?;
        let layer = sites_of(&vec![n_units; hilbert.n_sites()]);
        branch = masked_layer(branch, &format!("{prefix}dense_{k}"), &inputs, &layer, k > 0);
        branch = branch.activation(activation);
        inputs = layer;
    }
    Ok(masked_layer(branch, &format!("{prefix}output"), &inputs, &outputs, !units.is_empty()))
}

/// A layer from units of these sites to units of those, with weights from earlier sites and, if `own`, from
/// the site itself.
fn masked_layer(branch: Branch, name: &str, inputs: &[usize], outputs: &[usize], own: bool) -> Branch {
    let pairs =
        || outputs.iter().flat_map(|to| inputs.iter().map(move |from| from < to || (own && from == to)));
    let n_weights = pairs().filter(|&seen| seen).count();
    let mut next = 0;
    let kernel = pairs()
        .map(|seen| {
            if !seen {
                return n_weights as u32;
            }
            next += 1;
            next - 1
        })
        .collect();
    let bias = (0..outputs.len() as u32).collect();
    branch.shared(name, outputs.len(), Some((bias, vec![outputs.len()])), (kernel, vec![n_weights]))
}

impl<B: NetworkBackend> WaveFunction<B> for Arnn<B> {
    fn hilbert(&self) -> &HilbertSpace {
        self.network.hilbert()
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
        let log_psi = B::by_blocks(x, |_, x| {
            let values = self.network.branch_values(x)?;
            let present = self.indicators(x)?;
            let sum = |values: &MatrixOf<B>| {
                Matrix::sum_columns(&Matrix::arithmetic(Arithmetic::Multiply, values.clone(), &present)?)
            };
            let log_p = sum(&self.probabilities(x, first(&values))?.0)?;
            let re = Matrix::arithmetic(Arithmetic::Multiply, log_p, &self.half()?)?;
            Ok(Field { re, im: values.get(1).map(|phases| sum(&phases.re)).transpose()? })
        })?;
        B::amplitudes(&Field::stack(log_psi)?)
    }
}

impl<B: NetworkBackend> Arnn<B> {
    fn half(&self) -> Result<MatrixOf<B>> {
        B::matrix(Array2::from_elem((1, 1), 0.5), self.network.device())
    }
}

impl<B: NetworkBackend> Trainable<B> for Arnn<B> {
    fn n_parameters(&self) -> usize {
        self.network.n_parameters()
    }

    fn parameters(&self) -> Array1<f64> {
        self.network.parameters()
    }

    fn layout(&self) -> Vec<ParameterArray> {
        self.network.layout()
    }

    fn set_parameters(&mut self, parameters: &Array1<f64>) -> Result<()> {
        self.network.set_parameters(parameters)
    }

    fn log_derivatives(&self, x: &B::Configurations) -> Result<LogDerivatives> {
        let derivatives = B::by_blocks(x, |_, x| {
            let present = self.indicators(x)?;
            self.network.derivatives_through(x, |is_phase, values| {
                if is_phase {
                    return Ok(Field::real(present.clone()));
                }
                // d ln p_s / dℓ_k = δ_sk − p_k
                let (_, p) = self.probabilities(x, values)?;
                let delta = Matrix::arithmetic(Arithmetic::Subtract, present.clone(), &p)?;
                Ok(Field::real(Matrix::arithmetic(Arithmetic::Multiply, delta, &self.half()?)?))
            })
        })?;
        Network::<B, ArnnKind>::to_log_derivatives(Field::stack(derivatives)?)
    }
}

impl<B: NetworkBackend> Autoregressive<B> for Arnn<B> {
    fn conditionals(&self, x: &B::Configurations, site: usize) -> Result<Array2<f64>> {
        let Some(&len) = self.lens.get(site) else {
            let (term, hilbert) = ("a conditional probability".into(), self.hilbert().to_string());
            return Err(Error::SiteOutOfRange { term, site, n_sites: self.lens.len(), hilbert });
        };
        let start = self.lens[..site].iter().sum::<usize>() as u32;
        let columns: Vec<u32> = (start..).take(len).collect();
        let p = B::by_blocks(x, |_, x| {
            let values = self.network.branch_values(x)?;
            let (_, p) = self.probabilities(x, first(&values))?;
            Ok(Field::real(Matrix::gather(&p, &columns)?))
        })?;
        Matrix::to_array(&Field::stack(p)?.re)
    }
}
