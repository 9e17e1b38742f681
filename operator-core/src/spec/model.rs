//! Models from JSON.

use ndarray::{Array2, Zip};
use num_complex::Complex64;
use serde_json::Value;

use super::hilbert;
use super::reader::Reader;
use super::terms;
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::graph::{Boundary, Graph};
use crate::hilbert::HilbertSpace;
use crate::models::{
    BoseHubbard, FermiHubbard, FermionOperator2nd, Heisenberg, Ising, KitaevHoneycomb, LocalOperator, Model,
    Molecular, PauliStrings, Rydberg, Ssh, TJ, Xyz,
};

pub(super) fn read(spec: &Value) -> Result<Definition> {
    let spec = Reader::new(spec, "spec");
    let model = spec.key("model")?.str()?;
    let build = match model {
        "ising" => ising,
        "heisenberg" => heisenberg,
        "xyz" => xyz,
        "kitaev_honeycomb" => kitaev_honeycomb,
        "rydberg" => rydberg,
        "bose_hubbard" => bose_hubbard,
        "fermi_hubbard" => fermi_hubbard,
        "tj" => tj,
        "ssh" => ssh,
        "molecular" => molecular,
        "local" => local,
        "pauli_strings" => pauli_strings,
        "fermion_operator_2nd" => fermion_operator,
        terms::NAME => terms::read,
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
        model = model.with_weighted(weight, &term.key("sites")?.counts()?, matrix(&term)?)?;
    }
    model.definition()
}

/// A matrix from its real part `re` and its imaginary part `im`, which may be left out.
pub(super) fn matrix(reader: &Reader<'_>) -> Result<Array2<Complex64>> {
    let re = reader.key("re")?.matrix()?;
    let mut matrix = re.mapv(Complex64::from);
    if let Some(reader) = reader.optional("im")? {
        let im = reader.matrix()?;
        if im.dim() != re.dim() {
            return reader.wrong(&format!("{} x {} numbers, as re has", re.nrows(), re.ncols()));
        }
        Zip::from(&mut matrix).and(&im).for_each(|z, &im| z.im = im);
    }
    Ok(matrix)
}

fn pauli_strings(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let strings = spec.key("strings")?.items()?.map(|item| item.str()).collect::<Result<Vec<_>>>()?;
    let weights = Weights::read(spec, strings.len())?;
    weights.definition(|values| PauliStrings::new(hilbert, &strings, values)?.definition())
}

fn fermion_operator(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let mut strings = spec.key("terms")?.items()?.map(|item| item.str()).collect::<Result<Vec<_>>>()?;
    let mut weights = Weights::read(spec, strings.len())?;
    if let Some(constant) = spec.optional("constant")? {
        strings.push("I");
        weights.push(constant.complex()?);
    }
    weights.definition(|values| FermionOperator2nd::new(hilbert, &strings, values)?.definition())
}

/// The weights of strings.
struct Weights {
    values: Vec<Complex64>,
    /// Whether imaginary parts are parameters even if all are 0 now.
    imaginary: bool,
}

impl Weights {
    fn read(spec: &Reader<'_>, n_strings: usize) -> Result<Self> {
        let one_a_string = |reader: &Reader<'_>, len: usize| match len == n_strings {
            true => Ok(()),
            false => reader.wrong_len(len, n_strings, "one a string"),
        };
        let weights = spec.key("weights")?;
        let mut values = weights.items()?.map(|item| item.complex()).collect::<Result<Vec<_>>>()?;
        one_a_string(&weights, values.len())?;
        let Some(reader) = spec.optional("weights_im")? else {
            return Ok(Weights { values, imaginary: false });
        };
        let imaginary = reader.numbers()?;
        one_a_string(&reader, imaginary.len())?;
        if weights.items()?.any(|item| item.is_array()) {
            return weights.wrong("numbers, since weights_im is given");
        }
        values.iter_mut().zip(imaginary).for_each(|(value, im)| value.im = im);
        Ok(Weights { values, imaginary: true })
    }

    fn push(&mut self, weight: Complex64) {
        self.values.push(weight);
    }

    fn definition(self, build: impl FnOnce(Vec<Complex64>) -> Result<Definition>) -> Result<Definition> {
        if !self.imaginary || self.values.is_empty() {
            return build(self.values);
        }
        // Build with imaginary parts that are not 0, then set them.
        let definition = build(self.values.iter().map(|weight| Complex64::new(weight.re, 1.0)).collect())?;
        let (mut parameters, structure) = definition.unpack();
        parameters.set("weights_im", self.values.iter().map(|weight| weight.im).collect::<Vec<_>>())?;
        structure.pack(parameters)
    }
}

