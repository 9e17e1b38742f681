//! Slater determinants.

mod determinant;
mod walker;

use faer::{Mat, Side};
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, Axis};
use num_complex::Complex64;
use operator_core::{Backend, Error, HilbertSpace, Result, Walker, WaveFunction, memory};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use crate::derivatives::{LogDerivatives, ParameterArray, Trainable, expect_derivatives_fit};
use determinant::{Determinant, Filled};
use walker::SlaterWalker;

/// Free fermions: a Slater determinant for each spin state, with real orbitals.
///
/// `ψ(x) = Π_s det A_s`. The matrix A_s consists of the rows of the orbital matrix `M_s`, shape
/// `(n_orbitals, n_particles)`, that belong to the filled orbitals of x in ascending order. This is the state
/// `Π_s Π_k (Σ_i M_s[i, k] c†_is)|0>` with modes in the order of
/// [`SpinOrbitalFermions`](operator_core::hilbert::SpinOrbitalFermions). The logarithm of a negative
/// amplitude has the imaginary part π. An amplitude that rounding makes indistinguishable from 0 is 0.
///
/// If the space fixes the total number of fermions but not the number in each spin state, there is one
/// determinant over all modes, and its orbitals mix spins.
///
/// Every backend evaluates the determinants on the host. The [`Walker`] needs `O(1)` operations for the ratio
/// of a hop and `O(n_orbitals · n_particles)` to accept it.
///
/// # Source
/// Ceperley, Chester and Kalos, PRB 16, 3081 (1977), for the updates; `∂ ln det A / ∂A = A⁻ᵀ`.
///
/// ```
/// use operator_core::{Boundary, FermiHubbard, Graph, Model, hilbert::SpinOrbitalFermions};
/// use variational::{Flat, FullSumState, Slater, VariationalState};
///
/// let ring = Graph::chain(6, Boundary::Periodic)?;
/// let space = SpinOrbitalFermions::with_spin(6, 0.5)?.with_n_fermions_per_spin(&[3, 3])?;
/// let free = FermiHubbard::new(space.clone(), &ring, 1.0, 0.0)?.lower::<Flat>()?;
///
/// let mut hopping = ndarray::Array2::zeros((6, 6));
/// for &[i, j] in ring.edges() {
///     (hopping[[i, j]], hopping[[j, i]]) = (-1.0, -1.0);
/// }
/// let mut state = FullSumState::new(Slater::<Flat>::mean_field(space, &hopping)?)?;
/// let energy = state.expect(&free)?;
/// assert!((energy.mean.re + 8.0).abs() < 1e-10 && energy.variance < 1e-18);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Slater<B: Backend> {
    hilbert: HilbertSpace,
    sectors: Vec<Sector>,
    /// Equal to the number of sectors, or 1 if they share their orbitals.
    n_matrices: usize,
    parameters: Array1<f64>,
    device: B::Device,
}

/// The particles of one spin state.
#[derive(Clone, Copy, Debug)]
struct Sector {
    /// Its first mode.
    start: usize,
    n_orbitals: usize,
    n_particles: usize,
    /// Where its orbitals begin among the parameters. Sectors with equal offsets share their orbitals.
    offset: usize,
}

impl Sector {
    fn n_values(&self) -> usize {
        self.n_orbitals * self.n_particles
    }
}

impl<B: Backend> Slater<B> {
    /// Random orthonormal orbitals, drawn independently for each spin state with seed 0.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the space holds fermions whose number is fixed; [`Error::Backend`] if
    /// the orbitals cannot be orthonormalised.
    pub fn new(hilbert: impl Into<HilbertSpace>) -> Result<Self> {
        let hilbert = hilbert.into();
        let orbitals = random_orbitals::<B>(&sectors(&hilbert)?, 0)?;
        Self::from_orbitals(hilbert, orbitals)
    }

    /// Draws the orbitals anew, with this seed. Spin states that share orbitals still do.
    ///
    /// # Errors
    /// [`Error::Backend`] if the orbitals cannot be orthonormalised.
    pub fn with_seed(self, seed: u64) -> Result<Self> {
        let orbitals = random_orbitals::<B>(&self.sectors[..self.n_matrices], seed)?;
        Ok(Slater { device: self.device, ..Self::from_orbitals(self.hilbert, orbitals)? })
    }

