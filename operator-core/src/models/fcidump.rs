//! Integrals of a molecule from an FCIDUMP file.

use std::collections::HashMap;
use std::path::Path;

use super::Molecular;
use crate::error::{Error, Result};
use crate::hilbert::SpinOrbitalFermions;

/// The contents of an FCIDUMP file: a molecule's integrals over real, spin-restricted orbitals.
///
/// The header is a Fortran namelist with NORB, NELEC and MS2 (twice the total s_z, 0 where it is missing);
/// ORBSYM and ISYM are not needed. Each line after it is a value and four orbitals, counted from 1: `(ij|kl)`
/// in chemists' notation, `h_ij` where k and l are 0, the core energy where all are 0. Orbital energies, with
/// i alone, are left out. Values may have Fortran's exponent D. Each integral needs to stand there in one of
/// the orders that symmetry makes equal; more do no harm.
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
    n_orbitals: usize,
    n_up: usize,
    n_down: usize,
    core: f64,
    one_body: Vec<([usize; 2], f64)>,
    two_body: Vec<([usize; 4], f64)>,
}

impl Fcidump {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`Error::Parse`] with the line and what is wrong with it: no header, a number that cannot be read, an
    /// orbital beyond NORB, electrons that do not fit, or orbitals that differ between spins (UHF).
    pub fn parse(text: &str) -> Result<Self> {
        let (header, lines) = split_header(text)?;
        let mut dump = Self::from_header(&header)?;
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            dump.read_line(line)?;
        }
        Ok(dump)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and [`Error::Parse`] with the path if it cannot be opened.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::Parse { text: path.display().to_string(), reason: error.to_string() })?;
        Self::parse(&text)
    }

    /// Number of spatial orbitals.
    pub fn n_orbitals(&self) -> usize {
        self.n_orbitals
    }

    /// Numbers of electrons with spin down and spin up.
    pub fn n_electrons_per_spin(&self) -> [usize; 2] {
        [self.n_down, self.n_up]
    }

    /// The fermions of the file: its orbitals with spin 1/2 and its numbers of electrons of each spin.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] if there are no orbitals.
    pub fn hilbert(&self) -> Result<SpinOrbitalFermions> {
        SpinOrbitalFermions::with_spin(self.n_orbitals, 0.5)?
            .with_n_fermions_per_spin(&self.n_electrons_per_spin())
    }

    /// The Hamiltonian on [`hilbert`](Self::hilbert).
    ///
    /// # Errors
    /// [`Error::Integrals`] if an integral is listed with two values.
    pub fn molecular(&self) -> Result<Molecular> {
        self.molecular_on(self.hilbert()?)
    }

    /// The Hamiltonian with other numbers of electrons.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the sites are fermions of spin 1/2;
    /// [`Error::Integrals`] if an integral is listed with two
    /// values or the space has fewer orbitals.
    pub fn molecular_on(&self, hilbert: SpinOrbitalFermions) -> Result<Molecular> {
        Molecular::from_integrals(hilbert, self.core, self.one_body.clone(), self.two_body.clone())
    }

    fn from_header(header: &str) -> Result<Self> {
        let fail = |reason: String| Error::Parse { text: shortened(header), reason };
        let entries = namelist(header);
        let number = |key: &str| match entries.get(key) {
            None => Ok(None),
            Some(value) => match value.parse::<i64>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(fail(format!("{key} is {value:?}; expected a whole number"))),
            },
        };
        let count = |key: &str| match number(key)? {
            None => Err(fail(format!("the header has no {key}"))),
            Some(count) => usize::try_from(count)
                .map_err(|_| fail(format!("{key} is {count}; expected a whole number, 0 or more"))),
        };
        for key in ["UHF", "IUHF"] {
            let value = entries.get(key).map_or("", String::as_str).to_ascii_uppercase();
            if !["", "0", ".FALSE.", "FALSE", ".F.", "F"].contains(&value.as_str()) {
                return Err(fail(format!("{key} is {value}; orbitals must be the same for both spins")));
            }
        }
        let (n_orbitals, n_electrons) = (count("NORB")?, count("NELEC")?);
        let ms2 = number("MS2")?.unwrap_or(0);
        // Halves of NELEC ± MS2, in integers wide enough for any of them.
        let per_spin = [-1, 1].map(|sign| n_electrons as i128 + sign * i128::from(ms2));
        let fits = |twice: &i128| twice % 2 == 0 && (0..=2 * n_orbitals as i128).contains(twice);
        if !per_spin.iter().all(fits) {
            return Err(fail(format!(
                "NELEC is {n_electrons} and MS2 is {ms2}; NELEC - MS2 and NELEC + MS2 must be even, from 0 to twice \
                 the {n_orbitals} orbitals"
            )));
        }
        let [n_down, n_up] = per_spin.map(|twice| (twice / 2) as usize);
        Ok(Fcidump { n_orbitals, n_up, n_down, core: 0.0, one_body: Vec::new(), two_body: Vec::new() })
    }

    fn read_line(&mut self, line: &str) -> Result<()> {
        let fail = |reason: String| Error::Parse { text: line.trim().to_owned(), reason };
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [value, orbitals @ ..] = fields.as_slice() else { return Ok(()) };
        if orbitals.len() != 4 {
            return Err(fail(format!("{} numbers; expected a value and four orbitals", fields.len())));
        }
        let value = real(value).ok_or_else(|| fail(format!("{value:?} is not a finite real number")))?;
        let mut indices = [0; 4];
        for (index, orbital) in indices.iter_mut().zip(orbitals) {
            *index = orbital
                .parse()
                .ok()
                .filter(|&index| index <= self.n_orbitals)
                .ok_or_else(|| fail(format!("orbital {orbital:?}; expected 0 to {}", self.n_orbitals)))?;
        }
        match indices {
            [0, 0, 0, 0] => self.core = value,
            // An orbital energy.
            [_, 0, 0, 0] => {}
            [i, j, 0, 0] if i > 0 => self.one_body.push(([i - 1, j - 1], value)),
            [i, j, k, l] if i > 0 && j > 0 && k > 0 && l > 0 => {
                self.two_body.push(([i - 1, j - 1, k - 1, l - 1], value));
            }
            _ => return Err(fail("orbitals 0 stand at the end, all four, three or two of them".into())),
        }
        Ok(())
    }
}

