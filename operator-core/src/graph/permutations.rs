//! Permutations of sites, and groups of permutations.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::Lattice;
use crate::memory;

/// A group of permutations of sites, such as the translations of a lattice.
///
/// A permutation g sends site i to g(i); gh applies h first, then g. Clones share memory.
///
/// ```
/// use operator_core::graph::{Lattice, PermutationGroup};
///
/// let translations = Lattice::square([4, 4]).translations()?;
/// assert_eq!(translations.len(), 16);
///
/// // Reflection of three sites.
/// let reflection = PermutationGroup::new([[0, 1, 2], [2, 1, 0]])?;
/// assert_eq!(reflection.quotient(1, 0)?, 1);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermutationGroup {
    permutations: Arc<[Vec<usize>]>,
    /// The number of `g⁻¹ h`, in row g and column h.
    quotients: Arc<[u32]>,
}

impl PermutationGroup {
    /// The group of these permutations, each given as the list of all g(i).
    ///
    /// # Errors
    /// [`Error::PermutationGroup`] if a list is not a permutation, if permutations have different lengths or
    /// are repeated, or if they are not closed: the product of one's inverse with another is missing;
    /// [`Error::TooLarge`] if its table of products would not fit into memory.
    pub fn new(permutations: impl IntoIterator<Item = impl Into<Vec<usize>>>) -> Result<Self> {
        let permutations: Vec<Vec<usize>> = permutations.into_iter().map(Into::into).collect();
        let failed = |reason: String| Error::PermutationGroup { reason };
        let n_sites = permutations.first().map_or(0, Vec::len);
        let mut numbers = HashMap::new();
        for (g, permutation) in permutations.iter().enumerate() {
            if permutation.len() != n_sites {
                let n = permutation.len();
                return Err(failed(format!("element {g} permutes {n} sites, the first one {n_sites}")));
            }
            let mut met = vec![false; n_sites];
            for &site in permutation {
                match met.get_mut(site) {
                    Some(met) if !*met => *met = true,
                    _ => return Err(failed(format!("element {g} is no permutation: site {site}"))),
                }
            }
            if let Some(first) = numbers.insert(permutation.as_slice(), g as u32) {
                return Err(failed(format!("elements {first} and {g} are the same")));
            }
        }
        if permutations.is_empty() {
            return Err(failed("there are no elements; the identity is one".into()));
        }
        check_group_size(permutations.len() as f64, n_sites as f64)?;
        let mut quotients = Vec::with_capacity(permutations.len().pow(2));
        let (mut inverse, mut product) = (vec![0; n_sites], vec![0; n_sites]);
        for (g, permutation) in permutations.iter().enumerate() {
            permutation.iter().enumerate().for_each(|(i, &site)| inverse[site] = i);
            for (h, other) in permutations.iter().enumerate() {
                product.iter_mut().zip(other).for_each(|(to, &site)| *to = inverse[site]);
                match numbers.get(product.as_slice()) {
                    Some(&number) => quotients.push(number),
                    None => {
                        return Err(failed(format!(
                            "the inverse of element {g} times element {h} is not among them"
                        )));
                    }
                }
            }
        }
        Ok(PermutationGroup { permutations: permutations.into(), quotients: quotients.into() })
    }

    /// Number of elements.
    #[expect(clippy::len_without_is_empty, reason = "a group has at least one element")]
    pub fn len(&self) -> usize {
        self.permutations.len()
    }

    /// Number of sites that the permutations act on.
    pub fn n_sites(&self) -> usize {
        self.permutations.first().map_or(0, Vec::len)
    }

    /// All elements, each as the list of g(i).
    pub fn permutations(&self) -> &[Vec<usize>] {
        &self.permutations
    }

    /// The number of the element `g⁻¹ h`.
    ///
    /// # Errors
    /// [`Error::Count`] if a number is beyond the last element.
    pub fn quotient(&self, g: usize, h: usize) -> Result<usize> {
        let highest = g.max(h);
        if highest < self.len() {
            return Ok(self.quotients[g * self.len() + h] as usize);
        }
        Err(Error::Count {
            what: format!("elements of the group, but element {highest} was asked for"),
            got: self.len(),
            expected: format!("at least {}", highest.saturating_add(1)),
        })
    }
}

/// Rejects groups whose permutations and products would exhaust memory.
pub(super) fn check_group_size(n_elements: f64, n_sites: f64) -> Result<()> {
    let bytes = n_elements * (n_sites * size_of::<usize>() as f64 + n_elements * size_of::<u32>() as f64);
    let what = || format!("a group of {n_elements} permutations of {n_sites} sites");
    memory::expect_fits(what, bytes, "use a smaller group or a smaller lattice")
}

impl Lattice {
    /// The translations by whole cells along the periodic directions, the identity first.
    ///
    /// # Errors
    /// As for [`positions`](Self::positions), and [`Error::TooLarge`] for too many translations.
    pub fn translations(&self) -> Result<PermutationGroup> {
        PermutationGroup::new(self.translated_sites()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Boundary;

    #[test]
    fn translations_keep_the_graph_and_compose() -> Result<()> {
        let open = [Boundary::Periodic, Boundary::Open];
        for lattice in [Lattice::kagome([2, 3]), Lattice::square([4, 3]).boundaries(open), Lattice::chain(5)]
        {
            let (group, graph) = (lattice.translations()?, lattice.clone().neighbors(1).build());
            assert!(group.permutations()[0].iter().copied().eq(0..group.n_sites()));
            for (g, permutation) in group.permutations().iter().enumerate() {
                if let Ok(graph) = &graph {
                    for &[a, b] in graph.edges() {
                        assert!(graph.neighbors(permutation[a]).contains(&permutation[b]));
                    }
                }
                for (h, other) in group.permutations().iter().enumerate() {
                    let quotient = &group.permutations()[group.quotient(g, h)?];
                    let product: Vec<usize> = quotient.iter().map(|&site| permutation[site]).collect();
                    assert_eq!(&product, other, "g (g⁻¹ h) = h");
                }
            }
        }
        assert_eq!(Lattice::kagome([2, 3]).translations()?.len(), 6);
        assert_eq!(Lattice::square([4, 3]).boundaries(open).translations()?.len(), 4);
        Ok(())
    }

    #[test]
    fn elements_beyond_the_last_are_refused() -> Result<()> {
        let group = Lattice::chain(3).translations()?;
        for (g, h) in [(3, 0), (0, 3), (usize::MAX, usize::MAX)] {
            assert!(matches!(group.quotient(g, h), Err(Error::Count { got: 3, .. })));
        }
        assert_eq!(
            group.quotient(1, 5).unwrap_err().to_string(),
            "3 elements of the group, but element 5 was asked for; expected at least 6"
        );
        Ok(())
    }

    #[test]
    fn groups_too_large_for_memory_are_refused_at_once() {
        let error = Lattice::square([400, 400]).translations().unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    }

    #[test]
    fn lists_that_are_no_group_are_refused() {
        let refused = |lists: &[&[usize]], part: &str| {
            let error = PermutationGroup::new(lists.iter().map(|list| list.to_vec())).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        };
        refused(&[], "no elements");
        refused(&[&[0, 1, 2], &[1, 2, 0]], "inverse of element 1 times element 0");
        refused(&[&[0, 1], &[0, 1]], "elements 0 and 1 are the same");
        refused(&[&[0, 1], &[0, 2]], "no permutation: site 2");
        refused(&[&[0, 1], &[0]], "permutes 1 sites");
    }
}