    /// Given orbitals, shape `(n_orbitals, n_particles)`: one matrix for each spin state, lowest s_z first,
    /// or one that all spin states share. Orbitals need not be orthonormal.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the space holds fermions whose number is fixed; [`Error::Count`] for a
    /// wrong number of matrices or a wrong shape; [`Error::NotFinite`] for an element that is NaN or
    /// infinite.
    pub fn from_orbitals(
        hilbert: impl Into<HilbertSpace>,
        orbitals: impl IntoIterator<Item = Array2<f64>>,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        let mut sectors = sectors(&hilbert)?;
        let orbitals: Vec<_> = orbitals.into_iter().collect();
        if orbitals.len() != 1 && orbitals.len() != sectors.len() {
            let expected = match sectors.len() {
                1 => "1".into(),
                n => format!("{n}, one a spin state, or 1 that they share"),
            };
            return Err(Error::Count { what: "orbital matrices".into(), got: orbitals.len(), expected });
        }
        let mut parameters = Vec::new();
        for (k, sector) in sectors.iter_mut().enumerate() {
            let (rows, columns) = orbitals.get(k).or(orbitals.first()).map_or((0, 0), |matrix| matrix.dim());
            let sides = [("rows", rows, sector.n_orbitals), ("columns", columns, sector.n_particles)];
            for (side, got, expected) in sides {
                if got != expected {
                    let what = format!("{side} in the orbital matrix of spin state {k}");
                    return Err(Error::Count { what, got, expected: expected.to_string() });
                }
            }
            match orbitals.get(k) {
                Some(matrix) => {
                    sector.offset = parameters.len();
                    parameters.extend(matrix.iter().copied());
                }
                None => sector.offset = 0,
            }
        }
        check_finite("an orbital", parameters.iter())?;
        let device = B::default_device();
        Ok(Slater { hilbert, sectors, n_matrices: orbitals.len(), parameters: parameters.into(), device })
    }

    /// The ground state of the one-body Hamiltonian `Σ_ijs t_ij c†_is c_js` with the real symmetric t in
    /// `hopping`, shape `(n_orbitals, n_orbitals)`. Each spin state fills the lowest eigenvectors of t.
    ///
    /// If the highest filled level is degenerate with an empty one, the choice between them is arbitrary.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the space holds fermions whose number is fixed; [`Error::Count`] for a
    /// matrix of another shape; [`Error::NotHermitian`] unless it is symmetric; [`Error::NotFinite`] for an
    /// element that is NaN or infinite.
    pub fn mean_field(hilbert: impl Into<HilbertSpace>, hopping: &Array2<f64>) -> Result<Self> {
        let hilbert = hilbert.into();
        let sectors = sectors(&hilbert)?;
        check_finite("a hopping matrix element", hopping.iter())?;
        let expected = sectors.first().map_or(0, |sector| sector.n_orbitals);
        if let Some(&got) = [hopping.nrows(), hopping.ncols()].iter().find(|&&side| side != expected) {
            let what = "rows or columns of the hopping matrix".into();
            return Err(Error::Count { what, got, expected: expected.to_string() });
        }
        let largest = hopping.iter().fold(0.0f64, |max, t| max.max(t.abs()));
        if hopping.indexed_iter().any(|((i, j), t)| (t - hopping[[j, i]]).abs() > 1e-10 * largest) {
            let operator = "the hopping matrix".into();
            return Err(Error::NotHermitian { operator, needed_by: "Slater::mean_field" });
        }
        let orbitals = sectors.iter().map(|sector| lowest_eigenvectors::<B>(hopping, sector.n_particles));
        let orbitals = orbitals.collect::<Result<Vec<_>>>()?;
        Self::from_orbitals(hilbert, orbitals)
    }

