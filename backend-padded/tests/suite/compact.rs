//! Connected elements in their compact form, and the rows that are made of them.

use backend_padded::{
    ComplexTensor, ConnTensors, Padded, PaddedOperator, Padding, TensorConn, Unit,
    estimators_and_operator_grad_on_device, local_estimators, local_estimators_and_operator_grad,
    local_estimators_on_device,
};
use candle_core::{DType, Device, Storage, Tensor, Var};
use ndarray::{Array2, Array3};
use num_complex::{Complex32, Complex64};
use operator_core::testing::{Table, catalogue};
use operator_core::{Backend, DiscreteOperator, Element, WaveFunction};
use std::num::NonZeroUsize;

/// Some states of a space: all, or the first of many.
fn states<O: DiscreteOperator>(operator: &O) -> Array2<i8> {
    let hilbert = operator.hilbert();
    match hilbert.n_states() {
        Ok(n) => hilbert.states_in(0..n.min(150)).unwrap(),
        Err(_) => {
            let mut rng = <rand_xoshiro::Xoshiro256PlusPlus as rand::SeedableRng>::seed_from_u64(5);
            hilbert.random_states(70, &mut rng).unwrap()
        }
    }
}

fn tensor(x: &Array2<i8>) -> Tensor {
    Padded::from_host(x.view(), &Device::Cpu).unwrap()
}

/// Checks elements against padded ones that were made from flattened rows, and counts against these.
fn check<T: Element>(
    name: &str,
    operator: &PaddedOperator<T>,
    conn: &ConnTensors,
    x: &Array2<i8>,
    width: usize,
) {
    let (n_samples, n_sites) = x.dim();
    let expected = operator.get_conn_flattened(x.view()).unwrap().to_padded(x.view(), width).unwrap();
    assert_eq!(conn.shape(), [n_samples, width, n_sites], "{name}");
    let rows = |dtype| {
        let rows = conn.states(dtype).unwrap().to_dtype(DType::F64).unwrap();
        let values: Vec<f64> = rows.flatten_all().unwrap().to_vec1().unwrap();
        Array3::from_shape_vec((n_samples, width, n_sites), values).unwrap()
    };
    for dtype in [DType::F32, DType::F64, DType::I64] {
        assert_eq!(rows(dtype), expected.states().mapv(f64::from), "{name} in {dtype:?}");
    }
    let index = |site: usize, q: i8| operator.hilbert().local_states(site).unwrap().index(q).unwrap() as f64;
    let mut indices = expected.states().mapv(f64::from);
    indices.indexed_iter_mut().for_each(|((_, _, site), q)| *q = index(site, *q as i8));
    assert_eq!(rows(DType::U8), indices, "{name}");
    let mels: Vec<T> = conn.mels().to_host().unwrap().into_iter().map(T::from_complex).collect();
    assert_eq!(mels, expected.mels().iter().copied().collect::<Vec<_>>(), "{name}");
    let counts: Vec<u32> = conn.counts().unwrap().to_vec1().unwrap();
    let n_conn: Vec<u32> = operator.n_conn(x.view()).unwrap().iter().map(|&n| n as u32).collect();
    assert_eq!(counts, n_conn, "{name}");
    if let Some(unused) = conn.unused_share().unwrap() {
        let used = f64::from(counts.iter().sum::<u32>()) / (n_samples * width) as f64;
        assert!((unused + used - 1.0).abs() < 1e-12, "{name}: {unused}");
    }
}

#[test]
fn rows_and_elements_are_those_of_the_flattened_form() {
    fn run<T: Element>(is_complex: bool) {
        for entry in catalogue().unwrap() {
            if entry.definition.is_real() == is_complex {
                continue;
            }
            let operator = entry.definition.lower_as::<Padded, T>().unwrap();
            let x = states(&operator);
            let conn = operator.conn(&tensor(&x)).unwrap();
            check(entry.name, &operator, &conn, &x, operator.max_conn_size());
            let largest = operator.n_conn(x.view()).unwrap().into_iter().max().unwrap_or(0);
            let operator = operator.with_padding(Padding::LargestRow);
            let conn = operator.conn(&tensor(&x)).unwrap();
            check(entry.name, &operator, &conn, &x, largest);
        }
    }
    run::<f64>(false);
    run::<f32>(false);
    run::<Complex64>(true);
    run::<Complex32>(true);
}

