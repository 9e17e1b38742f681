//! The log of a run, for files and plots.

use std::path::Path;

use ndarray::{Array1, Array2};
use num_complex::Complex64;
use serde_json::{Map, Value, json};

use crate::error::Result;
use crate::statistics::Stats;
use crate::storage::{Snapshot, write_atomically};

/// What a run measured, in the layout of NetKet's `JsonLog`; tools for NetKet's files read it.
///
/// Each quantity has the keys `iters`, `Mean`, `Variance`, `Sigma`, `R_hat` and `TauCorr`, which are lists of equal
/// length. Means are numbers if all are real, otherwise an object with the lists `real` and `imag`. NaN, such as
/// the R̂ of exact sums, becomes null, and so does infinity. If a step said that its energy is none, there is a key
/// `Problems` with the lists `iters` and `Text`.
///
/// ```
/// use num_complex::Complex64;
/// use variational::{RunLog, Stats};
///
/// let mut log = RunLog::new();
/// let exact = Stats::exact(&ndarray::array![Complex64::from(-2.5)], &ndarray::array![1.0])?;
/// log.push("Energy", 0, exact);
/// let expected = r#"{"Energy":{"Mean":[-2.5],"R_hat":[null],"Sigma":[0.0],"TauCorr":[null],"Variance":[0.0],"iters":[0]}}"#;
/// assert_eq!(log.to_json(), expected);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunLog {
    series: Vec<Series>,
    /// Steps, and what they say of their energies.
    problems: Vec<(usize, String)>,
}

#[derive(Clone, Debug, PartialEq)]
struct Series {
    name: String,
    iters: Vec<usize>,
    stats: Vec<Stats>,
}

impl RunLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a quantity's value in a step.
    pub fn push(&mut self, name: &str, iter: usize, stats: Stats) {
        match self.series.iter_mut().find(|series| series.name == name) {
            Some(series) => {
                series.iters.push(iter);
                series.stats.push(stats);
            }
            None => {
                let series = Series { name: name.to_owned(), iters: vec![iter], stats: vec![stats] };
                self.series.push(series);
            }
        }
    }

    /// Adds what a step says of its energy.
    pub fn push_problem(&mut self, iter: usize, problem: impl ToString) {
        self.problems.push((iter, problem.to_string()));
    }

    /// Steps, and what they say of their energies.
    pub fn problems(&self) -> impl Iterator<Item = (usize, &str)> {
        self.problems.iter().map(|(iter, problem)| (*iter, problem.as_str()))
    }

    /// Names of the quantities, in the order they were first added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(|series| series.name.as_str())
    }

    /// Steps and values of a quantity; empty for an unknown one.
    pub fn series(&self, name: &str) -> impl Iterator<Item = (usize, Stats)> {
        let series = self.series.iter().find(|series| series.name == name);
        series.into_iter().flat_map(|series| series.iters.iter().copied().zip(series.stats.iter().copied()))
    }

    /// The text of the file.
    pub fn to_json(&self) -> String {
        let series = self.series.iter().map(|series| (series.name.clone(), series.to_json()));
        let mut all: Map<String, Value> = series.collect();
        if !self.problems.is_empty() {
            let (iters, text): (Vec<usize>, Vec<&str>) = self.problems().unzip();
            all.insert("Problems".into(), json!({ "iters": iters, "Text": text }));
        }
        Value::Object(all).to_string()
    }

    /// Writes the file. If the program ends while writing, the old file is intact.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) if it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_json().as_bytes())
    }

    pub(crate) fn save(&self, snapshot: &mut Snapshot) {
        let iters: Array1<u64> = self.problems.iter().map(|&(iter, _)| iter as u64).collect();
        snapshot.insert("problems", iters.view());
        self.problems
            .iter()
            .enumerate()
            .for_each(|(k, (_, text))| snapshot.note(format!("problem.{k}"), text));
        snapshot.note("n_series", self.series.len());
        for (k, Series { name, iters, stats }) in self.series.iter().enumerate() {
            let columns = |(row, column): (usize, usize)| to_numbers(&stats[row])[column];
            let iters: Array1<u64> = iters.iter().map(|&iter| iter as u64).collect();
            snapshot.note(format!("{k}.name"), name);
            snapshot.insert(format!("{k}.iters"), iters.view());
            snapshot
                .insert(format!("{k}.stats"), Array2::from_shape_fn((stats.len(), NUMBERS), columns).view());
        }
    }

    pub(crate) fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        let n_series = snapshot.read_count("n_series")?;
        let step = |&iter: &u64| {
            usize::try_from(iter)
                .map_err(|_| snapshot.error(format!("step {iter} is too large for this computer")))
        };
        let series = (0..n_series).map(|k| {
            let iters: Array1<u64> = snapshot.array(&format!("{k}.iters"))?;
            let stats: Array2<f64> =
                snapshot.array_of_shape(&format!("{k}.stats"), &[iters.len(), NUMBERS])?;
            let stats = stats.rows().into_iter().map(|row| from_numbers(std::array::from_fn(|k| row[k])));
            Ok(Series {
                name: snapshot.read_note(&format!("{k}.name"))?,
                iters: iters.iter().map(step).collect::<Result<_>>()?,
                stats: stats.collect(),
            })
        });
        let series = series.collect::<Result<_>>()?;
        let iters: Array1<u64> = snapshot.array("problems")?;
        let problems = iters.iter().enumerate();
        let problems =
            problems.map(|(k, iter)| Ok((step(iter)?, snapshot.read_note(&format!("problem.{k}"))?)));
        (self.problems, self.series) = (problems.collect::<Result<_>>()?, series);
        Ok(())
    }
}

