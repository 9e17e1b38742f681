//! Term-by-term specs, for operators without a model's form.

use std::collections::HashMap;

use num_complex::Complex64;
use serde_json::{Value, json};

use super::hilbert::hilbert_to_json;
use super::reader::Reader;
use super::written::value_to_json;
use crate::definition::Definition;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::terms::{Coefficient, Ladder, LocalMatrix, Pauli, SiteMatrix, TermKind, Terms};

/// The model's name in specs.
pub(super) const NAME: &str = "terms";

/// The spec of any definition, with the present values of its parameters. A matrix that terms share is written
/// once.
pub(super) fn write(definition: &Definition) -> Value {
    let mut matrices: Vec<Value> = Vec::new();
    let mut known: HashMap<*const ndarray::Array2<Complex64>, usize> = HashMap::new();
    let mut site_matrices: Vec<Value> = Vec::new();
    let mut known_sparse: HashMap<usize, usize> = HashMap::new();
    let terms: Vec<Value> = definition
        .terms()
        .iter()
        .map(|term| {
            let mut spec = match &term.kind {
                TermKind::Local(local) => {
                    let place = *known.entry(local.shared_matrix().address()).or_insert_with(|| {
                        matrices.push(matrix_to_json(local.matrix()));
                        matrices.len() - 1
                    });
                    json!({ "sites": local.sites(), "matrix": place })
                }
                TermKind::Product(product) => {
                    let factors = product.factors().iter().map(|(site, matrix)| {
                        let place = *known_sparse.entry(matrix.address()).or_insert_with(|| {
                            site_matrices.push(site_matrix_to_json(matrix));
                            site_matrices.len() - 1
                        });
                        json!([site, place])
                    });
                    json!({ "factors": factors.collect::<Vec<Value>>() })
                }
                TermKind::Pauli(string) => {
                    let paulis = string.paulis().into_iter();
                    let pairs: Vec<Value> =
                        paulis.map(|(site, pauli)| json!([site, letter(pauli)])).collect();
                    json!({ "paulis": pairs })
                }
                TermKind::Fermion(string) => {
                    let ladders = string.ladders().iter();
                    let pairs: Vec<Value> =
                        ladders.map(|ladder| json!([ladder.mode, usize::from(ladder.dagger)])).collect();
                    json!({ "ladders": pairs })
                }
            };
            let Coefficient { factor, parameter } = term.coefficient;
            spec["factor"] = json!([factor.re, factor.im]);
            if let Some(parameter) = parameter {
                spec["parameter"] = parameter.index().into();
            }
            spec
        })
        .collect();
    let parameters: Vec<Value> = definition
        .parameters()
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value_to_json(value) }))
        .collect();
    json!({
        "model": NAME,
        "name": definition.name(),
        "hilbert": hilbert_to_json(definition.hilbert()),
        "parameters": parameters,
        "matrices": matrices,
        "site_matrices": site_matrices,
        "terms": terms,
    })
}

fn matrix_to_json(matrix: &ndarray::Array2<Complex64>) -> Value {
    let part = |part: fn(&Complex64) -> f64| -> Vec<Vec<f64>> {
        matrix.rows().into_iter().map(|row| row.iter().map(part).collect()).collect()
    };
    json!({ "re": part(|z| z.re), "im": part(|z| z.im) })
}

/// Only the elements that are not zero, as row, column, real part and imaginary part.
fn site_matrix_to_json(matrix: &SiteMatrix) -> Value {
    let elements: Vec<Value> =
        matrix.elements().map(|(row, column, z)| json!([row, column, z.re, z.im])).collect();
    json!({ "dim": matrix.dim().0, "elements": elements })
}

fn letter(pauli: Pauli) -> &'static str {
    match pauli {
        Pauli::X => "X",
        Pauli::Y => "Y",
        Pauli::Z => "Z",
    }
}

pub(super) fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let mut terms = Terms::new(hilbert);
    let mut ids = Vec::new();
    if let Some(parameters) = spec.optional("parameters")? {
        for parameter in parameters.items()? {
            let value = parameter.key("value")?.parameter()?;
            let n_values = value.as_slice().len();
            let handle = terms.parameter(parameter.key("name")?.str()?, value)?;
            for k in 0..n_values {
                ids.push(handle.at(k)?);
            }
        }
    }
    let matrices: Vec<LocalMatrix> = match spec.optional("matrices")? {
        Some(matrices) => {
            matrices.items()?.map(|item| Ok(item.complex_matrix()?.into())).collect::<Result<Vec<_>>>()?
        }
        None => Vec::new(),
    };
    let site_matrices = match spec.optional("site_matrices")? {
        Some(matrices) => matrices.items()?.map(|item| site_matrix(&item)).collect::<Result<Vec<_>>>()?,
        None => Vec::new(),
    };
    for term in spec.key("terms")?.items()? {
        let factor = term.key("factor")?.complex()?;
        let coefficient = match term.optional("parameter")? {
            Some(parameter) => {
                let place = parameter.count()?;
                let id = ids.get(place).copied();
                let expected = format!("a number below {}, the number of parameter values", ids.len());
                factor * id.map_or_else(|| parameter.wrong(&expected), Ok)?
            }
            None => factor.into(),
        };
        read_term(&term, coefficient, &matrices, &site_matrices, &mut terms)?;
    }
    let name = match spec.optional("name")? {
        Some(name) => name.str()?,
        None => NAME,
    };
    Definition::at_present(name, terms)
}

