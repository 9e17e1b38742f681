//! Group-convolutional networks.

use std::marker::PhantomData;

use operator_core::graph::PermutationGroup;
use operator_core::{Error, HilbertSpace, Result};

use super::network::{
    Activation, Architecture, Branch, Init, Network, NetworkBackend, NetworkKind, Scalar, Sealed,
    check_weights,
};

/// A group-convolutional network: a wave function that is invariant under a group of permutations of the
/// sites (Cohen and Welling, arXiv:1602.07576; Roth et al., PRB 108, 054410 (2023)).
///
/// `h¹_fg = φ(b_f + Σ_i W_fi x_g(i))`, `h^{l+1}_fg = φ(b_f + Σ_e Σ_k W_fek h^l_{e,gk})`, and
/// `ln ψ = Σ_f w_f Σ_g h_fg`, with features f and e, sites i, and group elements g and k. `T` may be in
/// [single precision](super::network::Scalar).
///
/// ```
/// use operator_core::{WaveFunction, graph::Lattice, hilbert::Spin};
/// use variational::wave_functions::network::Activation;
/// use variational::{Flat, GroupCnn};
///
/// let translations = Lattice::chain(4).translations()?;
/// let network = GroupCnn::<Flat>::new(Spin::half(4)?, &translations, &[3, 2], Activation::Gelu)?;
/// let log_psi = network.log_psi(&ndarray::array![[1, 1, 1, -1], [1, -1, 1, 1]])?;
/// assert!((log_psi[0] - log_psi[1]).norm() < 1e-14);
/// # Ok::<(), operator_core::Error>(())
/// ```
pub type GroupCnn<B, T = f64> = Network<B, GroupCnnKind<T>>;

/// Marks [`GroupCnn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupCnnKind<T>(PhantomData<T>);

impl<T> Sealed for GroupCnnKind<T> {}

impl<T: Scalar> NetworkKind for GroupCnnKind<T> {
    type Scalar = T;
    const NAME: &'static str = "group CNN";
}

impl<B: NetworkBackend, T: Scalar> GroupCnn<B, T> {
    /// One layer for each number of features in `features`, convolved over the whole group. Parameters are
    /// drawn from [`Init::LecunNormal`].
    ///
    /// # Errors
    /// [`Error::Count`] if there are no layers, a layer has no features, the group permutes another number of
    /// sites, or parameters are complex and the activation is not
    /// [holomorphic](Activation::is_holomorphic); [`Error::TooLarge`] beyond 8 GiB of weights.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        group: &PermutationGroup,
        features: &[usize],
        activation: Activation,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        let network = convolutions(&hilbert, group, features, activation, None)?;
        let architecture = Architecture::new([network]);
        Self::build(hilbert, architecture, Init::LecunNormal)
    }
}

/// One layer for each number of features, with weights for the group elements in `kernel`, or for all.
pub(super) fn convolutions(
    hilbert: &HilbertSpace,
    group: &PermutationGroup,
    features: &[usize],
    activation: Activation,
    kernel: Option<&[usize]>,
) -> Result<Branch> {
    super::at_least_one("layers", features.len(), hilbert)?;
    let mut branch: Option<Branch> = None;
    let mut n_before = 0;
    for (k, &n_features) in features.iter().enumerate() {
        super::at_least_one("features", n_features, hilbert)?;
        let name = format!("conv_{k}");
        let layer = match branch {
            None => symmetric_layer(hilbert, group, &name, n_features, kernel)?,
            Some(branch) => {
                let [before, units] = [n_before, n_features].map(|n| n as f64 * group.len() as f64);
                check_weights(hilbert, units * (before + 1.0))?;
                equivariant_layer(branch, group, &name, (n_before, n_features), kernel)
            }
        };
        branch = Some(layer.activation(activation));
        n_before = n_features;
    }
    let order = group.len();
    let output = (0..n_before * order).map(|unit| (unit / order) as u32).collect();
    let branch = branch.expect("there is at least one layer");
    Ok(branch.shared("output", 1, None, (output, vec![n_before])))
}

/// A layer from sites to units (feature, group element). The unit (f, g) gives site g(i) the weight `W_fi`,
/// for all sites i of the kernel, or for all sites.
pub(super) fn symmetric_layer(
    hilbert: &HilbertSpace,
    group: &PermutationGroup,
    name: &str,
    n_features: usize,
    kernel: Option<&[usize]>,
) -> Result<Branch> {
    let (n_sites, got) = (hilbert.n_sites(), group.n_sites());
    if got != n_sites {
        let what = format!("sites of the permutations on {hilbert}");
        return Err(Error::Count { what, got, expected: n_sites.to_string() });
    }
    let n_units = n_features as f64 * group.len() as f64;
    check_weights(hilbert, n_units * (n_sites as f64 + 1.0))?;
    let places = places(n_sites, |site| kernel.is_none_or(|kernel| kernel.contains(&site)));
    let (n_kernel, order) = (places.iter().flatten().count(), group.len());
    let n_weights = n_features * n_kernel;
    let mut weights = vec![n_weights as u32; n_features * order * n_sites];
    for f in 0..n_features {
        for (g, permutation) in group.permutations().iter().enumerate() {
            let row = (f * order + g) * n_sites;
            for (&site, place) in permutation.iter().zip(&places) {
                if let Some(place) = place {
                    weights[row + site] = (f * n_kernel + place) as u32;
                }
            }
        }
    }
    let bias = (0..n_features * order).map(|unit| (unit / order) as u32).collect();
    let shapes = (vec![n_features], vec![n_features, n_kernel]);
    Ok(Branch::new(n_sites).shared(name, n_features * order, Some((bias, shapes.0)), (weights, shapes.1)))
}

/// A layer from units (feature, group element) to units of the same kind. The unit (f, g) gives (e, h) the
/// weight `W_fe` at g⁻¹h.
fn equivariant_layer(
    branch: Branch,
    group: &PermutationGroup,
    name: &str,
    (n_before, n_features): (usize, usize),
    kernel: Option<&[usize]>,
) -> Branch {
    let order = group.len();
    let reaches = |k: usize| {
        let from_origin = group.permutations()[k].first();
        kernel.is_none_or(|kernel| from_origin.is_some_and(|site| kernel.contains(site)))
    };
    let places = places(order, reaches);
    let n_kernel = places.iter().flatten().count();
    let n_weights = (n_features * n_before * n_kernel) as u32;
    let mut weights = Vec::with_capacity(n_features * n_before * order * order);
    for f in 0..n_features {
        for g in 0..order {
            for e in 0..n_before {
                weights.extend((0..order).map(|h| match places[group.quotient(g, h)] {
                    Some(place) => ((f * n_before + e) * n_kernel + place) as u32,
                    None => n_weights,
                }));
            }
        }
    }
    let bias = (0..n_features * order).map(|unit| (unit / order) as u32).collect();
    let shape = vec![n_features, n_before, n_kernel];
    branch.shared(name, n_features * order, Some((bias, vec![n_features])), (weights, shape))
}

/// Numbers the places from 0 to n − 1 that are kept.
fn places(n: usize, kept: impl Fn(usize) -> bool) -> Vec<Option<usize>> {
    let mut next = 0;
    (0..n)
        .map(|k| {
            kept(k).then(|| {
                next += 1;
                next - 1
            })
        })
        .collect()
}
