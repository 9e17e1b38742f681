//! Terms on two-level sites as signed flips: the common form of Pauli, fermion and matrix terms.

use num_complex::Complex64;

use crate::bits::{self, SiteSet};
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::terms::{Coefficient, FermionString, PauliString, ProductTerm, SiteMatrix, check_n_strings};

/// The common form of every family of terms on two-level sites. The element from x to x' = x ^ flip is
/// `coefficient · (-1)^|x & sign|` if the `guard` sites of x equal `guard_value`, and 0 otherwise.
#[derive(Clone)]
pub(crate) struct MaskString {
    pub(crate) flip: SiteSet,
    pub(crate) guard: SiteSet,
    pub(crate) guard_value: SiteSet,
    pub(crate) sign: SiteSet,
    pub(crate) coefficient: Coefficient,
    pub(crate) term: u32,
}

impl MaskString {
    pub(crate) fn from_pauli(string: &PauliString, coefficient: Coefficient, term: u32) -> Self {
        let n_words = string.flip().len();
        MaskString {
            flip: string.flip().clone(),
            guard: bits::empty(n_words),
            guard_value: bits::empty(n_words),
            sign: string.sign().clone(),
            coefficient: Coefficient { factor: coefficient.factor * string.phase(), ..coefficient },
            term,
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
        n_words: usize,
        out: &mut Vec<Self>,
    ) -> Result<()> {
        let empty = bits::empty(n_words);
        let mut strings = vec![MaskString {
            flip: empty.clone(),
            guard: empty.clone(),
            guard_value: empty.clone(),
            sign: empty,
            coefficient,
            term,
        }];
        for (site, matrix) in product.factors() {
            let parts = parts_of(matrix);
            let n = strings.len() * parts.len();
            check_n_strings(n.max(1).next_power_of_two().ilog2() as usize, product)?;
            let with = |string: &MaskString, part: &Part| {
                let mut string = string.clone();
                string.coefficient.factor *= part.factor;
                if part.flips {
                    bits::insert(&mut string.flip, *site);
                }
                match part.condition {
                    Some(bit) => {
                        bits::insert(&mut string.guard, *site);
                        if bit {
                            bits::insert(&mut string.guard_value, *site);
                        }
                    }
                    None if part.has_sign => bits::insert(&mut string.sign, *site),
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
        let n_words = bits::n_words(hilbert.n_sites());
        let mut out = MaskString {
            flip: bits::empty(n_words),
            guard: bits::empty(n_words),
            guard_value: bits::empty(n_words),
            sign: bits::empty(n_words),
            coefficient,
            term,
        };
        for ladder in string.ladders() {
            let mode = ladder.mode;
            // c† has a non-zero bra element if the mode is filled in the bra.
            let needed_in_x = ladder.dagger ^ bits::contains(&out.flip, mode);
            if bits::contains(&out.guard, mode) && bits::contains(&out.guard_value, mode) != needed_in_x {
                return None;
            }
            bits::insert(&mut out.guard, mode);
            if needed_in_x {
                bits::insert(&mut out.guard_value, mode);
            }
            for below in hilbert.modes_with(mode).map_or(0, |modes| modes.start)..mode {
                bits::toggle(&mut out.sign, below);
                if bits::contains(&out.flip, below) {
                    out.coefficient.factor = -out.coefficient.factor;
                }
            }
            bits::toggle(&mut out.flip, mode);
        }
        Some(out)
    }

    /// The string as a table over `sites`, which must include all guards: the indices with a non-zero entry
    /// (bit k belongs to the k-th site), each with the sign that these sites give.
    pub(crate) fn rows(&self, sites: &[usize]) -> impl Iterator<Item = (usize, Complex64)> {
        let local = |set: &SiteSet| -> usize {
            sites.iter().enumerate().map(|(k, &site)| usize::from(bits::contains(set, site)) << k).sum()
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
