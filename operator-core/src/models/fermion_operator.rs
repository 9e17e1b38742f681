//! Weighted sums of fermion strings.

use num_complex::Complex64;
#[cfg(feature = "serde")]
use serde_json::{Value, json};

use super::Model;
#[cfg(feature = "serde")]
use super::ModelSpec;
use super::openfermion;
use super::weights::{push_weighted, weights_of};
#[cfg(feature = "serde")]
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::hilbert::{HilbertSpace, SpinOrbitalFermions};
use crate::memory;
#[cfg(feature = "serde")]
use crate::spec::{Reader, Weights, Written};
use crate::terms::{FermionString, Ladder, Terms};

/// A weighted sum of strings of creation and annihilation operators, `Σ_k w_k c†_a c†_b … c_c c_d`.
///
/// A string is written as OpenFermion does: its modes from left to right, `^` after those that are created.
/// `0^ 3^ 2 1` is `c†_0 c†_3 c_2 c_1`, which acts right to left; the empty string, or `I`, is the identity.
/// Strings need not be in normal order, and one that is listed twice counts twice.
///
/// Parameters: `weights`, one real number per string; and `weights_im`, their imaginary parts, where any of
/// them is not zero.
///
/// ```
/// use operator_core::{FermionOperator2nd, Model, hilbert::SpinOrbitalFermions};
/// let space = SpinOrbitalFermions::new(4)?.with_n_fermions(2)?;
/// let pairs = FermionOperator2nd::new(space, ["0^ 1^ 3 2", "2^ 3^ 1 0", "0^ 0"], [0.5, 0.5, 1.0])?;
/// assert!(pairs.definition()?.is_hermitian());
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FermionOperator2nd {
    hilbert: HilbertSpace,
    strings: Vec<FermionString>,
    weights: Vec<Complex64>,
}

impl FermionOperator2nd {
    /// Strings such as `0^ 3^ 2 1`, with a weight each (real or complex).
    ///
    /// # Errors
    /// [`Error::Parse`] for text that is no such string; [`Error::Count`] unless there is one weight a
    /// string;
    /// [`Error::WrongHilbert`] unless the sites are fermions; [`Error::SiteOutOfRange`] for a mode beyond the last.
    pub fn new<S, W>(
        hilbert: impl Into<HilbertSpace>,
        strings: impl IntoIterator<Item = S>,
        weights: impl IntoIterator<Item = W>,
    ) -> Result<Self>
    where
        S: AsRef<str>,
        W: Into<Complex64>,
    {
        let strings = strings.into_iter().map(|string| parse(string.as_ref())).collect::<Result<Vec<_>>>()?;
        Self::from_ladders(hilbert, strings, weights)
    }

    /// Strings as lists of [`Ladder`]s.
    ///
    /// ```
    /// use operator_core::{FermionOperator2nd, Model, hilbert::SpinOrbitalFermions, terms::Ladder};
    /// let hop = [[Ladder::create(0), Ladder::destroy(1)], [Ladder::create(1), Ladder::destroy(0)]];
    /// let hop = FermionOperator2nd::from_ladders(SpinOrbitalFermions::new(2)?, hop, [1.0, 1.0])?;
    /// assert_eq!(hop.definition()?.max_conn_size(), 1);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Count`] unless there is one weight per string;
    /// [`Error::WrongHilbert`] unless the sites are fermions;
    /// [`Error::SiteOutOfRange`] for a mode beyond the last.
    pub fn from_ladders<S, W>(
        hilbert: impl Into<HilbertSpace>,
        strings: impl IntoIterator<Item = S>,
        weights: impl IntoIterator<Item = W>,
    ) -> Result<Self>
    where
        S: IntoIterator<Item = Ladder>,
        W: Into<Complex64>,
    {
        let hilbert = hilbert.into();
        let string = |string: S| {
            let ladders: Vec<Ladder> = string.into_iter().collect();
            FermionString::new(&hilbert, &ladders)
        };
        let strings = strings.into_iter().map(string).collect::<Result<Vec<_>>>()?;
        let weights = weights_of(weights, strings.len())?;
        Ok(FermionOperator2nd { hilbert, strings, weights })
    }

