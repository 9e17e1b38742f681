//! An operator that counts which of its methods are called.
#![allow(dead_code, reason = "each test uses a part")]

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, aview1, aview2};
use operator_core::hilbert::Spin;
use operator_core::{
    ConnBatch, Definition, DiscreteOperator, Element, HilbertSpace, HostBackend, PaddedConn, Result,
    RowVisitor,
};

/// How often each method was called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<BTreeMap<&'static str, usize>>>);

impl Calls {
    pub(crate) fn count(&self, name: &'static str) {
        *self.0.lock().unwrap().entry(name).or_default() += 1;
    }

    /// What was called since the last time.
    pub(crate) fn take(&self) -> Vec<(&'static str, usize)> {
        std::mem::take(&mut *self.0.lock().unwrap()).into_iter().collect()
    }
}

/// Counts the calls of an operator, each under its own name: what a method of the trait does by calling others
/// is done by the operator inside, and not seen.
#[derive(Clone, Debug)]
pub(crate) struct Counted<O> {
    pub(crate) inner: O,
    pub(crate) calls: Calls,
}

impl<O> Counted<O> {
    pub(crate) fn new(inner: O) -> Self {
        Counted { inner, calls: Calls::default() }
    }
}

impl<O: DiscreteOperator> DiscreteOperator for Counted<O> {
    type Backend = O::Backend;
    type Element = O::Element;

    fn hilbert(&self) -> &HilbertSpace {
        self.calls.count("hilbert");
        self.inner.hilbert()
    }

    fn max_conn_size(&self) -> usize {
        self.calls.count("max_conn_size");
        self.inner.max_conn_size()
    }

    fn is_hermitian(&self) -> bool {
        self.calls.count("is_hermitian");
        self.inner.is_hermitian()
    }

    fn definition(&self) -> Option<&Definition> {
        self.calls.count("definition");
        self.inner.definition()
    }

    fn describe(&self) -> String {
        self.calls.count("describe");
        self.inner.describe()
    }

    fn n_conn(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
        self.calls.count("n_conn");
        self.inner.n_conn(x)
    }

    fn get_conn(&self, x: ArrayView1<'_, i8>) -> Result<(Array2<i8>, Array1<O::Element>)> {
        self.calls.count("get_conn");
        self.inner.get_conn(x)
    }

    fn get_conn_flattened(&self, x: ArrayView2<'_, i8>) -> Result<ConnBatch<O::Element>> {
        self.calls.count("get_conn_flattened");
        self.inner.get_conn_flattened(x)
    }

    fn get_conn_flattened_into(&self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<O::Element>) -> Result<()> {
        self.calls.count("get_conn_flattened_into");
        self.inner.get_conn_flattened_into(x, conn)
    }

    fn get_conn_padded(&self, x: ArrayView2<'_, i8>) -> Result<PaddedConn<O::Element>> {
        self.calls.count("get_conn_padded");
        self.inner.get_conn_padded(x)
    }

    fn get_conn_indices_into(
        &self,
        states: Range<usize>,
        conn: &mut ConnBatch<O::Element, usize>,
    ) -> Result<()> {
        self.calls.count("get_conn_indices_into");
        self.inner.get_conn_indices_into(states, conn)
    }

    fn for_all_states(&self, f: RowVisitor<'_, O::Element>) -> Result<()> {
        self.calls.count("for_all_states");
        self.inner.for_all_states(f)
    }
}

/// Checks that each method of an operator on two spins is passed on to the counted one inside by its name, once,
/// and that nothing else is asked of it.
pub(crate) fn check_operator_calls<O: DiscreteOperator>(outer: &O, calls: &Calls) {
    let x: &[i8] = &[1, -1];
    let row = aview1(x);
    let batch = aview2(&[[1, -1]]);
    type Call<'a, O> = (&'static str, Box<dyn Fn(&O) -> bool + 'a>);
    let all: [Call<'_, O>; 12] = [
        ("hilbert", Box::new(|o| o.hilbert().n_sites() == 2)),
        ("max_conn_size", Box::new(|o| o.max_conn_size() < 100)),
        ("is_hermitian", Box::new(|o| o.is_hermitian())),
        ("definition", Box::new(|o| o.definition().is_none_or(|d| d.is_hermitian()))),
        ("describe", Box::new(|o| !o.describe().is_empty())),
        ("n_conn", Box::new(|o| o.n_conn(batch).is_ok())),
        ("get_conn", Box::new(|o| o.get_conn(row).is_ok())),
        ("get_conn_flattened", Box::new(|o| o.get_conn_flattened(batch).is_ok())),
        (
            "get_conn_flattened_into",
            Box::new(|o| o.get_conn_flattened_into(batch, &mut ConnBatch::new()).is_ok()),
        ),
        ("get_conn_padded", Box::new(|o| o.get_conn_padded(batch).is_ok())),
        ("get_conn_indices_into", Box::new(|o| o.get_conn_indices_into(0..4, &mut ConnBatch::new()).is_ok())),
        ("for_all_states", Box::new(|o| o.for_all_states(&mut |_, _| Ok(())).is_ok())),
    ];
    calls.take();
    for (name, call) in all {
        assert!(call(outer), "{name} fails");
        assert_eq!(calls.take(), [(name, 1)], "{name} is not passed on");
    }
    // What follows from them goes through the fastest.
    outer.to_sparse().unwrap();
    assert!(calls.take().contains(&("for_all_states", 1)));
}

/// A backend for operators that need none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Nowhere;

impl HostBackend for Nowhere {
    const NAME: &'static str = "nowhere";
}

/// The operator 0 on two spins.
#[derive(Clone, Debug)]
pub(crate) struct NoElements<T> {
    hilbert: HilbertSpace,
    element: PhantomData<T>,
}

impl<T> NoElements<T> {
    pub(crate) fn new() -> Self {
        NoElements { hilbert: Spin::half(2).unwrap().into(), element: PhantomData }
    }
}

impl<T: Element> DiscreteOperator for NoElements<T> {
    type Backend = Nowhere;
    type Element = T;

    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn max_conn_size(&self) -> usize {
        0
    }

    fn is_hermitian(&self) -> bool {
        true
    }

    fn definition(&self) -> Option<&Definition> {
        None
    }

    fn get_conn_flattened_into(&self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<T>) -> Result<()> {
        conn.reset(x.ncols(), &vec![0; x.nrows()])?;
        Ok(())
    }
}
