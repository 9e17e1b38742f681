//! Moves of operators that have an engine, one configuration at a time, on the host.

use operator_core::kernel::Moves;
use operator_core::{Element, Error, Result};

use super::Connections;

impl<T: Element> Connections for Moves<T> {
    fn go_to(&mut self, x: &[i8]) -> Result<usize> {
        self.go_to(x);
        Ok(self.len())
    }

    fn select(&mut self, x: &[i8], number: usize, changes: &mut Vec<(usize, i8)>) -> Result<()> {
        let n = self.len();
        let connected = self.get(number).ok_or_else(|| beyond(n, number))?;
        changes.extend(connected.changes(x));
        Ok(())
    }

    fn propose(&mut self, changes: &[(usize, i8)]) -> Result<usize> {
        Ok(self.propose(changes))
    }
}

/// There is no state of this number among `n`.
pub(super) fn beyond(n: usize, number: usize) -> Error {
    Error::Count {
        what: format!("connected states; number {number} was asked for"),
        got: n,
        expected: "more".into(),
    }
}