fn read_term(
    term: &Reader<'_>,
    coefficient: Coefficient,
    matrices: &[LocalMatrix],
    site_matrices: &[SiteMatrix],
    terms: &mut Terms,
) -> Result<()> {
    if let Some(paulis) = term.optional("paulis")? {
        let pairs = paulis.items()?.map(|pair| site_and_pauli(&pair)).collect::<Result<Vec<_>>>()?;
        terms.pauli(coefficient, &pairs)?;
    } else if let Some(ladders) = term.optional("ladders")? {
        let ladder = |pair: Reader<'_>| match pair.pair()? {
            [mode, 0] => Ok(Ladder::destroy(mode)),
            [mode, 1] => Ok(Ladder::create(mode)),
            _ => pair.wrong("[mode, 1] for a creation operator or [mode, 0]"),
        };
        let string = ladders.items()?.map(ladder).collect::<Result<Vec<_>>>()?;
        terms.fermion(coefficient, &string)?;
    } else if let Some(factors) = term.optional("factors")? {
        let expected =
            format!("a site and a number below {}, the number of site matrices", site_matrices.len());
        let factor = |pair: Reader<'_>| {
            let [site, place] = pair.pair()?;
            match site_matrices.get(place) {
                Some(matrix) => Ok((site, matrix.clone())),
                None => pair.wrong(&expected),
            }
        };
        let factors = factors.items()?.map(factor).collect::<Result<Vec<_>>>()?;
        terms.product(coefficient, &factors)?;
    } else if let Some(place) = term.optional("matrix")? {
        let expected = format!("a number below {}, the number of matrices", matrices.len());
        let matrix = matrices.get(place.count()?).map_or_else(|| place.wrong(&expected), Ok)?;
        terms.local(coefficient, &term.key("sites")?.counts()?, matrix.clone())?;
    } else {
        return term.wrong("a term with paulis, ladders, factors, or sites and matrix");
    }
    Ok(())
}

fn site_matrix(item: &Reader<'_>) -> Result<SiteMatrix> {
    let element = |element: Reader<'_>| {
        let numbers: Vec<Reader<'_>> = element.items()?.collect();
        let [row, column, re, im] = &numbers[..] else {
            return element.wrong("a row, a column, a real part and an imaginary part");
        };
        Ok((row.count()?, column.count()?, Complex64::new(re.number()?, im.number()?)))
    };
    let elements = item.key("elements")?.items()?.map(element).collect::<Result<Vec<_>>>()?;
    Ok(SiteMatrix::new(item.key("dim")?.count()?, elements))
}

fn site_and_pauli(pair: &Reader<'_>) -> Result<(usize, Pauli)> {
    let items: Vec<Reader<'_>> = pair.items()?.collect();
    let [site, pauli] = &items[..] else { return pair.wrong("a site and a letter") };
    let pauli = match pauli.str()? {
        "X" => Pauli::X,
        "Y" => Pauli::Y,
        "Z" => Pauli::Z,
        _ => return pauli.wrong("X, Y or Z"),
    };
    Ok((site.count()?, pauli))
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::testing::{catalogue, kronecker_dense};

    #[test]
    fn every_operator_survives_term_by_term() -> Result<()> {
        for entry in catalogue()? {
            let spec = write(&entry.definition);
            let again = Definition::from_spec(&spec)?;
            assert_eq!(again, entry.definition, "{}", entry.name);
            assert_eq!(again.name(), entry.definition.name());
            assert_eq!(again.parameters(), entry.definition.parameters());
        }
        Ok(())
    }

    #[test]
    fn results_of_the_algebra_are_written_term_by_term() -> Result<()> {
        let entries = catalogue()?;
        let (a, b) = (&entries[0].definition, &entries[3].definition);
        let sum = (a + &(0.5 * b)?)?;
        let again = Definition::from_json(&sum.to_json())?;
        assert_eq!(kronecker_dense(&again)?, kronecker_dense(&sum)?);
        assert_eq!(again.to_string(), sum.to_string());
        Ok(())
    }

    #[test]
    fn errors_name_the_key() {
        let spec = |term: Value| {
            let spec = json!({ "model": "terms", "hilbert": { "kind": "qubit", "n": 2 }, "terms": [term] });
            Definition::from_spec(&spec).map(|_| ()).map_err(|error: Error| error.to_string())
        };
        let cases = [
            (json!({ "factor": 1 }), "spec.terms[0] is"),
            (
                json!({ "factor": 1, "paulis": [[0, "Q"]] }),
                "spec.terms[0].paulis[0][1] is \"Q\"; expected X, Y or Z",
            ),
            (
                json!({ "factor": 1, "paulis": [[0]] }),
                "spec.terms[0].paulis[0] is [0]; expected a site and a letter",
            ),
            (
                json!({ "factor": 1, "sites": [0], "matrix": 0 }),
                "spec.terms[0].matrix is 0; expected a number below 0",
            ),
            (
                json!({ "factor": 1, "parameter": 2, "paulis": [] }),
                "spec.terms[0].parameter is 2; expected a number below 0",
            ),
            (
                json!({ "factor": 1, "ladders": [[0, 2]] }),
                "spec.terms[0].ladders[0] is [0,2]; expected [mode, 1]",
            ),
        ];
        for (term, expected) in cases {
            let message = spec(term).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
