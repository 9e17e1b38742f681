//! The Heisenberg model.

#[cfg(feature = "serde")]
use serde_json::Value;

use super::Model;
#[cfg(feature = "serde")]
use super::ModelSpec;
use super::checks::{check_graph, check_two_level};
#[cfg(feature = "serde")]
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::hilbert::HilbertSpace;
use crate::parameters::ParameterValue;
#[cfg(feature = "serde")]
use crate::spec::{Reader, Written, graph, graph_to_json};
use crate::terms::{Pauli, Terms};

/// The Heisenberg model in Pauli matrices, `H = Σ_<ij> J_c (σx σx + σy σy + σz σz)`, c the bond's colour.
///
/// Parameter: `J`, one number, one a colour or one a bond. With one a colour, on a graph whose colours are
/// neighbour orders, this is J1-J2-…:
///
/// ```
/// use operator_core::{Heisenberg, Model, graph::Lattice, hilbert::Spin};
/// let square = Lattice::square([4, 4]).neighbors(2).build()?;
/// let j1_j2 = Heisenberg::new(Spin::half(16)?.with_total_sz(0.0)?, &square, [1.0, 0.5])?.definition()?;
/// assert_eq!(j1_j2.parameters().to_string(), "J = [1.0, 0.5]");
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// [`SignRule::Marshall`] flips the sign of the exchange part σx σx + σy σy. On a bipartite graph this is
/// Marshall's change of basis, which makes the ground state positive. There it is the default if the graph has one
/// colour or J is one number; elsewhere it is not.
///
/// ```
/// use operator_core::{Boundary, Graph, Heisenberg, Model, hilbert::Spin};
/// let square = Graph::square(4, Boundary::Periodic)?;
/// let space = Spin::half(16)?.with_total_sz(0.0)?;
/// let model = Heisenberg::new(space, &square, 1.0)?.definition()?;
/// assert!(model.is_real() && model.is_hermitian());
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Heisenberg {
    hilbert: HilbertSpace,
    graph: Graph,
    j: ParameterValue,
    sign_rules: SignRules,
}

#[derive(Clone, Debug, PartialEq)]
enum SignRules {
    One(SignRule),
    PerColor(Vec<SignRule>),
}

/// The sign of the exchange part of a [`Heisenberg`] model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SignRule {
    /// `J (σx σx + σy σy + σz σz)`, the model as it is.
    #[default]
    Plain,
    /// `J (−σx σx − σy σy + σz σz)`. On a bipartite graph it is the same model in another basis: a state has the
    /// sign `(−1)^(number of up spins on one sublattice)`.
    ///
    /// # Source
    /// W. Marshall, Proc. R. Soc. A 232, 48 (1955).
    Marshall,
}

impl SignRule {
    fn of_exchange(self) -> f64 {
        match self {
            SignRule::Plain => 1.0,
            SignRule::Marshall => -1.0,
        }
    }
}

impl Heisenberg {
    /// The model on the bonds of `graph` with coupling `j` (J).
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the sites are spins 1/2 or qubits;
    /// [`Error::Count`] if the graph has another number of sites.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        graph: &Graph,
        j: impl Into<ParameterValue>,
    ) -> Result<Self> {
        let (hilbert, j) = (hilbert.into(), j.into());
        check_two_level(&hilbert, "Heisenberg")?;
        check_graph(&hilbert, graph)?;
        let one_kind = graph.n_colors() == 1 || matches!(j, ParameterValue::Scalar(_));
        let rule = if one_kind && graph.is_bipartite() { SignRule::Marshall } else { SignRule::Plain };
        Ok(Heisenberg { hilbert, graph: graph.clone(), j, sign_rules: SignRules::One(rule) })
    }

    /// Sets the sign rule of all bonds.
    ///
    /// ```
    /// use operator_core::{Boundary, Graph, Heisenberg, SignRule, hilbert::Spin};
    /// let chain = Graph::chain(4, Boundary::Periodic)?;
    /// let plain = Heisenberg::new(Spin::half(4)?, &chain, 1.0)?.with_sign_rule(SignRule::Plain);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_sign_rule(mut self, rule: SignRule) -> Self {
        self.sign_rules = SignRules::One(rule);
        self
    }

    /// Sets the sign rule of each colour.
    ///
    /// # Errors
    /// [`Error::Count`] unless there is one rule a colour.
    pub fn with_sign_rules(mut self, rules: impl Into<Vec<SignRule>>) -> Result<Self> {
        let rules = rules.into();
        let n_colors = self.graph.n_colors();
        if rules.len() != n_colors {
            return Err(Error::Count {
                what: "sign rules".into(),
                got: rules.len(),
                expected: format!("{n_colors}, one an edge colour"),
            });
        }
        self.sign_rules = SignRules::PerColor(rules);
        Ok(self)
    }
}

impl Model for Heisenberg {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        let j = terms.bond_parameter("J", self.j.clone(), &self.graph)?;
        let bonds = self.graph.edges().iter().zip(self.graph.edge_colors());
        for (bond, (&[a, b], &color)) in bonds.enumerate() {
            let j = j.at(bond)?;
            let rule = match &self.sign_rules {
                SignRules::One(rule) => *rule,
                SignRules::PerColor(rules) => rules[color],
            };
            let exchange = rule.of_exchange();
            terms.pauli(exchange * j, &[(a, Pauli::X), (b, Pauli::X)])?;
            terms.pauli(exchange * j, &[(a, Pauli::Y), (b, Pauli::Y)])?;
            terms.pauli(j, &[(a, Pauli::Z), (b, Pauli::Z)])?;
        }
        Ok(())
    }

    fn name(&self) -> String {
        "Heisenberg".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for Heisenberg {
    const NAME: &'static str = "heisenberg";

    fn write(&self) -> Value {
        let mut spec = graph_to_json(&self.graph);
        let is_on = |rule: &SignRule| *rule == SignRule::Marshall;
        spec["sign_rule"] = match &self.sign_rules {
            SignRules::One(rule) => is_on(rule).into(),
            SignRules::PerColor(rules) => rules.iter().map(is_on).collect::<Vec<_>>().into(),
        };
        spec
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let graph = graph(spec, &hilbert)?;
        let model = Self::new(hilbert, &graph, spec.key("J")?.parameter()?)?;
        let n_colors = graph.n_colors();
        let read = |rule: Reader<'_>| Ok(if rule.bool()? { SignRule::Marshall } else { SignRule::Plain });
        let model = match spec.optional("sign_rule")? {
            None => model,
            Some(rule) if rule.is_array() => {
                let rules = rule.items()?.map(read).collect::<Result<Vec<_>>>()?;
                if rules.len() != n_colors {
                    return rule.wrong_len(rules.len(), n_colors, "one an edge colour");
                }
                model.with_sign_rules(rules)?
            }
            Some(rule) => model.with_sign_rule(read(rule)?),
        };
        model.definition()
    }
}
