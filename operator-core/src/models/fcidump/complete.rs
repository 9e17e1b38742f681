//! From listed integrals to all of them: which symmetries a file bears out.

use num_complex::Complex64;

use super::header::Runs;
use super::layout::{Numbering, error_at};
use crate::error::{Error, Result};
use crate::models::integrals::{
    Clash, IntegralSymmetry, Listed, MolecularIntegrals, Orbit, OrbitalKind, Place, Value, images, sorted,
};

/// Values that differ by this fraction of the largest integral are the same, and smaller ones say nothing about
/// symmetry, within the bounds of [`noise`].
const ROUNDING: f64 = 1e-8;
/// Integrals above this are no noise, however large the largest one is: a wall of 1e9 may stand beside others of 0.1.
const LARGEST_NOISE: f64 = 1e-6;
/// What double precision rounds off, as a fraction of the largest integral.
const LAST_PLACES: f64 = 5e-16;
/// Values that differ by this many units of the last printed digit are the same …
const LAST_DIGITS: f64 = 2.5;
/// … unless they differ by more than this fraction.
const COARSEST: f64 = 1e-3;
/// Imaginary parts below this fraction of the largest integral are rounding, within the same bounds.
pub(super) const REAL: f64 = 1e-14;

const ASKED_FOR: &str = "which contradicts the symmetry that was asked for";
const STRAY: &str = "and the other integrals are listed as those of real orbitals, of which these two are equal; correct one, or \
                     name the symmetry with Fcidump::parse_as if the orbitals are complex";
const NOT_HERMITIAN: &str =
    "as only an operator has that is not Hermitian, and of such a one all orders must be listed";

/// Over how many electrons an integral is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Electrons {
    One,
    Two,
}

/// The integrals of a file, and what its header says about their symmetry.
pub(super) struct Listing<'a> {
    pub(super) source: &'a str,
    pub(super) kind: OrbitalKind,
    pub(super) numbering: Numbering,
    pub(super) core: f64,
    pub(super) one_body: Vec<Listed>,
    pub(super) two_body: Vec<Listed>,
    /// The symmetry that the user names.
    pub(super) declared: Option<IntegralSymmetry>,
    /// Whether the header says that every order is listed.
    pub(super) all_orders: bool,
    /// Angular momenta about an axis.
    pub(super) lz: Option<Runs>,
}

