//! The Su-Schrieffer-Heeger chain.

#[cfg(feature = "serde")]
use serde_json::{Value, json};

use super::Model;
#[cfg(feature = "serde")]
use super::ModelSpec;
use super::checks::fermions;
#[cfg(feature = "serde")]
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::graph::Boundary;
use crate::hilbert::{HilbertSpace, SpinOrbitalFermions};
use crate::parameters::ParameterValue;
#[cfg(feature = "serde")]
use crate::spec::{Reader, Written};
use crate::terms::{Ladder, Terms};

/// The Su-Schrieffer-Heeger chain of fermions that hop with alternating amplitudes,
/// `H = −t1 Σ_n (c†_2n c_2n+1 + h.c.) − t2 Σ_n (c†_2n+1 c_2n+2 + h.c.)`.
///
/// Parameters: `t1` and `t2`, each one number or one a bond of its kind. Fermions with spin hop alike in
/// all spin states.
///
/// An open chain of an even number of orbitals has a state at each end, of an energy that vanishes with its
/// length, where |t1| < |t2|. The bands of a periodic chain are `±|t1 + t2 exp(ik)|`.
///
/// ```
/// use operator_core::{Boundary, Model, Ssh, hilbert::SpinOrbitalFermions};
/// let chain = Ssh::new(SpinOrbitalFermions::new(6)?, Boundary::Open, 0.5, 1.0)?.definition()?;
/// assert_eq!(chain.max_conn_size(), 5);
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// # Source
/// W. P. Su, J. R. Schrieffer, A. J. Heeger, Solitons in polyacetylene, Phys. Rev. Lett. 42, 1698 (1979).
#[derive(Clone, Debug, PartialEq)]
pub struct Ssh {
    hilbert: SpinOrbitalFermions,
    boundary: Boundary,
    t1: ParameterValue,
    t2: ParameterValue,
}

impl Ssh {
    /// A chain of all orbitals of the space, with hopping `t1` within its cells of two and `t2` between them.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the sites are fermions;
    /// [`Error::Count`] for a periodic chain of an odd number of
    /// orbitals.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        boundary: Boundary,
        t1: impl Into<ParameterValue>,
        t2: impl Into<ParameterValue>,
    ) -> Result<Self> {
        let hilbert = fermions(hilbert.into(), "Ssh")?;
        let n_orbitals = hilbert.n_orbitals();
        if boundary == Boundary::Periodic && !n_orbitals.is_multiple_of(2) {
            return Err(Error::Count {
                what: "orbitals in a periodic chain".into(),
                got: n_orbitals,
                expected: "an even number, since its bonds alternate".into(),
            });
        }
        Ok(Ssh { hilbert, boundary, t1: t1.into(), t2: t2.into() })
    }

    /// Number of bonds.
    fn n_bonds(&self) -> usize {
        match self.boundary {
            Boundary::Open => self.hilbert.n_orbitals() - 1,
            Boundary::Periodic => self.hilbert.n_orbitals(),
        }
    }
}

impl Model for Ssh {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone().into())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        let (n_orbitals, n_bonds) = (self.hilbert.n_orbitals(), self.n_bonds());
        let t1 = terms.item_parameter("t1", self.t1.clone(), "bond within a cell", n_bonds.div_ceil(2))?;
        let t2 = terms.item_parameter("t2", self.t2.clone(), "bond between cells", n_bonds / 2)?;
        let n_spin_states = self.hilbert.n_spin_states();
        for bond in 0..n_bonds {
            let t = if bond % 2 == 0 { t1 } else { t2 };
            for spin in 0..n_spin_states {
                let i = self.hilbert.mode(bond, spin)?;
                let j = self.hilbert.mode((bond + 1) % n_orbitals, spin)?;
                terms.fermion(-t.at(bond / 2)?, &[Ladder::create(i), Ladder::destroy(j)])?;
                terms.fermion(-t.at(bond / 2)?, &[Ladder::create(j), Ladder::destroy(i)])?;
            }
        }
        Ok(())
    }

    fn name(&self) -> String {
        "Ssh".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for Ssh {
    const NAME: &'static str = "ssh";

    fn write(&self) -> Value {
        json!({
            "boundary": self.boundary.to_string(),
        })
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let key = spec.key("boundary")?;
        let boundary = match key.str()? {
            "open" => Boundary::Open,
            "periodic" => Boundary::Periodic,
            _ => return key.wrong("open or periodic"),
        };
        let (t1, t2) = (spec.key("t1")?.parameter()?, spec.key("t2")?.parameter()?);
        Self::new(hilbert, boundary, t1, t2)?.definition()
    }
}
