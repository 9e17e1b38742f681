//! Operators by name, one short file each, with no backend in sight.

mod bose_hubbard;
mod fcidump;
mod fermi_hubbard;
mod fermion_operator;
mod heisenberg;
mod ising;
mod kitaev_honeycomb;
mod local_operator;
mod molecular;
mod openfermion;
mod pauli_strings;
mod rydberg;
mod ssh;
mod tj;
mod xyz;

pub use bose_hubbard::BoseHubbard;
pub use fcidump::Fcidump;
pub use fermi_hubbard::FermiHubbard;
pub use fermion_operator::FermionOperator2nd;
pub use heisenberg::Heisenberg;
pub use ising::Ising;
pub use kitaev_honeycomb::KitaevHoneycomb;
pub use local_operator::LocalOperator;
pub use molecular::Molecular;
pub use pauli_strings::PauliStrings;
pub use rydberg::Rydberg;
pub use ssh::Ssh;
pub use tj::TJ;
pub use xyz::Xyz;

use std::fmt::Debug;

use num_complex::Complex64;

use crate::backend::Lower;
use crate::definition::Definition;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::hilbert::{HilbertSpace, SpinOrbitalFermions};
use crate::terms::{Coefficient, Terms};

/// Names of the models that can be read from JSON.
pub(crate) const KNOWN: [&str; 14] = [
    "ising",
    "heisenberg",
    "xyz",
    "kitaev_honeycomb",
    "rydberg",
    "bose_hubbard",
    "fermi_hubbard",
    "tj",
    "ssh",
    "molecular",
    "local",
    "pauli_strings",
    "fermion_operator_2nd",
    "terms",
];

/// Matrices on two sites larger than this many bytes are not built.
const MAX_PAIR_BYTES: f64 = 256.0 * 1024.0 * 1024.0;

/// An operator that writes itself as terms, and so has every backend.
///
/// Two methods are enough:
///
/// ```
/// use operator_core::{Error, Model, hilbert::{HilbertSpace, Spin}, terms::{Pauli, Terms}};
///
/// /// A chain of spins in a field that turns from x to z.
/// #[derive(Debug)]
/// struct TiltedField { n_sites: usize, angle: f64 }
///
/// impl Model for TiltedField {
///     fn hilbert(&self) -> Result<HilbertSpace, Error> {
///         Ok(Spin::half(self.n_sites)?.into())
///     }
///     fn terms(&self, terms: &mut Terms) -> Result<(), Error> {
///         for site in 0..self.n_sites {
///             terms.pauli(self.angle.cos(), &[(site, Pauli::X)])?;
///             terms.pauli(self.angle.sin(), &[(site, Pauli::Z)])?;
///         }
///         Ok(())
///     }
/// }
///
/// let field = TiltedField { n_sites: 4, angle: 0.3 }.definition()?;
/// assert_eq!(field.max_conn_size(), 5);
/// # Ok::<(), Error>(())
/// ```
pub trait Model: Debug {
    /// The space the operator acts on.
    ///
    /// # Errors
    /// Whatever keeps the space from being built.
    fn hilbert(&self) -> Result<HilbertSpace>;

    /// Writes the operator's terms and parameters.
    ///
    /// # Errors
    /// Whatever is wrong with the model, and the errors of [`Terms`]' methods.
    fn terms(&self, terms: &mut Terms) -> Result<()>;

    /// Name for messages; by default that of the type.
    fn name(&self) -> String {
        let path = std::any::type_name::<Self>();
        let path = path.split('<').next().unwrap_or(path);
        path.rsplit("::").next().unwrap_or(path).to_owned()
    }

    /// The model in the form that [`spec`](crate::spec) reads, `None` if it has none. Values of parameters
    /// are filled in by name when it is written.
    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<serde_json::Value> {
        None
    }

    /// The operator, checked and ready for any backend.
    ///
    /// # Errors
    /// Those of [`terms`](Self::terms) and [`Definition::new`].
    fn definition(&self) -> Result<Definition> {
        Definition::of(self)
    }

    /// The operator on backend `B` with `f64` matrix elements.
    ///
    /// # Errors
    /// Those of [`definition`](Self::definition) and [`Definition::lower`].
    fn lower<B: Lower<f64>>(&self) -> Result<B::Operator> {
        self.definition()?.lower::<B>()
    }

