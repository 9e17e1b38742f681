//! The program `compare` on small systems: what it prints, not how long it takes.

use std::process::{Command, Output};

use serde_json::Value;

fn compare(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_compare"))
        .args(["--small", "--seconds", "0", "--turns", "1", "--threads", "1,2"])
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The number under a key, which must be there and positive.
fn positive(line: &Value, key: &str) -> f64 {
    let value = line[key].as_f64().unwrap_or_else(|| panic!("{key} of {line}"));
    assert!(value.is_finite() && value > 0.0, "{key} of {line}");
    value
}

#[test]
fn every_work_gives_json_lines_of_both_backends() {
    let lines = lines(&compare(&["--json"]));
    let listed = compare(&["--list"]);
    let works: Vec<String> = text(&listed.stdout).lines().map(str::to_owned).collect();
    assert_eq!(works.len(), 22);
    for work in &works {
        let (what, system) = work.rsplit_once(' ').unwrap();
        let of_work = lines.iter().filter(|line| {
            line["system"] == system && line["what"].as_str().unwrap_or_default().starts_with(what)
        });
        let backends: Vec<&str> = of_work.filter_map(|line| line["backend"].as_str()).collect();
        assert!(backends.contains(&"flat") && backends.contains(&"padded"), "{work}: {backends:?}");
    }
    for line in &lines {
        let seconds = positive(line, "seconds");
        positive(line, "threads");
        assert_eq!(line["device"], "cpu");
        let unit = match line["what"].as_str().unwrap() {
            what if what.starts_with("local_energy") || what.starts_with("operator_gradient") => {
                "us_per_sample"
            }
            what if what.starts_with("sampling") => "ns_per_proposal",
            "vmc_sr_step" | "first_energy" => "ms",
            _ => "ns_per_element",
        };
        let figure = positive(line, unit);
        if unit == "ms" {
            assert!((figure - 1e3 * seconds).abs() < 1e-9 * figure);
        }
        assert_eq!(line["bytes"].is_null(), line["memset_fraction"].is_null(), "{line}");
        assert_eq!(line["peers"], serde_json::json!([]));
    }
}

/// Each of 16 samples of six spins has six flips, and a diagonal, as never half of six bonds are broken.
#[test]
fn bytes_and_elements_of_the_ising_chain_are_counted() {
    let lines = lines(&compare(&["--json", "--only", "conn,chain"]));
    let flattened = lines.iter().find(|line| line["what"] == "conn flattened").unwrap();
    assert_eq!(positive(flattened, "count"), 16.0 * 7.0);
    let elements = 1e9 * positive(flattened, "seconds") / positive(flattened, "ns_per_element");
    assert_eq!(elements.round(), 16.0 * 7.0);
    // Six sites and a matrix element of eight bytes, and where the rows of 16 samples start and end.
    assert_eq!(positive(flattened, "bytes"), 16.0 * 7.0 * (6.0 + 8.0) + 17.0 * 8.0);
}

/// The same elements as numbers of changes and as rows of bytes: packed and compact, flattened and rows.
#[test]
fn compact_forms_and_rows_of_bytes_stand_side_by_side() {
    let lines = lines(&compare(&["--json", "--only", "conn,chain"]));
    let whats: Vec<&str> = lines.iter().map(|line| line["what"].as_str().unwrap()).step_by(2).collect();
    assert_eq!(whats[..4], ["conn packed", "conn compact", "conn flattened", "conn rows in u8"]);
    let bytes = |what| positive(lines.iter().find(|line| line["what"] == what).unwrap(), "bytes");
    // Seven slots a sample, each a number, a matrix element and a row of six sites; a count for each sample.
    assert_eq!(bytes("conn compact"), 16.0 * (7.0 * (4.0 + 8.0) + 4.0));
    assert_eq!(bytes("conn rows in u8"), 16.0 * 7.0 * (4.0 + 8.0 + 6.0));
}

#[test]
fn tables_have_a_row_for_each_line() {
    let markdown = text(&compare(&["--markdown", "--only", "to_sparse"]).stdout);
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with("| ")).collect();
    // Headings, rule, and two backends on two numbers of threads.
    assert_eq!(rows.len(), 6, "{markdown}");
    assert!(rows.iter().all(|row| row.matches('|').count() == 8), "{markdown}");
    assert!(markdown.contains("--bin compare -- --small --seconds 0"), "{markdown}");
    let plain = text(&compare(&["--only", "to_sparse"]).stdout);
    assert_eq!(plain.lines().filter(|line| line.contains("heisenberg_chain_6_sz0")).count(), 4, "{plain}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let unknown = compare(&["--only", "icing"]);
    assert!(!unknown.status.success() && text(&unknown.stderr).contains("no work has such a name"));
    let no_python = compare(&["--netket", "no-such-python", "--only", "apply"]);
    assert!(!no_python.status.success() && text(&no_python.stderr).contains("no-such-python: "));
    let no_device = compare(&["--device", "tpu", "--only", "apply"]);
    assert!(!no_device.status.success() && text(&no_device.stderr).contains("expected cpu, cuda:N"));
    for wrong in [["--threads", "0"], ["--seconds", "-1"], ["--turns", "0"], ["--first-energy", "flit"]] {
        assert!(!compare(&wrong).status.success(), "{wrong:?}");
    }
}

/// Both with a number and without.
#[cfg(not(feature = "cuda"))]
#[test]
fn builds_without_cuda_refuse_its_devices() {
    for device in ["cuda", "cuda:1"] {
        let refused = compare(&["--device", device, "--only", "apply"]);
        assert!(!refused.status.success() && refused.stdout.is_empty());
        let message = text(&refused.stderr);
        assert!(message.contains("built without CUDA") && message.contains("--features cuda"), "{message}");
    }
}

/// Scripts in the place of peers.
#[cfg(unix)]
mod peers {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    /// A program in the place of Python.
    fn python(name: &str, answer: &str) -> String {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let about = r#"{"python": "3", "versions": {"netket": "3.23.0"}}"#;
        let script = format!("#!/bin/sh\nread about; echo '{about}'\nwhile read item; do {answer}; done\n");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn peers_figures_come_from_their_own_counts() {
        let python = python("answering", r#"echo '{"seconds": 3.0, "elements": 1000}'"#);
        let output = compare(&["--json", "--netket", &python, "--only", "conn,ising_chain"]);
        assert!(text(&output.stderr).contains("python 3, netket 3.23.0"));
        for line in lines(&output) {
            let peers = line["peers"].as_array().unwrap();
            assert_eq!(peers.len(), 2);
            for peer in peers {
                assert_eq!(positive(peer, "ns_per_element"), 3e6);
                let ratio = positive(peer, "ratio") * positive(&line, "ns_per_element");
                assert!((ratio - 3e6).abs() < 1.0);
            }
        }
    }

    #[test]
    fn peers_without_counts_have_those_of_this_side() {
        let python = python("countless", r#"echo '{"seconds": 1.5}'"#);
        for line in lines(&compare(&["--json", "--netket", &python, "--only", "apply"])) {
            let peer = &line["peers"][1];
            let ratio = positive(peer, "ratio") * positive(&line, "seconds");
            assert!((ratio - 1.5).abs() < 1e-9);
        }
    }

    /// An answer for items that contain some text, and another one for all others.
    fn answer_by(text: &str, with: &str, without: &str) -> String {
        format!(r#"case "$item" in *'{text}'*) echo '{with}';; *) echo '{without}';; esac"#)
    }

    #[test]
    fn of_two_kernels_the_faster_one_is_quoted() {
        for (name, of_padded, of_packed) in [("packed_first", 2.0, 0.5), ("padded_first", 0.5, 2.0)] {
            let [packed, padded] =
                [of_packed, of_padded].map(|seconds| format!(r#"{{"seconds": {seconds}}}"#));
            let python = python(name, &answer_by(r#""packed":true"#, &packed, &padded));
            let compare = |style| compare(&[style, "--netket", &python, "--only", "local_energy,RBM,chain"]);
            for line in lines(&compare("--json")) {
                let [first, second] = [&line["peers"][0], &line["peers"][1]];
                assert_eq!(first["peer"], "NetKet JAX, padded");
                assert_eq!(second["peer"], "NetKet JAX, packed");
                assert_eq!([positive(first, "seconds"), positive(second, "seconds")], [of_padded, of_packed]);
                assert_eq!(first["fastest"], of_padded < of_packed);
                assert_eq!(second["fastest"], of_packed < of_padded);
            }
            let table = text(&compare("--markdown").stdout);
            let rows: Vec<&str> = table.lines().filter(|line| line.contains("NetKet JAX, ")).collect();
            assert_eq!(rows.len(), 6, "{table}");
            assert!(rows.iter().all(|row| row.matches('×').count() == 1), "{table}");
        }
    }

    #[test]
    fn gradients_stand_beside_gradients_and_energies_beside_energies() {
        let answer = answer_by(r#""gradient":true"#, r#"{"seconds": 4.0}"#, r#"{"seconds": 3.0}"#);
        let python = python("differentiating", &answer);
        let lines = lines(&compare(&["--json", "--netket", &python, "--only", "operator_gradient"]));
        // Two systems, each on two numbers of threads: flat with a state, padded with a state and by backward.
        assert_eq!(lines.len(), 2 * 2 * (2 + 4));
        for line in lines {
            let is_energy = line["what"].as_str().unwrap().ends_with("alone");
            let peers = line["peers"].as_array().unwrap();
            assert_eq!(peers.len(), 2);
            assert!(peers.iter().all(|peer| peer["seconds"] == if is_energy { 3.0 } else { 4.0 }), "{line}");
        }
    }

    #[test]
    fn peers_errors_stand_in_their_lines() {
        let python = python("failing", r#"echo '{"error": "no such system"}'"#);
        let lines = lines(&compare(&["--json", "--netket", &python, "--only", "RBM,ising_chain"]));
        assert!(lines.iter().all(|line| line["peers"][0]["error"] == "no such system"));
        assert_eq!(lines.len(), 6);
    }

    #[test]
    fn peers_that_end_or_babble_are_errors() {
        for (name, answer, reason) in [("ending", "exit", "it ended"), ("babbling", "echo hm", "\"hm\"")] {
            let python = python(name, answer);
            let output = compare(&["--json", "--netket", &python, "--only", "apply"]);
            assert!(!output.status.success());
            assert!(text(&output.stderr).contains(reason), "{}", text(&output.stderr));
        }
    }
}
