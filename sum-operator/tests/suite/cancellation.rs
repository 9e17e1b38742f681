//! Elements whose paths cancel are no connections, whatever rounding leaves of them.
#![cfg(any(feature = "flat", feature = "padded"))]

use ndarray::{Array2, array};
use operator_core::hilbert::{Fock, HilbertSpace};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// The reflection `1 − 2 v vᵀ` at a unit vector: its square is 1, so every off-diagonal element of it cancels.
fn reflection() -> Array2<f64> {
    let v = array![0.3f64, 0.7, 1.1, 0.9];
    let v = &v / v.dot(&v).sqrt();
    Array2::from_shape_fn((4, 4), |(r, c)| f64::from(u8::from(r == c)) - 2.0 * v[r] * v[c])
}

fn boson() -> operator_core::Result<HilbertSpace> {
    Ok(Fock::new(3, 1)?.into())
}

/// The tests below would see nothing if the products cancelled exactly.
#[test]
fn the_square_of_the_reflection_leaves_rounding() {
    let square = reflection().dot(&reflection());
    assert!(
        square.indexed_iter().any(|((r, c), &mel)| r != c && mel != 0.0 && mel.abs() < 1e-14),
        "{square}"
    );
}

#[cfg(feature = "flat")]
#[test]
fn on_the_flat_backend() -> TestResult {
    use backend_flat::{Emitter, FlatKernel, FlatOperator};
    use operator_core::DiscreteOperator;

    #[derive(Debug)]
    struct Reflection(HilbertSpace, Array2<f64>);

    impl FlatKernel<f64> for Reflection {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }

        fn connect(&self, x: &[i8], emit: &mut Emitter<'_, f64>) {
            let row = self.1.row(x[0] as usize);
            row.iter().zip(0i8..).for_each(|(&mel, n)| emit.state(&[n], mel));
        }
    }

    let reflect = FlatOperator::custom(Reflection(boson()?, reflection()))?;
    let square = sum_operator::ProductOperator::new(&reflect, &reflect)?;
    assert!(square.is_hermitian());
    assert_eq!(square.n_conn(boson()?.all_states()?.view())?.to_vec(), [1; 4]);
    Ok(())
}

#[cfg(feature = "padded")]
#[test]
fn on_the_padded_backend() -> TestResult {
    use backend_padded::{ComplexTensor, ConnTensors, Padded, PaddedKernel, PaddedOperator, TensorConn};
    use candle_core::{DType, Device, Result, Tensor};
    use operator_core::{Backend, DiscreteOperator};

    #[derive(Debug)]
    struct Reflection(HilbertSpace, Tensor);

    impl PaddedKernel<f64> for Reflection {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }

        fn max_conn_size(&self) -> usize {
            4
        }

        fn connect(&self, x: &Tensor) -> Result<ConnTensors> {
            let rows = x.squeeze(1)?.to_dtype(DType::U32)?;
            let states = Tensor::arange(0u32, 4, x.device())?.to_dtype(x.dtype())?;
            let states = states.reshape((1, 4, 1))?.repeat((x.dim(0)?, 1, 1))?;
            Ok(ConnTensors::new(states, ComplexTensor::real(self.1.index_select(&rows, 0)?)))
        }
    }

    let matrix: Vec<f64> = reflection().iter().copied().collect();
    let matrix = Tensor::from_vec(matrix, (4, 4), &Device::Cpu)?;
    let reflect = PaddedOperator::custom(Reflection(boson()?, matrix))?;
    let square = sum_operator::ProductOperator::new(&reflect, &reflect)?;
    assert!(square.is_hermitian());
    let x = Padded::from_host(boson()?.all_states()?.view(), &Device::Cpu)?;
    assert_eq!(square.n_off_diagonal(&x)?.to_vec1::<u32>()?, [0; 4]);
    Ok(())
}
