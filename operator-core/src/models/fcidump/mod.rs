//! Integrals of a molecule from and to FCIDUMP files.

mod complete;
mod header;
mod layout;
mod lines;
mod records;
mod write;

use std::path::Path;

use complete::{Listing, REAL};
use layout::{Layout, Numbering, error_at};
use lines::lines;
use records::{Kind, Record};

use super::Molecular;
use super::integrals::{IntegralSymmetry, Listed, MolecularIntegrals, OrbitalKind, Place, one_body_place};
use crate::error::{Error, Result};
use crate::hilbert::SpinOrbitalFermions;

/// The contents of an FCIDUMP file: a molecule's integrals.
///
/// The header is a Fortran namelist with NORB, NELEC and MS2 (twice the total s_z, 0 where it is missing).
/// Each line after it is a value and four orbitals, counted from 1: `(ij|kl)` in chemists' notation, `h_ij` where
/// k and l are 0, the core energy where all are 0. Orbital energies, with i alone, are left out. Complex values
/// are written `(re,im)`, or in two columns. Values may have Fortran's exponents (`1D-3`, `1-300`),
/// fields may be separated by commas, and what follows `!` or `#` is a comment.
///
/// # Symmetry
/// Each integral needs to stand there in one of the orders that symmetry makes equal. Which these are depends on
/// the orbitals, and the file has to tell:
///
/// - If every integral is listed in all orders that complex orbitals make equal, those that are not listed are 0.
/// - Otherwise, `(ij|kl)` and `(ij|lk)` are equal if only one of them is listed for all integrals, with i ≥ j and
///   k ≥ l or with i ≤ j and k ≤ l, or if both are listed for all integrals and agree (real orbitals). If they differ
///   or are complex, those that are not listed are 0.
/// - If the header has `SYMLZ` and all integrals conserve the angular momentum, those that do not are 0.
///
/// Everything else is an error, which names the line; [`parse_as`](Self::parse_as) then takes the user's word. Values that
/// should be equal may differ by 1e-8 of the largest (at most 1e-6), or in the last digits that are printed; the first counts.
///
/// # Spin
/// - `IUHF=1`: integrals by spin (unrestricted Hartree-Fock), in six parts that are ended by lines of zeros: up up,
///   down down, up down; up, down; core energy. A file that has these parts needs no switch.
/// - `UHF=.TRUE.`: orbitals are spin orbitals, up and down in turn.
/// - `TREL=.TRUE.` or `GHF=.TRUE.`: spin orbitals that may mix up and down. They become the modes of fermions without
///   spin.
///
/// ```
/// use operator_core::{Fcidump, Model};
/// let hydrogen = "&FCI NORB=1, NELEC=1, MS2=1, ORBSYM=1, ISYM=1 &END
///      0.7746  1 1 1 1
///     -0.4666  1 1 0 0";
/// let model = Fcidump::parse(hydrogen)?.molecular()?.definition()?;
/// assert_eq!(model.hilbert().n_states()?, 1);
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// # Source
/// P. J. Knowles, N. C. Handy, A determinant based full configuration interaction program, Comput. Phys.
/// Commun. 54, 75 (1989).
#[derive(Clone, Debug, PartialEq)]
pub struct Fcidump {
    /// Of each spin, or in all if they have no spin.
    n_orbitals: usize,
    has_spin: bool,
    n_electrons: Option<usize>,
    ms2: Option<i64>,
    integrals: MolecularIntegrals,
}