/// The address of a tensor's memory.
fn address(tensor: &Tensor) -> usize {
    match &*tensor.storage_and_layout().0 {
        Storage::Cpu(candle_core::CpuStorage::F64(values)) => values.as_ptr() as usize,
        Storage::Cpu(candle_core::CpuStorage::U32(values)) => values.as_ptr() as usize,
        Storage::Cpu(candle_core::CpuStorage::U8(values)) => values.as_ptr() as usize,
        other => panic!("a tensor on {:?}", other.device()),
    }
}

#[test]
fn a_block_of_equal_size_is_written_to_the_memory_of_the_last_one() {
    let entries = catalogue().unwrap();
    let entry = entries.iter().find(|entry| entry.name == "Heisenberg chain").unwrap();
    let operator = entry.definition.lower::<Padded>().unwrap();
    let all = operator.hilbert().all_states().unwrap();
    let [first, second] =
        [0..20, 20..40].map(|rows| all.slice_axis(ndarray::Axis(0), rows.into()).to_owned());
    let mut conn = operator.conn(&tensor(&first)).unwrap();
    let mut rows = conn.states(DType::U8).unwrap();
    let addresses = |conn: &ConnTensors, rows: &Tensor| {
        let tensors = [conn.items().unwrap(), conn.counts().unwrap(), conn.mels().re(), rows];
        tensors.map(address)
    };
    let before = addresses(&conn, &rows);
    operator.conn_into(&tensor(&second), &mut conn).unwrap();
    conn.states_into(&mut rows).unwrap();
    assert_eq!(addresses(&conn, &rows), before);
    check("again", &operator, &conn, &second, operator.max_conn_size());
    let fresh: Vec<u8> = conn.states(DType::U8).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    assert_eq!(rows.flatten_all().unwrap().to_vec1::<u8>().unwrap(), fresh);
    // A block of another size, elements of another operator, and a batch that is refused.
    operator.conn_into(&tensor(&all), &mut conn).unwrap();
    check("all", &operator, &conn, &all, operator.max_conn_size());
    let ising = entries.iter().find(|entry| entry.name == "Ising chain").unwrap();
    let ising = ising.definition.lower::<Padded>().unwrap();
    ising.conn_into(&tensor(&first), &mut conn).unwrap();
    check("Ising", &ising, &conn, &first, ising.max_conn_size());
    let bad = Tensor::new(&[[0.5f32; 6]], &Device::Cpu).unwrap();
    assert!(ising.conn_into(&bad, &mut conn).is_err());
    check("as before", &ising, &conn, &first, ising.max_conn_size());
}

#[test]
fn the_memory_of_elements_with_gradients_is_left_alone() {
    let entries = catalogue().unwrap();
    let entry = entries.iter().find(|entry| entry.name == "Ising chain").unwrap();
    let operator = entry.definition.lower::<Padded>().unwrap();
    let values = Var::new(operator.definition().unwrap().parameters().to_vec(), &Device::Cpu).unwrap();
    let attached = operator.with_parameter_tensor(&values).unwrap();
    let x = tensor(&operator.hilbert().all_states().unwrap());
    let kept = attached.conn(&x).unwrap();
    let mels = kept.mels().to_host().unwrap();
    let mut conn = kept.clone();
    // Other elements of the same shape.
    let parameters = operator.definition().unwrap().parameters();
    let doubled: Vec<f64> = parameters.to_vec().iter().map(|value| 2.0 * value).collect();
    let doubled = operator.with_parameters(parameters.with_values(&doubled).unwrap()).unwrap();
    doubled.conn_into(&x, &mut conn).unwrap();
    assert_ne!(conn.mels().to_host().unwrap(), mels);
    assert_eq!(kept.mels().to_host().unwrap(), mels);
}

/// The two ways in which estimators are computed: on the host, and in tensors as on other devices.
#[test]
fn estimators_in_tensors_are_those_of_the_host() {
    for entry in catalogue().unwrap() {
        let Ok(n_states) = entry.definition.hilbert().n_states() else { continue };
        if n_states > 2000 {
            continue;
        }
        let psi = Table::<Padded>::random(entry.definition.hilbert().clone(), 7).unwrap();
        if entry.definition.is_real() {
            both_ways(entry.name, &entry.definition.lower::<Padded>().unwrap(), &psi);
        } else {
            both_ways(entry.name, &entry.definition.lower_as::<Padded, Complex64>().unwrap(), &psi);
        }
    }
}

