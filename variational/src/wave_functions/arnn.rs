//! Autoregressive networks.

use ndarray::{Array1, Array2, ArrayView1, s};
use operator_core::hilbert::Block;
use operator_core::{Error, HilbertSpace, Result, WaveFunction};
use sampler::Autoregressive;

use super::network::{
    Activation, Architecture, Arithmetic, Branch, Field, Init, Matrix, Network, NetworkBackend, NetworkKind,
    Sealed, expect_weights_fit,
};
use crate::derivatives::{LogDerivatives, ParameterArray, Trainable, expect_derivatives_fit};

/// An autoregressive network of masked dense layers. It is normalised, and samples are drawn from it directly
/// (Germain et al., arXiv:1502.03509; Sharir et al., PRL 124, 020503 (2020)).
///
/// `ln ψ(x) = Σ_i [½ ln p_i(x_i | x_0 … x_{i−1}) + i φ_i(x_i | x_0 … x_{i−1})]`. The probabilities p are the
/// softmax of one network's outputs; the phases φ, if there are any, are the outputs of another network. If
/// the space fixes a sum, a local state after which the sum can no longer be reached has probability 0.
///
/// ```
/// use operator_core::hilbert::Spin;
/// use sampler::{DirectSampler, Sampler};
/// use variational::wave_functions::network::Activation;
/// use variational::{Arnn, Flat, FullSumState, MonteCarloState, VariationalState};
///
/// let spins = Spin::half(8)?.with_total_sz(0.0)?;
/// let arnn = Arnn::<Flat>::new(spins.clone(), &[4], Activation::Tanh)?;
/// let mut state = MonteCarloState::new(DirectSampler::<Flat>::new(spins), arnn, 1000)?;
/// assert_eq!(state.samples()?.dim(), (1008, 8)); // rounded up to 16 chains of equal length
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
pub(super) struct ArnnKind;

impl Sealed for ArnnKind {}

impl NetworkKind for ArnnKind {
    type Scalar = f64;
    const NAME: &'static str = "autoregressive network";
}

impl<B: NetworkBackend> Arnn<B> {
    /// A positive wave function. Each entry of `units` is a hidden layer with that many units per site.
    /// Parameters are drawn from [`Init::LecunNormal`].
    ///
    /// # Errors
    /// [`Count`](operator_core::Error::Count) if a layer has no units;
    /// [`TooLarge`](operator_core::Error::TooLarge) for 2³¹ parameters or more.
    pub fn new(hilbert: impl Into<HilbertSpace>, units: &[usize], activation: Activation) -> Result<Self> {
        let hilbert = hilbert.into();
        let branches = vec![masked(&hilbert, units, activation, "")?];
        Self::build(hilbert, branches)
    }

