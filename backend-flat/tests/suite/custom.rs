//! How often kernels of third parties are asked, and by what.

use std::sync::atomic::{AtomicUsize, Ordering};

use backend_flat::{Connector, Emitter, Flat, FlatKernel, FlatOperator, VisitConn};
use ndarray::aview2;
use operator_core::hilbert::Spin;
use operator_core::{ConnBatch, DiscreteOperator, HilbertSpace, Result};

/// Flips each spin, and counts.
#[derive(Debug)]
struct Flips {
    hilbert: HilbertSpace,
    connectors: AtomicUsize,
    samples: AtomicUsize,
}

impl Flips {
    fn new(n_sites: usize) -> Result<Self> {
        let hilbert = Spin::half(n_sites)?.into();
        Ok(Flips { hilbert, connectors: AtomicUsize::new(0), samples: AtomicUsize::new(0) })
    }
}

impl FlatKernel<f64> for Flips {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn connect(&self, x: &[i8], emit: &mut Emitter<'_, f64>) {
        self.connector().connect(x, emit);
    }

    fn connector(&self) -> Box<dyn Connector<f64> + '_> {
        self.connectors.fetch_add(1, Ordering::Relaxed);
        Box::new(Flipper { flips: self, x_prime: Vec::new() })
    }

    fn max_conn_size(&self) -> Option<usize> {
        Some(self.hilbert.n_sites())
    }

    fn is_hermitian(&self) -> Option<bool> {
        Some(true)
    }
}

struct Flipper<'a> {
    flips: &'a Flips,
    x_prime: Vec<i8>,
}

impl Connector<f64> for Flipper<'_> {
    fn connect(&mut self, x: &[i8], emit: &mut Emitter<'_, f64>) {
        self.flips.samples.fetch_add(1, Ordering::Relaxed);
        for site in 0..x.len() {
            self.x_prime.clear();
            self.x_prime.extend_from_slice(x);
            self.x_prime[site] = -x[site];
            emit.state(&self.x_prime, 1.0 + site as f64);
        }
    }
}

/// An operator that leaves its kernel to be looked at.
fn shared(n_sites: usize) -> Result<(FlatOperator, &'static Flips)> {
    #[derive(Debug)]
    struct Borrowed(&'static Flips);
    impl FlatKernel<f64> for Borrowed {
        fn hilbert(&self) -> &HilbertSpace {
            self.0.hilbert()
        }
        fn connect(&self, x: &[i8], emit: &mut Emitter<'_, f64>) {
            self.0.connect(x, emit);
        }
        fn connector(&self) -> Box<dyn Connector<f64> + '_> {
            self.0.connector()
        }
        fn max_conn_size(&self) -> Option<usize> {
            self.0.max_conn_size()
        }
        fn is_hermitian(&self) -> Option<bool> {
            self.0.is_hermitian()
        }
    }
    let flips: &'static Flips = Box::leak(Box::new(Flips::new(n_sites)?));
    Ok((FlatOperator::custom(Borrowed(flips))?, flips))
}

#[test]
fn a_kernel_runs_once_for_each_sample_with_one_connector_for_each_block() -> Result<()> {
    let (operator, flips) = shared(5)?;
    let x = operator.hilbert().all_states()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    let conn = pool.install(|| operator.get_conn_flattened(x.view()))?;
    assert_eq!(conn.total(), 32 * 5);
    assert_eq!(flips.samples.load(Ordering::Relaxed), 32);
    assert_eq!(flips.connectors.load(Ordering::Relaxed), 1);
    Ok(())
}

#[test]
fn blocks_are_put_together_in_order() -> Result<()> {
    let (operator, _) = shared(6)?;
    let x = operator.hilbert().all_states()?;
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("some threads");
    let one = pool(1).install(|| operator.get_conn_flattened(x.view()))?;
    let more = pool(3).install(|| operator.get_conn_flattened(x.view()))?;
    assert_eq!(one.offsets(), more.offsets());
    assert_eq!(one.states(), more.states());
    assert_eq!(one.mels(), more.mels());
    assert_eq!(pool(3).install(|| operator.n_conn(x.view()))?.to_vec(), [6; 64]);
    Ok(())
}

#[test]
fn pointers_to_operators_visit_and_connect_as_the_operator() -> Result<()> {
    fn sums(operator: impl VisitConn<Element = f64>) -> Result<(f64, usize, bool)> {
        let mut sum = 0.0;
        operator.visitor().visit(&[1, -1], |_, mel| sum += mel)?;
        let mut conn = ConnBatch::new();
        operator.get_conn_flattened_into(aview2(&[[1, -1]]), &mut conn)?;
        Ok((sum, conn.total(), operator.engine().is_some()))
    }
    let ising = operator_core::Model::lower::<Flat>(&operator_core::Ising::new(
        Spin::half(2)?,
        &operator_core::Graph::chain(2, operator_core::Boundary::Open)?,
        0.5,
        1.0,
    )?)?;
    let expected = sums(ising.clone())?;
    assert_eq!(expected, (-2.0, 3, true));
    assert_eq!(sums(&ising)?, expected);
    assert_eq!(sums(std::sync::Arc::new(ising.clone()))?, expected);
    assert_eq!(sums(Box::new(&ising))?, expected);
    Ok(())
}