impl Series {
    fn to_json(&self) -> Value {
        let list = |value: fn(&Stats) -> f64| Value::from(self.stats.iter().map(value).collect::<Vec<_>>());
        let (real, imag) = (list(|stats| stats.mean.re), list(|stats| stats.mean.im));
        let is_real = self.stats.iter().all(|stats| stats.mean.im == 0.0);
        let mean = if is_real { real } else { json!({ "real": real, "imag": imag }) };
        json!({
            "iters": self.iters,
            "Mean": mean,
            "Variance": list(|stats| stats.variance),
            "Sigma": list(|stats| stats.error_of_mean),
            "R_hat": list(|stats| stats.r_hat),
            "TauCorr": list(|stats| stats.tau_corr),
        })
    }
}

/// The numbers of a [`Stats`] in a snapshot.
const NUMBERS: usize = 8;

fn to_numbers(stats: &Stats) -> [f64; NUMBERS] {
    let Stats { mean, error_of_mean, variance, r_hat, tau_corr, n_chains, n_samples } = *stats;
    // Counts are exact: memory does not hold 2⁵³ samples.
    [mean.re, mean.im, error_of_mean, variance, r_hat, tau_corr, n_chains as f64, n_samples as f64]
}

fn from_numbers(numbers: [f64; NUMBERS]) -> Stats {
    let [re, im, error_of_mean, variance, r_hat, tau_corr, n_chains, n_samples] = numbers;
    let (mean, n_chains, n_samples) = (Complex64::new(re, im), n_chains as usize, n_samples as usize);
    Stats { mean, error_of_mean, variance, r_hat, tau_corr, n_chains, n_samples }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(re: f64, im: f64) -> Stats {
        let mean = Complex64::new(re, im);
        let (n_chains, n_samples) = (4, 128);
        Stats { mean, error_of_mean: 0.25, variance: 1.5, r_hat: 1.01, tau_corr: 0.5, n_chains, n_samples }
    }

    #[test]
    fn the_file_has_the_layout_of_netket() {
        let mut log = RunLog::new();
        for step in 0..3 {
            log.push("Energy", step, stats(-1.0 - step as f64, 0.0));
            if step != 1 {
                log.push("flip", step, stats(0.5, step as f64));
            }
        }
        let read: Value = serde_json::from_str(&log.to_json()).unwrap();
        let expected = json!({
            "Energy": {
                "iters": [0, 1, 2], "Mean": [-1.0, -2.0, -3.0], "Variance": [1.5, 1.5, 1.5],
                "Sigma": [0.25, 0.25, 0.25], "R_hat": [1.01, 1.01, 1.01], "TauCorr": [0.5, 0.5, 0.5],
            },
            "flip": {
                "iters": [0, 2], "Mean": {"real": [0.5, 0.5], "imag": [0.0, 2.0]}, "Variance": [1.5, 1.5],
                "Sigma": [0.25, 0.25], "R_hat": [1.01, 1.01], "TauCorr": [0.5, 0.5],
            },
        });
        assert_eq!(read, expected);
        assert_eq!(log.names().collect::<Vec<_>>(), ["Energy", "flip"]);
        assert_eq!(log.series("flip").last(), Some((2, stats(0.5, 2.0))));
        assert_eq!(log.series("none").count(), 0);
        log.push_problem(2, "the mean is NaN");
        let read: Value = serde_json::from_str(&log.to_json()).unwrap();
        assert_eq!(read["Problems"], json!({ "iters": [2], "Text": ["the mean is NaN"] }));
    }

    #[test]
    fn numbers_in_the_file_come_back_to_the_bit() {
        let mut log = RunLog::new();
        let means: Vec<f64> =
            (1..2000).map(|k| (1.0 / f64::from(k)).sin() * 10f64.powi(k % 600 - 300)).collect();
        means.iter().enumerate().for_each(|(step, &mean)| log.push("Energy", step, stats(mean, 0.0)));
        let read: Value = serde_json::from_str(&log.to_json()).unwrap();
        let read: Vec<f64> = serde_json::from_value(read["Energy"]["Mean"].clone()).unwrap();
        assert_eq!(read, means);
    }

    #[test]
    fn snapshots_give_back_every_bit() -> Result<()> {
        let mut log = RunLog::new();
        let odd = Stats { r_hat: f64::INFINITY, ..stats(1.0 / 3.0, -0.0) };
        log.push("Energy", 7, odd);
        log.push("a/b", 7, stats(f64::MAX, 5e-324));
        log.push_problem(7, "R̂ is infinite");
        let mut snapshot = Snapshot::new();
        log.save(&mut snapshot);
        let mut read = RunLog::new();
        read.restore(&snapshot)?;
        assert_eq!(read, log);
        assert!(read.series("Energy").all(|(_, stats)| stats.mean.im.is_sign_negative()));
        Ok(())
    }
}
