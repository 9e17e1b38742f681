//! Checks whether configurations are states of a space.

use ndarray::ArrayView2;

use super::block::{Block, LocalStates};
use super::space::HilbertSpace;
use crate::error::{Error, Result};
use crate::host_rows::HostRows;

impl HilbertSpace {
    /// Checks that every row of a batch is a state of the space.
    ///
    /// # Errors
    /// [`Error::SampleWidth`], [`Error::NotALocalState`] or [`Error::OutsideConstraint`], for the first invalid
    /// sample.
    pub fn check(&self, x: ArrayView2<'_, i8>) -> Result<()> {
        self.check_width(x.ncols())?;
        let mut buffer = vec![0; x.ncols()];
        for (sample, row) in x.rows().into_iter().enumerate() {
            self.check_states(sample, contiguous(&row, &mut buffer))?;
        }
        Ok(())
    }

    /// Checks a batch like [`check`](Self::check), and returns its rows as one slice.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    #[doc(hidden)]
    pub fn check_rows<'a>(&self, x: ArrayView2<'a, i8>) -> Result<HostRows<'a>> {
        self.check(x)?;
        Ok(HostRows::of_states(x))
    }

    /// Checks that another space equals this one.
    ///
    /// ```
    /// use operator_core::{HilbertSpace, hilbert::Spin};
    ///
    /// let (three, four) = (HilbertSpace::from(Spin::half(3)?), HilbertSpace::from(Spin::half(4)?));
    /// assert!(three.expect_same(&three.clone()).is_ok());
    /// assert!(three.expect_same(&four).is_err());
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`], with both spaces.
    pub fn expect_same(&self, other: &HilbertSpace) -> Result<()> {
        if self == other {
            Ok(())
        } else {
            Err(Error::HilbertMismatch { left: self.to_string(), right: other.to_string() })
        }
    }

    /// Checks one configuration, which errors call sample number `sample`.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    pub fn check_row(&self, sample: usize, x: &[i8]) -> Result<()> {
        self.check_width(x.len())?;
        self.check_states(sample, x)
    }

    pub(super) fn check_width(&self, got: usize) -> Result<()> {
        let expected = self.n_sites();
        if got == expected {
            return Ok(());
        }
        Err(Error::SampleWidth { got, expected, hilbert: self.to_string() })
    }

    fn check_states(&self, sample: usize, x: &[i8]) -> Result<()> {
        for block in self.blocks() {
            let (local, row) = (block.local, block.of(x));
            if !all_local(local, row) {
                return Err(self.not_a_local_state(sample, block, row));
            }
            let Some(total) = block.total else { continue };
            // Σ q = n · first + step · Σ index.
            let sum = sum_of(row);
            let offset = row.len() as i64 * i64::from(local.first);
            if sum != offset + i64::from(local.step) * total as i64 {
                let found = (sum - offset) / i64::from(local.step);
                return Err(Error::OutsideConstraint {
                    sample,
                    hilbert: self.to_string(),
                    found: self.conserved(block, found),
                    expected: self.conserved(block, total as i64),
                });
            }
        }
        Ok(())
    }

    fn not_a_local_state(&self, sample: usize, block: &Block, row: &[i8]) -> Error {
        let bad = row.iter().position(|&q| block.local.index(q).is_none());
        let site = bad.expect("a quantum number of this row is not a local state");
        Error::NotALocalState {
            sample,
            site: block.start + site,
            value: i64::from(row[site]),
            hilbert: self.to_string(),
            allowed: block.local.describe(),
        }
    }

    /// A conserved sum of local indices, expressed as the quantity that users fixed.
    fn conserved(&self, block: &Block, sum: i64) -> String {
        let (first, last) = (block.start, block.start + block.n_sites - 1);
        let quantity = match self.factor_of(first).map_or(self, |(factor, _)| factor) {
            HilbertSpace::Spin(spin) => {
                format!("total_sz = {}", block.n_sites as f64 * spin.s() - sum as f64)
            }
            HilbertSpace::SpinOrbitalFermions(space) if space.n_fermions_per_spin().is_some() => {
                return format!("{sum} fermions in modes {first} to {last}");
            }
            HilbertSpace::SpinOrbitalFermions(_) => format!("{sum} fermions"),
            _ => format!("{sum} particles"),
        };
        match self.factors() {
            [_] => quantity,
            _ => format!("{quantity} on sites {first} to {last}"),
        }
    }
}

/// Whether all quantum numbers are local states. For two or equally spaced states this is one pass, which the
/// compiler vectorises.
#[inline]
fn all_local(local: LocalStates, row: &[i8]) -> bool {
    let (first, last) = (local.value(0), local.value(local.len - 1));
    let (low, high) = (first.min(last), first.max(last));
    // Steps are 1 or 2, so beyond the range only the parity matters.
    let parity = if local.step.unsigned_abs() == 2 { 1 } else { 0 };
    !row.iter().fold(false, |bad, &q| bad | (q < low) | (q > high) | ((q ^ first) & parity != 0))
}

/// The sum of quantum numbers, in 16-bit partial sums so that many are added at once.
#[inline]
fn sum_of(row: &[i8]) -> i64 {
    row.chunks(128).map(|part| i64::from(part.iter().map(|&q| i16::from(q)).sum::<i16>())).sum()
}

/// A row as a slice; copied into `buffer` if it is not contiguous.
pub(super) fn contiguous<'a>(row: &'a ndarray::ArrayView1<'_, i8>, buffer: &'a mut [i8]) -> &'a [i8] {
    match row.as_slice() {
        Some(slice) => slice,
        None => {
            buffer.iter_mut().zip(row).for_each(|(to, &from)| *to = from);
            buffer
        }
    }
}
