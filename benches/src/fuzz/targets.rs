//! The readers and their corpora.

use std::path::{Path, PathBuf};
use std::{cell::RefCell, fs};

use backend_flat::Flat;
use num_complex::Complex64;
use operator_core::hilbert::{Qubit, Spin, SpinOrbitalFermions};
use operator_core::kernel::Scratch;
use operator_core::{
    Boundary, Definition, Fcidump, FermionOperator2nd, Graph, Heisenberg, Model, PauliStrings,
};
use sampler::HamiltonianSampler;
use serde_json::Value;
use variational::{
    Adam, FullSumState, MonteCarloState, Rbm, Sgd, Snapshot, Sr, Vmc, load_parameters, save_parameters,
};

use super::mutate::Inputs;
use super::{Read, Reader, Target};

/// Operators with more sites or states than this are only defined, not applied.
const SMALL: usize = 1000;

/// Operators with more sites than this are not written, since a spec has a letter for each site.
const WRITTEN: usize = 1_000_000;

/// All readers.
///
/// # Errors
/// A corpus that cannot be read or made.
pub fn targets() -> Result<Vec<Target>, String> {
    let mut targets = vec![
        fcidump()?,
        text("openfermion_qubits", &QUBITS, &OPENFERMION, |text| {
            accepted(PauliStrings::from_openfermion(text, None).and_then(|model| model.definition()))
        }),
        text("openfermion_fermions", &FERMIONS, &OPENFERMION, |text| {
            accepted(FermionOperator2nd::from_openfermion(text, None).and_then(|model| model.definition()))
        }),
        text("fermion_strings", &["0^ 3^ 2 1", "I", "", "2^ 2", "0 0^ 1 1^"], &["^", " ", "I"], |text| {
            let space = SpinOrbitalFermions::new(4).map_err(|error| error.to_string())?;
            accepted(FermionOperator2nd::new(space, [text], [1.0]).and_then(|model| model.definition()))
        }),
        text("pauli_strings", &["XXYZ", "IIII", "ZIIZ", "XYZI"], &["X", "Y", "Z", "I"], |text| {
            let space = Qubit::new(4).map_err(|error| error.to_string())?;
            accepted(PauliStrings::new(space, [text], [1.0]).and_then(|model| model.definition()))
        }),
        specs()?,
    ];
    targets.extend(files()?);
    Ok(targets)
}

/// The marks of JSON, which headers of files of numbers are written in, too.
const JSON: [&str; 5] = ["{", "}", "[", "]", ","];
const OPENFERMION: [&str; 14] =
    ["[", "]", "(", ")", " + ", " - ", "j", "X0", "Y1", "Z2", "0^", "1", "+\n", "(0.5+0.5j)"];
const QUBITS: [&str; 4] =
    ["0.5 [X0 Y1] +\n(0.3+0.1j) [Z3] +\n1.0 []", "1.0 [X0 X0] - 1j [X0 Y0]", "0", "-1.5e-05 [Z0 Z1 Z2]"];
const FERMIONS: [&str; 3] =
    ["1.0 [0^ 1] + (0.5+0.5j) [1^ 0]", "0.3 [0^ 0^ 0 0] +\n-0.25 [3^ 2^ 1 0] + 2j []", "0"];

