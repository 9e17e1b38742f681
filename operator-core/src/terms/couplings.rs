//! Parameters with one value for all sites or bonds, or with several.

use super::{ParameterHandle, ParameterId, Terms};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::parameters::ParameterValue;

/// A coupling on the bonds of a graph: one number, one value a colour, or one a bond. [`Terms::bond_parameter`]
/// makes it.
#[derive(Clone, Copy, Debug)]
pub struct BondParameter<'a> {
    handle: ParameterHandle,
    n_bonds: usize,
    /// The value of each bond, if it is not the bond's own.
    colors: Option<&'a [usize]>,
}

impl BondParameter<'_> {
    /// The value for a bond, by its place among the [edges](Graph::edges).
    ///
    /// # Errors
    /// [`Error::Count`] if the graph has no such bond.
    pub fn at(self, bond: usize) -> Result<ParameterId> {
        if bond >= self.n_bonds {
            return Err(Error::Count {
                what: format!("bonds, but bond {bond} was asked for"),
                got: self.n_bonds,
                expected: format!("at least {}", bond.saturating_add(1)),
            });
        }
        self.handle.at(self.colors.map_or(bond, |colors| colors[bond]))
    }
}

/// Parameters of models on graphs.
impl Terms {
    /// Adds a parameter that is one number, or has one value for each of `n_items` items. `item` names one of them
    /// for the message: "site", "orbital".
    ///
    /// # Errors
    /// [`Error::ParameterLength`], which lists both forms; the errors of [`parameter`](Self::parameter).
    pub fn item_parameter(
        &mut self,
        name: &str,
        value: impl Into<ParameterValue>,
        item: &str,
        n_items: usize,
    ) -> Result<ParameterHandle> {
        let value = value.into();
        match &value {
            ParameterValue::Array(values) if values.len() != n_items => Err(Error::ParameterLength {
                name: name.to_owned(),
                got: values.len(),
                expected: format!("one number, or one a{} {item} ({n_items})", n_before_vowel(item)),
            }),
            _ => self.parameter(name, value),
        }
    }

    /// Adds a coupling on the bonds of a graph: one number, one value a [colour](Graph::edge_colors), or one a
    /// bond, in the order of the [edges](Graph::edges).
    ///
    /// ```
    /// use operator_core::{graph::Lattice, hilbert::Spin, terms::{Pauli, Terms}};
    /// let square = Lattice::square([4, 4]).neighbors(2).build()?;
    /// let mut terms = Terms::new(Spin::half(16)?);
    /// let j = terms.bond_parameter("J", [1.0, 0.5], &square)?;
    /// for (bond, &[a, b]) in square.edges().iter().enumerate() {
    ///     terms.pauli(j.at(bond)?, &[(a, Pauli::Z), (b, Pauli::Z)])?;
    /// }
    /// assert_eq!((terms.len(), terms.parameters().n_values()), (64, 2));
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ParameterLength`], which lists the three forms; [`Error::AmbiguousCoupling`] if the graph has as
    /// many colours as bonds and they differ in order; the errors of [`parameter`](Self::parameter).
    pub fn bond_parameter<'a>(
        &mut self,
        name: &str,
        value: impl Into<ParameterValue>,
        graph: &'a Graph,
    ) -> Result<BondParameter<'a>> {
        let value = value.into();
        let colors = match &value {
            ParameterValue::Scalar(_) => None,
            ParameterValue::Array(values) => colors_of_values(name, values.len(), graph)?,
        };
        Ok(BondParameter { handle: self.parameter(name, value)?, n_bonds: graph.n_edges(), colors })
    }
}

/// The colours of a graph's bonds if an array of `n` values has one a colour, `None` if it has one a bond.
fn colors_of_values<'a>(name: &str, n: usize, graph: &'a Graph) -> Result<Option<&'a [usize]>> {
    let (n_bonds, n_colors) = (graph.n_edges(), graph.n_colors());
    let in_order = || graph.edge_colors().iter().enumerate().all(|(bond, &color)| bond == color);
    match (n == n_colors, n == n_bonds) {
        (true, true) if !in_order() => Err(Error::AmbiguousCoupling { name: name.to_owned(), n }),
        (true, false) => Ok(Some(graph.edge_colors())),
        (_, true) => Ok(None),
        (false, false) => Err(Error::ParameterLength {
            name: name.to_owned(),
            got: n,
            expected: format!("one number, one a colour ({n_colors}) or one a bond ({n_bonds})"),
        }),
    }
}

/// What "a" needs before a word that begins with a vowel.
fn n_before_vowel(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "n" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Boundary;
    use crate::hilbert::Spin;

    fn values(graph: &Graph, value: impl Into<ParameterValue>) -> Result<Vec<usize>> {
        let mut terms = Terms::new(Spin::half(graph.n_nodes())?);
        let j = terms.bond_parameter("J", value, graph)?;
        (0..graph.n_edges()).map(|bond| Ok(j.at(bond)?.index())).collect()
    }

    #[test]
    fn a_coupling_is_one_number_one_a_colour_or_one_a_bond() -> Result<()> {
        let ring = Graph::chain(4, Boundary::Periodic)?.with_colors([1, 0, 0, 1])?;
        assert_eq!(values(&ring, 0.5)?, [0, 0, 0, 0]);
        assert_eq!(values(&ring, [1.0, 2.0])?, [1, 0, 0, 1]);
        assert_eq!(values(&ring, [1.0, 2.0, 3.0, 4.0])?, [0, 1, 2, 3]);
        assert_eq!(
            values(&ring, [1.0, 2.0, 3.0]).unwrap_err().to_string(),
            "parameter \"J\" has 3 values; expected one number, one a colour (2) or one a bond (4)"
        );
        let mut terms = Terms::new(Spin::half(4)?);
        let j = terms.bond_parameter("J", [1.0, 2.0], &ring)?;
        assert!(j.at(4).is_err() && j.at(usize::MAX).is_err());
        Ok(())
    }

    #[test]
    fn as_many_colours_as_bonds_are_taken_only_where_both_readings_agree() -> Result<()> {
        let chain = Graph::chain(3, Boundary::Open)?;
        assert_eq!(values(&chain.with_colors([0, 1])?, [1.0, 2.0])?, [0, 1]);
        assert_eq!(
            values(&chain.with_colors([1, 0])?, [1.0, 2.0]).unwrap_err().to_string(),
            "parameter \"J\" has 2 values, which could be one a colour or one a bond; colour the edges 0 to 1 in \
             their order, so that both are the same"
        );
        assert_eq!(values(&chain.with_colors([1, 0])?, 1.0)?, [0, 0]);
        Ok(())
    }

    #[test]
    fn a_refused_parameter_is_not_added() -> Result<()> {
        let mut terms = Terms::new(Spin::half(3)?);
        assert_eq!(
            terms.item_parameter("U", [1.0, 2.0], "orbital", 3).unwrap_err().to_string(),
            "parameter \"U\" has 2 values; expected one number, or one an orbital (3)"
        );
        assert!(terms.bond_parameter("J", [1.0; 5], &Graph::chain(3, Boundary::Open)?).is_err());
        assert_eq!(terms.parameters().n_values(), 0);
        terms.item_parameter("U", [1.0; 3], "site", 3)?;
        assert_eq!(terms.parameters().get("U")?, [1.0; 3]);
        Ok(())
    }
}