    /// The operator on backend `B` with matrix elements of type `T`.
    ///
    /// # Errors
    /// Those of [`definition`](Self::definition) and [`Definition::lower_as`].
    fn lower_as<B: Lower<T>, T: Element>(&self) -> Result<B::Operator> {
        self.definition()?.lower_as::<B, T>()
    }
}

/// Complex weights, one a string.
fn weights_of<W: Into<Complex64>>(
    weights: impl IntoIterator<Item = W>,
    n_strings: usize,
) -> Result<Vec<Complex64>> {
    let weights: Vec<Complex64> = weights.into_iter().map(Into::into).collect();
    match weights.len() {
        got if got != n_strings => {
            let expected = format!("{n_strings}, one a string");
            Err(Error::Count { what: "weights".into(), got, expected })
        }
        _ => Ok(weights),
    }
}

/// Writes strings with their weights, which become the parameters `weights` and, where any has an imaginary
/// part, `weights_im`. `push` adds the string of a number with a coefficient.
fn push_weighted(
    terms: &mut Terms,
    weights: &[Complex64],
    mut push: impl FnMut(&mut Terms, usize, Coefficient) -> Result<()>,
) -> Result<()> {
    let part = |part: fn(&Complex64) -> f64| -> Vec<f64> { weights.iter().map(part).collect() };
    let real = terms.parameter("weights", part(|w| w.re))?;
    let imaginary = match weights.iter().any(|w| w.im != 0.0) {
        true => Some(terms.parameter("weights_im", part(|w| w.im))?),
        false => None,
    };
    for k in 0..weights.len() {
        push(terms, k, real.at(k)?.into())?;
        if let Some(imaginary) = imaginary {
            push(terms, k, Complex64::I * imaginary.at(k)?)?;
        }
    }
    Ok(())
}

/// Checks that a graph has the sites of a space.
fn check_graph(hilbert: &HilbertSpace, graph: &Graph) -> Result<()> {
    if graph.n_nodes() != hilbert.n_sites() {
        return Err(Error::Count {
            what: "sites of the graph".into(),
            got: graph.n_nodes(),
            expected: format!("{} as {hilbert} has", hilbert.n_sites()),
        });
    }
    Ok(())
}

/// Checks that a graph has the orbitals of a space.
fn check_orbital_graph(hilbert: &SpinOrbitalFermions, graph: &Graph) -> Result<()> {
    if graph.n_nodes() != hilbert.n_orbitals() {
        return Err(Error::Count {
            what: "sites of the graph".into(),
            got: graph.n_nodes(),
            expected: format!("{} as {hilbert} has orbitals", hilbert.n_orbitals()),
        });
    }
    Ok(())
}

/// Checks that all sites have two local states.
fn check_two_level(hilbert: &HilbertSpace, model: &'static str) -> Result<()> {
    if hilbert.is_two_level() && !hilbert.factors().iter().any(HilbertSpace::is_fermionic) {
        return Ok(());
    }
    Err(Error::WrongHilbert {
        term: model.into(),
        hilbert: hilbert.to_string(),
        reason: "it is written in Pauli matrices, for spins 1/2 or qubits",
    })
}

/// The fermions of a space.
fn fermions(hilbert: HilbertSpace, model: &'static str) -> Result<SpinOrbitalFermions> {
    match hilbert {
        HilbertSpace::SpinOrbitalFermions(space) => Ok(space),
        other => Err(Error::WrongHilbert {
            term: model.into(),
            hilbert: other.to_string(),
            reason: "its sites are not fermion modes",
        }),
    }
}

/// The fermions of a space, if they have spin 1/2.
fn electrons(hilbert: HilbertSpace, model: &'static str) -> Result<SpinOrbitalFermions> {
    let space = fermions(hilbert, model)?;
    match space.s() {
        Some(0.5) => Ok(space),
        _ => Err(Error::WrongHilbert {
            term: model.into(),
            hilbert: space.to_string(),
            reason: "its fermions need spin 1/2, as SpinOrbitalFermions::with_spin(n_orbitals, 0.5) has",
        }),
    }
}

/// Checks that a matrix on two sites fits into memory.
fn check_pair_matrix(hilbert: &HilbertSpace, remedy: &'static str) -> Result<()> {
    let bytes = (hilbert.local_dim(0) as f64).powi(4) * size_of::<num_complex::Complex64>() as f64;
    match bytes <= MAX_PAIR_BYTES {
        true => Ok(()),
        false => Err(Error::TooLarge {
            what: format!("a matrix on two sites of {hilbert}"),
            bytes,
            limit: MAX_PAIR_BYTES,
            remedy,
        }),
    }
}
