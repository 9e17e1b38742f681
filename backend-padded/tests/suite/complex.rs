//! Complex tensors against complex numbers, with and without imaginary parts, and with broadcasting.

use backend_padded::ComplexTensor;
use candle_core::{DType, Device, Result, Tensor};
use num_complex::Complex64;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A tensor and its values.
struct Sample {
    tensor: ComplexTensor,
    values: Vec<Complex64>,
    shape: [usize; 2],
}

impl Sample {
    fn new(shape: [usize; 2], is_complex: bool, rng: &mut Xoshiro256PlusPlus) -> Self {
        let mut part =
            || -> Vec<f64> { (0..shape[0] * shape[1]).map(|_| rng.random::<f64>() - 0.5).collect() };
        let (re, im) = (part(), part());
        let tensor = |values: &[f64]| Tensor::from_slice(values, &shape, &Device::Cpu).unwrap();
        Sample {
            tensor: ComplexTensor::new(tensor(&re), is_complex.then(|| tensor(&im))).unwrap(),
            values: re
                .iter()
                .zip(&im)
                .map(|(&re, &im)| Complex64::new(re, if is_complex { im } else { 0.0 }))
                .collect(),
            shape,
        }
    }

    /// The value at a place of a larger shape.
    fn at(&self, row: usize, column: usize) -> Complex64 {
        self.values[row % self.shape[0] * self.shape[1] + column % self.shape[1]]
    }
}

/// Compares shapes, of both parts, and values.
fn check(claim: &str, got: Result<ComplexTensor>, shape: [usize; 2], expected: &[Complex64]) {
    let got = got.unwrap_or_else(|error| panic!("{claim}: {error}"));
    assert_eq!(got.dims(), shape, "{claim}: real part");
    if let Some(im) = got.im() {
        assert_eq!(im.dims(), shape, "{claim}: imaginary part");
    }
    let got = got.to_host().unwrap();
    assert_eq!(got.len(), expected.len(), "{claim}");
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).norm() < 1e-14, "{claim}: {got} {expected}");
    }
}

type Unary = (&'static str, fn(&ComplexTensor) -> Result<ComplexTensor>, fn(Complex64) -> Complex64);

type Binary = (
    &'static str,
    fn(&ComplexTensor, &ComplexTensor) -> Result<ComplexTensor>,
    fn(Complex64, Complex64) -> Complex64,
);

const UNARY: [Unary; 5] = [
    ("exp", ComplexTensor::exp, Complex64::exp),
    ("map", |z| z.map(|part| part.affine(-3.0, 0.0)), |z| -3.0 * z),
    ("times a real number", |z| z.scaled(Complex64::new(-0.7, 0.0)), |z| -0.7 * z),
    ("times an imaginary number", |z| z.scaled(Complex64::I), |z| Complex64::I * z),
    ("times a complex number", |z| z.scaled(Complex64::new(0.3, 2.0)), |z| Complex64::new(0.3, 2.0) * z),
];

const BROADCASTING: [Binary; 2] = [
    ("broadcast_mul", ComplexTensor::broadcast_mul, |a, b| a * b),
    ("broadcast_sub", ComplexTensor::broadcast_sub, |a, b| a - b),
];

const REAL_OR_NOT: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

#[test]
fn functions_of_one_tensor_are_those_of_its_numbers() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    for is_complex in [false, true] {
        let z = Sample::new([3, 4], is_complex, &mut rng);
        for (name, of_tensor, of_number) in UNARY {
            let expected: Vec<_> = z.values.iter().map(|&z| of_number(z)).collect();
            check(&format!("{name}, complex: {is_complex}"), of_tensor(&z.tensor), z.shape, &expected);
        }
    }
}

#[test]
fn functions_of_two_tensors_are_those_of_their_numbers() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let shapes = [
        ([3, 4], [3, 4]),
        ([3, 4], [3, 1]),
        ([3, 1], [3, 4]),
        ([3, 1], [1, 4]),
        ([1, 4], [3, 4]),
        ([1, 1], [3, 4]),
    ];
    for ((left_shape, right_shape), parts) in
        shapes.iter().flat_map(|&shapes| REAL_OR_NOT.map(|parts| (shapes, parts)))
    {
        let a = Sample::new(left_shape, parts.0, &mut rng);
        let b = Sample::new(right_shape, parts.1, &mut rng);
        let pairs: Vec<_> = (0..12).map(|k| (a.at(k / 4, k % 4), b.at(k / 4, k % 4))).collect();
        for (name, of_tensors, of_numbers) in BROADCASTING {
            let claim = format!("{name} of {left_shape:?} and {right_shape:?}, complex: {parts:?}");
            let expected: Vec<_> = pairs.iter().map(|&(a, b)| of_numbers(a, b)).collect();
            check(&claim, of_tensors(&a.tensor, &b.tensor), [3, 4], &expected);
        }
    }
}

#[test]
fn sums_and_lists_of_real_and_complex_tensors_lose_no_part() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    for parts in REAL_OR_NOT {
        let a = Sample::new([3, 4], parts.0, &mut rng);
        let b = Sample::new([3, 4], parts.1, &mut rng);
        let sum: Vec<_> = a.values.iter().zip(&b.values).map(|(a, b)| a + b).collect();
        check(&format!("add, complex: {parts:?}"), a.tensor.add(&b.tensor), [3, 4], &sum);
        let both = [a.tensor.clone(), b.tensor.clone()];
        let below = [a.values.clone(), b.values.clone()].concat();
        check(&format!("cat of rows, complex: {parts:?}"), ComplexTensor::cat(&both, 0), [6, 4], &below);
        let beside: Vec<_> = (0..3).flat_map(|row| (0..8).map(move |column| (row, column))).collect();
        let beside: Vec<_> = beside
            .into_iter()
            .map(|(row, column)| if column < 4 { a.at(row, column) } else { b.at(row, column - 4) })
            .collect();
        check(&format!("cat of columns, complex: {parts:?}"), ComplexTensor::cat(&both, 1), [3, 8], &beside);
    }
}

#[test]
fn parts_of_other_shapes_or_dtypes_are_refused() {
    let re = Tensor::zeros((2, 1), DType::F64, &Device::Cpu).unwrap();
    let others = [
        (re.squeeze(1).unwrap(), "the real part is [2, 1] of dtype F64, the imaginary part [2] of dtype F64"),
        (re.to_dtype(DType::F32).unwrap(), "the imaginary part [2, 1] of dtype F32"),
    ];
    for (im, expected) in others {
        let error = ComplexTensor::new(re.clone(), im).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
