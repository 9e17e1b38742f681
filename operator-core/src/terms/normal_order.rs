//! Normal order of fermion strings.

use num_complex::Complex64;

use super::{FermionString, Ladder, TermKind, Terms};
use crate::error::Result;
use crate::hilbert::HilbertSpace;

impl Terms {
    /// The same operator with its fermion strings in normal order and like terms merged.
    ///
    /// Creation operators stand left of annihilation operators, each kind with the highest mode first, as in
    /// OpenFermion. Signs and contractions follow from `c_i c†_j = δ_ij − c†_j c_i`. Modes of different factors
    /// of a tensor product commute and give no sign. Normal-ordered strings are linearly independent, so two
    /// operators made of fermion strings are equal if and only if their normal-ordered forms are. Other
    /// families of terms are only merged.
    ///
    /// ```
    /// use operator_core::{hilbert::SpinOrbitalFermions, terms::{Ladder, Terms}};
    /// let mut terms = Terms::new(SpinOrbitalFermions::new(2)?);
    /// terms.fermion(1.0, &[Ladder::destroy(1), Ladder::create(1)])?;
    /// let ordered = terms.normal_ordered()?;
    /// let terms: Vec<String> =
    ///     ordered.iter().map(|term| format!("{} {}", term.coefficient().factor().re, term.kind())).collect();
    /// assert_eq!(terms, ["-1 1^ 1", "1 I"]);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) if a sum overflows an f64.
    pub fn normal_ordered(&self) -> Result<Terms> {
        self.converted(|kind, emit| match kind {
            TermKind::Fermion(string) => ordered(&self.hilbert, string, emit),
            _ => emit(Complex64::ONE, kind.clone()),
        })
    }
}

/// Emits the normal-ordered strings of a string, each with its sign.
fn ordered(
    hilbert: &HilbertSpace,
    string: &FermionString,
    emit: &mut dyn FnMut(Complex64, TermKind) -> Result<()>,
) -> Result<()> {
    let mut open = vec![(1.0, string.ladders().to_vec())];
    while let Some((sign, ladders)) = open.pop() {
        if let Some((sign, ladders)) = sort(hilbert, sign, ladders, &mut open) {
            let string = TermKind::Fermion(FermionString::from_ladders(ladders));
            emit(Complex64::new(sign, 0.0), string)?;
        }
    }
    Ok(())
}

/// Sorts a string by swapping neighbours and leaves the contractions in `open`. `None` if it vanishes.
fn sort(
    hilbert: &HilbertSpace,
    mut sign: f64,
    mut ladders: Vec<Ladder>,
    open: &mut Vec<(f64, Vec<Ladder>)>,
) -> Option<(f64, Vec<Ladder>)> {
    for sorted in 1..ladders.len() {
        for k in (1..=sorted).rev() {
            let (left, right) = (ladders[k - 1], ladders[k]);
            if left == right {
                return None;
            }
            // Creation before annihilation, then the highest mode first.
            if (left.dagger, left.mode) > (right.dagger, right.mode) {
                break;
            }
            if left.mode == right.mode {
                let rest = [&ladders[..k - 1], &ladders[k + 1..]].concat();
                open.push((sign, rest));
            }
            ladders.swap(k - 1, k);
            if hilbert.modes_with(left.mode) == hilbert.modes_with(right.mode) {
                sign = -sign;
            }
        }
    }
    Some((sign, ladders))
}