    /// Gives all spin states the orbitals of the first, as shared parameters.
    ///
    /// # Errors
    /// [`Error::Count`] if spin states have different numbers of particles.
    pub fn restricted(self) -> Result<Self> {
        let orbitals = self.orbitals(0).map(|orbitals| orbitals.to_owned());
        Ok(Slater { device: self.device, ..Self::from_orbitals(self.hilbert, orbitals)? })
    }

    /// Sets the device of configurations and amplitudes. Determinants are evaluated on the host all the same.
    #[must_use]
    pub fn with_device(mut self, device: B::Device) -> Self {
        self.device = device;
        self
    }

    /// The orbitals of a spin state, lowest s_z first, shape `(n_orbitals, n_particles)`.
    pub fn orbitals(&self, spin_state: usize) -> Option<ArrayView2<'_, f64>> {
        self.sectors.get(spin_state).map(|sector| self.orbitals_of(sector))
    }

    fn orbitals_of(&self, sector: &Sector) -> ArrayView2<'_, f64> {
        let values = self.parameters.slice(ndarray::s![sector.offset..sector.offset + sector.n_values()]);
        values
            .into_shape_with_order((sector.n_orbitals, sector.n_particles))
            .expect("a sector has one parameter for each place of its orbitals")
    }

    /// For each spin state: its filled orbitals in x, and the matrix of their rows.
    fn filled<'a>(&'a self, x: &'a [i8]) -> impl Iterator<Item = (&'a Sector, Vec<usize>, Filled)> {
        self.sectors.iter().map(|sector| {
            let filled: Vec<usize> =
                (0..sector.n_orbitals).filter(|orbital| x[sector.start + orbital] != 0).collect();
            let matrix = Filled::new(self.orbitals_of(sector), &filled);
            (sector, filled, matrix)
        })
    }

    fn log_psi_at(&self, x: &[i8]) -> Complex64 {
        let determinants = self.filled(x).map(|(_, _, matrix)| matrix.determinant());
        determinants.fold(Determinant::ONE, Determinant::times).ln()
    }

    /// `∂ ln det A / ∂M[filled_i, k] = A⁻¹[k, i]`.
    fn log_derivatives_at(&self, x: &[i8], mut out: ArrayViewMut1<'_, f64>) {
        for (sector, filled, matrix) in self.filled(x) {
            let inverse = matrix.inverse();
            for (i, orbital) in filled.into_iter().enumerate() {
                let start = sector.offset + orbital * sector.n_particles;
                let mut row = out.slice_mut(ndarray::s![start..start + sector.n_particles]);
                row += &inverse.column(i);
            }
        }
    }

    /// The batch on the host, checked, in standard layout.
    fn to_host(&self, x: &B::Configurations) -> Result<Array2<i8>> {
        let x = B::to_host(x)?;
        self.hilbert.check(x.view())?;
        Ok(x.as_standard_layout().into_owned())
    }
}

impl<B: Backend> WaveFunction<B> for Slater<B> {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn device(&self) -> B::Device {
        self.device.clone()
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
        let x = self.to_host(x)?;
        let rows = contiguous(x.as_slice()).par_chunks(x.ncols().max(1));
        let values: Vec<Complex64> = rows.map(|x| self.log_psi_at(x)).collect();
        B::amplitudes_from_host(values.into(), &self.device)
    }

    fn has_walker(&self) -> bool {
        !self.sectors.is_empty()
    }

    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        let n_orbitals = self.sectors.first()?.n_orbitals;
        let orbitals = self.sectors.iter().map(|sector| self.orbitals_of(sector));
        Some(Box::new(SlaterWalker::new(n_orbitals, orbitals)))
    }
}

impl<B: Backend> Trainable<B> for Slater<B> {
    fn n_parameters(&self) -> usize {
        self.parameters.len()
    }

    fn parameters(&self) -> Array1<f64> {
        self.parameters.clone()
    }

    /// `orbitals` if spin states share them, else `orbitals.0`, `orbitals.1`, ….
    fn layout(&self) -> Vec<ParameterArray> {
        let matrices = self.sectors.iter().take(self.n_matrices).enumerate();
        let arrays = matrices.map(|(k, sector)| {
            let name = if self.n_matrices == 1 { "orbitals".into() } else { format!("orbitals.{k}") };
            ParameterArray::new(name, [sector.n_orbitals, sector.n_particles])
        });
        arrays.collect()
    }

