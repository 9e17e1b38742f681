//! Between samples and energies nothing is copied to the host. Only the stand-in tells.

use backend_padded::{
    ComplexTensor, Padded, TensorConn, Unit, ln_cosh, local_estimator_tensor, local_estimators,
};
use candle_core::{DType, Tensor, Var};
use operator_core::{
    BoseHubbard, Boundary, Graph, Heisenberg, Model,
    hilbert::{Fock, Spin},
};

use crate::device::{copies, cuda, states, tensor};
use crate::estimators::Jastrow;

/// Calls `f` and says how often it copied to the host. Zero on a GPU, which does not tell.
pub(crate) fn to_host<R>(f: impl Fn() -> R) -> (R, Option<i64>) {
    // What is compiled and brought to the device once does not count.
    f();
    let before = copies();
    let result = f();
    let n = copies().zip(before).map(|(after, before)| after[1] - before[1]);
    (result, n)
}

fn definitions() -> Vec<operator_core::Definition> {
    let chain = Graph::chain(4, Boundary::Periodic).unwrap();
    vec![
        Heisenberg::new(Spin::half(4).unwrap(), &chain, 0.8).unwrap().definition().unwrap(),
        BoseHubbard::new(Fock::new(3, 4).unwrap(), &chain, 1.0).unwrap().definition().unwrap(),
    ]
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn only_results_are_copied_to_the_host() {
    for definition in definitions() {
        let operator = definition.lower_on::<Padded, f64>(&cuda()).unwrap();
        let x = tensor(&states(definition.hilbert()), &cuda());
        let psi = Jastrow::new(definition.hilbert(), &cuda());
        // Whether the samples are states.
        let (conn, n) = to_host(|| operator.conn(&x).unwrap());
        assert!(n.is_none_or(|n| n == 1), "{n:?}");
        let (_, n) = to_host(|| conn.states(DType::F32).unwrap());
        assert!(n.is_none_or(|n| n == 0), "{n:?}");
        let (_, n) = to_host(|| operator.n_off_diagonal(&x).unwrap());
        assert!(n.is_none_or(|n| n == 1), "{n:?}");
        let k = Tensor::zeros(x.dims()[0], DType::U32, &cuda()).unwrap();
        let (_, n) = to_host(|| operator.select_off_diagonal(&x, &k).unwrap());
        assert!(n.is_none_or(|n| n == 1), "{n:?}");
        // The same with the estimators.
        let (_, n) = to_host(|| local_estimators(&operator, &psi, &x, None).unwrap());
        assert!(n.is_none_or(|n| n == 1), "{n:?}");
        let parameters = Var::new(definition.parameters().to_vec(), &cuda()).unwrap();
        let attached = operator.with_parameter_tensor(&parameters).unwrap();
        let (conn, n) = to_host(|| attached.conn(&x).unwrap());
        assert!(n.is_none_or(|n| n == 1), "{n:?}");
        let sum = conn.mels().re().sum_all().unwrap();
        let (gradients, n) = to_host(|| sum.backward().unwrap());
        assert!(n.is_none_or(|n| n == 0), "{n:?}");
        assert!(gradients.get(&parameters).is_some());
        let (local, n) = to_host(|| local_estimator_tensor(&attached, &psi, &x).unwrap());
        assert!(n.is_none_or(|n| n == 1), "{n:?}");
        let (gradients, n) = to_host(|| local.re().mean_all().unwrap().backward().unwrap());
        assert!(n.is_none_or(|n| n == 0), "{n:?}");
        assert!(gradients.get(&parameters).is_some());
        // ln cosh of a layer at connected states, and its gradients.
        let units = |n: usize| Var::ones((n, 7), DType::F64, &cuda()).unwrap();
        let (z, w) = (units(x.dims()[0]), units(x.dims()[1]));
        let states = conn.conn_states(DType::F64);
        let (sums, n) = to_host(|| {
            let [z, w] =
                [&z, &w].map(|var| ComplexTensor::new(var.as_tensor().clone(), var.as_tensor().clone()));
            states.sums_of_units(Unit::LnCosh, &ln_cosh(&z.unwrap()).unwrap(), &w.unwrap()).unwrap().unwrap()
        });
        assert!(n.is_none_or(|n| n == 0), "{n:?}");
        let (gradients, n) = to_host(|| sums.re().sum_all().unwrap().backward().unwrap());
        assert!(n.is_none_or(|n| n == 0), "{n:?}");
        assert!(gradients.get(&z).is_some() && gradients.get(&w).is_some());
        // The layer itself.
        let (units, n) = to_host(|| {
            let [z, w] = [&z, &w].map(|var| ComplexTensor::real(var.as_tensor().clone()));
            states.changed_layer(&z, &w).unwrap().unwrap()
        });
        assert!(n.is_none_or(|n| n == 0), "{n:?}");
        let (gradients, n) = to_host(|| units.re().sum_all().unwrap().backward().unwrap());
        assert!(n.is_none_or(|n| n == 0), "{n:?}");
        assert!(gradients.get(&z).is_some() && gradients.get(&w).is_some());
    }
}
