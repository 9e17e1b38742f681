//! An operator of a third party on this backend.

use backend_padded::{
    ComplexTensor, ConnTensors, Padded, PaddedKernel, PaddedOperator, TensorConn, local_estimators,
};
use candle_core::{DType, Device, Result, Tensor};
use operator_core::testing::Table;
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
        Ok(ConnTensors::new(states, ComplexTensor::real(Tensor::cat(&[field, diagonal], 1)?)))
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

/// The operator 0, which has no slots.
#[derive(Debug)]
struct Nothing(HilbertSpace);

impl PaddedKernel<f64> for Nothing {
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }
    fn max_conn_size(&self) -> usize {
        0
    }
    fn connect(&self, _: &Tensor) -> Result<ConnTensors> {
        candle_core::bail!("there is nothing to connect")
    }
}

#[test]
fn a_kernel_without_slots_is_the_operator_zero() {
    let nothing = PaddedOperator::custom(Nothing(spins(3))).unwrap();
    assert!(nothing.is_hermitian());
    let host = nothing.hilbert().states_in(0..3).unwrap();
    let x = Padded::from_host(host.view(), &Device::Cpu).unwrap();
    assert_eq!(nothing.n_conn(host.view()).unwrap().to_vec(), [0; 3]);
    assert_eq!(nothing.get_conn_flattened(host.view()).unwrap().mels().len(), 0);
    assert_eq!(nothing.get_conn_padded(host.view()).unwrap().states().dim(), (3, 0, 3));
    assert_eq!(nothing.to_sparse().unwrap().nnz(), 0);
    assert_eq!(nothing.n_off_diagonal(&x).unwrap().to_vec1::<u32>().unwrap(), [0; 3]);
    assert_eq!(nothing.conn(&x).unwrap().shape(), [3, 0, 3]);
}

/// What a test kernel does with a batch.
type Connect = fn(&Tensor) -> Result<ConnTensors>;

/// Says 2 slots a sample, and does what it is told.
struct Told(HilbertSpace, Connect);

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Told")
    }
}

impl PaddedKernel<f64> for Told {
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }
    fn max_conn_size(&self) -> usize {
        2
    }
    fn connect(&self, x: &Tensor) -> Result<ConnTensors> {
        (self.1)(x)
    }
    fn is_hermitian(&self) -> Option<bool> {
        Some(true)
    }
}

/// The batch in `width` slots, and elements 1.
fn repeated(x: &Tensor, width: usize) -> Result<(Tensor, Tensor)> {
    let mels = Tensor::ones((x.dim(0)?, width), DType::F64, x.device())?;
    Ok((x.unsqueeze(1)?.repeat((1, width, 1))?, mels))
}

fn real(states: Tensor, mels: Tensor) -> ConnTensors {
    ConnTensors::new(states, ComplexTensor::real(mels))
}

/// What all that asks the kernel says; the first is what tensors are made of, which does not look at states.
fn refusals(connect: Connect) -> Vec<String> {
    let operator = PaddedOperator::custom(Told(spins(2), connect)).unwrap();
    let host = operator.hilbert().states_in(0..3).unwrap();
    let x = Padded::from_host(host.view(), &Device::Cpu).unwrap();
    let k = Tensor::zeros(3, DType::U32, &Device::Cpu).unwrap();
    let errors = [
        operator.n_off_diagonal(&x).err(),
        operator.select_off_diagonal(&x, &k).err(),
        operator.get_conn_flattened(host.view()).err(),
        operator.get_conn_padded(host.view()).err(),
        operator.to_sparse().err(),
    ];
    let mut messages: Vec<_> = operator.conn(&x).err().iter().map(Error::to_string).collect();
    for error in errors {
        let error = error.expect("the kernel is found out");
        assert!(matches!(&error, Error::Custom { operator, .. } if operator == "Told"), "{error}");
        messages.push(error.to_string());
    }
    messages
}

#[test]
fn kernels_that_break_their_promises_are_named_with_what_they_did() {
    let cases: [(Connect, &str); 8] = [
        (
            |x| repeated(x, 3).map(|(states, mels)| real(states, mels)),
            "states [3, 3, 2] and elements [3, 3]; expected [3, 2, 2] and [3, 2]",
        ),
        (
            // One row less than the batch has.
            |x| repeated(&x.narrow(0, 1, x.dim(0)? - 1)?, 2).map(|(states, mels)| real(states, mels)),
            "states [2, 2, 2] and elements [2, 2]; expected [3, 2, 2] and [3, 2]",
        ),
        (
            |x| repeated(x, 2).and_then(|(states, mels)| Ok(real(states.to_dtype(DType::F64)?, mels))),
            "states of dtype F64; expected F32",
        ),
        (
            |x| repeated(x, 2).and_then(|(states, mels)| Ok(real(states, mels.to_dtype(DType::I64)?))),
            "elements of dtype I64; expected F32 or F64",
        ),
        (
            |x| {
                let (states, mels) = repeated(x, 2)?;
                Ok(ConnTensors::new(states, ComplexTensor::new(mels.clone(), mels)?))
            },
            "elements with an imaginary part; f64 has none: make it a PaddedKernel<Complex64>",
        ),
        (
            |x| repeated(x, 2).and_then(|(states, mels)| Ok(real((states * 3.0)?, mels))),
            "it leaves its space (",
        ),
        (
            |x| repeated(x, 2).and_then(|(states, mels)| Ok(real((states * 0.5)?, mels))),
            "quantum numbers are whole numbers",
        ),
        (
            |x| repeated(x, 2).and_then(|(states, mels)| Ok(real(states, (mels * f64::NAN)?))),
            "it gave the matrix element NaN",
        ),
    ];
    for (k, (connect, expected)) in cases.into_iter().enumerate() {
        let messages = refusals(connect);
        // Whether states are of the space is only asked where they come to the host.
        assert_eq!(messages.len(), if k < 5 { 6 } else { 5 }, "{expected}");
        for message in messages.iter().filter(|message| !message.contains("expected [4, 2, 2]")) {
            assert!(message.contains(expected), "{message}");
        }
    }
}

