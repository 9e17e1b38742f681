//! Writes files.

use std::collections::HashSet;
use std::fmt;

use num_complex::Complex64;

use super::Fcidump;
use super::layout::{Layout, Numbering};
use crate::models::integrals::{IntegralSymmetry, OrbitalKind, Place, images, one_body_place};

/// The text of the file. [`Fcidump::parse`] reads it back to the bit.
///
/// Of real orbitals, one order of each integral is listed; of others, all are, so that every reader sees which
/// are 0.
impl fmt::Display for Fcidump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layout = self.layout();
        self.write_header(f, layout)?;
        let numbering = Numbering::new(layout, self.n_orbitals);
        let (one, two) = (Orders::one_body(self), Orders::two_body(self, numbering));
        let is_up = |mode: usize| mode >= self.n_orbitals;
        match layout {
            Layout::Blocks => {
                for spins in [[true, true], [false, false], [true, false]] {
                    let part = two.iter().filter(|([p, _, r, _], _)| [is_up(*p), is_up(*r)] == spins);
                    part.clone().try_for_each(|integral| write_integral(f, numbering, 4, integral))?;
                    write_line(f, Complex64::ZERO, [0; 4])?;
                }
                for spin in [true, false] {
                    let part = one.iter().filter(|([p, ..], _)| is_up(*p) == spin);
                    part.clone().try_for_each(|integral| write_integral(f, numbering, 2, integral))?;
                    write_line(f, Complex64::ZERO, [0; 4])?;
                }
            }
            Layout::Spatial | Layout::Spinors | Layout::Alternating => {
                two.iter().try_for_each(|integral| write_integral(f, numbering, 4, integral))?;
                one.iter().try_for_each(|integral| write_integral(f, numbering, 2, integral))?;
            }
        }
        write_line(f, self.integrals.core().into(), [0; 4])
    }
}

impl Fcidump {
    fn layout(&self) -> Layout {
        match (self.integrals.orbitals(), self.has_spin) {
            (OrbitalKind::Spatial, _) => Layout::Spatial,
            (OrbitalKind::Spin, true) => Layout::Blocks,
            (OrbitalKind::Spin, false) => Layout::Spinors,
        }
    }

    fn write_header(&self, f: &mut fmt::Formatter<'_>, layout: Layout) -> fmt::Result {
        /// More orbitals than this are written as a repeated value, which not every program reads.
        const LISTED: usize = 100_000;
        let n = self.n_orbitals;
        write!(f, " &FCI NORB={n},")?;
        if let Some(n_electrons) = self.n_electrons {
            write!(f, "NELEC={n_electrons},")?;
        }
        if let Some(ms2) = self.ms2 {
            write!(f, "MS2={ms2},")?;
        }
        f.write_str("\n  ORBSYM=")?;
        if n > LISTED {
            write!(f, "{n}*1,")?;
        } else {
            (0..n).try_for_each(|_| f.write_str("1,"))?;
        }
        f.write_str("\n  ISYM=1,\n")?;
        match layout {
            Layout::Blocks => f.write_str("  IUHF=1,\n")?,
            Layout::Spinors => f.write_str("  TREL=.TRUE.,\n")?,
            Layout::Spatial | Layout::Alternating => {}
        }
        f.write_str(" &END\n")
    }
}

/// The integrals in the orders in which they are listed.
struct Orders;

impl Orders {
    fn one_body(dump: &Fcidump) -> Vec<([usize; 4], Complex64)> {
        let integrals =
            dump.integrals.one_body().map(|([p, q], value)| (one_body_place([p, q]).orbitals(), value));
        Self::of(dump.integrals.symmetry(), integrals, |_| false)
    }

    fn two_body(dump: &Fcidump, numbering: Numbering) -> Vec<([usize; 4], Complex64)> {
        Self::of(dump.integrals.symmetry(), dump.integrals.two_body(), |orbitals| {
            Place::of(orbitals).is_changed_by_exchange() && numbering.lists_exchanged(orbitals)
        })
    }

    fn of(
        symmetry: IntegralSymmetry,
        integrals: impl Iterator<Item = ([usize; 4], Complex64)>,
        has_exchanged: impl Fn([usize; 4]) -> bool,
    ) -> Vec<([usize; 4], Complex64)> {
        if symmetry == IntegralSymmetry::Real {
            return integrals.collect();
        }
        let mut all: Vec<([usize; 4], Complex64)> = Vec::new();
        let mut push = |orbitals: [usize; 4], value: Complex64| {
            let [p, q, r, s] = orbitals;
            all.push((orbitals, value));
            if has_exchanged(orbitals) {
                all.push(([r, s, p, q], value));
            }
        };
        let integrals: Vec<_> = integrals.collect();
        for &(orbitals, value) in &integrals {
            for (order, conjugated) in images(symmetry, orbitals) {
                push(order, if conjugated { value.conj() } else { value });
            }
        }
        if symmetry == IntegralSymmetry::Exchange {
            // A conjugate that is missing is 0. Files that do not say so are taken for Hermitian ones.
            let place = |orbitals: [usize; 4]| Place::of(orbitals).without_exchange();
            let known: HashSet<Place> = integrals.iter().map(|&(orbitals, _)| place(orbitals)).collect();
            for &([p, q, r, s], _) in &integrals {
                let conjugate = place([q, p, s, r]);
                if !known.contains(&conjugate) {
                    push(conjugate.orbitals(), Complex64::ZERO);
                }
            }
        }
        all
    }
}

/// Writes an integral over the first `n` orbitals.
fn write_integral(
    f: &mut fmt::Formatter<'_>,
    numbering: Numbering,
    n: usize,
    &(orbitals, value): &([usize; 4], Complex64),
) -> fmt::Result {
    let mut numbers = [0; 4];
    for (number, orbital) in numbers.iter_mut().zip(orbitals).take(n) {
        *number = numbering.orbital(orbital);
    }
    write_line(f, value, numbers)
}

fn write_line(f: &mut fmt::Formatter<'_>, value: Complex64, [i, j, k, l]: [usize; 4]) -> fmt::Result {
    // As many digits as give the same bits, and the same number for all: readers take the last for rounding.
    if value.im == 0.0 {
        writeln!(f, "{:>24.16e} {i:3} {j:3} {k:3} {l:3}", value.re)
    } else {
        writeln!(f, "({:.16e},{:.16e}) {i:3} {j:3} {k:3} {l:3}", value.re, value.im)
    }
}