fn xyz(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let (graph, jz) = (graph(spec, &hilbert)?, spec.key("Jz")?.parameter()?);
    let model = match spec.optional("Jxy")? {
        Some(jxy) => Xyz::uniaxial(hilbert, &graph, jxy.parameter()?, jz)?,
        None => {
            let (jx, jy) = (spec.key("Jx")?.parameter()?, spec.key("Jy")?.parameter()?);
            Xyz::new(hilbert, &graph, jx, jy, jz)?
        }
    };
    match spec.optional("h")? {
        Some(h) => model.with_field(h.parameter()?).definition(),
        None => model.definition(),
    }
}

fn kitaev_honeycomb(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let graph = colored_graph(spec, &hilbert)?;
    let (jx, jy) = (spec.key("Jx")?.parameter()?, spec.key("Jy")?.parameter()?);
    KitaevHoneycomb::new(hilbert, &graph, jx, jy, spec.key("Jz")?.parameter()?)?.definition()
}

fn rydberg(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let positions = spec.key("positions")?.items()?.map(|item| item.numbers()).collect::<Result<Vec<_>>>()?;
    let (omega, delta) = (spec.key("Omega")?.parameter()?, spec.key("delta")?.parameter()?);
    let model = Rydberg::new(hilbert, positions, omega, delta, spec.key("C6")?.number()?)?;
    match spec.optional("cutoff")? {
        Some(cutoff) => model.with_cutoff(cutoff.number()?)?.definition(),
        None => model.definition(),
    }
}

fn bose_hubbard(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let graph = graph(spec, &hilbert)?;
    let mut model = BoseHubbard::new(hilbert, &graph, spec.key("U")?.parameter()?)?;
    if let Some(j) = spec.optional("J")? {
        model = model.with_j(j.parameter()?);
    }
    if let Some(v) = spec.optional("V")? {
        model = model.with_v(v.parameter()?);
    }
    if let Some(mu) = spec.optional("mu")? {
        model = model.with_mu(mu.parameter()?);
    }
    model.definition()
}

fn fermi_hubbard(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let (t, u) = (spec.key("t")?.parameter()?, spec.key("U")?.parameter()?);
    FermiHubbard::new(hilbert.clone(), &orbital_graph(spec, &hilbert)?, t, u)?.definition()
}

fn tj(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let (t, j) = (spec.key("t")?.parameter()?, spec.key("J")?.parameter()?);
    let model = TJ::new(hilbert.clone(), &orbital_graph(spec, &hilbert)?, t, j)?;
    match spec.optional("penalty")? {
        Some(penalty) => model.with_penalty(penalty.number()?).definition(),
        None => model.definition(),
    }
}

fn ssh(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let key = spec.key("boundary")?;
    let boundary = match key.str()? {
        "open" => Boundary::Open,
        "periodic" => Boundary::Periodic,
        _ => return key.wrong("open or periodic"),
    };
    let (t1, t2) = (spec.key("t1")?.parameter()?, spec.key("t2")?.parameter()?);
    Ssh::new(hilbert, boundary, t1, t2)?.definition()
}

fn molecular(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
    let one_body = integrals(spec, "one_body", |item| item.sites("two orbitals"))?;
    let two_body = integrals(spec, "two_body", |item| item.sites("four orbitals"))?;
    let core = spec.optional("core")?.map_or(Ok(0.0), |core| core.number())?;
    Molecular::from_integrals(hilbert, core, one_body, two_body)?.definition()
}

/// The values of a key with the orbitals that `_indices` after its name gives.
fn integrals<T>(
    spec: &Reader<'_>,
    key: &str,
    orbitals: impl Fn(Reader<'_>) -> Result<T>,
) -> Result<Vec<(T, f64)>> {
    let reader = spec.key(key)?;
    let (values, indices) = (reader.numbers()?, spec.key(&format!("{key}_indices"))?.items()?);
    if values.len() != indices.len() {
        return reader.wrong_len(values.len(), indices.len(), "one an integral");
    }
    indices.zip(values).map(|(item, value)| Ok((orbitals(item)?, value))).collect()
}

fn graph(spec: &Reader<'_>, hilbert: &HilbertSpace) -> Result<Graph> {
    graph_of(spec, hilbert.n_sites())
}

/// A graph whose sites are orbitals.
fn orbital_graph(spec: &Reader<'_>, hilbert: &HilbertSpace) -> Result<Graph> {
    match hilbert {
        HilbertSpace::SpinOrbitalFermions(space) => graph_of(spec, space.n_orbitals()),
        other => graph(spec, other),
    }
}

fn graph_of(spec: &Reader<'_>, n_nodes: usize) -> Result<Graph> {
    let edges = spec.key("edges")?.items()?.map(|edge| edge.pair()).collect::<Result<Vec<_>>>()?;
    Graph::from_edges(n_nodes, edges)
}

fn colored_graph(spec: &Reader<'_>, hilbert: &HilbertSpace) -> Result<Graph> {
    let graph = graph(spec, hilbert)?;
    match spec.optional("edge_colors")? {
        Some(colors) => graph.with_colors(colors.counts()?),
        None => Ok(graph),
    }
}