    /// The text of an OpenFermion `FermionOperator`, on spinless fermions with `n_modes` modes, or with as many as
    /// it names (at least 1).
    ///
    /// The text of a `BosonOperator` looks the same; it is read as fermions.
    ///
    /// ```
    /// use operator_core::{FermionOperator2nd, Model};
    /// let hop = FermionOperator2nd::from_openfermion("1.0 [0^ 1] +\n(0.5+0.5j) [1^ 0]", None)?;
    /// assert_eq!(hop.definition()?.hilbert().n_sites(), 2);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parse`] for text of another form or another operator, [`Error::SiteOutOfRange`] for a mode beyond
    /// `n_modes`, [`Error::InvalidHilbert`] for more modes than can be numbered, [`Error::TooLarge`] for more than fit
    /// into memory.
    pub fn from_openfermion(text: &str, n_modes: Option<usize>) -> Result<Self> {
        let strings = openfermion::fermion_operator(text)?;
        let highest = strings.iter().flat_map(|(string, _)| string).map(|ladder| ladder.mode).max();
        let n_modes = n_modes.unwrap_or(highest.map_or(1, |mode| mode.saturating_add(1)));
        let hilbert = SpinOrbitalFermions::new(n_modes)?;
        // The kernel keeps some bits for each mode and string.
        let bytes = 5.0 * strings.len() as f64 * n_modes as f64;
        let what = || format!("{} fermion strings on {n_modes} modes", strings.len());
        memory::expect_fits(what, bytes, "number the modes without gaps")?;
        let (strings, weights): (Vec<_>, Vec<_>) = strings.into_iter().unzip();
        Self::from_ladders(hilbert, strings, weights)
    }

    /// The text of an OpenFermion `FermionOperator` on any fermion modes. Those of a space with spin are all down
    /// modes, then all up modes; OpenFermion's own models have them in turn.
    ///
    /// # Errors
    /// As [`from_openfermion`](Self::from_openfermion), and [`Error::WrongHilbert`] unless the sites are fermions.
    pub fn from_openfermion_on(hilbert: impl Into<HilbertSpace>, text: &str) -> Result<Self> {
        let (strings, weights): (Vec<_>, Vec<_>) = openfermion::fermion_operator(text)?.into_iter().unzip();
        Self::from_ladders(hilbert, strings, weights)
    }

    /// Adds a multiple of the identity, as one more string.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the sites are fermions.
    pub fn with_constant(mut self, constant: impl Into<Complex64>) -> Result<Self> {
        self.strings.push(FermionString::new(&self.hilbert, &[])?);
        self.weights.push(constant.into());
        Ok(self)
    }
}

impl Model for FermionOperator2nd {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        push_weighted(terms, &self.weights, |terms, k, coefficient| {
            terms.fermion(coefficient, self.strings[k].ladders()).map(|_| ())
        })
    }

    fn is_list_of_terms(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        "FermionOperator2nd".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for FermionOperator2nd {
    const NAME: &'static str = "fermion_operator_2nd";

    fn write(&self) -> Value {
        let strings: Vec<String> = self.strings.iter().map(ToString::to_string).collect();
        json!({
            "terms": strings,
        })
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let mut strings = spec.key("terms")?.items()?.map(|item| item.str()).collect::<Result<Vec<_>>>()?;
        let mut weights = Weights::read(spec, strings.len())?;
        if let Some(constant) = spec.optional("constant")? {
            strings.push("I");
            weights.push(constant.complex()?);
        }
        weights.definition(|values| Self::new(hilbert, &strings, values)?.definition())
    }
}

fn parse(text: &str) -> Result<Vec<Ladder>> {
    if text.trim() == "I" {
        return Ok(Vec::new());
    }
    let ladder = |factor: &str| {
        let (mode, dagger) = match factor.strip_suffix('^') {
            Some(mode) => (mode, true),
            None => (factor, false),
        };
        match mode.parse() {
            // `parse` takes a leading `+` as well.
            Ok(mode) if factor.starts_with(|first: char| first.is_ascii_digit()) => {
                Ok(Ladder { mode, dagger })
            }
            _ => Err(Error::Parse {
                text: text.to_owned(),
                reason: format!("factor {factor:?}; expected a mode such as 3, or 3^ where it is created"),
            }),
        }
    };
    text.split_whitespace().map(ladder).collect()
}
