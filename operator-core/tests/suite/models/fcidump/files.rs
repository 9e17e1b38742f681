//! Writes files in the forms that are found in the wild.

use std::fmt::Write as _;

use num_complex::Complex64;
use operator_core::IntegralSymmetry;

use super::truth::{One, Two, orders};

/// How values are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Brackets,
    Blanks,
    Columns,
    Real,
}

pub(super) fn line(text: &mut String, form: Form, value: Complex64, orbitals: [usize; 4]) {
    let Complex64 { re, im } = value;
    match form {
        Form::Brackets => write!(text, " ({re:?},{im:?})"),
        Form::Blanks => write!(text, "( {re:?} , {im:?} )"),
        Form::Columns => write!(text, "  {re:?}  {im:?}"),
        Form::Real => write!(text, "  {re:?}"),
    }
    .unwrap();
    let [i, j, k, l] = orbitals;
    writeln!(text, " {i} {j} {k} {l}").unwrap();
}

pub(super) fn file(header: &str, form: Form, core: f64, one: &One, two: &Two) -> String {
    let mut text = format!("&FCI {header}\n&END\n");
    for (orbitals, &value) in two {
        line(&mut text, form, value, orbitals.map(|orbital| orbital + 1));
    }
    for (&[p, q], &value) in one {
        line(&mut text, form, value, [p + 1, q + 1, 0, 0]);
    }
    line(&mut text, form, core.into(), [0; 4]);
    text
}

/// The first of the orders that complex orbitals make equal.
pub(super) fn once(one: &One, two: &Two) -> (One, Two) {
    let first = |orbitals: &[usize; 4]| {
        orders(IntegralSymmetry::Hermitian, *orbitals).into_iter().all(|(order, _)| *orbitals <= order)
    };
    let one = one.iter().filter(|([p, q], _)| p <= q).map(|(&key, &value)| (key, value)).collect();
    (one, two.iter().filter(|(key, _)| first(key)).map(|(&key, &value)| (key, value)).collect())
}
