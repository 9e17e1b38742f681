//! Models from JSON.

use ndarray::Zip;
use num_complex::Complex64;
use serde_json::Value;

use super::hilbert;
use super::reader::Reader;
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::hilbert::HilbertSpace;
use crate::models::{Heisenberg, Ising, LocalOperator, Model, PauliStrings};

pub(super) fn read(spec: &Value) -> Result<Definition> {
    let spec = Reader::new(spec, "spec");
    let model = spec.key("model")?.str()?;
    let build = match model {
        "ising" => ising,
        "heisenberg" => heisenberg,
        "local" => local,
        "pauli_strings" => pauli_strings,
        _ => return Err(Error::UnknownModel(model.to_owned())),
    };
    build(&spec, hilbert::read(&spec.key("hilbert")?)?)
}

fn ising(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let (h, j) = (spec.key("h")?.parameter()?, spec.key("J")?.parameter()?);
    Ising::new(hilbert.clone(), &graph(spec, &hilbert)?, h, j)?.definition()
}

fn heisenberg(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let graph = colored_graph(spec, &hilbert)?;
    let model = Heisenberg::new(hilbert, &graph, spec.key("J")?.parameter()?)?;
    let n_colors = graph.n_colors().max(1);
    let model = match spec.optional("sign_rule")? {
        None => model,
        Some(rule) if rule.is_array() => {
            let rules = rule.items()?.map(|item| item.bool()).collect::<Result<Vec<_>>>()?;
            if rules.len() != n_colors {
                return rule.wrong_len(rules.len(), n_colors, "one an edge colour");
            }
            model.with_sign_rule(&rules)?
        }
        Some(rule) => model.with_sign_rule(&vec![rule.bool()?; n_colors])?,
    };
    model.definition()
}

fn local(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let terms = spec.key("terms")?.items()?;
    let weights = match spec.optional("weights")? {
        Some(reader) => {
            let weights = reader.numbers()?;
            if weights.len() != terms.len() {
                return reader.wrong_len(weights.len(), terms.len(), "one a term");
            }
            weights
        }
        None => vec![1.0; terms.len()],
    };
    let mut model = LocalOperator::new(hilbert);
    for (term, weight) in terms.zip(weights) {
        let re = term.key("re")?.matrix()?;
        let mut matrix = re.mapv(Complex64::from);
        if let Some(reader) = term.optional("im")? {
            let im = reader.matrix()?;
            if im.dim() != re.dim() {
                return reader.wrong(&format!("{} x {} numbers, as re has", re.nrows(), re.ncols()));
            }
            Zip::from(&mut matrix).and(&im).for_each(|z, &im| z.im = im);
        }
        model = model.with_weighted(weight, &term.key("sites")?.counts()?, matrix)?;
    }
    model.definition()
}

fn pauli_strings(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let strings = spec.key("strings")?.items()?.map(|item| item.str()).collect::<Result<Vec<_>>>()?;
    let one_a_string = |reader: &Reader<'_>, len: usize| match len == strings.len() {
        true => Ok(()),
        false => reader.wrong_len(len, strings.len(), "one a string"),
    };
    let weights = spec.key("weights")?;
    let mut values = weights.items()?.map(|item| item.complex()).collect::<Result<Vec<_>>>()?;
    one_a_string(&weights, values.len())?;
    let Some(reader) = spec.optional("weights_im")? else {
        return PauliStrings::new(hilbert, &strings, values)?.definition();
    };
    let imaginary = reader.numbers()?;
    one_a_string(&reader, imaginary.len())?;
    if weights.items()?.any(|item| item.is_array()) {
        return weights.wrong("numbers, since weights_im is given");
    }
    // Imaginary parts that are all 0 now are parameters all the same: build with others, then set them.
    values.iter_mut().for_each(|value| value.im = 1.0);
    let definition = PauliStrings::new(hilbert, &strings, values)?.definition()?;
    let (mut parameters, structure) = definition.unpack();
    if !strings.is_empty() {
        parameters.set("weights_im", imaginary)?;
    }
    structure.pack(parameters)
}

fn graph(spec: &Reader<'_>, hilbert: &HilbertSpace) -> Result<Graph> {
    let edges = spec.key("edges")?.items()?.map(|edge| edge.pair()).collect::<Result<Vec<_>>>()?;
    Graph::from_edges(hilbert.n_sites(), edges)
}

fn colored_graph(spec: &Reader<'_>, hilbert: &HilbertSpace) -> Result<Graph> {
    let graph = graph(spec, hilbert)?;
    match spec.optional("edge_colors")? {
        Some(colors) => graph.with_colors(colors.counts()?),
        None => Ok(graph),
    }
}
