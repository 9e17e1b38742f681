//! An operator of a third party on this backend.

use backend_padded::{ComplexTensor, ConnTensors, Padded, PaddedKernel, PaddedOperator, TensorConn};
use candle_core::{DType, Device, Result, Tensor};
use operator_core::{
    Backend, Boundary, DiscreteOperator, Error, Graph, HilbertSpace, Ising, Model, hilbert::Spin,
};

/// The transverse-field Ising chain from primitive tensor operations: flips by broadcasting, the diagonal last.
#[derive(Debug)]
struct BroadcastIsing {
    hilbert: HilbertSpace,
    h: f64,
    j: f64,
}

impl PaddedKernel<f64> for BroadcastIsing {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }
    fn max_conn_size(&self) -> usize {
        self.hilbert.n_sites() + 1
    }
    fn connect(&self, x: &Tensor) -> Result<ConnTensors> {
        let (n_samples, n) = x.dims2()?;
        let signs =
            (Tensor::ones((n, n), x.dtype(), x.device())? - (Tensor::eye(n, x.dtype(), x.device())? * 2.0)?)?;
        let flipped = x.unsqueeze(1)?.broadcast_mul(&signs.unsqueeze(0)?)?;
        let states = Tensor::cat(&[flipped, x.unsqueeze(1)?], 1)?;
        let next = Tensor::cat(&[x.narrow(1, 1, n - 1)?, x.narrow(1, 0, 1)?], 1)?;
        let diagonal = ((x * next)?.sum(1)?.to_dtype(DType::F64)? * self.j)?.unsqueeze(1)?;
        let field = (Tensor::ones((n_samples, n), DType::F64, x.device())? * -self.h)?;
        Ok(ConnTensors { states, mels: ComplexTensor::real(Tensor::cat(&[field, diagonal], 1)?) })
    }
}

fn spins(n: usize) -> HilbertSpace {
    Spin::half(n).unwrap().into()
}

#[test]
fn a_kernel_of_primitive_operations_equals_the_fused_one() {
    let custom = PaddedOperator::custom(BroadcastIsing { hilbert: spins(6), h: 0.7, j: 1.3 }).unwrap();
    let chain = Graph::chain(6, Boundary::Periodic).unwrap();
    let fused = Ising::new(spins(6), &chain, 0.7, 1.3).unwrap().lower::<Padded>().unwrap();
    assert!(custom.is_hermitian());
    let difference = custom.to_dense().unwrap() - fused.to_dense().unwrap();
    assert!(difference.iter().all(|d| d.abs() < 1e-12));
    let x = fused.hilbert().all_states().unwrap();
    assert_eq!(custom.n_conn(x.view()).unwrap(), fused.n_conn(x.view()).unwrap());
    assert!(matches!(custom.unpack(), Err(Error::NoDefinition { .. })));
}

#[test]
fn the_kth_connected_state_is_selected() {
    let custom = PaddedOperator::custom(BroadcastIsing { hilbert: spins(5), h: 1.0, j: 1.0 }).unwrap();
    let chain = Graph::chain(5, Boundary::Periodic).unwrap();
    let fused = Ising::new(spins(5), &chain, 1.0, 1.0).unwrap().lower::<Padded>().unwrap();
    let host = fused.hilbert().states_in(0..5).unwrap();
    let x = Padded::from_host(host.view(), &Device::Cpu).unwrap();
    let k = Tensor::new(&[0u32, 1, 2, 3, 4], &Device::Cpu).unwrap();
    for operator in [&custom, &fused] {
        assert_eq!(operator.n_off_diagonal(&x).unwrap().to_vec1::<u32>().unwrap(), [5; 5]);
        let chosen = Padded::to_host(&operator.select_off_diagonal(&x, &k).unwrap()).unwrap();
        for b in 0..5 {
            let mut expected = host.row(b).to_vec();
            expected[b] = -expected[b];
            assert_eq!(chosen.row(b).to_vec(), expected);
        }
    }
}

/// Says 2 slots and fills 3.
#[derive(Debug)]
struct WrongShape(HilbertSpace);

impl PaddedKernel<f64> for WrongShape {
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }
    fn max_conn_size(&self) -> usize {
        2
    }
    fn connect(&self, x: &Tensor) -> Result<ConnTensors> {
        let n = x.dims()[0];
        let states = x.unsqueeze(1)?.repeat((1, 3, 1))?;
        Ok(ConnTensors { states, mels: ComplexTensor::real(Tensor::ones((n, 3), DType::F64, x.device())?) })
    }
}

#[test]
fn bad_kernels_and_samples_are_refused_with_the_value_and_the_remedy() {
    let error = PaddedOperator::custom(WrongShape(spins(2))).unwrap_err().to_string();
    assert!(error.contains("states [1, 3, 2] and elements [1, 3]; expected [1, 2, 2] and [1, 2]"), "{error}");
    let chain = Graph::chain(3, Boundary::Periodic).unwrap();
    let ising = Ising::new(spins(3), &chain, 1.0, 1.0).unwrap().lower::<Padded>().unwrap();
    let x = Tensor::new(&[[1f32, 0.5, 1.0]], &Device::Cpu).unwrap();
    assert!(matches!(ising.conn(&x), Err(Error::NotALocalState { site: 1, .. })));
    let x = Tensor::new(&[[1f32, 1.0]], &Device::Cpu).unwrap();
    assert!(matches!(ising.conn(&x), Err(Error::SampleWidth { got: 2, expected: 3, .. })));
}
