use std::fmt;

use ndarray::Array2;
use num_complex::Complex64;

use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::terms::Ladder;

/// An operator of one site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Factor {
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

/// What stands on a site.
#[derive(Clone, Copy, PartialEq)]
enum SiteKind {
    Spin,
    Boson,
    Fermion,
}

/// What a symbol is on its site.
pub(super) enum Action {
    Matrix(Array2<Complex64>),
    Ladders(&'static [bool]),
}

impl Factor {
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
        Factor { symbol, ..self }
    }

    /// The operator on a space: a matrix on its site, or ladder operators, each by whether it creates.
    ///
    /// # Errors
    /// [`Error::SiteOutOfRange`]; [`Error::WrongHilbert`] if the site is of another kind.
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
            Symbol::SigmaX => Action::Matrix(raising(dim) + raising(dim).t()),
            Symbol::SigmaY => Action::Matrix((raising(dim).t().to_owned() - raising(dim)) * Complex64::I),
            Symbol::SigmaZ => Action::Matrix(diagonal(dim, |k| dim as f64 - 1.0 - 2.0 * k as f64)),
            Symbol::SigmaP => Action::Matrix(raising(dim)),
            Symbol::SigmaM => Action::Matrix(raising(dim).t().to_owned()),
            Symbol::BosonCreate => Action::Matrix(upper(dim, |n| n as f64).t().to_owned()),
            Symbol::BosonDestroy => Action::Matrix(upper(dim, |n| n as f64)),
            Symbol::BosonNumber => Action::Matrix(diagonal(dim, |n| n as f64)),
            Symbol::FermionCreate => Action::Ladders(&[true]),
            Symbol::FermionDestroy => Action::Ladders(&[false]),
            Symbol::FermionNumber => Action::Ladders(&[true, false]),
        })
    }

    /// The ladder operator of the factor's mode.
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

/// What stands on a site; `None` if there is no such site.
fn site_kind(hilbert: &HilbertSpace, site: usize) -> Option<SiteKind> {
    let (factor, _) = hilbert.factor_of(site)?;
    match factor {
        HilbertSpace::Spin(_) | HilbertSpace::Qubit(_) => Some(SiteKind::Spin),
        HilbertSpace::Fock(_) => Some(SiteKind::Boson),
        HilbertSpace::SpinOrbitalFermions(_) => Some(SiteKind::Fermion),
        // The factors of a tensor product are none themselves.
        HilbertSpace::Tensor(_) => None,
    }
}

/// S₊ on local states from up to down: `<s − k + 1|S₊|s − k> = √(k (2s + 1 − k))`.
fn raising(dim: usize) -> Array2<Complex64> {
    upper(dim, |k| (k * (dim - k)) as f64)
}

/// The matrix with √f(k) at (k − 1, k).
fn upper(dim: usize, f: impl Fn(usize) -> f64) -> Array2<Complex64> {
    Array2::from_shape_fn((dim, dim), |(r, c)| match r + 1 == c {
        true => Complex64::new(f(c).sqrt(), 0.0),
        false => Complex64::ZERO,
    })
}

fn diagonal(dim: usize, f: impl Fn(usize) -> f64) -> Array2<Complex64> {
    Array2::from_diag(&(0..dim).map(|k| Complex64::new(f(k), 0.0)).collect::<ndarray::Array1<_>>())
}

impl fmt::Display for Factor {
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
