//! The reference data of `data/golden`, and that damage to it is noticed.

use std::fs;
use std::path::{Path, PathBuf};

use benches::golden::{self, Outcome, Tally};
use serde_json::{Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/golden")
}

#[test]
fn all_files_agree() {
    let files = golden::files(&[folder()]).unwrap();
    let mut tally = Tally::default();
    for file in &files {
        let outcome = golden::check_file(file);
        tally.add(&outcome);
        assert!(matches!(outcome, Outcome::Passed(_)), "{}: {outcome:?}", file.display());
    }
    assert_eq!(tally.to_string(), format!("{} passed, 0 failed", files.len()));
    for model in ["ising", "heisenberg", "bosehubbard", "fermihubbard", "local", "pauli", "fermion", "j1j2"] {
        let starts =
            |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(model));
        assert!(files.iter().any(starts), "no file of {model}");
    }
}

/// Writes a damaged copy of a file and returns what is found.
fn damaged(name: &str, case: &str, damage: impl FnOnce(&mut Value)) -> Outcome {
    let text = fs::read_to_string(folder().join(name)).unwrap();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    damage(&mut value);
    checked(case, &value.to_string())
}

fn checked(case: &str, text: &str) -> Outcome {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{case}.json"));
    fs::write(&path, text).unwrap();
    golden::check_file(&path)
}

fn reason(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(reason) => reason,
        other => panic!("it should have failed: {other:?}"),
    }
}

#[test]
fn an_undamaged_copy_passes() {
    for name in ["ising_chain.json", "pauli_small.json", "heisenberg_chain_sz0.json"] {
        assert!(matches!(damaged(name, &format!("copy_{name}"), |_| ()), Outcome::Passed(_)));
    }
}

#[test]
fn damage_is_noticed_and_named() {
    type Damage = fn(&mut Value);
    let cases: [(&str, &str, Damage, &str); 14] = [
        ("ising_chain.json", "element", |v| v["conn"][0][2][1] = json!(-0.519_000_01), "expected"),
        ("ising_chain.json", "imaginary", |v| v["conn"][0][2][2] = json!(1e-6), "expected"),
        (
            "ising_chain.json",
            "missing",
            |v| drop(v["conn"][1].as_array_mut().unwrap().remove(3)),
            "not be there",
        ),
        (
            "ising_chain.json",
            "surplus",
            |v| {
                let all_down = json!([[-1, -1, -1, -1, -1, -1, -1], 0.5, 0]);
                v["conn"][0].as_array_mut().unwrap().insert(0, all_down);
            },
            "is missing",
        ),
        (
            "ising_chain.json",
            "twice",
            |v| {
                let row = v["conn"][0].as_array_mut().unwrap();
                row.insert(0, row[0].clone());
            },
            "list one twice",
        ),
        (
            "ising_chain.json",
            "fewer",
            |v| drop(v["conn"].as_array_mut().unwrap().pop()),
            "connected elements of 5",
        ),
        ("ising_chain.json", "empty", |v| (v["conn"], v["samples"]) = (json!([]), json!([])), "no samples"),
        ("ising_chain.json", "sample", |v| v["samples"][0][0] = json!(0), "samples"),
        ("ising_chain.json", "dense", |v| v["dense_re"][3][4] = json!(0.1), "dense matrix (3, 4)"),
        ("pauli_small.json", "dense_im", |v| v["dense_im"][1][0] = json!(0.1), "dense matrix (1, 0)"),
        ("pauli_small.json", "eigenvalue", |v| v["eigvals"][3] = json!(0.1), "eigenvalue"),
        (
            "pauli_small.json",
            "order",
            |v| v["all_states"].as_array_mut().unwrap().swap(1, 2),
            "another order",
        ),
        ("local_fock3_gen.json", "hermitian", |v| v["spec"]["hermitian"] = json!(true), "is_hermitian"),
        ("ising_chain.json", "coupling", |v| v["spec"]["h"] = json!(0.52), "expected"),
    ];
    for (name, case, damage, expected) in cases {
        let reason = reason(damaged(name, case, damage));
        assert!(reason.contains(expected), "{case}: {reason}");
    }
}

#[test]
fn unreadable_files_and_unknown_models_fail() {
    assert!(reason(golden::check_file(&folder().join("nothing.json"))).contains("o such file"));
    reason(checked("text", "not JSON"));
    reason(checked("no_spec", "{}"));
    let unknown = reason(damaged("ising_chain.json", "unknown", |v| v["spec"]["model"] = json!("icing")));
    assert!(unknown.contains("\"icing\" is not known"), "{unknown}");
}

#[test]
fn folders_without_files_are_errors() {
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty");
    fs::create_dir_all(&empty).unwrap();
    assert!(golden::files(&[empty]).unwrap_err().contains("no JSON or FCIDUMP files"));
    assert!(golden::files(&[]).is_err());
}