impl Listing<'_> {
    /// All integrals that follow from those that are listed.
    pub(super) fn complete(mut self) -> Result<MolecularIntegrals> {
        let one = Integrals::new(Electrons::One, std::mem::take(&mut self.one_body), &self)?;
        let mut two = Integrals::new(Electrons::Two, std::mem::take(&mut self.two_body), &self)?;
        let (one_survey, two_survey) =
            (one.survey(|_| false), two.survey(|listed| self.needs_exchanged(listed)));
        let two_symmetry = self.two_body_symmetry(&one, &mut two, &two_survey)?;
        let one_symmetry = self.one_body_symmetry(&one, &one_survey, two_symmetry, &two_survey)?;
        let symmetry = lower(one_symmetry, two_symmetry);
        if (one_symmetry, two_symmetry) == (symmetry, symmetry) {
            return Ok(MolecularIntegrals::from_sorted(
                self.kind,
                symmetry,
                self.core,
                &one.sorted,
                &two.sorted,
            ));
        }
        let one = one.all(one_symmetry).map(|([p, q, _, _], value)| ([p, q], value));
        MolecularIntegrals::new(self.kind, symmetry, self.core, one, two.all(two_symmetry))
    }

    /// One-electron integrals that are listed one way are Hermitian.
    fn one_body_symmetry(
        &self,
        one: &Integrals,
        survey: &Survey,
        two_symmetry: IntegralSymmetry,
        two_survey: &Survey,
    ) -> Result<IntegralSymmetry> {
        if let Some(clash) = self.declared.and_then(|symmetry| one.clash(symmetry)) {
            return Err(self.contradiction(Electrons::One, &clash, ASKED_FOR));
        }
        let Some(clash) = survey.hermitian_clash else {
            return Ok(if survey.is_complex { IntegralSymmetry::Hermitian } else { IntegralSymmetry::Real });
        };
        let is_all_listed = two_symmetry == IntegralSymmetry::Exchange || two_survey.lists_all();
        if survey.lone.is_some() || !is_all_listed {
            return Err(self.contradiction(Electrons::One, &clash, NOT_HERMITIAN));
        }
        Ok(IntegralSymmetry::Exchange)
    }

    /// Whether an integral can also be listed with its electrons exchanged.
    fn needs_exchanged(&self, listed: &Listed) -> bool {
        listed.place.is_changed_by_exchange() && self.numbering.lists_exchanged(listed.place.orbitals())
    }

    fn two_body_symmetry(
        &self,
        one: &Integrals,
        two: &mut Integrals,
        survey: &Survey,
    ) -> Result<IntegralSymmetry> {
        if let Some(symmetry) = self.declared {
            return match two.clash(symmetry) {
                Some(clash) => Err(self.contradiction(Electrons::Two, &clash, ASKED_FOR)),
                None => Ok(symmetry),
            };
        }
        if self.all_orders
            && let Some(listed) = survey.one_order
        {
            return Err(
                self.error(&listed, "IGENERAL is on, but it is not listed with the electrons exchanged")
            );
        }
        if self.all_orders || survey.lists_all() {
            return Ok(survey.symmetry_of_all());
        }
        if let Some(clash) = survey.hermitian_clash {
            return Err(self.contradiction(Electrons::Two, &clash, NOT_HERMITIAN));
        }
        if self.conserves_lz(one) && self.conserves_lz(two) && !survey.is_complex {
            self.add_for_equal_lz(two)?;
            return Ok(two.survey(|_| false).symmetry_of_hermitian());
        }
        self.symmetry_of_some(survey)
    }

    /// The symmetry of integrals that are not listed in all orders, but Hermitian.
    ///
    /// Of real orbitals, programs list `(pq|rs)` with both pairs in the same order; what is turned in one pair
    /// is equal. Of complex orbitals they list both kinds, and what is missing is 0.
    fn symmetry_of_some(&self, survey: &Survey) -> Result<IntegralSymmetry> {
        let Survey { parallel, antiparallel, both, .. } = survey;
        if survey.is_complex {
            return match (parallel, antiparallel, both) {
                (Some(listed), None, None) => Err(self.unclear(listed, "complex")),
                _ => Ok(IntegralSymmetry::Hermitian),
            };
        }
        if let Some(clash) = &survey.real_clash {
            // Complex orbitals have integrals of both kinds. A file with one kind only lists those of real ones, but for
            // these two.
            return match (parallel, antiparallel) {
                (Some(_), None) => Err(self.contradiction(Electrons::Two, clash, STRAY)),
                _ => Ok(IntegralSymmetry::Hermitian),
            };
        }
        match (parallel, antiparallel, both) {
            (_, None, None) | (None, None, Some(_)) => Ok(IntegralSymmetry::Real),
            (Some(listed), None, Some(_)) | (_, Some(listed), _) => Err(self.unclear(listed, "real")),
        }
    }

    /// Whether all integrals conserve the angular momentum that the header gives to the orbitals. Those of
    /// cosines and sines of the angle, which headers label likewise, do not.
    fn conserves_lz(&self, integrals: &Integrals) -> bool {
        let Some(lz) = &self.lz else { return false };
        let gain = |from: usize, to: usize| self.lz_of(lz, to) - self.lz_of(lz, from);
        integrals.sorted.iter().filter(|listed| !integrals.is_negligible(listed.value)).all(|listed| {
            let [p, q, r, s] = listed.place.orbitals();
            // One-electron integrals have r = s.
            gain(p, q) + gain(r, s) == 0
        })
    }

    fn lz_of(&self, lz: &Runs, mode: usize) -> i64 {
        lz.get(self.numbering.orbital(mode) - 1)
    }

    /// Completes integrals of orbitals `R exp(imφ)` with real R: densities of equal m are real.
    fn add_for_equal_lz(&self, two: &mut Integrals) -> Result<()> {
        let Some(lz) = &self.lz else { return Ok(()) };
        let mut added = Vec::new();
        for orbit in Orbit::all(&two.sorted) {
            let Some(&first) = orbit.listed().next() else { continue };
            let [p, q, r, s] = first.place.orbitals();
            let is_equal = |p, q| self.lz_of(lz, p) == self.lz_of(lz, q);
            if is_equal(p, q) && is_equal(r, s) {
                let turned = Place::of([p, q, s, r]);
                added.push(Listed::new(turned, first.value, first.line, first.unit));
            }
        }
        if let Some(clash) = two.add(added) {
            return Err(self.contradiction(Electrons::Two, &clash, "which SYMLZ makes equal"));
        }
        Ok(())
    }

    fn unclear(&self, listed: &Listed, numbers: &str) -> Error {
        let [p, q, r, s] = listed.place.orbitals();
        let [turned, other] = [[p, q, s, r], [q, p, r, s]].map(|orbitals| self.name(orbitals));
        self.error(
            listed,
            &format!(
                "it is listed, and neither {turned} nor {other}, and the other {numbers} integrals of the file do not \
                 tell whether these are equal to it (real orbitals) or 0 (complex ones); list all orders, or name the \
                 symmetry with Fcidump::parse_as"
            ),
        )
    }

    fn contradiction(
        &self,
        electrons: Electrons,
        Clash { listed: [one, other], conjugates }: &Clash,
        why: &str,
    ) -> Error {
        let (later, earlier) = if one.line < other.line { (other, one) } else { (one, other) };
        if one.place == other.place && *conjugates {
            return self.error(later, &format!("it must be real, {why}"));
        }
        let relation = if *conjugates { "its complex conjugate" } else { "the same integral" };
        self.error(
            later,
            &format!(
                "it is {}, but {relation} {} on line {} is {}, {why}",
                Value(later.value),
                self.name_of(electrons, earlier.place),
                earlier.line,
                Value(earlier.value)
            ),
        )
    }

    fn error(&self, listed: &Listed, reason: &str) -> Error {
        error_at(self.source, listed.line, reason)
    }

    /// Orbitals as the file numbers them.
    fn name(&self, orbitals: [usize; 4]) -> String {
        let [p, q, r, s] = orbitals.map(|orbital| self.numbering.orbital(orbital));
        format!("({p} {q}|{r} {s})")
    }

    /// An integral over one electron or two as the file numbers its orbitals.
    fn name_of(&self, electrons: Electrons, place: Place) -> String {
        let orbitals = place.orbitals();
        let [p, q, ..] = orbitals.map(|orbital| self.numbering.orbital(orbital));
        if electrons == Electrons::One { format!("h({p} {q})") } else { self.name(orbitals) }
    }
}

