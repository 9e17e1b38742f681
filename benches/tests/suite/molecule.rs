//! Ground-state energies of FCIDUMP files.

use std::path::{Path, PathBuf};

use benches::golden::{self, Outcome};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../operator-core/tests/data/fcidump").join(name)
}

fn energy(path: &Path) -> f64 {
    let Outcome::Passed(what) = golden::check_file(path) else { panic!("{}", path.display()) };
    let number = what.strip_prefix("ground-state energy ").unwrap().split(' ').next().unwrap();
    number.parse().unwrap()
}

#[test]
fn energies_are_those_of_full_configuration_interaction() {
    let files = golden::files(&[data("")]).unwrap();
    assert_eq!(files.len(), 9);
    for (name, expected) in [
        ("h2.fcidump", -1.1358861929199058),
        ("h2_uhf.fcidump", -1.1258538500998294),
        ("hubbard_ring4_momentum.fcidump", -2.1027484834620775),
    ] {
        assert!(files.contains(&data(name)));
        assert!((energy(&data(name)) - expected).abs() < 1e-12, "{name}");
    }
}

#[test]
fn files_are_known_by_their_content_and_refused_with_a_reason() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let text = std::fs::read_to_string(data("h2.fcidump")).unwrap();
    let path = write("molecule.txt", &format!("\u{feff}! hydrogen\n{text}"));
    assert!((energy(&path) + 1.1358861929199058).abs() < 1e-12);
    // Spinors with complex integrals.
    let spinors = "&FCI NORB=2,NELEC=1,TREL=.TRUE. &END\n(0.5,0) 1 1 0 0\n(0,0.25) 2 1 0 0\n";
    assert!((energy(&write("FCIDUMP.spinors", spinors)) - (0.25 - 0.125f64.sqrt())).abs() < 1e-12);
    let reason = |path: &Path| match golden::check_file(path) {
        Outcome::Failed(reason) => reason,
        other => panic!("it should have failed: {other:?}"),
    };
    let large = write("large.fcidump", "&FCI NORB=14,NELEC=14 &END\n0.5 1 1 0 0\n");
    assert!(reason(&large).contains("has 11778624 states; energies are found for up to 100000"));
    let electrons = write("electrons.fcidump", &text.replace("NELEC=2", "NELEC=3"));
    assert!(reason(&electrons).contains("NELEC is 3 and MS2 is 0"));
    let broken = write("broken.fcidump", &text.replace("0.1813", "0.18.13"));
    assert!(reason(&broken).starts_with("cannot read line 6, "));
    let one_way = write("one_way.fcidump", "&FCI NORB=2,NELEC=2 IGENERAL=1 &END\n0.5 1 2 1 1\n0.5 1 1 1 2\n");
    assert!(reason(&one_way).contains("is not Hermitian, which its ground state needs"));
}
