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
    /// The peer's name in lines and tables.
    pub name: &'static str,
    /// The work item, without its repeats.
    pub item: Value,
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

    /// Versions of the peers' libraries, for printing: `netket 3.23.0, numba 0.68.1`.
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
        Ok(python.into_iter().chain(named).collect::<Vec<_>>().join(", "))
    }
}

/// Does not wait for an unfinished item.
impl Drop for Peers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