/// What counts as noise among integrals, if it is this fraction of the largest.
fn noise(fraction: f64, largest: f64) -> f64 {
    (fraction * largest).min(LARGEST_NOISE).max(LAST_PLACES * largest)
}

fn lower(one: IntegralSymmetry, other: IntegralSymmetry) -> IntegralSymmetry {
    use IntegralSymmetry::{Exchange, Hermitian, Real};
    match (one, other) {
        (Exchange, _) | (_, Exchange) => Exchange,
        (Hermitian, _) | (_, Hermitian) => Hermitian,
        (Real, Real) => Real,
    }
}

/// Integrals sorted by orbit, with the scale of what is negligible among them.
struct Integrals {
    sorted: Vec<Listed>,
    largest: f64,
    is_complex: bool,
}

/// What the listed integrals say about their symmetry. Negligible ones say nothing.
#[derive(Default)]
struct Survey {
    is_complex: bool,
    real_clash: Option<Clash>,
    hermitian_clash: Option<Clash>,
    /// One without its complex conjugate.
    lone: Option<Listed>,
    /// One that is listed in one order of its electrons.
    one_order: Option<Listed>,
    /// Orbits of which only the orders with both pairs turned alike are listed, …
    parallel: Option<Listed>,
    /// … only the others, …
    antiparallel: Option<Listed>,
    /// … or both.
    both: Option<Listed>,
}

impl Survey {
    /// Whether each listed integral is listed in all orders that complex orbitals make equal.
    fn lists_all(&self) -> bool {
        self.lone.is_none() && self.one_order.is_none()
    }

    /// The symmetry of integrals of which those that are not listed are 0.
    fn symmetry_of_all(&self) -> IntegralSymmetry {
        if self.hermitian_clash.is_some() || self.lone.is_some() {
            return IntegralSymmetry::Exchange;
        }
        self.symmetry_of_hermitian()
    }

    /// The symmetry of Hermitian integrals of which those that neither they nor their conjugates list are 0.
    fn symmetry_of_hermitian(&self) -> IntegralSymmetry {
        let is_real = !self.is_complex && self.real_clash.is_none();
        if is_real && self.parallel.is_none() && self.antiparallel.is_none() {
            IntegralSymmetry::Real
        } else {
            IntegralSymmetry::Hermitian
        }
    }
}

