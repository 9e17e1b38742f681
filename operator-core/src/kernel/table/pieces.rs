//! Strings and products as pieces: products of functions of single digits that move these digits by fixed steps.

use std::collections::{BTreeMap, HashMap};

use num_complex::Complex64;
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::kernel::string::MaskString;
use crate::rounding::{agrees, clean};
use crate::terms::{Coefficient, ProductTerm, SiteMatrix};

/// The most pieces of one term.
const MAX_PIECES: usize = 1 << 16;

/// What happens to a digit. On two-level sites only flips are used, on larger ones only differences, so that different
/// steps always lead to different digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    /// 0 to 1 and 1 to 0.
    Flip,
    /// New digit minus old.
    By(i32),
}

impl Step {
    /// The step that leads from one digit to another.
    pub(super) fn between(dim: usize, old: usize, new: usize) -> Self {
        if dim == 2 { Step::Flip } else { Step::By(new as i32 - old as i32) }
    }

    /// The new digit; the old one must allow the step.
    pub(super) fn apply(self, old: usize) -> usize {
        match self {
            Step::Flip => 1 - old,
            Step::By(by) => (old as i32 + by) as usize,
        }
    }
}

/// One product of functions of digits. Its elements change the digits of some sites by fixed steps.
pub(super) struct Piece {
    /// Sites that change, in ascending order.
    pub(super) steps: SmallVec<[(usize, Step); 2]>,
    /// Sites with a function of their digit, in ascending order, and the number of the function's table.
    pub(super) factors: SmallVec<[(usize, u32); 2]>,
    /// Two-level sites whose digits negate the element if their sum is odd, in ascending order.
    pub(super) sign: Vec<usize>,
    pub(super) coefficient: Coefficient,
    pub(super) term: u32,
}

impl Piece {
    /// The sites that change.
    pub(super) fn changed(&self) -> Vec<usize> {
        self.steps.iter().map(|&(site, _)| site).collect()
    }

    /// The sites that change or have a function, in ascending order.
    pub(super) fn own_sites(&self) -> Vec<usize> {
        let mut sites: Vec<usize> = self
            .steps
            .iter()
            .map(|&(site, _)| site)
            .chain(self.factors.iter().map(|&(site, _)| site))
            .collect();
        sites.sort_unstable();
        sites.dedup();
        sites
    }

    /// The values of the function on a site; `None` if it is 1.
    pub(super) fn factor<'t>(&self, site: usize, tables: &'t FactorTables) -> Option<&'t [f64]> {
        let found = self.factors.iter().find(|(other, _)| *other == site);
        found.map(|&(_, table)| tables.get(table))
    }
}

/// Functions of a digit. Equal ones, up to rounding, are stored once, so that pieces can be recognised as equal.
#[derive(Default)]
pub(super) struct FactorTables {
    tables: Vec<Vec<f64>>,
    /// By rounded values; these may differ for equal tables, which then are stored twice.
    known: HashMap<Vec<i64>, Vec<u32>>,
}

impl FactorTables {
    pub(super) fn get(&self, number: u32) -> &[f64] {
        &self.tables[number as usize]
    }

    fn number(&mut self, table: Vec<f64>) -> u32 {
        let rounded: Vec<i64> =
            table.iter().map(|value| (value * (1u64 << 24) as f64).round() as i64).collect();
        let alike = self.known.entry(rounded).or_default();
        let same = |number: &&u32| {
            let known = &self.tables[**number as usize];
            known.iter().zip(&table).all(|(a, b)| agrees((a - b).abs() * 64.0, a.abs()))
        };
        if let Some(&number) = alike.iter().find(same) {
            return number;
        }
        let number = self.tables.len() as u32;
        alike.push(number);
        self.tables.push(table);
        number
    }
}

/// A part of a one-site matrix whose elements make the same step, times a function of the digit.
struct Band {
    step: Option<Step>,
    factor: Complex64,
    kind: BandKind,
}

#[derive(Clone, Copy)]
enum BandKind {
    /// The function is 1.
    One,
    /// It is the parity of a two-level site.
    Sign,
    Table(u32),
}

