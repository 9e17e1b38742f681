//! Amplitudes of a large batch, evaluated in chunks.

use std::num::NonZeroUsize;
use std::ops::Range;

use crate::backend::Backend;
use crate::error::{Error, Result};

/// Evaluates the rows of a batch, at most `chunk_size` at a time, and joins the amplitudes. `None` means all at
/// once.
///
/// # Errors
/// Those of `evaluate` and of the backend; [`Error::Count`] unless there is one amplitude for each row.
pub fn amplitudes_in_chunks<B: Backend>(
    n_rows: usize,
    chunk_size: Option<NonZeroUsize>,
    evaluate: impl Fn(Range<usize>) -> Result<B::Amplitudes>,
) -> Result<B::Amplitudes> {
    let checked = |rows: Range<usize>| {
        let expected = rows.len();
        let amplitudes = evaluate(rows)?;
        let got = B::amplitudes_len(&amplitudes);
        if got == expected {
            Ok(amplitudes)
        } else {
            Err(Error::Count { what: "log psi values".into(), got, expected: expected.to_string() })
        }
    };
    match chunk_size {
        Some(size) if size.get() < n_rows => {
            let size = size.get();
            let chunks = (0..n_rows).step_by(size).map(|start| start..n_rows.min(start.saturating_add(size)));
            let parts = chunks.map(checked).collect::<Result<Vec<_>>>()?;
            B::concat_amplitudes(&parts)
        }
        _ => checked(0..n_rows),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use ndarray::Array1;
    use num_complex::Complex64;

    use super::*;
    use crate::backend::HostBackend;

    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    struct Host;

    impl HostBackend for Host {
        const NAME: &'static str = "host";
    }

    #[test]
    fn chunks_are_no_larger_than_asked_and_in_order() {
        let value = |row: usize| Complex64::new(row as f64, 0.5);
        for (chunk_size, expected) in
            [(None, vec![7]), (Some(7), vec![7]), (Some(3), vec![3, 3, 1]), (Some(usize::MAX), vec![7])]
        {
            let sizes = RefCell::new(Vec::new());
            let all = amplitudes_in_chunks::<Host>(7, chunk_size.and_then(NonZeroUsize::new), |rows| {
                sizes.borrow_mut().push(rows.len());
                Ok(rows.map(value).collect())
            });
            assert_eq!(all.unwrap(), (0..7).map(value).collect::<Array1<_>>());
            assert_eq!(sizes.into_inner(), expected);
        }
    }

    #[test]
    fn too_few_values_are_an_error() {
        let empty = |_| Ok(Array1::zeros(0));
        assert!(matches!(amplitudes_in_chunks::<Host>(2, None, empty), Err(Error::Count { got: 0, .. })));
        assert_eq!(amplitudes_in_chunks::<Host>(0, NonZeroUsize::new(2), empty).unwrap().len(), 0);
    }
}