/// A reader of text; bytes that are none are replaced.
fn text(
    name: &'static str,
    corpus: &[&str],
    words: &[&'static str],
    read: fn(&str) -> Result<Read, String>,
) -> Target {
    let corpus = corpus.iter().map(|text| text.as_bytes().to_vec()).collect();
    let inputs = Inputs { corpus, words: words.to_vec(), has_header: false };
    Target { name, inputs, read: Box::new(move |bytes| read(&String::from_utf8_lossy(bytes))) }
}

/// Checks an operator that was read.
fn accepted(definition: operator_core::Result<Definition>) -> Result<Read, String> {
    match definition {
        Ok(definition) => apply(&definition).map(|()| Read::Accepted),
        Err(_) => Ok(Read::Refused),
    }
}

/// Visits the elements of a few states, and reads the operator from its own spec.
fn apply(definition: &Definition) -> Result<(), String> {
    if definition.hilbert().n_sites() > WRITTEN {
        return Ok(());
    }
    let spec = definition.to_json();
    let again = Definition::from_json(&spec).map_err(|error| format!("its own spec is refused: {error}"))?;
    if again != *definition {
        return Err("the operator differs from that read from its own spec".into());
    }
    let hilbert = definition.hilbert();
    if hilbert.n_sites() > SMALL || !hilbert.n_states().is_ok_and(|n| (1..=SMALL).contains(&n)) {
        return Ok(());
    }
    let Ok(engine) = definition.engine::<Complex64>() else { return Ok(()) };
    let states = hilbert.all_states().map_err(|error| error.to_string())?;
    let mut scratch = Scratch::default();
    for row in states.rows().into_iter().take(8) {
        let row = row.to_vec();
        let mut connected_row = row.clone();
        engine.visit(&row, &mut scratch, |connected, _| connected.write(&mut connected_row));
    }
    Ok(())
}

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The files of a folder, sorted by name.
fn corpus_of(folder: &str, extension: &str) -> Result<Vec<Vec<u8>>, String> {
    let folder = data(folder);
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(&folder).map_err(failed)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths.iter().map(|path| fs::read(path).map_err(failed)).collect()
}

fn fcidump() -> Result<Target, String> {
    let corpus = corpus_of("../operator-core/tests/data/fcidump", "fcidump")?;
    let words = vec![
        "&FCI",
        "&END",
        "/",
        "NORB=",
        "NELEC=",
        "MS2=",
        "IUHF=1",
        "UHF=.TRUE.",
        "TREL=.TRUE.",
        "IGENERAL=1",
        "SYMLZ=",
        "ORBSYM=",
        "(",
        ")",
        "(0.1,0.2)",
        ",",
        "!",
        "\r",
        "\r\n",
        "\n 0.0 0 0 0 0\n",
        "1.0-10",
        "1D-3",
        "2*0",
        "\u{feff}",
    ];
    let read = |bytes: &[u8]| {
        let Ok(dump) = Fcidump::parse(&String::from_utf8_lossy(bytes)) else { return Ok(Read::Refused) };
        let reread = |dump: &Fcidump| {
            Fcidump::parse(&dump.to_string()).map_err(|error| format!("its own text is refused: {error}"))
        };
        // Imaginary parts that are rounding are dropped, and what is left may be real. So the text may show more
        // symmetry than the input, but not change once more.
        let again = reread(&dump)?;
        if again != dump && reread(&again)? != again {
            return Err(format!("the file is written as\n{dump}and read from that as\n{again}"));
        }
        accepted(dump.molecular().and_then(|molecule| molecule.definition()))
    };
    Ok(Target { name: "fcidump", inputs: Inputs { corpus, words, has_header: false }, read: Box::new(read) })
}

fn specs() -> Result<Target, String> {
    let mut corpus = Vec::new();
    for file in corpus_of("data/golden", "json")? {
        let golden: Value = serde_json::from_slice(&file).map_err(|error| error.to_string())?;
        corpus.push(golden["spec"].to_string().into_bytes());
    }
    // Term by term, and with integrals over spin orbitals.
    corpus.push(
        br#"{"model": "terms", "hilbert": {"kind": "qubit", "n": 3}, "parameters": [{"name": "h", "value": [1, 2]}],
            "matrices": [{"re": [[0, 1], [1, 0]], "im": [[0, 2], [-2, 0]]}],
            "terms": [{"factor": [1, 0.5], "parameter": 1, "paulis": [[0, "X"], [2, "Y"]]},
                      {"factor": 2, "sites": [1], "matrix": 0}]}"#
            .to_vec(),
    );
    corpus.push(
        br#"{"model": "molecular", "hilbert": {"kind": "spin_orbital_fermions", "n_orbitals": 4, "n_fermions": 2},
            "orbitals": "spin", "symmetry": "hermitian", "one_body": [-1.25, 0.1], "one_body_im": [0, 0.2],
            "one_body_indices": [[0, 0], [3, 1]], "two_body": [0.67], "two_body_indices": [[0, 0, 1, 1]]}"#
            .to_vec(),
    );
    let words = [
        ":",
        "null",
        "true",
        "\"n\"",
        "\"model\"",
        "\"hilbert\"",
        "\"kind\"",
        "\"spin\"",
        "\"fock\"",
        "\"qubit\"",
        "\"tensor\"",
        "\"total_sz\"",
        "\"n_particles\"",
        "\"edges\"",
        "\"ising\"",
        "\"local\"",
        "\"terms\"",
        "\"0^ 1\"",
        "\"XX\"",
    ];
    let read = |bytes: &[u8]| accepted(Definition::from_json(&String::from_utf8_lossy(bytes)));
    Ok(Target {
        name: "specs",
        inputs: Inputs { corpus, words: [&JSON[..], &words].concat(), has_header: false },
        read: Box::new(read),
    })
}

