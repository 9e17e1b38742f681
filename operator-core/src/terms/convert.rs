//! Converts one family of terms to another.

use ndarray::Array2;
use num_complex::Complex64;

use super::embed::checked_dim;
use super::{
    Collector, FermionString, Ladder, LocalTerm, Pauli, PauliString, ProductTerm, Term, TermKind, Terms,
};
use crate::bits::SparseSet;
use crate::error::{Error, Result};
use crate::hilbert::{HilbertSpace, Qubit};
use crate::rounding::clean;

/// The most Pauli strings in the expansion of one term.
pub(super) const MAX_STRINGS: usize = 1 << 20;

/// The Jordan-Wigner map: rewrites an operator on fermion modes as Pauli strings on the same number of qubits.
///
/// `c_j = Z_0 … Z_{j−1} (X_j + i Y_j)/2`, so a filled mode is a qubit in state 1. The matrix elements do not
/// change. The map drops a constraint of the fermionic space. Parameters stay parameters.
///
/// ```
/// use operator_core::{hilbert::SpinOrbitalFermions, terms::{Ladder, Terms, jordan_wigner}};
/// let mut hop = Terms::new(SpinOrbitalFermions::new(3)?);
/// hop.fermion(1.0, &[Ladder::create(0), Ladder::destroy(2)])?;
/// hop.fermion(1.0, &[Ladder::create(2), Ladder::destroy(0)])?;
/// let strings: Vec<String> = jordan_wigner(&hop)?.iter().map(|term| term.kind().to_string()).collect();
/// assert_eq!(strings, ["Y0 Z1 Y2", "X0 Z1 X2"]);
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::WrongHilbert`] unless all sites are fermion modes; [`Error::TooLarge`] for a term of more than 2^20
/// strings.
///
/// # Source
/// P. Jordan and E. Wigner, Z. Phys. 47, 631 (1928).
pub fn jordan_wigner(terms: &Terms) -> Result<Terms> {
    if !terms.hilbert.is_fermionic() {
        return Err(Error::WrongHilbert {
            term: "the Jordan-Wigner map".into(),
            hilbert: terms.hilbert.to_string(),
            reason: "its sites are not fermion modes",
        });
    }
    let Terms { hilbert, parameters, terms, .. } = terms.to_pauli_strings()?;
    Ok(Terms::from_parts(Qubit::new(hilbert.n_sites())?.into(), parameters, terms))
}

impl Terms {
    /// The same operator on the same space as Pauli strings, with like terms merged. Local matrices expand as
    /// `M = Σ_P tr(P M)/2^k P`, products site by site, fermion strings by the Jordan-Wigner map.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] if a term acts on a site with more than two states; [`Error::TooLarge`] for a
    /// term of more than 2^20 strings.
    pub fn to_pauli_strings(&self) -> Result<Terms> {
        self.converted(|kind, emit| to_paulis(&self.hilbert, kind, emit))
    }

    /// The same operator as local matrices, one for each set of sites and parameter. A fermion string becomes a
    /// matrix on its modes and the modes between them.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the matrix of a term would have more than 1024 rows.
    pub fn to_local(&self) -> Result<Terms> {
        self.converted(|kind, emit| match kind {
            TermKind::Local(_) => emit(Complex64::ONE, kind.clone()),
            TermKind::Product(product) => {
                emit(Complex64::ONE, product_to_local(&self.hilbert, product)?.into())
            }
            TermKind::Pauli(string) => emit(Complex64::ONE, pauli_to_local(&self.hilbert, string)?.into()),
            TermKind::Fermion(string) => fermion_to_paulis(&self.hilbert, string)?
                .iter()
                .try_for_each(|(z, string)| emit(*z, pauli_to_local(&self.hilbert, string)?.into())),
        })
    }

    /// Replaces each term by what `convert` emits, and merges like terms.
    pub(super) fn converted(
        &self,
        convert: impl Fn(&TermKind, &mut dyn FnMut(Complex64, TermKind) -> Result<()>) -> Result<()>,
    ) -> Result<Terms> {
        let mut sum = Collector::new(&self.hilbert);
        for Term { coefficient, kind } in &self.terms {
            convert(kind, &mut |z, kind| sum.push(coefficient.scaled(z), kind))?;
        }
        Ok(Terms::from_parts(self.hilbert.clone(), self.parameters.clone(), sum.finish()?))
    }
}

/// A term as Pauli strings.
pub(super) fn to_paulis(
    hilbert: &HilbertSpace,
    kind: &TermKind,
    emit: &mut dyn FnMut(Complex64, TermKind) -> Result<()>,
) -> Result<()> {
    let strings = match kind {
        TermKind::Pauli(_) => return emit(Complex64::ONE, kind.clone()),
        TermKind::Local(local) => local_to_paulis(hilbert, local)?,
        TermKind::Product(product) => product_to_paulis(hilbert, product)?,
        TermKind::Fermion(string) => fermion_to_paulis(hilbert, string)?,
    };
    strings.into_iter().try_for_each(|(z, string)| emit(z, TermKind::Pauli(string)))
}

/// The matrix of a product on its own sites.
fn product_to_local(hilbert: &HilbertSpace, product: &ProductTerm) -> Result<LocalTerm> {
    let sites: Vec<usize> = product.sites().collect();
    checked_dim(hilbert, &sites)?;
    Ok(LocalTerm::from_parts(sites, product.matrix()))
}

/// The expansion of a product in Pauli strings.
fn product_to_paulis(hilbert: &HilbertSpace, product: &ProductTerm) -> Result<Vec<(Complex64, PauliString)>> {
    check_two_level(hilbert, product.sites(), product)?;
    let factors: Vec<(usize, Vec<_>)> =
        (product.factors().iter()).map(|(site, matrix)| (*site, pauli_expansion(&matrix.dense()))).collect();
    let log2 = factors.iter().map(|(_, paulis)| paulis.len().max(1).ilog2() as usize).sum();
    check_n_strings(log2, product)?;
    let mut strings = vec![(Complex64::ONE, PauliString::default())];
    for (site, paulis) in &factors {
        let times = |(z, string): &(Complex64, PauliString)| {
            let one = |&(w, pauli): &(Complex64, Option<Pauli>)| (z * w, string.clone().with(*site, pauli));
            paulis.iter().map(one).collect::<Vec<_>>()
        };
        strings = strings.iter().flat_map(times).collect();
    }
    Ok(strings)
}

/// Expands a 2 x 2 matrix in 1 and the Pauli matrices, without zero coefficients.
fn pauli_expansion(m: &Array2<Complex64>) -> Vec<(Complex64, Option<Pauli>)> {
    let expansion = [
        ((m[[0, 0]] + m[[1, 1]]) / 2.0, None),
        ((m[[0, 1]] + m[[1, 0]]) / 2.0, Some(Pauli::X)),
        ((m[[0, 1]] - m[[1, 0]]) / 2.0 * Complex64::I, Some(Pauli::Y)),
        ((m[[0, 0]] - m[[1, 1]]) / 2.0, Some(Pauli::Z)),
    ];
    expansion.into_iter().filter(|(factor, _)| *factor != Complex64::ZERO).collect()
}

fn check_two_level(
    hilbert: &HilbertSpace,
    mut sites: impl Iterator<Item = usize>,
    term: &dyn std::fmt::Display,
) -> Result<()> {
    if sites.all(|site| hilbert.local_dim(site) == 2) {
        return Ok(());
    }
    Err(Error::WrongHilbert {
        term: format!("Pauli strings of the {term}"),
        hilbert: hilbert.to_string(),
        reason: "Pauli matrices need two local states a site",
    })
}

/// The matrix of a Pauli string on its own sites.
pub(super) fn pauli_to_local(hilbert: &HilbertSpace, string: &PauliString) -> Result<LocalTerm> {
    let sites: Vec<usize> = string.paulis().iter().map(|&(site, _)| site).collect();
    let dim = checked_dim(hilbert, &sites)?;
    let (flip, sign) = (local_mask(&sites, string.flip()), local_mask(&sites, string.sign()));
    let mut matrix = Array2::zeros((dim, dim));
    for row in 0..dim {
        matrix[[row, row ^ flip]] = parity(row & sign) * string.phase();
    }
    Ok(LocalTerm::from_parts(sites, matrix))
}

/// The sites in a set as bits; the first of `sites` is the most significant bit.
fn local_mask(sites: &[usize], set: &SparseSet) -> usize {
    sites.iter().fold(0, |mask, &site| 2 * mask + usize::from(set.contains(site)))
}

fn parity(bits: usize) -> f64 {
    if bits.count_ones().is_multiple_of(2) { 1.0 } else { -1.0 }
}

/// The expansion of a matrix in Pauli strings.
pub(super) fn local_to_paulis(
    hilbert: &HilbertSpace,
    local: &LocalTerm,
) -> Result<Vec<(Complex64, PauliString)>> {
    let sites = local.sites();
    check_two_level(hilbert, sites.iter().copied(), local)?;
    check_n_strings(2 * sites.len(), local)?;
    let dim = local.matrix().nrows();
    let global = |mask: usize| -> SparseSet {
        let inside = sites.iter().rev().enumerate().filter(|(k, _)| mask >> k & 1 == 1);
        inside.map(|(_, &site)| site).collect()
    };
    let mut strings = Vec::new();
    for flip in 0..dim {
        let mut values: Vec<Complex64> = (0..dim).map(|x| local.matrix()[[x, x ^ flip]]).collect();
        let size: f64 = values.iter().map(|z| z.norm()).sum();
        walsh_hadamard(&mut values);
        for (sign, &value) in values.iter().enumerate() {
            let value = clean(value, size) / dim as f64;
            if value != Complex64::ZERO {
                let string = PauliString::from_sets(global(flip), global(sign));
                strings.push((value * string.phase().conj(), string));
            }
        }
    }
    Ok(strings)
}

/// `v_s ← Σ_x (−1)^|x & s| v_x`, for a length that is a power of two.
fn walsh_hadamard(values: &mut [Complex64]) {
    let mut half = 1;
    while half < values.len() {
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

/// The Jordan-Wigner image of a fermion string.
pub(super) fn fermion_to_paulis(
    hilbert: &HilbertSpace,
    string: &FermionString,
) -> Result<Vec<(Complex64, PauliString)>> {
    let mut modes: Vec<usize> = string.ladders().iter().map(|ladder| ladder.mode).collect();
    modes.sort_unstable();
    modes.dedup();
    check_n_strings(modes.len(), string)?;
    let mut image = vec![(Complex64::ONE, PauliString::default())];
    for &ladder in string.ladders() {
        let mut sum = Collector::new(hilbert);
        for (z, string) in &image {
            for (factor, factor_string) in ladder_to_paulis(hilbert, ladder) {
                let (phase, product) = string.times(&factor_string);
                sum.push((z * factor * phase).into(), TermKind::Pauli(product))?;
            }
        }
        image = sum.finish()?.into_iter().filter_map(pauli_with_factor).collect();
    }
    Ok(image)
}

fn pauli_with_factor(term: Term) -> Option<(Complex64, PauliString)> {
    match term.kind {
        TermKind::Pauli(string) => Some((term.coefficient.factor, string)),
        _ => None,
    }
}

/// `Z … Z (X ± i Y)/2`, with + for c and − for c†. Z acts on the modes below in the same factor of the space.
fn ladder_to_paulis(hilbert: &HilbertSpace, ladder: Ladder) -> [(Complex64, PauliString); 2] {
    let first = hilbert.modes_with(ladder.mode).map_or(0, |modes| modes.start);
    let flip = SparseSet::from(ladder.mode..ladder.mode + 1);
    let below = SparseSet::from(first..ladder.mode);
    let below_and_own = SparseSet::from(first..ladder.mode + 1);
    let i = if ladder.dagger { -0.5 } else { 0.5 };
    [
        (Complex64::new(0.5, 0.0), PauliString::from_sets(flip.clone(), below)),
        (Complex64::new(0.0, i), PauliString::from_sets(flip, below_and_own)),
    ]
}

/// Checks that 2^`log2` strings are within the limit.
pub(crate) fn check_n_strings(log2: usize, term: &dyn std::fmt::Display) -> Result<()> {
    let limit = MAX_STRINGS.ilog2() as usize;
    if log2 <= limit {
        return Ok(());
    }
    Err(Error::TooLarge {
        what: format!("the Pauli strings of {term}, 2^{log2},"),
        bytes: 64.0 * 2f64.powi(log2.min(1000) as i32),
        limit: 64.0 * MAX_STRINGS as f64,
        remedy: "write it as a product or a sum of shorter terms",
    })
}
