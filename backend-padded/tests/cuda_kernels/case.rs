//! An operator of the catalogue, some samples, and its arrays.

use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::hilbert::{HilbertSpace, Qubit};
use operator_core::kernel::{Engine, EngineKind};
use operator_core::terms::{Pauli, Terms};
use operator_core::testing::{SplitMix, catalogue, test_samples};
use operator_core::{Definition, Element, LocalOperator, Model};

use super::buffers::{DeviceEngine, Samples};

/// The most samples of an operator: 24, or what `SHIM_SAMPLES` says.
fn most_samples() -> usize {
    std::env::var("SHIM_SAMPLES").map_or(24, |n| n.parse().unwrap())
}

pub(crate) struct Case<T> {
    pub(crate) name: &'static str,
    pub(crate) hilbert: HilbertSpace,
    pub(crate) engine: Engine<T>,
    pub(crate) device: DeviceEngine,
    /// Quantum numbers, one row a sample.
    pub(crate) rows: Vec<i8>,
    pub(crate) n_samples: usize,
    pub(crate) samples: Samples,
}

impl<T: Element> Case<T> {
    pub(crate) fn new(name: &'static str, definition: &Definition, engine: Engine<T>) -> Self {
        let hilbert = definition.hilbert().clone();
        let all = test_samples(&hilbert).unwrap();
        // A step that shares no factor with most numbers of states takes all kinds of them.
        let n_samples = all.nrows().min(most_samples());
        let chosen = (0..n_samples).map(|b| if all.nrows() > n_samples { b * 7919 % all.nrows() } else { b });
        let rows: Vec<i8> = chosen.flat_map(|row| all.row(row).to_vec()).collect();
        let device = DeviceEngine::new(&engine.arrays());
        let samples = packed(&hilbert, &device.kind, &rows);
        Case { name, hilbert, engine, device, rows, n_samples, samples }
    }

    pub(crate) fn n_sites(&self) -> usize {
        self.hilbert.n_sites()
    }

    pub(crate) fn row(&self, sample: usize) -> &[i8] {
        &self.rows[sample * self.n_sites()..(sample + 1) * self.n_sites()]
    }

    pub(crate) fn width(&self) -> usize {
        self.engine.max_conn_size()
    }
}

/// The catalogue, and what only kernels of devices treat differently: samples that do not fit registers, and diagonals with
/// many outcomes.
pub(crate) fn operators() -> Vec<(&'static str, Definition)> {
    let mut operators: Vec<_> =
        catalogue().unwrap().into_iter().map(|entry| (entry.name, entry.definition)).collect();
    operators.push(("random strings on 300 qubits", random_strings(300)));
    operators.push(("equal diagonals with 4 outcomes", equal_diagonals(2)));
    operators.push(("equal diagonals with 16 outcomes", equal_diagonals(4)));
    operators
}

/// Flips of few sites with signs on many.
fn random_strings(n_sites: usize) -> Definition {
    let mut rng = SplitMix::new(21);
    let mut terms = Terms::new(Qubit::new(n_sites).unwrap());
    for _ in 0..90 {
        let n = 1 + rng.below(40);
        let letter = |(k, site)| (site, if k < 2 { [Pauli::X, Pauli::Y, Pauli::Z][k] } else { Pauli::Z });
        let string: Vec<_> = rng.distinct(n, n_sites).into_iter().enumerate().map(letter).collect();
        terms.pauli(Complex64::new(rng.number(), rng.number()), &string).unwrap();
    }
    Definition::new("strings", terms).unwrap()
}

/// The same diagonal matrix, with as many numbers as it has states, on different sites of a ring that also flips.
fn equal_diagonals(n_sites: usize) -> Definition {
    let mut model = LocalOperator::new(Qubit::new(8).unwrap());
    let diagonal = (0..1 << n_sites).map(|k| Complex64::from(1.0 / f64::from(k + 3)));
    let diagonal = Array2::from_diag(&Array1::from_iter(diagonal));
    let flip = Array2::from_shape_fn((2, 2), |(a, b)| Complex64::from(if a == b { 0.0 } else { 0.3 }));
    for site in 0..8 {
        let sites: Vec<usize> = (0..n_sites).map(|k| (site + k) % 8).collect();
        model = model.with(&sites, diagonal.clone()).unwrap().with(&[site], flip.clone()).unwrap();
    }
    model.definition().unwrap()
}

/// All operators whose elements fit this type.
pub(crate) fn cases<T: Element>() -> impl Iterator<Item = Case<T>> {
    operators().into_iter().filter_map(|(name, definition)| {
        let engine = definition.engine::<T>().ok()?;
        Some(Case::new(name, &definition, engine))
    })
}

/// The same with the engine that visits every element that is not 0 for some parameters.
pub(crate) fn patterns() -> impl Iterator<Item = (Case<f64>, Definition)> {
    operators().into_iter().map(|(name, definition)| {
        let pattern = definition.pattern();
        (Case::new(name, &definition, pattern), definition)
    })
}

/// Rows as the kernels read samples, a site at a time.
pub(crate) fn packed(hilbert: &HilbertSpace, kind: &EngineKind, rows: &[i8]) -> Samples {
    let n_sites = hilbert.n_sites();
    let locals: Vec<_> =
        hilbert.blocks().iter().flat_map(|block| block.sites().map(|_| block.local())).collect();
    let indices = rows.iter().zip(locals.iter().cycle()).map(|(&q, local)| local.index(q).unwrap() as u8);
    let indices: Vec<u8> = indices.collect();
    match *kind {
        EngineKind::Tables { .. } => Samples::Indices(indices),
        EngineKind::Masks { n_words, .. } => {
            let mut words = vec![0; rows.len() / n_sites * n_words];
            for (row, words) in indices.chunks_exact(n_sites).zip(words.chunks_exact_mut(n_words)) {
                row.iter()
                    .enumerate()
                    .for_each(|(site, &index)| words[site / 64] |= u64::from(index) << (site % 64));
            }
            Samples::Words(words)
        }
    }
}
