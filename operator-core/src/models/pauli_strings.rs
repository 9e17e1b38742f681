//! Weighted sums of Pauli strings.

use num_complex::Complex64;
#[cfg(feature = "serde")]
use serde_json::{Value, json};

use super::Model;
#[cfg(feature = "serde")]
use super::ModelSpec;
use super::openfermion::{self, WeightedPaulis};
use super::weights::{push_weighted, weights_of};
#[cfg(feature = "serde")]
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::hilbert::{HilbertSpace, Qubit};
use crate::memory;
#[cfg(feature = "serde")]
use crate::spec::{Reader, Weights, Written};
use crate::terms::{Pauli, PauliString, Terms};

/// A weighted sum of Pauli strings, `Σ_k w_k P_k`; the leftmost letter of a string is site 0.
///
/// Parameters: `weights`, one real number per string; and `weights_im`, their imaginary parts, where any of
/// them is not zero.
///
/// ```
/// use operator_core::{Model, PauliStrings, hilbert::Qubit};
/// let toric = PauliStrings::new(Qubit::new(4)?, ["XXXX", "ZZII"], [1.0, 0.5])?.definition()?;
/// assert_eq!(toric.max_conn_size(), 2);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PauliStrings {
    hilbert: HilbertSpace,
    strings: Vec<Vec<(usize, Pauli)>>,
    weights: Vec<Complex64>,
}

impl PauliStrings {
    /// Strings of the letters I, X, Y, Z, each as long as the space has sites, with a weight each (real or
    /// complex).
    ///
    /// # Errors
    /// [`Error::Parse`] for another letter or a wrong length; [`Error::Count`] unless there is one weight a
    /// string; [`Error::WrongHilbert`] off spins 1/2 and qubits.
    pub fn new<S, W>(
        hilbert: impl Into<HilbertSpace>,
        strings: impl IntoIterator<Item = S>,
        weights: impl IntoIterator<Item = W>,
    ) -> Result<Self>
    where
        S: AsRef<str>,
        W: Into<Complex64>,
    {
        let hilbert = hilbert.into();
        let strings = strings
            .into_iter()
            .map(|string| parse(string.as_ref(), hilbert.n_sites()))
            .collect::<Result<Vec<_>>>()?;
        Self::from_factors(hilbert, strings, weights)
    }