/// Readers of files of numbers: parameters of wave functions and checkpoints of runs.
fn files() -> Result<Vec<Target>, String> {
    let folder = std::env::temp_dir().join(format!("fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let words = [
        "\"shape\"",
        "\"dtype\"",
        "\"F64\"",
        "\"F32\"",
        "\"U64\"",
        "\"I8\"",
        "\"data_offsets\"",
        "\"__metadata__\"",
        "\"n_steps\":\"18446744073709551615\"",
        "\"state/n_accepted\":\"18446744073709551615\"",
    ];
    let checkpoints = checkpoints(&folder).map_err(|error| error.to_string())?;
    let (parameters, corpus) = parameter_file(&folder).map_err(|error| error.to_string())?;
    let inputs = |corpus: Vec<Vec<u8>>| Inputs {
        corpus: corpus.iter().map(|file| without_checksum(file)).collect(),
        words: [&JSON[..], &words].concat(),
        has_header: true,
    };
    let mut targets = vec![Target { name: "parameter_file", inputs: inputs(vec![corpus]), read: parameters }];
    for (name, read, file) in checkpoints {
        targets.push(Target { name, inputs: inputs(vec![file]), read });
    }
    Ok(targets)
}

/// The file without its checksum, as other programs write it, so that changes are not noticed at once.
fn without_checksum(file: &[u8]) -> Vec<u8> {
    let header = file.first_chunk::<8>().map(|length| u64::from_le_bytes(*length) as usize + 8);
    let Some((header, data)) = header.and_then(|end| Some((file.get(8..end)?, file.get(end..)?))) else {
        return file.to_vec();
    };
    let Ok(mut json) = serde_json::from_slice::<Value>(header) else { return file.to_vec() };
    if let Some(notes) = json["__metadata__"].as_object_mut() {
        notes.remove("checksum");
    }
    let header = json.to_string().into_bytes();
    [&(header.len() as u64).to_le_bytes(), header.as_slice(), data].concat()
}

type Made<T> = Result<T, Box<dyn std::error::Error>>;

fn rbm() -> Made<Rbm<Flat>> {
    Ok(Rbm::<Flat>::new(Spin::half(4)?, 1.0)?.with_seed(1).with_sigma(0.1)?)
}

fn parameter_file(folder: &Path) -> Made<(Reader, Vec<u8>)> {
    let path = folder.join("parameters.safetensors");
    save_parameters(&path, &rbm()?)?;
    let file = fs::read(&path)?;
    let wave_function = RefCell::new(rbm()?);
    let read = move |bytes: &[u8]| {
        fs::write(&path, bytes).map_err(|error| error.to_string())?;
        let read = load_parameters(&path, &mut *wave_function.borrow_mut());
        Ok(if read.is_ok() { Read::Accepted } else { Read::Refused })
    };
    Ok((Box::new(read), file))
}

/// Checkpoints of a sampled and of an exact run, with different optimisers. What is accepted goes on for a step.
fn checkpoints(folder: &Path) -> Made<Vec<(&'static str, Reader, Vec<u8>)>> {
    let ring = Graph::chain(4, Boundary::Periodic)?;
    let operator = Heisenberg::new(Spin::half(4)?, &ring, 1.0)?.lower::<Flat>()?;
    let mut checkpoints: Vec<(&'static str, Reader, Vec<u8>)> = Vec::new();
    macro_rules! checkpoint {
        ($name:literal, $state:expr, $optimiser:expr) => {
            let path = folder.join(concat!($name, ".safetensors"));
            let mut run = Vmc::new($state, &operator, $optimiser);
            run.run(2)?;
            run.save_checkpoint(&path)?;
            let (before, file) = (run.snapshot()?, fs::read(&path)?);
            let run = RefCell::new(run);
            let read = move |bytes: &[u8]| read_checkpoint(&path, bytes, &mut *run.borrow_mut(), &before);
            checkpoints.push(($name, Box::new(read), file));
        };
    }
    let sampled = || -> Made<_> {
        let sampler = HamiltonianSampler::new(&operator)?.with_n_chains(2)?.with_seed(1);
        Ok(MonteCarloState::new(sampler, rbm()?, 8)?)
    };
    checkpoint!("checkpoint_sampled_sr", sampled()?, Sr::new(0.1, 0.1)?);
    checkpoint!("checkpoint_sampled_adam", sampled()?, Adam::new(0.1)?);
    checkpoint!("checkpoint_exact_sgd", FullSumState::new(rbm()?)?, Sgd::new(0.1)?.with_momentum(0.5)?);
    Ok(checkpoints)
}

/// Reads a checkpoint, goes on for a step if it is accepted, and returns to where the run was.
fn read_checkpoint<R: Run>(
    path: &Path,
    bytes: &[u8],
    run: &mut R,
    before: &Snapshot,
) -> Result<Read, String> {
    fs::write(path, bytes).map_err(|error| error.to_string())?;
    if run.load(path).is_err() {
        return match run.now() {
            Ok(now) if now == *before => Ok(Read::Refused),
            Ok(_) => Err("a refused checkpoint changed the run".into()),
            Err(error) => Err(error.to_string()),
        };
    }
    // Parameters from the file may give energies that are no numbers.
    let _ = run.advance();
    run.back_to(before).map_err(|error| format!("the run does not return to its own snapshot: {error}"))?;
    Ok(Read::Accepted)
}

/// What is needed of a run.
trait Run {
    fn load(&mut self, path: &Path) -> variational::Result<()>;
    fn advance(&mut self) -> variational::Result<()>;
    fn now(&self) -> variational::Result<Snapshot>;
    fn back_to(&mut self, snapshot: &Snapshot) -> variational::Result<()>;
}

impl<S, O, P> Run for Vmc<S, O, P>
where
    S: variational::VariationalState,
    S::Backend: variational::LocalKernel<O>,
    S::WaveFunction: variational::Trainable<S::Backend>,
    O: operator_core::DiscreteOperator<Backend = S::Backend>,
    P: variational::Optimiser,
{
    fn load(&mut self, path: &Path) -> variational::Result<()> {
        self.load_checkpoint(path)
    }

    fn advance(&mut self) -> variational::Result<()> {
        self.step().map(|_| ())
    }

    fn now(&self) -> variational::Result<Snapshot> {
        self.snapshot()
    }

    fn back_to(&mut self, snapshot: &Snapshot) -> variational::Result<()> {
        self.restore(snapshot)
    }
}