impl Fcidump {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`Error::ParseLine`] with the line and what is wrong with it: a number that cannot be read, an orbital beyond
    /// NORB, integrals that contradict each other or leave their symmetry open, two core energies, something
    /// left over. [`Error::Parse`] if there is no header or no NORB; [`Error::Integrals`] if it announces integrals by spin and
    /// they are not there.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(text, None)
    }

    /// Reads the text of a file whose integrals have a symmetry that the file does not tell.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and [`Error::ParseLine`] for integrals that contradict the symmetry.
    pub fn parse_as(text: &str, symmetry: IntegralSymmetry) -> Result<Self> {
        Self::read(text, Some(symmetry))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and [`Error::Parse`] with the path if it cannot be opened or is not text of one
    /// byte a character.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let fail = |reason: String| Error::Parse { text: path.display().to_string(), reason };
        let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
        if bytes.starts_with(&[0xfe, 0xff]) || bytes.starts_with(&[0xff, 0xfe]) {
            return Err(fail("it is in UTF-16; expected UTF-8".into()));
        }
        // A comment may be in another encoding. Numbers that are not text are refused where they stand.
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    /// The file of a molecule. Its text is what [`Display`](std::fmt::Display) prints.
    ///
    /// Integrals over spin orbitals are written by spin if they conserve it and the fermions have spin 1/2, as
    /// general spin orbitals otherwise.
    pub fn of(molecule: &Molecular) -> Self {
        let (hilbert, integrals) = (molecule.fermions(), molecule.integrals());
        let has_spin = match integrals.orbitals() {
            OrbitalKind::Spatial => true,
            OrbitalKind::Spin => hilbert.s() == Some(0.5) && conserves_spin(integrals, hilbert.n_orbitals()),
        };
        let n_orbitals = hilbert.n_orbitals() * if has_spin { 1 } else { hilbert.n_spin_states() };
        let per_spin = hilbert.n_fermions_per_spin();
        let n_electrons = hilbert.n_fermions().or_else(|| per_spin.map(|numbers| numbers.iter().sum()));
        let ms2 = match per_spin {
            Some(&[down, up]) if has_spin => Some(up as i64 - down as i64),
            _ => None,
        };
        Fcidump { n_orbitals, has_spin, n_electrons, ms2, integrals: integrals.clone() }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn to_file(&self, path: impl AsRef<Path>) -> std::io::Result<()> {
        use std::io::Write;
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        write!(file, "{self}")?;
        file.flush()
    }

    /// Number of spatial orbitals; of spin orbitals if they have no spin of their own (`TREL`).
    pub fn n_orbitals(&self) -> usize {
        self.n_orbitals
    }

    /// Number of electrons in the header, if it is there.
    pub fn n_electrons(&self) -> Option<usize> {
        self.n_electrons
    }

    /// Numbers of electrons with spin down and spin up.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] if NELEC is missing or does not fit MS2 and NORB, or if the orbitals have no
    /// spin.
    pub fn n_electrons_per_spin(&self) -> Result<[usize; 2]> {
        let n_electrons = self.known_electrons()?;
        if !self.has_spin {
            return Err(Error::InvalidHilbert(
                "the file's spin orbitals may mix up and down; only the number of all electrons is fixed"
                    .into(),
            ));
        }
        let (ms2, n_orbitals) = (self.ms2.unwrap_or(0), self.n_orbitals);
        // Halves of NELEC ± MS2, in integers wide enough for any of them.
        let twice = [-1, 1].map(|sign| n_electrons as i128 + sign * i128::from(ms2));
        let fits = |twice: &i128| twice % 2 == 0 && (0..=2 * n_orbitals as i128).contains(twice);
        if !twice.iter().all(fits) {
            return Err(Error::InvalidHilbert(format!(
                "NELEC is {n_electrons} and MS2 is {ms2}; NELEC - MS2 and NELEC + MS2 must be even, from 0 to \
                 twice the {n_orbitals} orbitals; {GIVE_ELECTRONS}"
            )));
        }
        Ok(twice.map(|twice| (twice / 2) as usize))
    }

    /// The integrals.
    pub fn integrals(&self) -> &MolecularIntegrals {
        &self.integrals
    }

    /// The fermions of the file: its orbitals with spin 1/2 and its numbers of electrons of each spin; without
    /// spin if the orbitals mix up and down.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] if there are no orbitals or if the numbers of electrons do not fit.
    pub fn hilbert(&self) -> Result<SpinOrbitalFermions> {
        if self.has_spin {
            let per_spin = self.n_electrons_per_spin()?;
            return SpinOrbitalFermions::with_spin(self.n_orbitals, 0.5)?.with_n_fermions_per_spin(&per_spin);
        }
        SpinOrbitalFermions::new(self.n_orbitals)?.with_n_fermions(self.known_electrons()?)
    }

    /// The Hamiltonian on [`hilbert`](Self::hilbert).
    ///
    /// # Errors
    /// As [`hilbert`](Self::hilbert).
    pub fn molecular(&self) -> Result<Molecular> {
        self.molecular_on(self.hilbert()?)
    }

    /// The Hamiltonian with other numbers of electrons than those of the file.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the sites are fermions, of spin 1/2 if the orbitals have spin;
    /// [`Error::Integrals`] if the space has not as many orbitals as the file.
    pub fn molecular_on(&self, hilbert: SpinOrbitalFermions) -> Result<Molecular> {
        if self.has_spin && hilbert.s() != Some(0.5) {
            super::checks::electrons(hilbert.clone().into(), "Molecular")?;
        }
        let n_orbitals =
            hilbert.n_orbitals().saturating_mul(if self.has_spin { 1 } else { hilbert.n_spin_states() });
        if n_orbitals != self.n_orbitals {
            return Err(Error::Integrals(format!(
                "the file has {} orbitals, but {hilbert} has {n_orbitals}",
                self.n_orbitals
            )));
        }
        Molecular::with_integrals(hilbert, self.integrals.clone())
    }

    fn known_electrons(&self) -> Result<usize> {
        self.n_electrons
            .ok_or_else(|| Error::InvalidHilbert(format!("the header has no NELEC; {GIVE_ELECTRONS}")))
    }

    fn read(text: &str, declared: Option<IntegralSymmetry>) -> Result<Self> {
        // Editors may put a byte order mark before the first character.
        let source = text.strip_prefix('\u{feff}').unwrap_or(text);
        // Old systems end files with these.
        let source = source.trim_end_matches(['\0', '\u{1a}']);
        let (header, rest_of_line) = header::read(source)?;
        if header.n_orbitals > MOST_ORBITALS {
            return Err(Error::Integrals(format!(
                "NORB is {}; at most {MOST_ORBITALS} orbitals can be numbered",
                header.n_orbitals
            )));
        }
        let mut after = lines(source).skip(rest_of_line.number).peekable();
        // Some programs end the header twice, by / and &END.
        if rest_of_line.text.trim().is_empty() {
            after.next_if(|line| header::is_end(line.text));
        }
        let records = records::read(std::iter::once(rest_of_line).chain(after), header.n_orbitals)?;
        let (layout, ends) = Layout::of(header.flags, &records, source)?;
        if layout == Layout::Alternating && !header.n_orbitals.is_multiple_of(2) {
            return Err(Error::Integrals(format!(
                "UHF is on and NORB is {}; spin orbitals, up and down in turn, are an even number",
                header.n_orbitals
            )));
        }
        let numbering = Numbering::new(layout, header.n_orbitals);
        let mut listing = Listing {
            source,
            kind: layout.orbital_kind(),
            numbering,
            core: 0.0,
            one_body: Vec::new(),
            two_body: Vec::new(),
            declared,
            all_orders: header.flags.general,
            lz: header.lz,
        };
        // A value with few digits is as exact as the others: programs leave out zeros at the end.
        let digits = records.iter().map(|record| record.digits).max().unwrap_or(0).clamp(1, 17) as i32;
        for (k, record) in records.iter().enumerate() {
            let part = ends.map(|ends| ends.partition_point(|&end| end < k));
            let unit = record.unit.min(record.value.norm() * 10f64.powi(1 - digits));
            listing.add(&Record { unit, ..*record }, layout, part)?;
        }
        drop(records);
        Ok(Fcidump {
            n_orbitals: numbering.n_orbitals(),
            has_spin: layout != Layout::Spinors,
            n_electrons: header.n_electrons,
            ms2: header.ms2,
            integrals: listing.complete()?,
        })
    }
}

/// Twice as many still fit into a `u32`.
const MOST_ORBITALS: usize = i32::MAX as usize;

const GIVE_ELECTRONS: &str = "give the electrons with Fcidump::molecular_on";

/// Whether no integral changes the spin of an electron. The modes of each spin are `n`.
fn conserves_spin(integrals: &MolecularIntegrals, n: usize) -> bool {
    let is_same = |p: usize, q: usize| p / n == q / n;
    integrals.one_body().all(|([p, q], _)| is_same(p, q))
        && integrals.two_body().all(|([p, q, r, s], _)| is_same(p, q) && is_same(r, s))
}

impl Listing<'_> {
    /// Adds a record, which stands in a part if the file has integrals by spin.
    fn add(&mut self, record: &Record, layout: Layout, part: Option<usize>) -> Result<()> {
        let &Record { line, value, unit, orbitals, .. } = record;
        if layout == Layout::Alternating && self.mixes_spins(record) {
            return Err(error_at(
                self.source,
                line,
                "UHF is on, but the integral mixes spins: of spin orbitals, odd ones are up, even ones down; write \
                 TREL=.TRUE. in the header for general ones",
            ));
        }
        let mode = |electron: usize, k: usize| {
            let is_up = matches!((part, electron), (Some(0 | 3), _) | (Some(2), 0));
            self.numbering.mode(orbitals[k], is_up)
        };
        match record.kind() {
            Kind::OrbitalEnergy => {}
            Kind::Core => {
                if value.im.abs() > REAL * value.re.abs() {
                    return Err(error_at(self.source, line, "the core energy must be real"));
                }
                // In a file of parts zeros end a part.
                if part.is_none() || value.re != 0.0 {
                    self.core = value.re;
                }
            }
            Kind::OneBody => {
                let place = one_body_place([mode(0, 0), mode(0, 1)]);
                self.one_body.push(Listed::new(place, value, line, unit));
            }
            Kind::TwoBody => {
                let place = Place::of([mode(0, 0), mode(0, 1), mode(1, 2), mode(1, 3)]);
                self.two_body.push(Listed::new(place, value, line, unit));
            }
        }
        Ok(())
    }

    /// Whether a non-zero integral changes the spin of an electron, if orbitals are up and down in turn.
    fn mixes_spins(&self, record: &Record) -> bool {
        let [p, q, r, s] = record.orbitals;
        let is_pair = matches!(record.kind(), Kind::OneBody | Kind::TwoBody);
        is_pair && record.value.norm() != 0.0 && ((p + q) % 2 != 0 || (r + s) % 2 != 0)
    }
}
