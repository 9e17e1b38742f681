//! Which elements samples have, and the choice among them.

use num_complex::{Complex32, Complex64};
use operator_core::Element;
use operator_core::kernel::{Found, Scratch};

use super::buffers::Real;
use super::case::{Case, cases, packed};
use super::compiler::{Kernels, launch};
use super::kernels::{Kind, Program};

/// What the kernels find.
struct Conn<R> {
    counts: Vec<u32>,
    items: Vec<u32>,
    re: Vec<R>,
    /// Empty for real elements.
    im: Vec<R>,
}

/// The address of numbers, null if there are none.
fn address<R>(values: &[R]) -> u64 {
    if values.is_empty() { 0 } else { values.as_ptr() as u64 }
}

/// The values of slots.
struct Values<R>(Vec<R>, Vec<R>);

impl<T: Element<Real: Real>> Case<T> {
    fn values(&self) -> Values<T::Real> {
        let values = self.engine.values();
        let im = values.iter().map(|value| value.im()).filter(|_| T::IS_COMPLEX).collect();
        Values(values.iter().map(|value| value.re()).collect(), im)
    }

    fn finder(&self) -> Kernels {
        let program = Program::Conn { real: T::Real::NUMBER, is_complex: T::IS_COMPLEX };
        Kernels::of(Kind::new(program, self.device.kind))
    }

    fn conn(&self) -> Conn<T::Real> {
        let (b, width, nan) = (self.n_samples, self.width(), T::Real::of(f64::NAN));
        let n_slots = b * width;
        let mut out = Conn {
            counts: vec![77; b],
            items: vec![77; n_slots],
            re: vec![nan; n_slots],
            im: vec![nan; if T::IS_COMPLEX { n_slots } else { 0 }],
        };
        let Values(re, im) = self.values();
        let from = [self.samples.address(), address(&re), address(&im)];
        let found = [out.counts.as_mut_ptr() as u64, out.items.as_mut_ptr() as u64];
        let mels = [out.re.as_mut_ptr() as u64, if T::IS_COMPLEX { out.im.as_mut_ptr() as u64 } else { 0 }];
        let (kernels, engine) = (self.finder(), self.device.argument);
        launch!(
            kernels,
            "conn",
            b * 32,
            engine,
            from[0],
            from[1],
            from[2],
            found[0],
            found[1],
            mels[0],
            mels[1],
            width as u32,
            b as u32
        );
        out
    }

    /// Counts only: all elements, and those besides the diagonal.
    fn counts(&self) -> [Vec<u32>; 2] {
        let Values(re, im) = self.values();
        let (b, none) = (self.n_samples, 0u64);
        let mut out = [vec![77; b], vec![77; b]];
        let [all, others] = out.each_mut().map(|counts| counts.as_mut_ptr() as u64);
        let from = [self.samples.address(), address(&re), address(&im)];
        let (kernels, engine) = (self.finder(), self.device.argument);
        launch!(
            kernels,
            "conn",
            b * 32,
            engine,
            from[0],
            from[1],
            from[2],
            all,
            none,
            none,
            none,
            0u32,
            b as u32
        );
        launch!(kernels, "n_off_diagonal", b * 32, engine, from[0], from[1], from[2], others, b as u32);
        out
    }

