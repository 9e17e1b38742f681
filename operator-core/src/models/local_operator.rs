//! Sums of matrices on a few sites.

#[cfg(feature = "serde")]
use serde_json::{Value, json};

use super::Model;
#[cfg(feature = "serde")]
use super::ModelSpec;
#[cfg(feature = "serde")]
use crate::definition::Definition;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
#[cfg(feature = "serde")]
use crate::spec::{Reader, Written};
use crate::terms::{LocalMatrix, LocalTerm, Terms};

/// A sum of matrices, each on a few sites of any local dimension.
///
/// A matrix's first site is the most significant digit of its index, local states are in the order of the
/// Hilbert space, and `matrix[[row of x, column of x']]` is `<x|O|x'>`. On fermion modes, too, it is between
/// occupation numbers as they are, so it holds its signs itself.
///
/// Parameter: `weights`, one factor a matrix, 1 at first.
///
/// ```
/// use ndarray::array;
/// use operator_core::{LocalOperator, Model, hilbert::Qubit};
/// let x = array![[0.0, 1.0], [1.0, 0.0]];
/// let flips = LocalOperator::new(Qubit::new(3)?).with(&[0], x.clone())?.with(&[2], x)?.definition()?;
/// assert_eq!(flips.max_conn_size(), 2);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LocalOperator {
    hilbert: HilbertSpace,
    terms: Vec<LocalTerm>,
    matrices: Vec<LocalMatrix>,
    weights: Vec<f64>,
}

impl LocalOperator {
    /// The operator 0 on `hilbert`.
    pub fn new(hilbert: impl Into<HilbertSpace>) -> Self {
        LocalOperator {
            hilbert: hilbert.into(),
            terms: Vec::new(),
            matrices: Vec::new(),
            weights: Vec::new(),
        }
    }

    /// Adds a matrix on `sites`.
    ///
    /// # Errors
    /// [`Error::SiteOutOfRange`](crate::Error::SiteOutOfRange),
    /// [`Error::RepeatedSite`](crate::Error::RepeatedSite),
    /// [`Error::MatrixShape`](crate::Error::MatrixShape), [`Error::NotFinite`](crate::Error::NotFinite).
    pub fn with(self, sites: &[usize], matrix: impl Into<LocalMatrix>) -> Result<Self> {
        self.with_weighted(1.0, sites, matrix)
    }

    /// Adds a matrix on `sites`, times a factor.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn with_weighted(
        mut self,
        weight: f64,
        sites: &[usize],
        matrix: impl Into<LocalMatrix>,
    ) -> Result<Self> {
        let matrix = matrix.into();
        self.terms.push(LocalTerm::new(&self.hilbert, sites, matrix.clone())?);
        self.matrices.push(matrix);
        self.weights.push(weight);
        Ok(self)
    }
}

impl Model for LocalOperator {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        let weights = terms.parameter("weights", self.weights.clone())?;
        for (k, (term, matrix)) in self.terms.iter().zip(&self.matrices).enumerate() {
            terms.local(weights.at(k)?, term.sites(), matrix.clone())?;
        }
        Ok(())
    }

    fn is_list_of_terms(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        "LocalOperator".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for LocalOperator {
    const NAME: &'static str = "local";

    fn write(&self) -> Value {
        let part = |term: &LocalTerm, part: fn(&num_complex::Complex64) -> f64| -> Vec<Vec<f64>> {
            term.matrix().rows().into_iter().map(|row| row.iter().map(part).collect()).collect()
        };
        let terms: Vec<_> = self
            .terms
            .iter()
            .map(|term| {
                json!({
                    "sites": term.sites(), "re": part(term, |z| z.re), "im": part(term, |z| z.im),
                })
            })
            .collect();
        json!({
            "terms": terms,
        })
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let terms = spec.key("terms")?.items()?;
        let weights = match spec.optional("weights")? {
            Some(reader) => {
                let weights = reader.numbers()?;
                if weights.len() != terms.len() {
                    return reader.wrong_len(weights.len(), terms.len(), "one a term");
                }
                weights
            }
            None => vec![1.0; terms.len()],
        };
        let mut model = Self::new(hilbert);
        for (term, weight) in terms.zip(weights) {
            model = model.with_weighted(weight, &term.key("sites")?.counts()?, term.complex_matrix()?)?;
        }
        model.definition()
    }
}
