//! The orders of an integral's orbitals, and which of them are the same integral.

use super::IntegralSymmetry;

/// The orders of `(pq|rs)` that stand for different operators, and whether each is conjugated. Exchange of the
/// electrons gives the same operator and is left out.
pub(in crate::models) fn images(symmetry: IntegralSymmetry, orbitals: [usize; 4]) -> Vec<([usize; 4], bool)> {
    let [p, q, r, s] = orbitals;
    let orders: &[([usize; 4], bool)] = match symmetry {
        IntegralSymmetry::Exchange => &[([p, q, r, s], false)],
        IntegralSymmetry::Hermitian => &[([p, q, r, s], false), ([q, p, s, r], true)],
        IntegralSymmetry::Real => {
            &[([p, q, r, s], false), ([p, q, s, r], false), ([q, p, r, s], false), ([q, p, s, r], false)]
        }
    };
    let mut images: Vec<([usize; 4], bool)> = Vec::with_capacity(orders.len());
    for &(order, conjugated) in orders {
        let class = Place::of(order).class;
        if images.iter().all(|&(known, _)| Place::of(known).class != class) {
            images.push((order, conjugated));
        }
    }
    images
}

/// Which of the two pairs of an integral have their orbitals in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::models) struct Class {
    pub(super) bra: bool,
    pub(super) ket: bool,
}

/// An order of the orbitals of an integral: which integral it is, up to the symmetry of real orbitals, and which
/// of its orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::models) struct Place {
    /// The orbitals with p ≥ q, r ≥ s, and the pair p q not before r s.
    pub(super) key: [usize; 4],
    /// What remains when electrons are exchanged.
    pub(super) class: Class,
    /// Whether the pairs are exchanged.
    pub(super) exchanged: bool,
}

impl Place {
    pub(in crate::models) fn of([p, q, r, s]: [usize; 4]) -> Self {
        let pair = |p: usize, q: usize| ([p.max(q), p.min(q)], p < q);
        let (mut bra, mut ket) = (pair(p, q), pair(r, s));
        // Of (pq|qp) and (qp|pq), the first is the one that is not exchanged.
        let exchanged = bra.0 < ket.0 || (bra.0 == ket.0 && bra.1 && !ket.1);
        if exchanged {
            (bra, ket) = (ket, bra);
        }
        let ([p, q], [r, s]) = (bra.0, ket.0);
        Place { key: [p, q, r, s], class: Class { bra: bra.1, ket: ket.1 }, exchanged }
    }

    pub(in crate::models) fn orbitals(self) -> [usize; 4] {
        let [mut p, mut q, mut r, mut s] = self.key;
        if self.class.bra {
            (p, q) = (q, p);
        }
        if self.class.ket {
            (r, s) = (s, r);
        }
        if self.exchanged { [r, s, p, q] } else { [p, q, r, s] }
    }

    /// The order that stands for both orders of the electrons.
    pub(in crate::models) fn without_exchange(self) -> Self {
        Place { exchanged: false, ..self }
    }

    /// The class of the complex conjugate.
    pub(in crate::models) fn partner(self) -> Class {
        let turned = Class { bra: !self.class.bra, ket: !self.class.ket };
        Place::of(Place { class: turned, exchanged: false, ..self }.orbitals()).class
    }

    /// Whether both pairs are turned alike. `None` if a pair has one orbital twice, so that turning one pair is
    /// as turning both.
    pub(in crate::models) fn is_parallel(self) -> Option<bool> {
        let [p, q, r, s] = self.key;
        (p != q && r != s).then_some(self.class.bra == self.class.ket)
    }

    /// Whether exchange of the electrons gives another order.
    pub(in crate::models) fn is_changed_by_exchange(self) -> bool {
        let [p, q, r, s] = self.key;
        [p, q] != [r, s] || self.class.bra != self.class.ket
    }
}

/// `h_pq`, as a pair beside which the other is always the same.
pub(in crate::models) fn one_body_place([p, q]: [usize; 2]) -> Place {
    Place::of([p, q, 0, 0])
}