    fn set_parameters(&mut self, parameters: &Array1<f64>) -> Result<()> {
        let (got, expected) = (parameters.len(), self.parameters.len());
        if got != expected {
            let what = "values of orbitals".into();
            return Err(Error::Count { what, got, expected: expected.to_string() });
        }
        self.parameters.assign(parameters);
        Ok(())
    }

    fn log_derivatives(&self, x: &B::Configurations) -> Result<LogDerivatives> {
        let x = self.to_host(x)?;
        expect_derivatives_fit(x.nrows(), self.parameters.len())?;
        let mut out = Array2::zeros((x.nrows(), self.parameters.len()));
        let mut rows: Vec<_> = x.axis_iter(Axis(0)).zip(out.axis_iter_mut(Axis(0))).collect();
        rows.par_iter_mut().for_each(|(x, out)| {
            self.log_derivatives_at(contiguous(x.as_slice()), out.view_mut());
        });
        Ok(out.into())
    }
}

fn contiguous(x: Option<&[i8]>) -> &[i8] {
    x.expect("`to_host` brings rows into standard layout")
}

/// Random orthonormal orbitals for each of these sectors.
fn random_orbitals<B: Backend>(sectors: &[Sector], seed: u64) -> Result<Vec<Array2<f64>>> {
    // The random matrix, faer's copy, its eigenvectors and working memory.
    let bytes = sectors.iter().map(|sector| 32.0 * (sector.n_orbitals as f64).powi(2)).sum();
    memory::expect_fits(|| "random orbitals".into(), bytes, "use from_orbitals")?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let orbitals = sectors.iter().map(|sector| {
        // The eigenvectors of a random symmetric matrix.
        let n = sector.n_orbitals;
        let mut random = Array2::zeros((n, n));
        for (i, j) in (0..n).flat_map(|i| (0..=i).map(move |j| (i, j))) {
            random[[i, j]] = rng.random::<f64>() - 0.5;
            random[[j, i]] = random[[i, j]];
        }
        lowest_eigenvectors::<B>(&random, sector.n_particles)
    });
    orbitals.collect()
}

/// The spin states of a fermionic space with their numbers of particles; a single one over all modes if only
/// the total number is fixed.
fn sectors(hilbert: &HilbertSpace) -> Result<Vec<Sector>> {
    let refused = || Error::WrongHilbert {
        term: "a Slater determinant".into(),
        hilbert: hilbert.to_string(),
        reason: "it needs fermions whose number is fixed; use with_n_fermions_per_spin or with_n_fermions",
    };
    if !matches!(hilbert, HilbertSpace::SpinOrbitalFermions(_)) {
        return Err(refused());
    }
    let mut offset = 0;
    let sectors = hilbert.blocks().iter().map(|block| {
        let n_particles = block.total().ok_or_else(refused)?;
        let sector =
            Sector { start: block.sites().start, n_orbitals: block.sites().len(), n_particles, offset };
        offset += sector.n_values();
        Ok(sector)
    });
    sectors.collect()
}

/// The eigenvectors of the `n` lowest eigenvalues of a symmetric matrix, one per column.
fn lowest_eigenvectors<B: Backend>(matrix: &Array2<f64>, n: usize) -> Result<Array2<f64>> {
    let side = matrix.nrows();
    let eigen = Mat::from_fn(side, side, |i, j| matrix[[i, j]])
        .self_adjoint_eigen(Side::Lower)
        .map_err(|error| Error::backend(B::NAME, format!("no eigenvectors: {error:?}")))?;
    Ok(Array2::from_shape_fn((side, n), |(i, k)| eigen.U()[(i, k)]))
}

fn check_finite<'a>(what: &str, mut values: impl Iterator<Item = &'a f64>) -> Result<()> {
    match values.find(|value| !value.is_finite()) {
        Some(&value) => Err(Error::NotFinite { what: what.into(), value: value.into() }),
        None => Ok(()),
    }
}
