//! Rows become samples, and samples rows.

use operator_core::kernel::{Changes, Found};

use super::buffers::{Real, Samples};
use super::case::{Case, cases, packed};
use super::compiler::{Kernels, launch};
use super::kernels::{Kind, Number, Program};

/// What no sample is.
const NONE: u32 = u32::MAX;

impl Case<num_complex::Complex64> {
    /// Packs rows of quantum numbers, and says which is the first that is no state.
    fn pack<R: Real>(&self, rows: &[R]) -> (Samples, u32) {
        let (samples, mut status) = (self.samples.unwritten(), NONE);
        let status_at = std::ptr::from_mut(&mut status) as u64;
        let kernels = Kernels::of(Kind::new(Program::Pack(R::NUMBER), self.device.kind));
        let (from, to, b) = (rows.as_ptr() as u64, samples.address(), self.n_samples);
        launch!(kernels, "pack", b * 32, self.device.argument, from, to, status_at, b as u32);
        (samples, status)
    }

    /// The rows that items lead to.
    fn rows_of<Q: Copy>(&self, number: Number, nonsense: Q, items: Option<&[u32]>, width: usize) -> Vec<Q> {
        let mut rows = vec![nonsense; self.n_samples * width * self.n_sites()];
        let items = items.map_or(0, |items| items.as_ptr() as u64);
        let kernels = Kernels::of(Kind::new(Program::Rows(number), self.device.kind));
        let (n_rows, sizes) = (self.n_samples * width, [width as u32, self.n_samples as u32]);
        let (x, to) = (self.samples.address(), rows.as_mut_ptr() as u64);
        launch!(kernels, "rows", n_rows * 32, self.device.argument, x, items, to, sizes[0], sizes[1]);
        rows
    }

    fn numbers<R: Real>(&self) -> Vec<R> {
        self.rows.iter().map(|&q| R::of(q.into())).collect()
    }

    /// A number that is not whole, none, far away, or no local state; each must be noticed.
    fn check_bad_numbers<R: Real>(&self) {
        for (k, bad) in [0.5, f64::NAN, f64::INFINITY, -1e30, 126.0, 1e-30].into_iter().enumerate() {
            let mut rows = self.numbers::<R>();
            let sample = (3 + 11 * k) % self.n_samples;
            for b in [sample, self.n_samples - 1] {
                let site = (b * 5 + k) % self.n_sites();
                rows[b * self.n_sites() + site] = R::of(bad);
            }
            assert_eq!(self.pack(&rows).1, sample as u32, "{}: {bad}", self.name);
        }
    }

    /// Another local state on one site, where sums are fixed.
    fn check_bad_total(&self) -> bool {
        let Some(block) = self.hilbert.blocks().iter().find(|block| block.total().is_some()) else {
            return false;
        };
        let (b, site) = (self.n_samples / 2, block.sites().end - 1);
        let mut rows = self.numbers::<f64>();
        let q = self.row(b)[site];
        let other = block.local().iter().find(|&other| other != q).unwrap();
        rows[b * self.n_sites() + site] = other.into();
        let (samples, status) = self.pack(&rows);
        assert_eq!(status, b as u32, "{}", self.name);
        let mut expected = self.rows.clone();
        expected[b * self.n_sites() + site] = other;
        assert_eq!(samples, packed(&self.hilbert, &self.device.kind, &expected), "{}", self.name);
        true
    }

    fn check_rows(&self) {
        let width = self.width();
        let (mut found, mut counts) = (Found::default(), vec![0; self.n_samples]);
        self.engine.find(&self.rows, &mut counts, &mut found);
        let mut items = vec![0; self.n_samples * width];
        let (mut re, mut im) = (vec![0.0; items.len()], vec![0.0; items.len()]);
        self.engine.write_items(&found, width, &mut items, &mut re, &mut im);
        let expected = changed(self.engine.changes(), &items, width, &self.rows, self.n_sites());
        let of_f64: Vec<f64> = expected.iter().map(|&q| q.into()).collect();
        let of_f32: Vec<f32> = expected.iter().map(|&q| q.into()).collect();
        let indices: Vec<u8> = self.indices(&expected);
        assert_eq!(self.rows_of(Number::F64, f64::NAN, Some(&items), width), of_f64, "{}", self.name);
        assert_eq!(self.rows_of(Number::F32, f32::NAN, Some(&items), width), of_f32, "{}", self.name);
        assert_eq!(self.rows_of(Number::U8, 0xa5, Some(&items), width), indices, "{}", self.name);
        assert_eq!(self.rows_of(Number::F64, f64::NAN, None, 1), self.numbers::<f64>(), "{}", self.name);
        assert_eq!(self.rows_of(Number::U8, 0xa5, None, 1), self.indices(&self.rows), "{}", self.name);
    }

    fn indices(&self, rows: &[i8]) -> Vec<u8> {
        let blocks = self.hilbert.blocks();
        let locals: Vec<_> = blocks.iter().flat_map(|block| block.sites().map(|_| block.local())).collect();
        rows.iter().zip(locals.iter().cycle()).map(|(&q, local)| local.index(q).unwrap() as u8).collect()
    }
}

/// Rows of the samples, `width` each, with the changes that items name.
fn changed(changes: &Changes, items: &[u32], width: usize, rows: &[i8], n_sites: usize) -> Vec<i8> {
    let mut out = Vec::new();
    for (k, &item) in items.iter().enumerate() {
        let mut row = rows[k / width * n_sites..][..n_sites].to_vec();
        for edit in changes.edits(item) {
            let site = edit.site as usize;
            row[site] = edit.apply(row[site]);
        }
        out.extend(row);
    }
    out
}

#[test]
#[ignore = "needs g++"]
fn rows_are_packed_and_samples_outside_the_space_are_noticed() {
    let mut n_fixed = 0;
    for case in cases() {
        assert_eq!(case.pack(&case.numbers::<f64>()), (case.samples.clone(), NONE), "{}", case.name);
        assert_eq!(case.pack(&case.numbers::<f32>()), (case.samples.clone(), NONE), "{}", case.name);
        case.check_bad_numbers::<f64>();
        case.check_bad_numbers::<f32>();
        n_fixed += u32::from(case.check_bad_total());
    }
    assert!(n_fixed > 10, "{n_fixed} spaces with fixed sums");
}

#[test]
#[ignore = "needs g++"]
fn rows_hold_the_states_that_items_name() {
    cases().for_each(|case| case.check_rows());
}
