//! Connected elements with the operator's present values.

use candle_core::{DType, Device, Result, Tensor};
use operator_core::kernel::{Engine, Scratch};
use operator_core::{ConnBatch, Element};
use rayon::prelude::*;

use super::BOUNDED;
use crate::complex::ComplexTensor;
use crate::conn::ConnTensors;
use crate::rows::Rows;

/// Writes the elements of each sample into its `max_conn_size` slots: the states, and the matrix elements
/// mapped by `value`. Unused slots come last and hold the sample itself with the default value.
pub(crate) fn write_padded<T, Q, V>(
    engine: &Engine<T>,
    rows: &Rows,
    states: &mut [Q],
    values: &mut [V],
    value: impl Fn(T) -> V + Sync,
) where
    T: Element,
    Q: From<i8> + Send,
    V: Default + Send,
{
    let (n_sites, width) = (rows.n_sites(), engine.max_conn_size());
    if width == 0 {
        return;
    }
    let samples = states.par_chunks_exact_mut(width * n_sites).zip(values.par_chunks_exact_mut(width));
    samples.zip(rows.par_iter()).for_each_init(
        || (Scratch::default(), vec![0; n_sites]),
        |(scratch, row), ((states, values), x)| {
            let mut slots = states.chunks_exact_mut(n_sites).zip(values);
            engine.visit(x, scratch, |connected, mel| {
                let (state, slot) = slots.next().expect(BOUNDED);
                row.copy_from_slice(x);
                connected.write(row);
                copy(row, state);
                *slot = value(mel);
            });
            for (state, slot) in slots {
                copy(x, state);
                *slot = V::default();
            }
        },
    );
}

fn copy<Q: From<i8>>(from: &[i8], to: &mut [Q]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = Q::from(from));
}

/// Fills a buffer with the elements of each sample, without padding.
pub(crate) fn write_flattened<T: Element>(
    engine: &Engine<T>,
    rows: &Rows,
    conn: &mut ConnBatch<T>,
) -> operator_core::Result<()> {
    let n_sites = rows.n_sites();
    let count = |scratch: &mut Scratch<T>, x| engine.n_conn(x, scratch);
    let counts: Vec<usize> = rows.par_iter().map_init(Scratch::default, count).collect();
    let (mut states, mut mels, _) = conn.reset(n_sites, &counts)?;
    let mut samples = Vec::with_capacity(counts.len());
    for (x, &count) in rows.iter().zip(&counts) {
        let (own_states, own_mels);
        (own_states, states) = states.split_at_mut(count * n_sites);
        (own_mels, mels) = mels.split_at_mut(count);
        samples.push((x, own_states, own_mels));
    }
    samples.into_par_iter().for_each_init(Scratch::default, |scratch, (x, states, mels)| {
        let mut slots = states.chunks_exact_mut(n_sites).zip(mels);
        engine.visit(x, scratch, |connected, mel| {
            let (state, slot) = slots.next().expect("as many elements are visited as were counted");
            state.copy_from_slice(x);
            connected.write(state);
            *slot = mel;
        });
    });
    Ok(())
}

/// Elements as tensors, without gradients.
pub(crate) fn conn<T: Element>(
    engine: &Engine<T>,
    rows: &Rows,
    states_dtype: DType,
    mels_dtype: DType,
    device: &Device,
) -> Result<ConnTensors> {
    let (n_samples, n_sites, width) = (rows.n_samples(), rows.n_sites(), engine.max_conn_size());
    let mut states = vec![0f32; n_samples * width * n_sites];
    let mut mels = vec![T::zero(); n_samples * width];
    write_padded(engine, rows, &mut states, &mut mels, |mel| mel);
    let part = |of: fn(T) -> f64| {
        let values: Vec<f64> = mels.iter().map(|&mel| of(mel)).collect();
        Tensor::from_vec(values, (n_samples, width), device)?.to_dtype(mels_dtype)
    };
    let re = part(|mel| mel.to_complex().re)?;
    let im = if T::IS_COMPLEX { Some(part(|mel| mel.to_complex().im)?) } else { None };
    let states = Tensor::from_vec(states, (n_samples, width, n_sites), device)?.to_dtype(states_dtype)?;
    Ok(ConnTensors::new(states, ComplexTensor::new(re, im)?))
}

/// Connected configurations alone, shape `(batch, max_conn_size, n_sites)`; unused slots hold the sample.
pub(crate) fn states<T: Element>(
    engine: &Engine<T>,
    rows: &Rows,
    dtype: DType,
    device: &Device,
) -> Result<Tensor> {
    let (n_samples, n_sites, width) = (rows.n_samples(), rows.n_sites(), engine.max_conn_size());
    let mut states = vec![0f32; n_samples * width * n_sites];
    write_padded(engine, rows, &mut states, &mut vec![(); n_samples * width], |_| ());
    Tensor::from_vec(states, (n_samples, width, n_sites), device)?.to_dtype(dtype)
}