fn both_ways<T: Element>(name: &str, operator: &PaddedOperator<T>, psi: &impl WaveFunction<Padded>) {
    let x = tensor(&states(operator));
    let close = |a: Complex64, b: Complex64| (a - b).norm() < 1e-11 * (1.0 + b.norm());
    for chunk_size in [None, NonZeroUsize::new(37)] {
        let expected = local_estimators(operator, psi, &x, chunk_size).unwrap();
        for padding in [Padding::Static, Padding::LargestRow] {
            let operator = operator.clone().with_padding(padding);
            let got = local_estimators_on_device(&operator, psi, &x, chunk_size).unwrap();
            assert!(got.iter().zip(&expected).all(|(&a, &b)| close(a, b)), "{name}: {got} {expected}");
        }
        let definition = operator.definition().unwrap();
        let (local, gradient) = local_estimators_and_operator_grad(operator, psi, &x, chunk_size).unwrap();
        let (got, got_gradient) =
            estimators_and_operator_grad_on_device(operator, definition, psi, &x, chunk_size).unwrap();
        assert!(got.iter().zip(&local).all(|(&a, &b)| close(a, b)), "{name}: {got} {local}");
        let pairs = got_gradient.iter().zip(&gradient);
        assert!(pairs.into_iter().all(|(&a, &b)| close(a, b)), "{name}: {got_gradient} {gradient}");
    }
}

/// A layer at connected states, and sums over its units, are those of a layer that reads rows.
#[test]
fn changed_layers_and_their_sums_are_those_of_a_layer_on_rows() {
    const UNITS: usize = 5;
    let mut n_operators = 0;
    for entry in catalogue().unwrap().into_iter().filter(|entry| entry.definition.is_real()) {
        let operator = entry.definition.lower::<Padded>().unwrap();
        let (x, n_sites) = (states(&operator), operator.hilbert().n_sites());
        let states = operator.conn(&tensor(&x)).unwrap().conn_states(DType::F64);
        let numbers = |n: usize, shift: usize| -> Tensor {
            let number = |k: usize| 0.02 * ((k * 37 + shift) % 23) as f64 - 0.2;
            Tensor::from_vec((0..n * UNITS).map(number).collect(), (n, UNITS), &Device::Cpu).unwrap()
        };
        let complex = |n: usize| ComplexTensor::new(numbers(n, 1), numbers(n, 7)).unwrap();
        let (bias, weights) = (complex(1), complex(n_sites));
        let layer = |rows: &Tensor| {
            let part = |weights: &Tensor, bias: &Tensor| rows.matmul(weights)?.broadcast_add(bias);
            let (re, im) = (part(weights.re(), bias.re())?, part(weights.im().unwrap(), bias.im().unwrap())?);
            ComplexTensor::new(re, im)
        };
        let z = layer(&tensor(&x).to_dtype(DType::F64).unwrap()).unwrap();
        let rows = states.rows().unwrap().flatten(0, 1).unwrap();
        if rows.elem_count() == 0 {
            continue;
        }
        let changed = layer(&rows).unwrap().to_host().unwrap();
        let units = states.changed_layer(&z, &weights).unwrap().unwrap();
        assert_eq!(units.dims(), [rows.dims()[0], UNITS], "{}", entry.name);
        for (unit, expected) in units.to_host().unwrap().iter().zip(&changed) {
            assert!((unit - expected).norm() < 1e-12, "{}: {unit} {expected}", entry.name);
        }
        let single = |tensor: &ComplexTensor| tensor.map(|part| part.to_dtype(DType::F32)).unwrap();
        let units = states.changed_layer(&single(&z), &single(&weights)).unwrap().unwrap();
        assert_eq!(units.dtype(), DType::F32);
        for (unit, expected) in units.to_host().unwrap().iter().zip(&changed) {
            assert!((unit - expected).norm() < 1e-5, "{}: {unit} {expected}", entry.name);
        }
        for unit in [Unit::Identity, Unit::LnCosh] {
            let sums = states.sums_of_units(unit, &z, &weights).unwrap().unwrap().to_host().unwrap();
            assert_eq!(sums.len() * UNITS, changed.len(), "{}", entry.name);
            for (sum, units) in sums.iter().zip(changed.chunks_exact(UNITS)) {
                let of_unit = |z: &Complex64| if unit == Unit::LnCosh { z.cosh().ln() } else { *z };
                let expected: Complex64 = units.iter().map(of_unit).sum();
                // Imaginary parts are phases.
                assert!(((sum - expected).exp() - 1.0).norm() < 1e-11, "{}: {sum} {expected}", entry.name);
            }
        }
        n_operators += 1;
    }
    assert!(n_operators > 40, "{n_operators}");
}

