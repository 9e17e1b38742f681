//! Terms on two-level sites as signed flips: the common form of Pauli, fermion and matrix terms.

use num_complex::Complex64;
use smallvec::SmallVec;

use crate::bits::SparseSet;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::terms::{Coefficient, FermionString, PauliString, ProductTerm, SiteMatrix, check_n_strings};

/// The common form of every family of terms on two-level sites. The element from x to x' = x ^ flip is
/// `coefficient · (-1)^|x & sign|` if the `guard` sites of x equal `guard_value`, and 0 otherwise.
#[derive(Clone)]
pub(crate) struct MaskString {
    pub(crate) flip: SparseSet,
    pub(crate) guard: SparseSet,
    pub(crate) guard_value: SparseSet,
    pub(crate) sign: SparseSet,
    pub(crate) coefficient: Coefficient,
    pub(crate) term: u32,
}

impl MaskString {
    /// The string that keeps every state.
    fn identity(coefficient: Coefficient, term: u32) -> Self {
        let [flip, guard, guard_value, sign] = Default::default();
        MaskString { flip, guard, guard_value, sign, coefficient, term }
    }

    pub(crate) fn from_pauli(string: &PauliString, coefficient: Coefficient, term: u32) -> Self {
        let coefficient = Coefficient { factor: coefficient.factor * string.phase(), ..coefficient };
        MaskString {
            flip: string.flip().clone(),
            sign: string.sign().clone(),
            ..Self::identity(coefficient, term)
        }
    }

    /// Appends the strings of a product of matrices: each matrix keeps its bit or flips it, and each of its elements is
    /// guarded unless it equals the other one up to a sign.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) for too many strings.
    pub(crate) fn push_product(
        product: &ProductTerm,
        coefficient: Coefficient,
        term: u32,
        out: &mut Vec<Self>,
    ) -> Result<()> {
        let mut strings = vec![Self::identity(coefficient, term)];
        for (site, matrix) in product.factors() {
            let parts = parts_of(matrix);
            let n = strings.len() * parts.len();
            check_n_strings(n.max(1).next_power_of_two().ilog2() as usize, product)?;
            let with = |string: &MaskString, part: &Part| {
                let mut string = string.clone();
                string.coefficient.factor *= part.factor;
                if part.flips {
                    string.flip.insert(*site);
                }
                match part.condition {
                    Some(bit) => {
                        string.guard.insert(*site);
                        if bit {
                            string.guard_value.insert(*site);
                        }
                    }
                    None if part.has_sign => string.sign.insert(*site),
                    None => {}
                }
                string
            };
            strings =
                strings.iter().flat_map(|string| parts.iter().map(move |part| with(string, part))).collect();
        }
        out.extend(strings);
        Ok(())
    }

    /// `<x| o_1 o_2 … |x'>`: the conjugated factors act on the bra from left to right. Each needs its mode
    /// empty or filled at that point, and contributes the parity of the modes below it that anticommute with
    /// it. `None` if the string is 0.
    pub(crate) fn from_fermion(
        hilbert: &HilbertSpace,
        string: &FermionString,
        coefficient: Coefficient,
        term: u32,
    ) -> Option<Self> {
        let mut out = Self::identity(coefficient, term);
        // The modes below a ladder operator, a range. The sites where an odd number of ranges overlap lie between
        // every other of their ends.
        let mut ends: SmallVec<[usize; 8]> = SmallVec::new();
        for ladder in string.ladders() {
            let mode = ladder.mode;
            // c† has a non-zero bra element if the mode is filled in the bra.
            let needed_in_x = ladder.dagger ^ out.flip.contains(mode);
            if out.guard.contains(mode) && out.guard_value.contains(mode) != needed_in_x {
                return None;
            }
            out.guard.insert(mode);
            if needed_in_x {
                out.guard_value.insert(mode);
            }
            let below = hilbert.modes_with(mode).map_or(0, |modes| modes.start)..mode;
            if out.flip.sites().filter(|site| below.contains(site)).count() % 2 == 1 {
                out.coefficient.factor = -out.coefficient.factor;
            }
            ends.extend([below.start, below.end]);
            out.flip.toggle(mode);
        }
        ends.sort_unstable();
        let ranges = ends.chunks_exact(2).map(|ends| SparseSet::from(ends[0]..ends[1]));
        out.sign = ranges.fold(SparseSet::default(), |sign, range| sign.xor(&range));
        Some(out)
    }

    /// The string as a table over `sites`, which must include all guards: the indices with a non-zero entry
    /// (bit k belongs to the k-th site), each with the sign that these sites give.
    pub(crate) fn rows(&self, sites: &[usize]) -> impl Iterator<Item = (usize, Complex64)> {
        let local = |set: &SparseSet| -> usize {
            sites.iter().enumerate().map(|(k, &site)| usize::from(set.contains(site)) << k).sum()
        };
        let (guard, value, sign) = (local(&self.guard), local(&self.guard_value), local(&self.sign));
        // Count through the bits that no guard fixes.
        let free = !guard & ((1 << sites.len()) - 1);
        let next = move |&bits: &usize| Some(bits.wrapping_sub(free) & free).filter(|&bits| bits != 0);
        std::iter::successors(Some(0), next).map(move |bits| {
            let index = value | bits;
            let parity = if (index & sign).count_ones() % 2 == 1 { -1.0 } else { 1.0 };
            (index, Complex64::new(parity, 0.0))
        })
    }
}

/// What a matrix does to a bit in one of its strings.
struct Part {
    flips: bool,
    factor: Complex64,
    /// The bit of x that it needs.
    condition: Option<bool>,
    has_sign: bool,
}

fn parts_of(matrix: &SiteMatrix) -> Vec<Part> {
    let mut parts = Vec::new();
    for flips in [false, true] {
        let own = matrix.elements().filter(|&(row, column, _)| (row != column) == flips);
        let own: Vec<(bool, Complex64)> = own.map(|(row, _, z)| (row == 1, z)).collect();
        match own[..] {
            [(_, zero), (_, one)] if zero == one || zero == -one => {
                parts.push(Part { flips, factor: zero, condition: None, has_sign: zero != one });
            }
            _ => parts.extend(own.into_iter().map(|(bit, factor)| Part {
                flips,
                factor,
                condition: Some(bit),
                has_sign: false,
            })),
        }
    }
    parts
}