/// Splits a matrix by steps. Each function starts with 1 where it first is not 0, so that multiples are recognised.
/// Functions are real: complex ones are split once more.
fn bands(dim: usize, matrix: &SiteMatrix, tables: &mut FactorTables) -> Vec<Band> {
    let mut by_step: BTreeMap<Option<Step>, Vec<Complex64>> = BTreeMap::new();
    for (row, column, z) in matrix.elements() {
        let step = (row != column).then(|| Step::between(dim, row, column));
        by_step.entry(step).or_insert_with(|| vec![Complex64::ZERO; dim])[row] = z;
    }
    let mut bands = Vec::new();
    for (step, function) in by_step {
        let Some(&first) = function.iter().find(|z| **z != Complex64::ZERO) else { continue };
        let scaled: Vec<Complex64> = function.iter().map(|z| clean(z / first, (z / first).norm())).collect();
        let parts: [fn(&Complex64) -> f64; 2] = [|z| z.re, |z| z.im];
        for (part, unit) in parts.into_iter().zip([Complex64::ONE, Complex64::I]) {
            let table: Vec<f64> = scaled.iter().map(part).collect();
            let kind = match table[..] {
                _ if table.iter().all(|&value| value == 0.0) => continue,
                _ if table.iter().all(|&value| value == 1.0) => BandKind::One,
                [1.0, -1.0] => BandKind::Sign,
                _ => BandKind::Table(tables.number(table)),
            };
            bands.push(Band { step, factor: first * unit, kind });
        }
    }
    bands
}

/// The pieces of a product: each takes one band of each matrix.
///
/// # Errors
/// [`Error::TooLarge`] if they are too many.
pub(super) fn of_product(
    hilbert: &HilbertSpace,
    product: &ProductTerm,
    coefficient: Coefficient,
    term: u32,
    tables: &mut FactorTables,
) -> Result<Vec<Piece>> {
    let empty =
        Piece { steps: SmallVec::new(), factors: SmallVec::new(), sign: Vec::new(), coefficient, term };
    let mut pieces = vec![empty];
    for (site, matrix) in product.factors() {
        let bands = bands(hilbert.local_dim(*site), matrix, tables);
        if pieces.len() * bands.len() > MAX_PIECES {
            return Err(Error::TooLarge {
                what: format!("the expansion of the {product} by what it adds to each site"),
                bytes: (pieces.len() * bands.len()) as f64 * size_of::<Piece>() as f64,
                limit: (MAX_PIECES * size_of::<Piece>()) as f64,
                remedy: "use matrices that raise, lower or keep their sites",
            });
        }
        let with = |piece: &Piece, band: &Band| {
            let mut piece = Piece {
                steps: piece.steps.clone(),
                factors: piece.factors.clone(),
                sign: piece.sign.clone(),
                coefficient: piece.coefficient.scaled(band.factor),
                term,
            };
            piece.steps.extend(band.step.map(|step| (*site, step)));
            match band.kind {
                BandKind::One => {}
                BandKind::Sign => piece.sign.push(*site),
                BandKind::Table(table) => piece.factors.push((*site, table)),
            }
            piece
        };
        pieces = pieces.iter().flat_map(|piece| bands.iter().map(move |band| with(piece, band))).collect();
    }
    Ok(pieces)
}

/// A string of flips, guards and signs as a piece.
pub(super) fn of_string(string: &MaskString, tables: &mut FactorTables) -> Piece {
    let negative = string.sign.odd_overlap(&string.guard_value);
    let guard = |site: usize| {
        let table = if string.guard_value.contains(site) { [0.0, 1.0] } else { [1.0, 0.0] };
        (site, tables.number(table.to_vec()))
    };
    let sign = Complex64::from(if negative { -1.0 } else { 1.0 });
    Piece {
        factors: string.guard.sites().map(guard).collect(),
        steps: string.flip.sites().map(|site| (site, Step::Flip)).collect(),
        sign: string.sign.without(&string.guard).sites().collect(),
        coefficient: string.coefficient.scaled(sign),
        term: string.term,
    }
}