#[test]
fn estimators_that_are_no_numbers_name_the_kernel_that_gave_none() {
    let connect: Connect = |x| repeated(x, 2).and_then(|(states, mels)| Ok(real(states, (mels * f64::NAN)?)));
    let operator = PaddedOperator::custom(Told(spins(2), connect)).unwrap();
    let x = Padded::from_host(operator.hilbert().states_in(0..3).unwrap().view(), &Device::Cpu).unwrap();
    let psi = Table::<Padded>::random(spins(2), 1).unwrap();
    let error = local_estimators(&operator, &psi, &x, None).unwrap_err();
    assert!(matches!(&error, Error::Custom { operator, .. } if operator == "Told"), "{error}");
}

#[test]
fn kernels_are_not_asked_about_empty_batches() {
    // Candle panics where an empty tensor is repeated or put beside another.
    let operator = PaddedOperator::custom(Told(spins(2), |_| candle_core::bail!("asked"))).unwrap();
    let none = ndarray::Array2::zeros((0, 2));
    assert_eq!(operator.get_conn_padded(none.view()).unwrap().states().dim(), (0, 2, 2));
    assert_eq!(operator.get_conn_flattened(none.view()).unwrap().n_samples(), 0);
    let x = Padded::from_host(none.view(), &Device::Cpu).unwrap();
    assert_eq!(operator.conn(&x).unwrap().shape(), [0, 2, 2]);
    assert_eq!(operator.n_off_diagonal(&x).unwrap().dims(), [0]);
}

#[test]
fn buffers_of_elements_are_filled_again() {
    let custom = PaddedOperator::custom(BroadcastIsing { hilbert: spins(5), h: 1.0, j: 1.0 }).unwrap();
    let chain = Graph::chain(5, Boundary::Periodic).unwrap();
    let fused = Ising::new(spins(5), &chain, 1.0, 1.0).unwrap().lower::<Padded>().unwrap();
    let x = fused.hilbert().all_states().unwrap();
    for operator in [&custom, &fused] {
        let mut conn = operator.get_conn_flattened(x.view()).unwrap();
        let memory = conn.states().as_ptr();
        operator.get_conn_flattened_into(x.slice(ndarray::s![..7, ..]), &mut conn).unwrap();
        assert_eq!(conn.states().as_ptr(), memory);
        let again = operator.get_conn_flattened(x.slice(ndarray::s![..7, ..])).unwrap();
        assert_eq!((conn.states(), conn.mels()), (again.states(), again.mels()));
    }
}

#[test]
fn bad_samples_are_refused_with_the_value_and_the_remedy() {
    let chain = Graph::chain(3, Boundary::Periodic).unwrap();
    let ising = Ising::new(spins(3), &chain, 1.0, 1.0).unwrap().lower::<Padded>().unwrap();
    let x = Tensor::new(&[[1f32, 0.5, 1.0]], &Device::Cpu).unwrap();
    let error = ising.conn(&x).unwrap_err().to_string();
    assert!(error.contains("sample 0 has the value 0.5 at site 1; quantum numbers are whole"), "{error}");
    let x = Tensor::new(&[[1f32, 3.0, 1.0]], &Device::Cpu).unwrap();
    assert!(matches!(ising.conn(&x), Err(Error::NotALocalState { site: 1, value: 3, .. })));
    let x = Tensor::new(&[[1f32, 1.0]], &Device::Cpu).unwrap();
    assert!(matches!(ising.conn(&x), Err(Error::SampleWidth { got: 2, expected: 3, .. })));
    let parameter = Tensor::new(0.5, &Device::Cpu).unwrap();
    assert!(matches!(ising.with_parameter_tensor(&parameter), Err(Error::Backend { .. })));
    let (mut x, y) = (x.clone(), x);
    assert!(matches!(Padded::replace_rows(&mut x, &y, &[true; 2]), Err(Error::Count { got: 2, .. })));
}