    /// Strings with their weights as pairs, such as the entries of a map.
    ///
    /// ```
    /// use operator_core::{PauliStrings, hilbert::Qubit};
    /// let toric = PauliStrings::from_pairs(Qubit::new(4)?, [("XXXX", 1.0), ("ZZII", 0.5)])?;
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parse`] as [`new`](Self::new).
    pub fn from_pairs<S, W>(
        hilbert: impl Into<HilbertSpace>,
        pairs: impl IntoIterator<Item = (S, W)>,
    ) -> Result<Self>
    where
        S: AsRef<str>,
        W: Into<Complex64>,
    {
        let (strings, weights): (Vec<S>, Vec<W>) = pairs.into_iter().unzip();
        Self::new(hilbert, strings, weights)
    }

    /// The text of an OpenFermion `QubitOperator`, on `n_qubits` qubits, or on as many as it names (at
    /// least 1). A string may name a qubit more than once; its matrices are multiplied.
    ///
    /// ```
    /// use operator_core::{Model, PauliStrings};
    /// let text = "0.5 [X0 Y1] +\n(0.3+0.1j) [Z3] +\n1.0 []";
    /// let operator = PauliStrings::from_openfermion(text, None)?.definition()?;
    /// assert_eq!((operator.hilbert().n_sites(), operator.terms().len()), (4, 6));
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parse`] for text of another form or another operator, [`Error::SiteOutOfRange`] for a qubit
    /// beyond `n_qubits`, [`Error::TooLarge`] if the strings would not fit into memory.
    pub fn from_openfermion(text: &str, n_qubits: Option<usize>) -> Result<Self> {
        let strings = openfermion::qubit_operator(text)?;
        let highest = strings.iter().flat_map(|(string, _)| string).map(|&(site, _)| site).max();
        let n_qubits = n_qubits.unwrap_or(highest.map_or(1, |site| site.saturating_add(1)));
        check_strings(strings.len(), n_qubits)?;
        Self::checked(Qubit::new(n_qubits)?.into(), strings)
    }

    /// The text of an OpenFermion `QubitOperator` on any two-level sites.
    ///
    /// # Errors
    /// As [`from_openfermion`](Self::from_openfermion), and [`Error::WrongHilbert`] for a site with more than two
    /// states.
    pub fn from_openfermion_on(hilbert: impl Into<HilbertSpace>, text: &str) -> Result<Self> {
        Self::checked(hilbert.into(), openfermion::qubit_operator(text)?)
    }

    fn checked(hilbert: HilbertSpace, strings: Vec<WeightedPaulis>) -> Result<Self> {
        for (string, _) in &strings {
            Terms::new(hilbert.clone()).pauli(1.0, string)?;
        }
        let (strings, weights): (Vec<_>, Vec<_>) = strings.into_iter().unzip();
        Self::from_factors(hilbert, strings, weights)
    }

    /// Strings as lists of (site, matrix), for sparse strings on many sites.
    ///
    /// # Errors
    /// [`Error::Count`] unless there is one weight per string; [`Error::SiteOutOfRange`],
    /// [`Error::RepeatedSite`]; [`Error::WrongHilbert`] off spins 1/2 and qubits.
    pub fn from_factors<W: Into<Complex64>>(
        hilbert: impl Into<HilbertSpace>,
        strings: impl IntoIterator<Item = Vec<(usize, Pauli)>>,
        weights: impl IntoIterator<Item = W>,
    ) -> Result<Self> {
        let (hilbert, strings) = (hilbert.into(), strings.into_iter().collect::<Vec<_>>());
        strings.iter().try_for_each(|string| PauliString::new(&hilbert, string).map(|_| ()))?;
        let weights = weights_of(weights, strings.len())?;
        Ok(PauliStrings { hilbert, strings, weights })
    }
}

impl Model for PauliStrings {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        push_weighted(terms, &self.weights, |terms, k, coefficient| {
            terms.pauli(coefficient, &self.strings[k]).map(|_| ())
        })
    }

    fn is_list_of_terms(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        "PauliStrings".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for PauliStrings {
    const NAME: &'static str = "pauli_strings";

    fn write(&self) -> Value {
        let n_sites = self.hilbert.n_sites();
        let strings: Vec<String> = self.strings.iter().map(|string| letters(string, n_sites)).collect();
        json!({
            "strings": strings,
        })
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let strings = spec.key("strings")?.items()?.map(|item| item.str()).collect::<Result<Vec<_>>>()?;
        let weights = Weights::read(spec, strings.len())?;
        weights.definition(|values| Self::new(hilbert, &strings, values)?.definition())
    }
}

/// Checks that strings fit into memory: two bits a site in the terms, more in the kernel, and a letter in the spec.
fn check_strings(n_strings: usize, n_sites: usize) -> Result<()> {
    const BYTES_PER_SITE: f64 = 5.0;
    let what = || format!("{n_strings} Pauli strings on {n_sites} qubits");
    let bytes = BYTES_PER_SITE * n_strings as f64 * n_sites as f64;
    memory::expect_fits(what, bytes, "number the qubits without gaps")
}

fn parse(text: &str, n_sites: usize) -> Result<Vec<(usize, Pauli)>> {
    let fail = |reason: String| Error::Parse { text: text.to_owned(), reason };
    if text.chars().count() != n_sites {
        return Err(fail(format!("it has {} letters; the space has {n_sites} sites", text.chars().count())));
    }
    let letter = |(site, letter): (usize, char)| match letter {
        'I' => Ok(None),
        'X' => Ok(Some((site, Pauli::X))),
        'Y' => Ok(Some((site, Pauli::Y))),
        'Z' => Ok(Some((site, Pauli::Z))),
        other => Err(fail(format!("letter {other:?} at site {site}; expected I, X, Y or Z"))),
    };
    text.chars().enumerate().filter_map(|pair| letter(pair).transpose()).collect()
}

#[cfg(feature = "serde")]
fn letters(string: &[(usize, Pauli)], n_sites: usize) -> String {
    let mut letters = "I".repeat(n_sites).into_bytes();
    for &(site, pauli) in string {
        letters[site] = match pauli {
            Pauli::X => b'X',
            Pauli::Y => b'Y',
            Pauli::Z => b'Z',
        };
    }
    String::from_utf8(letters).expect("letters are ASCII")
}