impl Integrals {
    fn new(electrons: Electrons, mut listed: Vec<Listed>, listing: &Listing<'_>) -> Result<Self> {
        let largest = listed.iter().map(|listed| listed.value.norm()).fold(0.0, f64::max);
        let is_complex = listed.iter().any(|listed| listed.value.im.abs() > noise(REAL, largest));
        if !is_complex {
            listed.iter_mut().for_each(|listed| listed.value.im = 0.0);
        }
        let mut integrals = Integrals { sorted: Vec::new(), largest, is_complex };
        match integrals.add(listed) {
            Some(clash) => {
                let why = match electrons {
                    Electrons::One => "and it has one value",
                    Electrons::Two => "and exchange of electrons changes nothing",
                };
                Err(listing.contradiction(electrons, &clash, why))
            }
            None => Ok(integrals),
        }
    }

    /// Adds integrals. Returns those that contradict each other.
    fn add(&mut self, listed: Vec<Listed>) -> Option<Clash> {
        let mut all = std::mem::take(&mut self.sorted);
        all.extend(listed);
        match sorted(all, &|one, other, unit| self.agree(one, other, unit)) {
            Ok(sorted) => {
                self.sorted = sorted;
                None
            }
            Err(clash) => Some(*clash),
        }
    }

    fn agree(&self, one: Complex64, other: Complex64, unit: f64) -> bool {
        let (difference, size) = ((one - other).norm(), one.norm().max(other.norm()));
        difference <= noise(ROUNDING, self.largest) || difference <= (LAST_DIGITS * unit).min(COARSEST * size)
    }

    fn is_negligible(&self, value: Complex64) -> bool {
        value.norm() <= noise(ROUNDING, self.largest)
    }

    fn clash(&self, symmetry: IntegralSymmetry) -> Option<Clash> {
        let agree = |one, other, unit| self.agree(one, other, unit);
        Orbit::all(&self.sorted).find_map(|orbit| orbit.clash(symmetry, &agree))
    }

    /// `needs_exchanged` tells whether an integral can also be listed with its electrons exchanged.
    fn survey(&self, needs_exchanged: impl Fn(&Listed) -> bool) -> Survey {
        let mut survey = Survey { is_complex: self.is_complex, ..Survey::default() };
        let agree = |one, other, unit| self.agree(one, other, unit);
        for orbit in Orbit::all(&self.sorted) {
            if orbit.listed().all(|listed| self.is_negligible(listed.value)) {
                continue;
            }
            survey.real_clash = survey.real_clash.or_else(|| orbit.clash(IntegralSymmetry::Real, &agree));
            survey.hermitian_clash =
                survey.hermitian_clash.or_else(|| orbit.clash(IntegralSymmetry::Hermitian, &agree));
            let (mut parallel, mut antiparallel) = (None, None);
            for &listed in orbit.listed() {
                match listed.place.is_parallel() {
                    Some(true) => parallel = Some(listed),
                    Some(false) => antiparallel = Some(listed),
                    None => {}
                }
                if !self.is_negligible(listed.value) {
                    let is_lone = orbit.get(listed.place.partner()).is_none();
                    survey.lone = survey.lone.or(is_lone.then_some(listed));
                    let is_one_order = !listed.both_orders && needs_exchanged(&listed);
                    survey.one_order = survey.one_order.or(is_one_order.then_some(listed));
                }
            }
            match (parallel, antiparallel) {
                (Some(listed), Some(_)) => survey.both = survey.both.or(Some(listed)),
                (Some(listed), None) => survey.parallel = survey.parallel.or(Some(listed)),
                (None, listed) => survey.antiparallel = survey.antiparallel.or(listed),
            }
        }
        survey
    }

    /// The integrals in all orders but for exchange.
    fn all(&self, symmetry: IntegralSymmetry) -> impl Iterator<Item = ([usize; 4], Complex64)> {
        let representatives = Orbit::all(&self.sorted).flat_map(move |orbit| orbit.representatives(symmetry));
        representatives.flat_map(move |(orbitals, value)| {
            images(symmetry, orbitals)
                .into_iter()
                .map(move |(order, conjugated)| (order, if conjugated { value.conj() } else { value }))
        })
    }
}
