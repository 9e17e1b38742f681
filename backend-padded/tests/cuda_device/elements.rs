//! Connected elements are those of the host, bit for bit.

use backend_padded::{ConnTensors, Padded, PaddedOperator, Padding, TensorConn};
use candle_core::{DType, Device, Tensor};
use num_complex::{Complex32, Complex64};
use operator_core::testing::catalogue;
use operator_core::{Backend, DiscreteOperator, Element, Lower};

use crate::device::{cuda, numbers, states, tensor};

/// The same operator on the host and on the device.
pub(crate) fn on_both<T: Element>(
    definition: &operator_core::Definition,
) -> (PaddedOperator<T>, PaddedOperator<T>) {
    let on = |device: &Device| <Padded as Lower<T>>::lower(definition, device).unwrap();
    (on(&Device::Cpu), on(&cuda()))
}

/// Whether numbers have the same bits, except that a zero has no sign.
fn assert_equal(name: &str, got: &Tensor, expected: &Tensor) {
    assert_eq!((got.dims(), got.dtype()), (expected.dims(), expected.dtype()), "{name}");
    assert_eq!(numbers(got), numbers(expected), "{name}");
}

fn assert_same(name: &str, got: &ConnTensors, expected: &ConnTensors) {
    assert!(got.mels().re().device().is_cuda(), "{name}");
    assert_equal(name, got.counts().unwrap(), expected.counts().unwrap());
    assert_equal(name, got.items().unwrap(), expected.items().unwrap());
    assert_equal(name, got.mels().re(), expected.mels().re());
    assert_eq!(got.mels().im().is_some(), expected.mels().im().is_some(), "{name}");
    if let (Some(got), Some(expected)) = (got.mels().im(), expected.mels().im()) {
        assert_equal(name, got, expected);
    }
    for dtype in [DType::F32, DType::F64, DType::U8, DType::I64] {
        assert_equal(name, &got.states(dtype).unwrap(), &expected.states(dtype).unwrap());
    }
}

fn for_each_operator<T: Element>(is_real: bool, f: impl Fn(&str, &PaddedOperator<T>, &PaddedOperator<T>)) {
    for entry in catalogue().unwrap() {
        if entry.definition.is_real() == is_real {
            let (host, there) = on_both::<T>(&entry.definition);
            f(entry.name, &host, &there);
        }
    }
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn elements_are_those_of_the_host() {
    fn run<T: Element>(is_real: bool) {
        for_each_operator::<T>(is_real, |name, host, there| {
            let x = states(host.hilbert());
            for padding in [Padding::Static, Padding::LargestRow] {
                let [host, there] = [host, there].map(|operator| operator.clone().with_padding(padding));
                let expected = host.conn(&tensor(&x, &Device::Cpu)).unwrap();
                let mut got = there.conn(&tensor(&x, &cuda())).unwrap();
                assert_same(name, &got, &expected);
                // Samples on the host go to the operator's device.
                there.conn_into(&tensor(&x, &Device::Cpu), &mut got).unwrap();
                assert_same(name, &got, &expected);
            }
        });
    }
    run::<f64>(true);
    run::<Complex64>(false);
    run::<f32>(true);
    run::<Complex32>(false);
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn counts_and_choices_are_those_of_the_host() {
    for_each_operator::<f64>(true, |name, host, there| {
        let x = states(host.hilbert());
        let (at_home, x) = (tensor(&x, &Device::Cpu), tensor(&x, &cuda()));
        assert_equal(name, &there.n_off_diagonal(&x).unwrap(), &host.n_off_diagonal(&at_home).unwrap());
        let n = Padded::batch_len(&x);
        for k in [0, 1, 3, 1000] {
            let k = Tensor::new((0..n as u32).map(|b| b % 7 + k).collect::<Vec<_>>(), &Device::Cpu).unwrap();
            let got = there.select_off_diagonal(&x, &k).unwrap();
            assert_equal(name, &got, &host.select_off_diagonal(&at_home, &k).unwrap());
        }
    });
}

/// A part of another tensor starts elsewhere in its memory, and a transposed one has other strides.
#[test]
#[ignore = "needs a GPU or its stand-in"]
fn parts_of_other_tensors_are_read_where_they_are() {
    for_each_operator::<f64>(true, |name, host, there| {
        let x = states(host.hilbert());
        let n = x.nrows();
        let (start, len) = (n / 3, n - n / 3);
        let part = |x: &Tensor| x.narrow(0, start, len).unwrap();
        let at_home = part(&tensor(&x, &Device::Cpu));
        let whole = tensor(&x, &cuda());
        let expected = host.conn(&at_home).unwrap();
        assert_same(name, &there.conn(&part(&whole)).unwrap(), &expected);
        let transposed = part(&whole.t().unwrap().contiguous().unwrap().t().unwrap());
        assert_same(name, &there.conn(&transposed).unwrap(), &expected);
        for dtype in [DType::F64, DType::I64] {
            assert_same(name, &there.conn(&part(&whole.to_dtype(dtype).unwrap())).unwrap(), &expected);
        }
        let k = Tensor::arange(0u32, n as u32, &cuda()).unwrap().narrow(0, start, len).unwrap();
        let got = there.select_off_diagonal(&part(&whole), &k).unwrap();
        let k = k.to_device(&Device::Cpu).unwrap();
        assert_equal(name, &got, &host.select_off_diagonal(&at_home, &k).unwrap());
    });
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn batches_without_samples_and_operators_without_elements_have_none() {
    let entries = catalogue().unwrap();
    for entry in entries.iter().filter(|entry| entry.definition.is_real()).take(4) {
        let (host, there) = on_both::<f64>(&entry.definition);
        let none = states(host.hilbert()).slice_move(ndarray::s![..0, ..]);
        let expected = host.conn(&tensor(&none, &Device::Cpu)).unwrap();
        for padding in [Padding::Static, Padding::LargestRow] {
            let conn = there.clone().with_padding(padding).conn(&tensor(&none, &cuda())).unwrap();
            assert_eq!((conn.shape()[0], conn.counts().unwrap().dims()), (0, [0].as_slice()));
        }
        assert_eq!(expected.shape()[0], 0);
    }
}

/// New values go to the device; the arrays are there already.
#[test]
#[ignore = "needs a GPU or its stand-in"]
fn other_parameters_give_their_elements() {
    for_each_operator::<f64>(true, |name, host, there| {
        let x = states(host.hilbert());
        there.conn(&tensor(&x, &cuda())).unwrap();
        let parameters = host.definition().unwrap().parameters();
        let values: Vec<f64> = parameters.to_vec().iter().map(|value| 0.3 - 1.7 * value).collect();
        let Ok(other) = parameters.with_values(&values) else { return };
        let (Ok(host), Ok(there)) = (host.with_parameters(other.clone()), there.with_parameters(other))
        else {
            return;
        };
        assert_same(
            name,
            &there.conn(&tensor(&x, &cuda())).unwrap(),
            &host.conn(&tensor(&x, &Device::Cpu)).unwrap(),
        );
    });
}
