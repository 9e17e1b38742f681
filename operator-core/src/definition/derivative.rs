//! Derivatives in the parameters. Operators are linear in their parameters, so a derivative is an operator without
//! parameters.

use super::Definition;
use super::algebra::shortened;
use crate::error::{Error, Result};
use crate::kernel::Engine;
use crate::parameters::Parameters;
use crate::terms::{Coefficient, Term, Terms};

impl Definition {
    /// The operator `∂H/∂λ`, where λ is the value `index` of the parameter `name` (0 for a scalar).
    ///
    /// It does not depend on the present values.
    ///
    /// ```
    /// use operator_core::{Boundary, Graph, Ising, Model, hilbert::Spin};
    /// let chain = Graph::chain(3, Boundary::Periodic)?;
    /// let ising = Ising::new(Spin::half(3)?, &chain, [0.1, 0.2, 0.0], 1.0)?.definition()?;
    /// let field = ising.derivative("h", 2)?; // −σx on the last site
    /// assert_eq!(field.to_string(), "d Ising / d h[2] on Spin(1/2, 3 sites)");
    /// assert_eq!(field.terms().len(), 1);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownParameter`]; [`Error::Count`] if the parameter has no such value; [`Error::LeavesHilbert`] if only
    /// the sum with other terms keeps to a constrained space.
    pub fn derivative(&self, name: &str, index: usize) -> Result<Self> {
        let range = self.parameters().range(name)?;
        if index >= range.len() {
            let (what, expected) = (format!("values of parameter {name:?}"), format!("more than {index}"));
            return Err(Error::Count { what, got: range.len(), expected });
        }
        let factor = |term: &Term| {
            let parameter = term.coefficient.parameter?;
            (parameter.index() == range.start + index).then_some(term.coefficient.factor)
        };
        let terms = self.terms().iter().filter_map(|term| {
            let coefficient = Coefficient { factor: factor(term)?, parameter: None };
            Some(Term { coefficient, kind: term.kind.clone() })
        });
        let terms = Terms::from_parts(self.hilbert().clone(), Parameters::new(), terms.collect());
        let place = if range.len() == 1 { String::new() } else { format!("[{index}]") };
        Self::new(shortened(format!("d {} / d {name}{place}", self.name())), terms)
    }

    /// An engine that visits every element that some values of the parameters make non-zero.
    ///
    /// Derivatives need it: an element that is zero at the present parameters can still have a non-zero
    /// derivative. The engine's elements are arbitrary numbers. The true elements are sums of slots
    /// ([`Connected::for_each_slot`](crate::Connected::for_each_slot)); [`forms`](Self::forms) gives the derivative
    /// of each slot. Where slots cancel, the engine may visit an element that is always zero.
    #[doc(hidden)]
    pub fn pattern(&self) -> Engine<f64> {
        Engine::pattern(self.structure.0.kernel.clone(), self.forms().n_slots())
    }
}
