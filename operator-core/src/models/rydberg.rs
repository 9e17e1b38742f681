//! Arrays of Rydberg atoms.

use std::collections::HashMap;

#[cfg(feature = "serde")]
use serde_json::{Value, json};

use super::Model;
#[cfg(feature = "serde")]
use super::ModelSpec;
use super::checks::check_two_level;
#[cfg(feature = "serde")]
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::memory;
use crate::parameters::ParameterValue;
#[cfg(feature = "serde")]
use crate::spec::{Reader, Written};
use crate::terms::{LocalMatrix, Pauli, Terms, real_matrix};

/// Neutral atoms driven between their ground and a Rydberg state,
/// `H = Ω/2 Σ_i σx_i − δ Σ_i n_i + Σ_{i<j} C6 / |r_i − r_j|⁶ n_i n_j`.
///
/// n is 1 on an excited atom and 0 on one in its ground state. A qubit is excited in the state 1, a spin 1/2
/// in the state up (+1), so n = (1 + σz) / 2 there.
///
/// Parameters: `Omega` and `delta`, each one number or one an atom, and `C6`, one number or one a pair, in the
/// order of [`pairs`](Self::pairs). Positions are fixed. Energies are in the unit of Ω and δ, lengths in that of the positions, and C6 is in energy times
/// length⁶.
///
/// ```
/// use operator_core::{Model, Rydberg, graph::Lattice, hilbert::Qubit};
/// let positions = Lattice::square([3, 3]).positions()?;
/// let atoms = Rydberg::new(Qubit::new(9)?, positions, 1.0, 0.5, 10.0)?.with_cutoff(1.5)?;
/// assert_eq!(atoms.pairs()?.len(), 12 + 8);
/// assert_eq!(atoms.definition()?.max_conn_size(), 1 + 9);
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// # Source
/// H. Bernien et al., Probing many-body dynamics on a 51-atom quantum simulator, Nature 551, 579 (2017),
/// eq. (1).
#[derive(Clone, Debug, PartialEq)]
pub struct Rydberg {
    hilbert: HilbertSpace,
    positions: Vec<Vec<f64>>,
    cutoff: Option<f64>,
    omega: ParameterValue,
    delta: ParameterValue,
    c6: ParameterValue,
}

impl Rydberg {
    /// Atoms at cartesian `positions` in any dimension, with Rabi frequency `omega` (Ω), detuning `delta` (δ)
    /// and van der Waals coefficient `c6`. All pairs interact.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the sites are spins 1/2 or qubits;
    /// [`Error::Count`] unless there is one position per site;
    /// [`Error::Lattice`] for positions that are not finite, differ in dimension or coincide.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        positions: impl IntoIterator<Item = impl Into<Vec<f64>>>,
        omega: impl Into<ParameterValue>,
        delta: impl Into<ParameterValue>,
        c6: impl Into<ParameterValue>,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        check_two_level(&hilbert, "Rydberg")?;
        let positions: Vec<Vec<f64>> = positions.into_iter().map(Into::into).collect();
        if positions.len() != hilbert.n_sites() {
            return Err(Error::Count {
                what: "positions".into(),
                got: positions.len(),
                expected: format!("{} as {hilbert} has sites", hilbert.n_sites()),
            });
        }
        check_positions(&positions)?;
        Ok(Rydberg {
            hilbert,
            positions,
            cutoff: None,
            omega: omega.into(),
            delta: delta.into(),
            c6: c6.into(),
        })
    }

    /// Leaves out pairs farther apart than `cutoff`.
    ///
    /// # Errors
    /// [`Error::Lattice`] unless it is positive.
    pub fn with_cutoff(mut self, cutoff: f64) -> Result<Self> {
        if cutoff.is_nan() || cutoff <= 0.0 {
            return Err(Error::Lattice(format!("cutoff {cutoff}; give a positive length")));
        }
        self.cutoff = Some(cutoff);
        Ok(self)
    }

    /// The pairs of atoms that interact, with their distances, in the order of their sites.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the pairs and their terms do not fit into memory.
    pub fn pairs(&self) -> Result<Vec<([usize; 2], f64)>> {
        let n = self.positions.len();
        let Some(cutoff) = self.cutoff else {
            check_pairs(n as f64 * n.saturating_sub(1) as f64 / 2.0)?;
            let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| [i, j]));
            return Ok(pairs.map(|pair| (pair, self.distance(pair))).collect());
        };
        // Along the first axis only a few atoms are as near as the cutoff.
        let along = |site: usize| self.positions[site].first().copied().unwrap_or(0.0);
        let mut sorted: Vec<usize> = (0..n).collect();
        sorted.sort_by(|&i, &j| along(i).total_cmp(&along(j)));
        let mut pairs = Vec::new();
        for (k, &i) in sorted.iter().enumerate() {
            let reached = sorted[k + 1..].iter().take_while(|&&j| along(j) - along(i) <= cutoff);
            let reached = reached.map(|&j| [i.min(j), i.max(j)]).map(|pair| (pair, self.distance(pair)));
            pairs.extend(reached.filter(|&(_, r)| r <= cutoff));
            check_pairs(pairs.len() as f64)?;
        }
        pairs.sort_unstable_by_key(|&(pair, _)| pair);
        Ok(pairs)
    }

    fn distance(&self, [i, j]: [usize; 2]) -> f64 {
        let axes = self.positions[i].iter().zip(&self.positions[j]);
        axes.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    /// 1 at the local index of the excited state, 0 at that of the ground state.
    fn excited(&self) -> [f64; 2] {
        if matches!(self.hilbert, HilbertSpace::Spin(_)) { [1.0, 0.0] } else { [0.0, 1.0] }
    }
}

