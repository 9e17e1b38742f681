//! The summands of matrix elements on two-level sites.

use crate::bits;
use crate::element::Element;
use crate::kernel::offsets::range;

/// A packed configuration. Short ones have a fixed length, so that loops over words unroll.
pub(crate) trait Words {
    fn bit(&self, site: u32) -> usize;
    fn odd_overlap(&self, mask: &[u64]) -> bool;
    /// Whether the bits on the sites of `guard` are those of `value`.
    fn matches(&self, guard: &[u64], value: &[u64]) -> bool;
}

impl<const N: usize> Words for [u64; N] {
    #[inline]
    fn bit(&self, site: u32) -> usize {
        // The remainder removes the bounds check; sites are below 64 N.
        (self[site as usize / 64 % N] >> (site % 64) & 1) as usize
    }

    #[inline]
    fn odd_overlap(&self, mask: &[u64]) -> bool {
        bits::odd_overlap(self, mask)
    }

    #[inline]
    fn matches(&self, guard: &[u64], value: &[u64]) -> bool {
        self.iter().zip(guard).zip(value).all(|((word, guard), value)| word & guard == *value)
    }
}

impl Words for [u64] {
    #[inline]
    fn bit(&self, site: u32) -> usize {
        usize::from(bits::contains(self, site as usize))
    }

    #[inline]
    fn odd_overlap(&self, mask: &[u64]) -> bool {
        bits::odd_overlap(self, mask)
    }

    #[inline]
    fn matches(&self, guard: &[u64], value: &[u64]) -> bool {
        self.iter().zip(guard).zip(value).all(|((word, guard), value)| word & guard == *value)
    }
}

/// In place of the size of a piece's support: the piece has guards. It has two slots, the first of which is 0; the
/// second counts if all its guards hold.
pub(crate) const GUARDED: u8 = u8::MAX;

/// One summand of a matrix element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// Start of its 2^n_support slots in `tables`; bit k of the index belongs to the k-th support site.
    pub(crate) table: u32,
    /// Start of its sites in `support`, or of its guards in `guards`.
    pub(crate) support: u32,
    pub(crate) first_two: [u32; 2],
    pub(crate) n_support: u8,
    pub(crate) has_sign: bool,
}

/// All pieces of a kernel, and the arrays that they index.
#[derive(Debug)]
pub(crate) struct Pieces {
    /// Words of a packed configuration.
    pub(crate) n_words: usize,
    pub(crate) list: Vec<Piece>,
    /// Sign mask of each piece, `n_words` words each.
    pub(crate) signs: Vec<u64>,
    /// Supports of all pieces.
    pub(crate) support: Vec<u32>,
    /// The guarded sites and their bits, for each guarded piece: twice `n_words` words.
    pub(crate) guards: Vec<u64>,
    /// Slots of all tables; equal tables are stored once.
    pub(crate) tables: Vec<u32>,
}

impl Pieces {
    /// No pieces yet.
    pub(crate) fn new(n_words: usize) -> Self {
        Pieces {
            n_words,
            list: Vec::new(),
            signs: Vec::new(),
            support: Vec::new(),
            guards: Vec::new(),
            tables: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn sum<T: Element, W: Words + ?Sized>(
        &self,
        pieces: (u32, u32),
        words: &W,
        values: &[T],
    ) -> T {
        let mut mel = T::zero();
        for p in range(pieces) {
            mel += self.value(p, words, values);
        }
        mel
    }

    /// The value of piece `p` for a configuration.
    #[inline]
    pub(crate) fn value<T: Element, W: Words + ?Sized>(&self, p: usize, words: &W, values: &[T]) -> T {
        let (slot, negative) = self.slot(p, words);
        let value = values[slot];
        if negative { -value } else { value }
    }

    /// The slot of piece `p` for a configuration, and whether it enters negatively.
    #[inline]
    fn slot<W: Words + ?Sized>(&self, p: usize, words: &W) -> (usize, bool) {
        let (entry, negative) = self.entry(p, words);
        (self.tables[self.list[p].table as usize + entry] as usize, negative)
    }

    /// The bits that piece `p` looks at, as one number: its support, then the parity on its sign mask on top.
    #[inline]
    pub(crate) fn index<W: Words + ?Sized>(&self, p: usize, words: &W) -> usize {
        let (entry, negative) = self.entry(p, words);
        entry | usize::from(negative) << self.list[p].n_support
    }

    #[inline]
    fn entry<W: Words + ?Sized>(&self, p: usize, words: &W) -> (usize, bool) {
        let piece = &self.list[p];
        let entry = match piece.n_support {
            0 => 0,
            // Bonds: the piece itself stores its two sites.
            2 => words.bit(piece.first_two[0]) + 2 * words.bit(piece.first_two[1]),
            GUARDED => {
                let (guard, value) = self.guards_at(piece);
                usize::from(words.matches(guard, value))
            }
            n => {
                let support = &self.support[piece.support as usize..][..usize::from(n)];
                support.iter().enumerate().map(|(k, &site)| words.bit(site) << k).sum()
            }
        };
        (entry, piece.has_sign && words.odd_overlap(self.sign(p)))
    }

    pub(crate) fn for_each_slot(&self, pieces: (u32, u32), words: &[u64], f: &mut impl FnMut(usize, f64)) {
        for p in range(pieces) {
            let (slot, negative) = self.slot(p, words);
            f(slot, if negative { -1.0 } else { 1.0 });
        }
    }

    /// The guarded sites of a piece and their bits, if it has guards instead of a support.
    pub(crate) fn guards_of(&self, p: usize) -> Option<(&[u64], &[u64])> {
        let piece = &self.list[p];
        (piece.n_support == GUARDED).then(|| self.guards_at(piece))
    }

    #[inline]
    fn guards_at(&self, piece: &Piece) -> (&[u64], &[u64]) {
        self.guards[piece.support as usize..][..2 * self.n_words].split_at(self.n_words)
    }

    /// The sites of a piece's table; none if it has guards.
    pub(crate) fn support_of(&self, p: usize) -> &[u32] {
        let piece = &self.list[p];
        if piece.n_support == GUARDED {
            return &[];
        }
        &self.support[piece.support as usize..][..usize::from(piece.n_support)]
    }

    #[inline]
    pub(crate) fn sign(&self, p: usize) -> &[u64] {
        &self.signs[p * self.n_words..(p + 1) * self.n_words]
    }

    /// The slots of piece `p`, one for each index.
    pub(crate) fn table_of(&self, p: usize) -> &[u32] {
        let piece = &self.list[p];
        let n = if piece.n_support == GUARDED { 1 } else { piece.n_support };
        &self.tables[piece.table as usize..][..1 << n]
    }
}