    /// A complex wave function, whose phases come from a second network of the same form.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_phase(
        hilbert: impl Into<HilbertSpace>,
        units: &[usize],
        activation: Activation,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        let modulus = masked(&hilbert, units, activation, "modulus.")?;
        let phase = masked(&hilbert, units, activation, "phase.")?.phase();
        Self::build(hilbert, vec![modulus, phase])
    }

    fn build(hilbert: HilbertSpace, branches: Vec<Branch>) -> Result<Self> {
        let lens = local_dims(&hilbert);
        let architecture = Architecture::new(branches);
        let network = Network::build(hilbert, architecture, Init::LecunNormal)?;
        Ok(Arnn { network, lens })
    }

    /// See [`Network::with_seed`].
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Arnn { network: self.network.with_seed(seed), ..self }
    }

    /// See [`Network::with_sigma`].
    ///
    /// # Errors
    /// [`NotFinite`](operator_core::Error::NotFinite) if `sigma` is NaN or infinite.
    pub fn with_sigma(self, sigma: f64) -> Result<Self> {
        self.with_init(Init::Normal(sigma))
    }

    /// See [`Network::with_init`].
    ///
    /// # Errors
    /// [`NotFinite`](operator_core::Error::NotFinite) for a standard deviation that is NaN or infinite.
    pub fn with_init(self, init: Init) -> Result<Self> {
        Ok(Arnn { network: self.network.with_init(init)?, ..self })
    }

    /// See [`Network::with_device`].
    #[must_use]
    pub fn with_device(self, device: B::Device) -> Self {
        Arnn { network: self.network.with_device(device), ..self }
    }

    /// 1 for each site's present local state, 0 for the others, shape `(rows, Σ local_dim)`.
    fn indicators(&self, x: &MatrixOf<B>) -> Result<MatrixOf<B>> {
        let hilbert = self.network.hilbert();
        let sites =
            self.lens.iter().enumerate().flat_map(|(site, &len)| std::iter::repeat_n(site as u32, len));
        let blocks = hilbert.blocks().iter();
        let values = blocks.flat_map(|block| block.sites().flat_map(|_| block.local().iter().map(f64::from)));
        Matrix::equals(&Matrix::gather(x, &sites.collect::<Vec<_>>())?, &values.collect::<Vec<_>>())
    }

    /// 1 for local states after which a row can still reach the fixed sums, 0 for all others. `None` if the
    /// space fixes no sum.
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
        B::matrix(allowed, &self.network.device()).map(Some)
    }

    /// ln p and p of all local states of all sites, shape `(rows, Σ local_dim)`, from the outputs of the
    /// first branch.
    fn probabilities(
        &self,
        x: &MatrixOf<B>,
        values: &Field<MatrixOf<B>>,
    ) -> Result<(MatrixOf<B>, MatrixOf<B>)> {
        Matrix::log_softmax(&values.re, &self.lens, self.allowed(x)?.as_ref())
    }
}

/// Number of local states of each site.
fn local_dims(hilbert: &HilbertSpace) -> Vec<usize> {
    let dims = |block: &Block| std::iter::repeat_n(block.local().dim(), block.sites().len());
    hilbert.blocks().iter().flat_map(dims).collect()
}

/// The outputs that the probabilities are computed from.
fn first<M>(values: &[Field<M>]) -> &Field<M> {
    values.first().expect("the first branch gives the probabilities")
}

/// For each site and local state of a block: 1 if, given the earlier sites, the sum of local indices can
/// still reach `total`, else 0.
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
        // While sampling, later sites are not drawn yet and may hold anything. They affect only sites after
        // them.
        sum += local.index(q as i8).unwrap_or(0);
    }
    out.into()
}

/// Layers whose units belong to sites. Units of the first layer see earlier sites; units of later layers also
/// see units of their own site.
fn masked(hilbert: &HilbertSpace, units: &[usize], activation: Activation, prefix: &str) -> Result<Branch> {
    let sites_of = |lens: &[usize]| -> Vec<usize> {
        lens.iter().enumerate().flat_map(|(site, &len)| std::iter::repeat_n(site, len)).collect()
    };
    let outputs = sites_of(&local_dims(hilbert));
    let mut branch = Branch::of_local_states(hilbert)?;
    let mut inputs = outputs.clone();
    for (k, &n_units) in units.iter().enumerate() {
        super::at_least_one("units of a site", n_units, hilbert)?;
        let what = || format!("layer {k} of an autoregressive network on {hilbert}");
        expect_weights_fit(what, &[n_units, hilbert.n_sites(), inputs.len()])?;
        let layer = sites_of(&vec![n_units; hilbert.n_sites()]);
        branch = masked_layer(branch, &format!("{prefix}dense_{k}"), &inputs, &layer, k > 0);
        branch = branch.activation(activation);
        inputs = layer;
    }
    let what = || format!("the last layer of an autoregressive network on {hilbert}");
    expect_weights_fit(what, &[outputs.len(), inputs.len()])?;
    Ok(masked_layer(branch, &format!("{prefix}output"), &inputs, &outputs, !units.is_empty()))
}

/// A layer from units of the sites `inputs` to units of the sites `outputs`. An output sees inputs of earlier
/// sites and, if `own`, of its own site.
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

    fn device(&self) -> B::Device {
        self.network.device()
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
        B::matrix(Array2::from_elem((1, 1), 0.5), &self.network.device())
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
        expect_derivatives_fit(B::batch_len(x), self.n_parameters())?;
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
