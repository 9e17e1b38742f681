//! The Python process on the peers' side.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::error::{Error, Result};

/// The program on the peers' side; see `peers/README.md`.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/netket_side.py");

/// A request to a peer.
#[derive(Clone, Debug)]
pub struct PeerItem {
    /// The program in lines and tables. Among items of one program, the fastest counts.
    pub program: &'static str,
    /// Its way to do the work.
    pub way: Option<&'static str>,
    /// The work item, without its repeats.
    pub item: Value,
    /// The only contenders beside which it stands; `None` for all of the work.
    pub beside: Option<&'static [&'static str]>,
}

impl PeerItem {
    /// An item beside all contenders of its work.
    pub fn new(program: &'static str, item: Value) -> Self {
        PeerItem { program, way: None, item, beside: None }
    }

    /// The same item for NetKet's two kernels of local energies: the padded one, and the experimental packed one, which
    /// evaluates the wave function only on connected configurations that differ from their sample.
    pub fn by_both_kernels(self) -> [Self; 2] {
        let mut packed = PeerItem { way: Some("packed"), ..self.clone() };
        packed.item["packed"] = true.into();
        [PeerItem { way: Some("padded"), ..self }, packed]
    }

    /// Sets the program's way to do the work.
    #[must_use]
    pub fn with_way(self, way: &'static str) -> Self {
        PeerItem { way: Some(way), ..self }
    }

    /// Sets the only contenders beside which it stands.
    #[must_use]
    pub fn beside(self, contenders: &'static [&'static str]) -> Self {
        PeerItem { beside: Some(contenders), ..self }
    }

    /// Whether it stands beside a contender of this name.
    pub fn is_beside(&self, contender: &str) -> bool {
        self.beside.is_none_or(|names| names.contains(&contender))
    }

    /// The name in lines and tables: `NetKet JAX, packed`.
    pub fn name(&self) -> String {
        match self.way {
            Some(way) => format!("{}, {way}", self.program),
            None => self.program.to_owned(),
        }
    }
}

/// The peers' side: a Python program that answers one item at a time.
pub struct Peers {
    python: String,
    child: Child,
    items: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peers {
    /// Starts it in a Python that has NetKet. Messages of the libraries go to stderr.
    ///
    /// # Errors
    /// [`Error::Program`] if the Python cannot be started.
    pub fn start(python: &Path) -> Result<Self> {
        let name = python.display().to_string();
        let failed = |reason: String| Error::Program { program: name.clone(), reason };
        let mut child = Command::new(python)
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(items), Some(answers)) => {
                Ok(Peers { python: name, child, items, answers: BufReader::new(answers) })
            }
            _ => Err(failed("it has no pipes".into())),
        }
    }

    /// The answer to an item: the best of `repeats` runs.
    ///
    /// # Errors
    /// [`Error::Program`] if the program has ended or its answer is not JSON. An error in the item itself is
    /// part of the answer.
    pub fn ask(&mut self, item: &Value, repeats: usize) -> Result<Value> {
        let mut item = item.clone();
        item["repeats"] = repeats.into();
        let mut answer = String::new();
        let read = writeln!(self.items, "{item}").and_then(|()| self.answers.read_line(&mut answer));
        let reason = match read {
            Ok(0) => "it ended before its answer".to_owned(),
            Ok(_) => match serde_json::from_str(&answer) {
                Ok(answer) => return Ok(answer),
                Err(error) => format!("it answered {:?} ({error})", answer.trim_end()),
            },
            Err(error) => error.to_string(),
        };
        Err(Error::Program { program: self.python.clone(), reason })
    }

    /// Versions of the peers' libraries, and JAX's device, for printing: `netket 3.23.0, numba 0.68.1, JAX on cpu`.
    ///
    /// # Errors
    /// As for [`ask`](Self::ask).
    pub fn versions(&mut self) -> Result<String> {
        let about = self.ask(&serde_json::json!({"what": "about"}), 1)?;
        let Some(versions) = about["versions"].as_object() else {
            let reason = about["error"].as_str().unwrap_or("it does not say its versions").to_owned();
            return Err(Error::Program { program: self.python.clone(), reason });
        };
        let python = about["python"].as_str().map(|version| format!("python {version}"));
        let named =
            versions.iter().map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or("?")));
        let device = about["jax_device"].as_str().map(|device| format!("JAX on {device}"));
        Ok(python.into_iter().chain(named).chain(device).collect::<Vec<_>>().join(", "))
    }
}

/// Does not wait for an unfinished item.
impl Drop for Peers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