/// Checks the memory that pairs take, here, as terms and as elements.
fn check_pairs(n_pairs: f64) -> Result<()> {
    const BYTES_PER_PAIR: f64 = 256.0;
    let what = || format!("{n_pairs} pairs of atoms");
    memory::expect_fits(what, n_pairs * BYTES_PER_PAIR, "leave out distant pairs with Rydberg::with_cutoff")
}

fn check_positions(positions: &[Vec<f64>]) -> Result<()> {
    let d = positions.first().map_or(0, Vec::len);
    let mut taken = HashMap::with_capacity(positions.len());
    for (site, position) in positions.iter().enumerate() {
        if position.len() != d {
            let got = position.len();
            return Err(Error::Lattice(format!("position {site} has {got} components; position 0 has {d}")));
        }
        if let Some(x) = position.iter().find(|x| !x.is_finite()) {
            return Err(Error::Lattice(format!(
                "position {site} has the component {x}; components must be finite"
            )));
        }
        // Adding 0 makes a negative zero positive.
        let place: Vec<u64> = position.iter().map(|x| (x + 0.0).to_bits()).collect();
        if let Some(other) = taken.insert(place, site) {
            return Err(Error::Lattice(format!(
                "atoms {other} and {site} are both at {position:?}; give each atom a place of its own"
            )));
        }
    }
    Ok(())
}

impl Model for Rydberg {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        let n_sites = self.positions.len();
        let pairs = self.pairs()?;
        let omega = terms.item_parameter("Omega", self.omega.clone(), "atom", n_sites)?;
        let delta = terms.item_parameter("delta", self.delta.clone(), "atom", n_sites)?;
        let c6 = terms.item_parameter("C6", self.c6.clone(), "pair of atoms", pairs.len())?;
        let [a, b] = self.excited();
        let number: LocalMatrix = real_matrix([[a, 0.0], [0.0, b]]).into();
        let both: LocalMatrix = ndarray::linalg::kron(&*number, &*number).into();
        for site in 0..n_sites {
            terms.pauli(0.5 * omega.at(site)?, &[(site, Pauli::X)])?;
            terms.local(-delta.at(site)?, &[site], number.clone())?;
        }
        for (k, (pair, r)) in pairs.into_iter().enumerate() {
            terms.local(r.powi(-6) * c6.at(k)?, &pair, both.clone())?;
        }
        Ok(())
    }

    fn name(&self) -> String {
        "Rydberg".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for Rydberg {
    const NAME: &'static str = "rydberg";

    fn write(&self) -> Value {
        json!({
            "positions": self.positions,
            "cutoff": self.cutoff,
        })
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let positions =
            spec.key("positions")?.items()?.map(|item| item.numbers()).collect::<Result<Vec<_>>>()?;
        let (omega, delta) = (spec.key("Omega")?.parameter()?, spec.key("delta")?.parameter()?);
        let model = Self::new(hilbert, positions, omega, delta, spec.key("C6")?.parameter()?)?;
        match spec.optional("cutoff")? {
            Some(cutoff) => model.with_cutoff(cutoff.number()?)?.definition(),
            None => model.definition(),
        }
    }
}
