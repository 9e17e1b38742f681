//! What is refused on the device is refused as on the host.

use backend_padded::{Padded, TensorConn, local_estimators};
use candle_core::{Device, Tensor};
use operator_core::{
    BoseHubbard, Boundary, DiscreteOperator, Error, Graph, Heisenberg, Ising, Model,
    hilbert::{Fock, Spin},
};
use std::num::NonZeroUsize;

use crate::device::{cuda, states, tensor};
use crate::estimators::Jastrow;

fn definitions() -> Vec<operator_core::Definition> {
    let chain = Graph::chain(4, Boundary::Periodic).unwrap();
    let spins = Spin::half(4).unwrap();
    vec![
        Ising::new(spins.clone(), &chain, 0.5, 1.0).unwrap().definition().unwrap(),
        Heisenberg::new(spins.with_total_sz(0.0).unwrap(), &chain, 0.8).unwrap().definition().unwrap(),
        BoseHubbard::new(Fock::new(3, 4).unwrap(), &chain, 1.0).unwrap().definition().unwrap(),
    ]
}

/// Rows of which not all are states: what is no whole number, no number, no local state, or far from any.
fn batches(good: &[f32]) -> Vec<Tensor> {
    let with = |sample: usize, site: usize, value: f32| {
        let mut rows = good.repeat(5);
        rows[sample * good.len() + site] = value;
        Tensor::from_vec(rows, (5, good.len()), &cuda()).unwrap()
    };
    let mut batches = vec![with(3, 2, -good[2])];
    for value in [0.5, f32::NAN, f32::INFINITY, -126.0, 127.0, -128.0, 300.0, 1e30, 4.0] {
        batches.push(with(4, 1, value));
        batches.push(with(0, 0, value));
    }
    batches
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn samples_that_are_no_states_are_refused_as_on_the_host() {
    for definition in definitions() {
        let host = definition.lower::<Padded>().unwrap();
        let there = definition.lower_on::<Padded, f64>(&cuda()).unwrap();
        let good: Vec<f32> = states(definition.hilbert()).row(1).iter().map(|&q| f32::from(q)).collect();
        let psi = Jastrow::new(definition.hilbert(), &cuda());
        let mut n_refused = 0;
        for x in batches(&good) {
            let at_home = x.to_device(&Device::Cpu).unwrap();
            let Err(expected) = host.conn(&at_home) else { continue };
            let expected = expected.to_string();
            let same = |error: Error| assert_eq!(error.to_string(), expected, "{definition}");
            same(there.conn(&x).unwrap_err());
            same(there.n_off_diagonal(&x).unwrap_err());
            let k = Tensor::zeros(5, candle_core::DType::U32, &cuda()).unwrap();
            same(there.select_off_diagonal(&x, &k).unwrap_err());
            for chunk_size in [None, NonZeroUsize::new(1)] {
                same(local_estimators(&there, &psi, &x, chunk_size).unwrap_err());
            }
            n_refused += 1;
        }
        assert!(n_refused > 10, "{definition}: {n_refused}");
    }
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn wrong_shapes_are_refused() {
    let definition = &definitions()[0];
    let there = definition.lower_on::<Padded, f64>(&cuda()).unwrap();
    let wide = Tensor::ones((2, 5), candle_core::DType::F32, &cuda()).unwrap();
    assert!(matches!(there.conn(&wide), Err(Error::SampleWidth { got: 5, expected: 4, .. })));
    let flat = Tensor::ones(4, candle_core::DType::F32, &cuda()).unwrap();
    assert!(matches!(there.conn(&flat), Err(Error::Backend { .. })));
    let x = tensor(&states(there.hilbert()), &cuda());
    let k = Tensor::zeros(3, candle_core::DType::U32, &cuda()).unwrap();
    assert!(matches!(there.select_off_diagonal(&x, &k), Err(Error::Count { got: 3, .. })));
}
