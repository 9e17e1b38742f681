//! Operators on one site.

use std::fmt;

use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::terms::{Ladder, SiteMatrix, destroy, number, raise, twice_spin};

/// An operator on one site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SiteOperator {
    pub(super) site: usize,
    pub(super) symbol: Symbol,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Symbol {
    SigmaX,
    SigmaY,
    SigmaZ,
    SigmaP,
    SigmaM,
    BosonCreate,
    BosonDestroy,
    BosonNumber,
    FermionCreate,
    FermionDestroy,
    FermionNumber,
}

/// What a site holds.
#[derive(Clone, Copy, PartialEq)]
enum SiteKind {
    Spin,
    Boson,
    Fermion,
}

/// What a symbol does on its site.
pub(super) enum Action {
    Matrix(SiteMatrix),
    Ladders(&'static [bool]),
}

impl SiteOperator {
    pub(super) fn adjoint(self) -> Self {
        let symbol = match self.symbol {
            Symbol::SigmaP => Symbol::SigmaM,
            Symbol::SigmaM => Symbol::SigmaP,
            Symbol::BosonCreate => Symbol::BosonDestroy,
            Symbol::BosonDestroy => Symbol::BosonCreate,
            Symbol::FermionCreate => Symbol::FermionDestroy,
            Symbol::FermionDestroy => Symbol::FermionCreate,
            hermitian => hermitian,
        };
        SiteOperator { symbol, ..self }
    }

    /// The operator on a space: a matrix on its site, or ladder operators, each given by whether it creates.
    ///
    /// # Errors
    /// [`Error::SiteOutOfRange`]; [`Error::WrongHilbert`] if the site has another kind.
    pub(super) fn on(self, hilbert: &HilbertSpace) -> Result<Action> {
        let n_sites = hilbert.n_sites();
        if self.site >= n_sites {
            return Err(Error::SiteOutOfRange {
                term: self.to_string(),
                site: self.site,
                n_sites,
                hilbert: hilbert.to_string(),
            });
        }
        if site_kind(hilbert, self.site) != Some(self.symbol.site_kind()) {
            return Err(Error::WrongHilbert {
                term: self.to_string(),
                hilbert: hilbert.to_string(),
                reason: match self.symbol.site_kind() {
                    SiteKind::Spin => "its site is neither a spin nor a qubit",
                    SiteKind::Boson => "its site does not hold bosons",
                    SiteKind::Fermion => "its site is not a fermion mode",
                },
            });
        }
        let dim = hilbert.local_dim(self.site);
        Ok(match self.symbol {
            Symbol::SigmaX => Action::Matrix(twice_spin(dim)[0].clone()),
            Symbol::SigmaY => Action::Matrix(twice_spin(dim)[1].clone()),
            Symbol::SigmaZ => Action::Matrix(twice_spin(dim)[2].clone()),
            Symbol::SigmaP => Action::Matrix(raise(dim)),
            Symbol::SigmaM => Action::Matrix(raise(dim).transpose()),
            Symbol::BosonCreate => Action::Matrix(destroy(dim).transpose()),
            Symbol::BosonDestroy => Action::Matrix(destroy(dim)),
            Symbol::BosonNumber => Action::Matrix(number(dim)),
            Symbol::FermionCreate => Action::Ladders(&[true]),
            Symbol::FermionDestroy => Action::Ladders(&[false]),
            Symbol::FermionNumber => Action::Ladders(&[true, false]),
        })
    }

    /// The ladder operator of its mode.
    pub(super) fn ladder(self, dagger: bool) -> Ladder {
        Ladder { mode: self.site, dagger }
    }
}

impl Symbol {
    fn site_kind(self) -> SiteKind {
        match self {
            Symbol::SigmaX | Symbol::SigmaY | Symbol::SigmaZ | Symbol::SigmaP | Symbol::SigmaM => {
                SiteKind::Spin
            }
            Symbol::BosonCreate | Symbol::BosonDestroy | Symbol::BosonNumber => SiteKind::Boson,
            Symbol::FermionCreate | Symbol::FermionDestroy | Symbol::FermionNumber => SiteKind::Fermion,
        }
    }
}

/// What a site holds; `None` if there is no such site.
fn site_kind(hilbert: &HilbertSpace, site: usize) -> Option<SiteKind> {
    let (factor, _) = hilbert.factor_of(site)?;
    match factor {
        HilbertSpace::Spin(_) | HilbertSpace::Qubit(_) => Some(SiteKind::Spin),
        HilbertSpace::Fock(_) => Some(SiteKind::Boson),
        HilbertSpace::SpinOrbitalFermions(_) => Some(SiteKind::Fermion),
        // Tensor factors are never tensor products.
        HilbertSpace::Tensor(_) => None,
    }
}

impl fmt::Display for SiteOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.symbol {
            Symbol::SigmaX => "sigmax",
            Symbol::SigmaY => "sigmay",
            Symbol::SigmaZ => "sigmaz",
            Symbol::SigmaP => "sigmap",
            Symbol::SigmaM => "sigmam",
            Symbol::BosonCreate => "boson::create",
            Symbol::BosonDestroy => "boson::destroy",
            Symbol::BosonNumber => "boson::number",
            Symbol::FermionCreate => "fermion::create",
            Symbol::FermionDestroy => "fermion::destroy",
            Symbol::FermionNumber => "fermion::number",
        };
        write!(f, "{name}({})", self.site)
    }
}
