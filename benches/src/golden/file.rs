//! The contents of a file of reference data.

use ndarray::Array2;
use num_complex::Complex64;
use serde::Deserialize;
use serde_json::Value;

/// Remarks on an operator beside its keys, which [`Golden::operator`] leaves out.
const REMARKS: [&str; 4] = ["note", "hermitian", "local_states", "nuclear_repulsion"];

/// The contents of a file of reference data.
#[derive(Clone, Debug, Deserialize)]
pub struct Golden {
    /// The operator, with remarks.
    #[serde(deserialize_with = "operator_core::spec::unique_keys")]
    pub spec: Value,
    /// Configurations.
    pub samples: Vec<Vec<i8>>,
    /// The connected elements of each configuration: x', real and imaginary part.
    pub conn: Vec<Vec<(Vec<i8>, f64, f64)>>,
    /// All states of a small space, in the order of the dense matrix.
    pub all_states: Option<Vec<Vec<i8>>>,
    /// Real parts of the dense matrix, by rows.
    pub dense_re: Option<Vec<Vec<f64>>>,
    /// Imaginary parts of the dense matrix, if any is not 0.
    pub dense_im: Option<Vec<Vec<f64>>>,
    /// Eigenvalues of a Hermitian matrix.
    pub eigvals: Option<Vec<f64>>,
}

impl Golden {
    /// The operator without remarks.
    pub(super) fn operator(&self) -> Value {
        let mut spec = self.spec.clone();
        if let Some(entries) = spec.as_object_mut() {
            entries.retain(|key, _| !REMARKS.contains(&key.as_str()));
        }
        spec
    }

    /// Checks that the parts of the file fit together.
    pub(super) fn check_shapes(&self) -> Result<(), String> {
        if self.samples.is_empty() {
            return Err("the file has no samples".into());
        }
        if self.samples.len() != self.conn.len() {
            let (n_samples, n_conn) = (self.samples.len(), self.conn.len());
            return Err(format!("{n_samples} samples; connected elements of {n_conn}"));
        }
        let n_states = self.all_states.as_ref().map(Vec::len);
        if self.dense_im.is_some() && self.dense_re.is_none() {
            return Err("there is dense_im; dense_re is missing".into());
        }
        for (name, matrix) in [("dense_re", &self.dense_re), ("dense_im", &self.dense_im)] {
            let Some(matrix) = matrix else { continue };
            let Some(n) = n_states else { return Err(format!("there is {name}; all_states is missing")) };
            if matrix.len() != n || matrix.iter().any(|row| row.len() != n) {
                return Err(format!("{name} is not {n} x {n}, as there are {n} states"));
            }
        }
        match (&self.eigvals, n_states) {
            (Some(eigvals), n_states) if n_states != Some(eigvals.len()) => {
                let n_states = n_states.map_or("no".to_owned(), |n| n.to_string());
                Err(format!("{} eigenvalues; {n_states} states", eigvals.len()))
            }
            _ => Ok(()),
        }
    }

    /// The dense matrix.
    pub(super) fn dense(&self) -> Option<Array2<Complex64>> {
        let re = self.dense_re.as_ref()?;
        let im = |r: usize, c: usize| self.dense_im.as_ref().map_or(0.0, |im| im[r][c]);
        let n = re.len();
        Some(Array2::from_shape_fn((n, n), |(r, c)| Complex64::new(re[r][c], im(r, c))))
    }

    /// What there is to compare, in words.
    pub(super) fn summary(&self) -> String {
        let plural = if self.samples.len() == 1 { "" } else { "s" };
        let mut summary = format!("{} sample{plural}", self.samples.len());
        if let Some(dense) = &self.dense_re {
            summary += &format!(", dense {} x {}", dense.len(), dense.len());
        }
        if self.eigvals.is_some() {
            summary += ", eigenvalues";
        }
        summary
    }
}