/// The namelist, without `&FCI` and its end, and the lines after it.
fn split_header(text: &str) -> Result<(String, &str)> {
    let fail = |reason: &str| Error::Parse { text: shortened(text), reason: reason.into() };
    let begin = text.trim_start();
    let is_fci =
        begin.get(..4).is_some_and(|name| ["&FCI", "$FCI"].contains(&name.to_ascii_uppercase().as_str()));
    if !is_fci {
        return Err(fail("an FCIDUMP file begins with &FCI"));
    }
    let (mut header, mut rest) = (String::new(), &begin[4..]);
    while let Some(line) = rest.split_inclusive('\n').next() {
        rest = &rest[line.len()..];
        let upper = line.to_ascii_uppercase();
        match ["&END", "$END", "/"].iter().filter_map(|end| upper.find(end)).min() {
            Some(end) => return Ok((header + &line[..end], rest)),
            None => header += line,
        }
    }
    Err(fail("the header has no end; expected &END or / after it"))
}

/// The keys of a namelist in upper case, each with the first of its values.
fn namelist(header: &str) -> HashMap<String, String> {
    let spaced = header.replace('=', " = ").replace(',', " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let entries = words.windows(3).filter(|window| window[1] == "=");
    entries.map(|window| (window[0].to_ascii_uppercase(), window[2].to_owned())).collect()
}

/// A finite number as Fortran writes it, with an exponent E or D.
fn real(text: &str) -> Option<f64> {
    let value: f64 = text.replace(['d', 'D'], "e").parse().ok()?;
    value.is_finite().then_some(value)
}

/// The beginning of a text, on one line.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let words: Vec<&str> = text.split_whitespace().take(LONGEST).collect();
    words.join(" ").chars().take(LONGEST).collect()
}
