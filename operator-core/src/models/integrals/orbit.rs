//! Listed integrals, and those that the symmetry of real orbitals makes equal.

use std::cmp::Ordering;

use num_complex::Complex64;
use smallvec::SmallVec;

use super::IntegralSymmetry;
use super::place::{Class, Place};

/// An integral in the order in which it is listed.
#[derive(Clone, Copy, Debug)]
pub(in crate::models) struct Listed {
    pub(in crate::models) place: Place,
    pub(in crate::models) value: Complex64,
    /// Where it stands in the list.
    pub(in crate::models) line: usize,
    /// What the last digit of its text counts, 0 if it has none.
    pub(in crate::models) unit: f64,
    /// Whether it is listed with the electrons exchanged, too.
    pub(in crate::models) both_orders: bool,
}

impl Listed {
    pub(in crate::models) fn new(place: Place, value: Complex64, line: usize, unit: f64) -> Self {
        Listed { place, value, line, unit, both_orders: false }
    }
}

/// Two listed integrals that should be equal, or complex conjugates.
#[derive(Clone, Copy, Debug)]
pub(in crate::models) struct Clash {
    pub(in crate::models) listed: [Listed; 2],
    pub(in crate::models) conjugates: bool,
}

/// Whether two values are the same, given the larger unit of their last digits.
pub(in crate::models) type Agree<'a> = &'a dyn Fn(Complex64, Complex64, f64) -> bool;

/// The listed integrals that are equal for real orbitals: at most four, at most one in each [`Class`].
#[derive(Clone, Copy, Debug)]
pub(in crate::models) struct Orbit<'a> {
    listed: &'a [Listed],
}

impl<'a> Orbit<'a> {
    /// The orbits of sorted integrals.
    pub(in crate::models) fn all(sorted: &'a [Listed]) -> impl Iterator<Item = Orbit<'a>> {
        sorted.chunk_by(|one, other| one.place.key == other.place.key).map(|listed| Orbit { listed })
    }

    /// The listed integrals, one in each class, in the order of the classes.
    pub(in crate::models) fn listed(self) -> impl Iterator<Item = &'a Listed> {
        self.listed.iter()
    }

    pub(in crate::models) fn get(self, class: Class) -> Option<&'a Listed> {
        self.listed().find(|listed| listed.place.class == class)
    }

    /// Two listed values that contradict a symmetry.
    pub(in crate::models) fn clash(self, symmetry: IntegralSymmetry, agree: Agree<'_>) -> Option<Clash> {
        let compare = |one: &Listed, other: &Listed, conjugates: bool| {
            let value = if conjugates { other.value.conj() } else { other.value };
            let agrees = agree(one.value, value, one.unit.max(other.unit));
            (!agrees).then_some(Clash { listed: [*one, *other], conjugates })
        };
        match symmetry {
            IntegralSymmetry::Exchange => None,
            IntegralSymmetry::Hermitian => self
                .listed()
                .find_map(|one| self.get(one.place.partner()).and_then(|other| compare(one, other, true))),
            IntegralSymmetry::Real => {
                let first = self.first()?;
                self.listed().find_map(|one| compare(one, one, true).or_else(|| compare(one, first, false)))
            }
        }
    }

    fn first(self) -> Option<&'a Listed> {
        self.listed().min_by_key(|listed| listed.line)
    }

    /// The integrals that a symmetry does not relate to each other, in the order of their orbitals. Of values that
    /// it makes equal, the first counts.
    pub(in crate::models) fn representatives(
        self,
        symmetry: IntegralSymmetry,
    ) -> SmallVec<[([usize; 4], Complex64); 4]> {
        let in_order = |place: Place, class| Place { class, exchanged: false, ..place }.orbitals();
        let hermitian = |listed: &Listed| {
            let (class, partner) = (listed.place.class, listed.place.partner());
            let other = self.get(partner).filter(|_| class != partner);
            let is_first = other.is_none_or(|other| (listed.line, class) < (other.line, partner));
            let value = match class.cmp(&partner) {
                Ordering::Less => listed.value,
                // It is its own conjugate.
                Ordering::Equal => listed.value.re.into(),
                Ordering::Greater => listed.value.conj(),
            };
            is_first.then(|| (in_order(listed.place, class.min(partner)), value))
        };
        let mut chosen: SmallVec<[([usize; 4], Complex64); 4]> = match symmetry {
            IntegralSymmetry::Real => {
                self.first().map(|listed| (listed.place.key, listed.value.re.into())).into_iter().collect()
            }
            IntegralSymmetry::Hermitian => self.listed().filter_map(hermitian).collect(),
            IntegralSymmetry::Exchange => self
                .listed()
                .map(|listed| (in_order(listed.place, listed.place.class), listed.value))
                .collect(),
        };
        chosen.sort_unstable_by_key(|&(orbitals, _)| orbitals);
        chosen
    }
}

/// Sorts listed integrals by orbit and class, and leaves the first of each class.
///
/// # Errors
/// Two different values of one integral, in the same order of its orbitals or with the electrons exchanged.
pub(in crate::models) fn sorted(
    mut listed: Vec<Listed>,
    agree: Agree<'_>,
) -> Result<Vec<Listed>, Box<Clash>> {
    listed.sort_unstable_by_key(|listed| (listed.place.key, listed.place.class, listed.line));
    let mut clash = None;
    listed.dedup_by(|next, known| {
        let same = (next.place.key, next.place.class) == (known.place.key, known.place.class);
        if same {
            known.both_orders |= next.place.exchanged != known.place.exchanged;
            if clash.is_none() && !agree(known.value, next.value, known.unit.max(next.unit)) {
                clash = Some(Box::new(Clash { listed: [*next, *known], conjugates: false }));
            }
        }
        same
    });
    clash.map_or(Ok(listed), Err)
}