    fn check(&self) -> usize {
        let (width, name) = (self.width(), self.name);
        let conn = self.conn();
        let mut n_elements = 0;
        let mut off_diagonal = Vec::new();
        // The host's own items are in its order; elements have its bits, up to the sign of a zero part.
        let (mut found, mut counts) = (Found::default(), vec![0; self.n_samples]);
        self.engine.find(&self.rows, &mut counts, &mut found);
        let mut items = vec![0; conn.items.len()];
        let (mut re, mut im) = (conn.re.clone(), conn.im.clone());
        self.engine.write_items(&found, width, &mut items, &mut re, &mut im);
        assert_eq!(conn.items, items, "{name}");
        assert_eq!((&conn.re, &conn.im), (&re, &im), "{name}");
        let mut scratch = Scratch::default();
        for b in 0..self.n_samples {
            let (mut n, mut others) = (0, 0);
            self.engine.visit(self.row(b), &mut scratch, |connected, mel| {
                let k = b * width + n;
                assert_eq!(conn.re[k].bits(), mel.re().bits(), "{name}, sample {b}, element {n}: {mel}");
                if T::IS_COMPLEX {
                    assert_eq!(conn.im[k].bits(), mel.im().bits(), "{name}, sample {b}, element {n}: {mel}");
                }
                (n, others) = (n + 1, others + u32::from(!connected.is_diagonal()));
            });
            assert_eq!(conn.counts[b] as usize, n, "{name}, sample {b}");
            off_diagonal.push(others);
            n_elements += n;
        }
        assert_eq!(self.counts(), [conn.counts, off_diagonal], "{name}");
        n_elements
    }

    /// One number for each sample, some beyond the last.
    fn check_choice(&self) {
        let numbers: Vec<u32> = (0..self.n_samples).map(|b| (b * 7 % (self.width() + 2)) as u32).collect();
        let Values(re, im) = self.values();
        let chosen = self.samples.unwritten();
        let from = [self.samples.address(), address(&re), address(&im)];
        let program = Program::Select { real: T::Real::NUMBER, is_complex: T::IS_COMPLEX };
        let kernels = Kernels::of(Kind::new(program, self.device.kind));
        let (b, numbers_at) = (self.n_samples, numbers.as_ptr() as u64);
        launch!(
            kernels,
            "select_off_diagonal",
            b * 32,
            self.device.argument,
            from[0],
            from[1],
            from[2],
            numbers_at,
            chosen.address(),
            b as u32
        );
        let mut expected = self.rows.clone();
        let mut scratch = Scratch::default();
        for (b, to) in expected.chunks_exact_mut(self.n_sites()).enumerate() {
            let mut before = 0;
            self.engine.visit(self.row(b), &mut scratch, |connected, _| {
                if !connected.is_diagonal() {
                    if before == numbers[b] {
                        connected.write(to);
                    }
                    before += 1;
                }
            });
        }
        assert_eq!(chosen, packed(&self.hilbert, &self.device.kind, &expected), "{}", self.name);
    }
}

fn check_choices<T: Element<Real: Real>>() {
    cases::<T>().for_each(|case| case.check_choice());
}

fn check_all<T: Element<Real: Real>>() {
    let (mut n_operators, mut n_elements) = (0, 0);
    for case in cases::<T>() {
        n_elements += case.check();
        n_operators += 1;
    }
    println!("{}: {n_operators} operators, {n_elements} elements", T::NAME);
    assert!(n_operators > 40 && n_elements > 1_000, "{n_operators} operators, {n_elements} elements");
}

#[test]
#[ignore = "needs g++"]
fn elements_have_the_bits_and_the_order_of_the_engine_in_f64() {
    check_all::<f64>();
}

#[test]
#[ignore = "needs g++"]
fn elements_have_the_bits_and_the_order_of_the_engine_in_f32() {
    check_all::<f32>();
}

#[test]
#[ignore = "needs g++"]
fn complex_elements_have_the_bits_and_the_order_of_the_engine_in_f64() {
    check_all::<Complex64>();
}

#[test]
#[ignore = "needs g++"]
fn complex_elements_have_the_bits_and_the_order_of_the_engine_in_f32() {
    check_all::<Complex32>();
}

#[test]
#[ignore = "needs g++"]
fn choices_are_those_of_the_engine_in_f64() {
    check_choices::<f64>();
}

#[test]
#[ignore = "needs g++"]
fn complex_choices_are_those_of_the_engine_in_f32() {
    check_choices::<Complex32>();
}
