//! An operator of the catalogue, some samples, and its arrays.

use operator_core::hilbert::HilbertSpace;
use operator_core::kernel::{Engine, EngineKind};
use operator_core::testing::{catalogue, test_samples};
use operator_core::{Definition, Element};

use super::buffers::{DeviceEngine, Samples};

/// The most samples of an operator.
const SAMPLES: usize = 40;

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
        let n_samples = all.nrows().min(SAMPLES);
        let chosen = (0..n_samples).map(|b| if all.nrows() > SAMPLES { b * 7919 % all.nrows() } else { b });
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

/// All operators of the catalogue whose elements fit this type.
pub(crate) fn cases<T: Element>() -> impl Iterator<Item = Case<T>> {
    catalogue().unwrap().into_iter().filter_map(|entry| {
        let engine = entry.definition.engine::<T>().ok()?;
        Some(Case::new(entry.name, &entry.definition, engine))
    })
}

/// The same with the engine that visits every element that is not 0 for some parameters.
pub(crate) fn patterns() -> impl Iterator<Item = (Case<f64>, Definition)> {
    catalogue().unwrap().into_iter().map(|entry| {
        let pattern = entry.definition.pattern();
        (Case::new(entry.name, &entry.definition, pattern), entry.definition)
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
