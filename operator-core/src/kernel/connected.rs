//! One connected configuration, as kernels pass it to visitors.

use super::mask::MaskKernel;
use super::table::{Move, TableKernel};

/// One connected configuration x', as its difference from the sample x.
///
/// Operators pass one to a visitor for each non-zero element `<x|O|x'>`. Custom kernels make one with
/// [`new`](Self::new).
#[derive(Clone, Copy, Debug)]
pub struct Connected<'a> {
    sites: &'a [u32],
    values: NewValues<'a>,
    origin: Origin<'a>,
}

#[derive(Clone, Copy, Debug)]
enum NewValues<'a> {
    /// For each site of the space, the sum of its two quantum numbers: the new one is this sum minus the old
    /// one.
    Mirror(&'a [i8]),
    /// For each changed site, its new quantum number.
    Given(&'a [i8]),
    /// For each changed site, how its new quantum number follows from the old one.
    Moved(&'a [Move]),
}

/// Where a matrix element comes from, needed to differentiate it.
#[derive(Clone, Copy, Debug)]
enum Origin<'a> {
    Mask {
        kernel: &'a MaskKernel,
        pieces: (u32, u32),
        words: &'a [u64],
    },
    /// A group's number and its target; `None` for the diagonal.
    Table {
        kernel: &'a TableKernel,
        target: Option<(usize, u32)>,
        digits: &'a [u8],
    },
    Custom,
}

impl<'a> Connected<'a> {
    /// A change to the quantum numbers of `sites`, for kernels written outside this crate. The two slices
    /// have equal lengths, and no site is repeated.
    pub fn new(sites: &'a [u32], values: &'a [i8]) -> Self {
        Connected { sites, values: NewValues::Given(values), origin: Origin::Custom }
    }

    /// The diagonal element of a packed configuration.
    #[inline]
    pub(crate) fn mask_diagonal(kernel: &'a MaskKernel, words: &'a [u64]) -> Self {
        let origin = Origin::Mask { kernel, pieces: (0, kernel.n_diagonal), words };
        Connected { sites: &[], values: NewValues::Mirror(&kernel.mirror), origin }
    }

    /// What group `g` of masks connects to a packed configuration.
    #[inline]
    pub(crate) fn mask_group(kernel: &'a MaskKernel, g: usize, words: &'a [u64]) -> Self {
        let origin = Origin::Mask { kernel, pieces: kernel.pieces_of(g), words };
        Connected { sites: kernel.flips_of(g), values: NewValues::Mirror(&kernel.mirror), origin }
    }

    /// The diagonal element of a configuration's digits.
    #[inline]
    pub(crate) fn table_diagonal(kernel: &'a TableKernel, digits: &'a [u8]) -> Self {
        let origin = Origin::Table { kernel, target: None, digits };
        Connected { sites: &[], values: NewValues::Given(&[]), origin }
    }

    /// A target of group `g` of tables, for a configuration's digits.
    #[inline]
    pub(crate) fn table_target(kernel: &'a TableKernel, g: usize, target: u32, digits: &'a [u8]) -> Self {
        let (sites, values) = match kernel.step_group(g) {
            None => {
                let (sites, values) = kernel.target(g, target);
                (sites, NewValues::Given(values))
            }
            Some(step) => {
                let (sites, moves) = kernel.moves_of(step);
                (sites, NewValues::Moved(moves))
            }
        };
        Connected { sites, values, origin: Origin::Table { kernel, target: Some((g, target)), digits } }
    }

    /// The sites on which x' differs from x, none on the diagonal.
    #[inline]
    pub fn sites(&self) -> &'a [u32] {
        self.sites
    }

    /// Whether x' = x.
    #[inline]
    pub fn is_diagonal(&self) -> bool {
        self.sites.is_empty()
    }

    /// Whether this is a change of a configuration of `n_sites` sites: all of its sites are there, none twice, and
    /// each has a new value.
    #[doc(hidden)]
    #[inline]
    pub fn fits(&self, n_sites: usize) -> bool {
        let has_values = match self.values {
            NewValues::Mirror(_) | NewValues::Moved(_) => true,
            NewValues::Given(values) => values.len() == self.sites.len(),
        };
        let sites = self.sites;
        let is_repeated = || (1..sites.len()).any(|k| sites[..k].contains(&sites[k]));
        has_values
            && sites.iter().all(|&site| (site as usize) < n_sites)
            && (!matches!(self.origin, Origin::Custom) || !is_repeated())
    }

    /// Turns `row`, which holds x, into x'.
    ///
    /// # Panics
    /// If a kernel of a third party names a site that the row does not have.
    #[inline]
    pub fn write(&self, row: &mut [i8]) {
        match self.values {
            NewValues::Mirror(sums) => {
                for &site in self.sites {
                    let site = site as usize;
                    row[site] = sums[site].wrapping_sub(row[site]);
                }
            }
            NewValues::Given(values) => {
                for (&site, &value) in self.sites.iter().zip(values) {
                    row[site as usize] = value;
                }
            }
            NewValues::Moved(moves) => {
                for (&site, change) in self.sites.iter().zip(moves) {
                    row[site as usize] = change.apply(row[site as usize]);
                }
            }
        }
    }

    /// The sites on which x' differs from `x`, which is x, each with its new quantum number.
    #[inline]
    pub fn changes<'x>(&self, x: &'x [i8]) -> impl Iterator<Item = (usize, i8)> + use<'a, 'x> {
        let values = self.values;
        self.sites.iter().enumerate().map(move |(k, &site)| {
            let site = site as usize;
            match values {
                NewValues::Mirror(sums) => (site, sums[site].wrapping_sub(x[site])),
                NewValues::Given(values) => (site, values[k]),
                NewValues::Moved(moves) => (site, moves[k].apply(x[site])),
            }
        })
    }

    /// The slots whose values add up to this matrix element, each with its factor.
    ///
    /// The factors are the derivatives of the element by these slots: 1 or −1, or a number where the operator is a
    /// product of matrices. The derivatives by all other slots are 0.
    pub fn for_each_slot(&self, mut f: impl FnMut(usize, f64)) {
        match self.origin {
            Origin::Mask { kernel, pieces, words } => kernel.pieces.for_each_slot(pieces, words, &mut f),
            Origin::Table { kernel, target: None, digits } => kernel.diagonal_slots(digits, &mut f),
            Origin::Table { kernel, target: Some((g, target)), digits } => {
                kernel.target_slots(g, target, digits, &mut f);
            }
            Origin::Custom => {}
        }
    }
}