/// Gradients of a layer at connected states, and of sums over its units, are those of a layer that reads rows.
#[test]
fn gradients_of_changed_layers_and_their_sums_are_those_of_a_layer_on_rows() {
    const UNITS: usize = 5;
    let mut n_operators = 0;
    for entry in catalogue().unwrap().into_iter().filter(|entry| entry.definition.is_real()) {
        let operator = entry.definition.lower::<Padded>().unwrap();
        let (x, n_sites) = (tensor(&states(&operator)), operator.hilbert().n_sites());
        let states = operator.conn(&x).unwrap().conn_states(DType::F64);
        let [batch, width, _] = *states.rows().unwrap().dims() else { panic!("rows have three dimensions") };
        if batch * width == 0 {
            continue;
        }
        let var = |n: usize, shift: usize| {
            let number = |k: usize| 0.02 * ((k * 37 + shift) % 23) as f64 - 0.2;
            Var::from_vec((0..n * UNITS).map(number).collect(), (n, UNITS), &Device::Cpu).unwrap()
        };
        let vars = [var(batch, 1), var(batch, 7), var(n_sites, 3), var(n_sites, 11)];
        // z + (x' − x) w
        let by = states.rows().unwrap().broadcast_sub(&x.to_dtype(DType::F64).unwrap().unsqueeze(1).unwrap());
        let by = by.unwrap().flatten(0, 1).unwrap();
        let kinds = [None, Some(Unit::Identity), Some(Unit::LnCosh)];
        for (unit, is_complex) in kinds.into_iter().flat_map(|unit| [(unit, false), (unit, true)]) {
            let complex = |[re, im]: [&Var; 2]| {
                let im = is_complex.then(|| im.as_tensor().clone());
                ComplexTensor::new(re.as_tensor().clone(), im).unwrap()
            };
            let (z, w) = (complex([&vars[0], &vars[1]]), complex([&vars[2], &vars[3]]));
            let results = match unit {
                None => states.changed_layer(&z, &w).unwrap().unwrap(),
                Some(unit) => states.sums_of_units(unit, &z, &w).unwrap().unwrap(),
            };
            let changed = |z: &Tensor, w: &Tensor| {
                let of_slots = z.unsqueeze(1)?.repeat((1, width, 1))?.flatten(0, 1)?;
                of_slots + by.matmul(w)?
            };
            let changed = ComplexTensor::new(
                changed(z.re(), w.re()).unwrap(),
                z.im().zip(w.im()).map(|(z, w)| changed(z, w).unwrap()),
            );
            let changed = changed.unwrap();
            let of_rows = match unit {
                None => changed,
                Some(Unit::Identity) => changed.map(|part| part.sum(1)).unwrap(),
                Some(Unit::LnCosh) => {
                    backend_padded::ln_cosh(&changed).unwrap().map(|part| part.sum(1)).unwrap()
                }
            };
            let gradients = |results: &ComplexTensor| {
                let n = results.re().elem_count();
                let weights = Tensor::arange(0f64, n as f64, &Device::Cpu).unwrap();
                let weights = weights.reshape(results.dims()).unwrap();
                let weighed = |part: &Tensor, weights: Tensor| (part * weights).unwrap().sum_all().unwrap();
                let re = weighed(results.re(), weights.sin().unwrap());
                let sum =
                    results.im().map_or(re.clone(), |im| (re + weighed(im, weights.cos().unwrap())).unwrap());
                sum.backward().unwrap()
            };
            let (got, expected) = (gradients(&results), gradients(&of_rows));
            for var in &vars {
                let [got, expected] = [&got, &expected].map(|all| all.get(var));
                let (Some(got), Some(expected)) = (got, expected) else {
                    assert_eq!(got.is_some(), expected.is_some());
                    continue;
                };
                let error = (got - expected).unwrap().abs().unwrap().max_all().unwrap();
                let error = error.to_scalar::<f64>().unwrap();
                assert!(error < 1e-11 * (batch * width * UNITS) as f64, "{}: {error}", entry.name);
            }
        }
        n_operators += 1;
    }
    assert!(n_operators > 40, "{n_operators}");
}
