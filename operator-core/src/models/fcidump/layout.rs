//! What the orbitals of a file are, and where its parts begin.

use super::header::Flags;
use super::lines::{Line, lines};
use super::records::{Kind, Record};
use crate::error::{Error, Result};
use crate::models::integrals::OrbitalKind;

/// What the orbitals of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Spatial orbitals, the same for both spins.
    Spatial,
    /// Spatial orbitals of each spin. The parts are the integrals of up up, down down, up down; of up, down; and
    /// the core energy. A line of zeros ends each but the last.
    Blocks,
    /// Spin orbitals, up and down in turn.
    Alternating,
    /// Spin orbitals that may mix up and down.
    Spinors,
}

/// The lines of zeros that end the parts of a file by spin.
pub(super) type BlockEnds = [usize; 5];

impl Layout {
    /// What the header's switches and the records say.
    ///
    /// # Errors
    /// [`Error::ParseLine`] if they contradict each other or if there are two core energies.
    pub(super) fn of(flags: Flags, records: &[Record], source: &str) -> Result<(Layout, Option<BlockEnds>)> {
        if flags.spinors {
            check_core(records, source)?;
            return Ok((Layout::Spinors, None));
        }
        if let Some(ends) = block_ends(records) {
            // Lines of zeros may end this part as well.
            let cores = records[ends[4] + 1..].iter().filter(|record| record.value.norm() != 0.0);
            check_same_core(cores.filter(|record| record.kind() == Kind::Core), source)?;
            return Ok((Layout::Blocks, Some(ends)));
        }
        if flags.iuhf {
            return Err(Error::Integrals(
                "IUHF is on, but the file does not have its six parts (up up, down down, up down, up, down, core), \
                 each ended by a line of zeros; for spin orbitals, write UHF=.TRUE. (up and down in turn) or \
                 TREL=.TRUE. (general) in the header instead"
                    .into(),
            ));
        }
        check_core(records, source)?;
        Ok((if flags.uhf { Layout::Alternating } else { Layout::Spatial }, None))
    }

    /// What the orbitals of its integrals are.
    pub(super) fn orbital_kind(self) -> OrbitalKind {
        if self == Layout::Spatial { OrbitalKind::Spatial } else { OrbitalKind::Spin }
    }
}

/// The ends of the parts by spin, if the file consists of these.
fn block_ends(records: &[Record]) -> Option<BlockEnds> {
    let is_zero = |record: &Record| record.kind() == Kind::Core && record.value.norm() == 0.0;
    let zeros = records.iter().enumerate().filter(|(_, record)| is_zero(record)).map(|(k, _)| k);
    let ends: Vec<usize> = zeros.take(5).collect();
    let ends: BlockEnds = ends.try_into().ok()?;
    let begins = [0, ends[0] + 1, ends[1] + 1, ends[2] + 1, ends[3] + 1];
    let of_kinds = |part: &[Record], kinds: &[Kind]| part.iter().all(|record| kinds.contains(&record.kind()));
    let one = [Kind::OneBody, Kind::OrbitalEnergy];
    let kinds: [&[Kind]; 5] = [&[Kind::TwoBody], &[Kind::TwoBody], &[Kind::TwoBody], &one, &one];
    let is_part = |k: usize| of_kinds(&records[begins[k]..ends[k]], kinds[k]);
    let last = &records[ends[4] + 1..];
    let fits = (0..5).all(is_part) && of_kinds(last, &[Kind::OrbitalEnergy, Kind::Core]);
    fits.then_some(ends)
}

/// Checks that there is one core energy, or that the same one is repeated at the end.
fn check_core(records: &[Record], source: &str) -> Result<()> {
    let mut cores = records.iter().enumerate().filter(|(_, record)| record.kind() == Kind::Core);
    let Some((first, one)) = cores.next() else { return Ok(()) };
    let Some((_, other)) = cores.next() else { return Ok(()) };
    let after = records[first..].iter().find(|record| matches!(record.kind(), Kind::OneBody | Kind::TwoBody));
    if let Some(after) = after {
        return Err(error_at(
            source,
            after.line,
            format!(
                "a second block begins after the core energy on line {}, and another core energy follows on line \
                 {}; integrals by spin (UHF) have six parts: up up, down down, up down, up, down, core",
                one.line, other.line
            ),
        ));
    }
    check_same_core(records.iter().filter(|record| record.kind() == Kind::Core), source)
}

/// Checks that core energies are equal.
fn check_same_core<'a>(mut cores: impl Iterator<Item = &'a Record>, source: &str) -> Result<()> {
    let Some(one) = cores.next() else { return Ok(()) };
    match cores.find(|record| record.value != one.value) {
        Some(other) => Err(error_at(
            source,
            other.line,
            format!("a second core energy; on line {} it is {}", one.line, one.value.re),
        )),
        None => Ok(()),
    }
}

/// An error about a line, given its number.
pub(super) fn error_at(source: &str, number: usize, reason: impl Into<String>) -> Error {
    let line = lines(source).nth(number.saturating_sub(1));
    line.unwrap_or(Line { number, text: "" }).error(reason)
}

/// How the orbitals of a file are numbered among the modes, or among spatial orbitals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbering {
    layout: Layout,
    /// Number of orbitals of each spin, where there are spins.
    n: usize,
}

impl Numbering {
    pub(super) fn new(layout: Layout, n_orbitals: usize) -> Self {
        let n = if layout == Layout::Alternating { n_orbitals / 2 } else { n_orbitals };
        Numbering { layout, n }
    }

    /// Number of orbitals of each spin, or of all if they have none.
    pub(super) fn n_orbitals(self) -> usize {
        self.n
    }

    /// The mode of an orbital that the file counts from 1, in a part whose orbitals have spin up or not.
    pub(super) fn mode(self, orbital: usize, is_up: bool) -> usize {
        let orbital = orbital - 1;
        match self.layout {
            Layout::Spatial | Layout::Spinors => orbital,
            Layout::Blocks if is_up => self.n + orbital,
            Layout::Blocks => orbital,
            // The first is up.
            Layout::Alternating if orbital.is_multiple_of(2) => self.n + orbital / 2,
            Layout::Alternating => orbital / 2,
        }
    }

    /// The number of a mode in the file.
    pub(super) fn orbital(self, mode: usize) -> usize {
        let (is_up, orbital) = (mode >= self.n, mode % self.n.max(1));
        match self.layout {
            Layout::Spatial | Layout::Spinors => mode + 1,
            Layout::Blocks => orbital + 1,
            Layout::Alternating => 2 * orbital + if is_up { 1 } else { 2 },
        }
    }

    /// Whether exchanging the electrons of an integral gives one that the file can list.
    pub(super) fn lists_exchanged(self, [p, _, r, _]: [usize; 4]) -> bool {
        self.layout != Layout::Blocks || (p >= self.n) == (r >= self.n)
    }
}
