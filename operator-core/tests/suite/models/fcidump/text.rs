//! How files may be written, and what is refused.

use std::path::Path;

use operator_core::hilbert::SpinOrbitalFermions;
use operator_core::{Error, Fcidump, IntegralSymmetry, Model as _};
use proptest::prelude::*;

use super::{H2, data, electrons, read};
use crate::models::matrix::ground_energy;

const HEADER: &str = "&FCI NORB=2, NELEC=2, MS2=0, ORBSYM=2*1, ISYM=1 &END\n";

fn with_header(lines: &str) -> Result<Fcidump, Error> {
    Fcidump::parse(&format!("{HEADER}{lines}"))
}

#[test]
fn files_may_be_written_in_all_the_usual_ways() {
    let expected = with_header("0.25 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0").unwrap();
    for text in [
        "&fci norb=2,\n nelec=2,\n ms2=0\n uhf=.FALSE.\n orbsym=1,1,\n isym=1,\n /\n0.25 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0\n",
        "\n  $FCI NELEC = 2 NORB = 2 MS2=0\n $END\n  2.5D-01 1 1 2 2 \n\n -0.15d1 1 1 0 0\r\n 9.9 2 0 0 0\n.125 0 0 0 0",
        "&FCI NORB=2 NELEC=2 IUHF=0 MS2=0 /\n+0.25E0 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0",
        // Values on the line that ends the header.
        "&FCI NORB=2 NELEC=2 MS2=0 &END 0.25 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0",
        "&FCI NORB=2 NELEC=2 MS2=0 / 0.25 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0",
        "&FCI NORB=2\rNELEC=2\rMS2=0\r/\r0.25 1 1 2 2\r-1.5 1 1 0 0\r0.125 0 0 0 0\r",
        // Comments.
        "! a title\n# another\n&FCI NORB=2, ! orbitals / and &END\n NELEC=2,MS2=0, TITLE='H2 / STO-3G' &END ! integrals\n\
         0.25 1 1 2 2 ! one\n# two\n-1.5 1 1 0 0 # three\n0.125 0 0 0 0!",
        // Commas, repeated values, Fortran's exponents.
        "&FCI NORB=2,NELEC=2,MS2=0,&END\n0.25,1,1,2,2\n-1.5, 1, 1, 2*0\n0.125 ,0 ,0 ,0 ,0,\n",
        "&FCI NORB=2,NELEC=2,MS2=0,&END\n2.5-1 1 1 2 2\n-1.5q0 1 1 0 0\n125-003 4*0",
        // Complex values with no imaginary part.
        "&FCI NORB=2,NELEC=2,MS2=0,&END\n(0.25,0.0) 1 1 2 2\n( -1.5 , 0 ), 1,1,0,0\n(1.25D-1 0.0)0 0 0 0",
        "&FCI NORB=2,NELEC=2,MS2=0,&END\n0.25 0.0 1 1 2 2\n-1.5 0 1 1 0 0\n0.3 0.0 2 0 0 0\n0.125 1e-20 0 0 0 0",
        "&FCI NORB=2,NELEC=2,MS2=0,&END\n0.25 0.0 1 1 2 2\n-1.5 0.0 1 1 0 0\n0.125 0 0 0 0",
        // The core energy anywhere, and again.
        "\u{feff}&FCI NORB=2,NELEC=2,MS2=0,MS2=0 &END\n0.125 0 0 0 0\n0.25 2 2 1 1\n-1.5 1 1 0 0",
        "&FCI NORB=2,NELEC=2,MS2=0 &\n0.25 2 2 1 1\n-1.5 1 1 0 0\n0.125 0 0 0 0\n0.125 0 0 0 0",
    ] {
        let dump = Fcidump::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(dump, expected, "{text}");
    }
    // Another encoding in a comment.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("latin_1.fcidump");
    std::fs::write(
        &path,
        [HEADER.as_bytes(), b"! \xe9nergie\n0.25 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0"].concat(),
    )
    .unwrap();
    assert_eq!(Fcidump::from_file(&path).unwrap(), expected);
    std::fs::write(&path, b"\xff\xfe&\0F\0").unwrap();
    assert!(Fcidump::from_file(&path).unwrap_err().to_string().contains("UTF-16"));
}

#[test]
fn headers_may_have_comments_and_two_ends() {
    let body = "0.5 1 1 1 1\n-1.0 1 1 0 0\n";
    let expected = Fcidump::parse(&format!("&FCI NORB=1,NELEC=1,MS2=1 /\n{body}")).unwrap();
    for header in [
        "&FCI NORB=1, # orbitals\nNELEC=1, ! electrons\nMS2=1 /\n",
        "&FCI NORB=1,NELEC=1,MS2=1\n/\n&END\n",
        "&FCI NORB=1,NELEC=1,MS2=1\n/END\n",
        "&FCI NORB=1,NELEC=1,MS2=1 &end\n /\n",
    ] {
        for end in ["", "\u{1a}", "\0\0"] {
            let text = format!("{header}{body}{end}");
            assert_eq!(Fcidump::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}")), expected);
        }
    }
}

#[test]
fn what_is_wrong_is_said_in_the_words_of_the_file() {
    let said = |lines: &str| with_header(lines).unwrap_err().to_string();
    for (lines, expected) in [
        ("******** 1 1 1 1", "Fortran writes asterisks where a number does not fit its field"),
        (
            "0.5 1 1 1 1\u{b}0.5 2 2 2 2\u{b}0.5 2 2 1 1\u{b}0.1 1 1 0 0",
            "too many numbers; a line has a value and",
        ),
        ("0.5,,1 1 1 1", "a value is missing between two commas"),
        (
            "-1.5 1 1 0 0\n-1.0 1 1 0 0",
            "it is -1, but the same integral h(1 1) on line 2 is -1.5, and it has one value",
        ),
        ("0.5 1 1 1 1\n0.6 1 1 1 1", "the same integral (1 1|1 1) on line 2 is 0.5"),
    ] {
        assert!(said(lines).contains(expected), "{}", said(lines));
    }
    let error = Fcidump::parse("&FCI NORB=2,NELEC=2,SYMLZ(1)=1,SYMLZ(2)=-1 &END").unwrap_err().to_string();
    assert!(error.contains("SYMLZ(1) has an index; give all its values after ="), "{error}");
}

/// Integrals of real orbitals, listed once each, and one that contradicts them: it makes nothing else 0.
#[test]
fn one_contradiction_does_not_make_orbitals_complex() {
    let header = "&FCI NORB=3, NELEC=2, MS2=0 &END\n";
    let real = "0.7 1 1 1 1\n0.2 2 1 2 1\n0.1 3 1 2 1\n0.15 3 1 3 1\n0.12 3 2 2 1\n-1.0 1 1 0 0\n";
    let read = |lines: &str| Fcidump::parse(&format!("{header}{real}{lines}"));
    assert_eq!(read("").unwrap().integrals().symmetry(), IntegralSymmetry::Real);
    let error = read("0.3 2 1 1 2").unwrap_err();
    assert!(matches!(error, Error::ParseLine { line: 8, .. }), "{error}");
    assert!(
        error.to_string().contains("the other integrals are listed as those of real orbitals"),
        "{error}"
    );
    let named =
        Fcidump::parse_as(&format!("{header}{real}0.3 2 1 1 2"), IntegralSymmetry::Hermitian).unwrap();
    assert_eq!(named.integrals().symmetry(), IntegralSymmetry::Hermitian);
    // Listed in both kinds, as complex orbitals have them.
    let both = read("0.3 2 1 1 2\n0.1 3 1 1 2\n0.2 3 1 1 3\n0.3 3 2 1 2").unwrap();
    assert_eq!(both.integrals().symmetry(), IntegralSymmetry::Hermitian);
}

#[test]
fn values_that_should_be_equal_may_differ_in_the_last_digits() {
    let read = |lines: &str| with_header(&format!("0.67 1 1 1 1\n0.66 2 2 1 1\n0.69 2 2 2 2\n{lines}"));
    for lines in [
        "0.18130000 2 1 2 1\n0.18130002 1 2 1 2",
        "0.1813 2 1 2 1\n0.1814 1 2 2 1",
        "0.18130000000001 2 1 2 1\n0.1813 1 2 1 2",
        "1.81300000E-01 2 1 2 1\n1.81300001E-01 1 2 1 2",
    ] {
        let dump = read(lines).unwrap_or_else(|error| panic!("{error}\n{lines}"));
        let first: f64 = lines.split(' ').next().unwrap().parse().unwrap();
        let value = dump.integrals().two_body().find(|(key, _)| *key == [1, 0, 1, 0]).unwrap().1;
        assert_eq!((value, dump.integrals().symmetry()), (first.into(), IntegralSymmetry::Real));
    }
    for lines in ["0.1813 2 1 2 1\n0.1819 1 2 1 2", "1 2 1 2 1\n2 1 2 1 2", "0.1 2 1 2 1\n0.2 1 2 1 2"] {
        let error = read(lines).unwrap_err().to_string();
        assert!(error.starts_with("cannot read line 6, "), "{error}");
        assert!(error.contains("its complex conjugate (2 1|2 1) on line 5 is "), "{error}");
    }
}

fn message(result: Result<Fcidump, Error>) -> String {
    result.map(|dump| dump.to_string()).expect_err("a bad file").to_string()
}

#[test]
fn bad_files_are_refused_with_the_line_and_the_reason() {
    for (lines, expected) in [
        ("0.25 1 1 2", "cannot read line 2, \"0.25 1 1 2\": 4 numbers; expected a value and four orbitals"),
        (
            "0.25 1 1 2 2 7 8",
            "cannot read line 2, \"0.25 1 1 2 2 7 8\": 7 numbers; expected a value and four orbitals",
        ),
        (
            "0.25 1 1 2 2 1",
            "cannot read line 2, \"0.25 1 1 2 2 1\": 6 numbers; expected a value and four orbitals, or re, im and four orbitals",
        ),
        (
            "1 1 1 2 2 3",
            "cannot read line 2, \"1 1 1 2 2 3\": 6 numbers; expected a value and four orbitals, or re, im and four orbitals",
        ),
        (
            "0.25 1 1 2 2\r0.25 1 1 2 3",
            "cannot read line 3, \"0.25 1 1 2 3\": orbital \"3\"; expected 0 to 2, which is NORB",
        ),
        (
            "0.25 1 1 2 -1",
            "cannot read line 2, \"0.25 1 1 2 -1\": orbital \"-1\"; expected 0 to 2, which is NORB",
        ),
        (
            "0.25 1 1 2 1.0",
            "cannot read line 2, \"0.25 1 1 2 1.0\": orbital \"1.0\"; expected 0 to 2, which is NORB",
        ),
        ("inf 1 1 2 2", "cannot read line 2, \"inf 1 1 2 2\": \"inf\" is not a finite number"),
        ("1e999 1 1 2 2", "cannot read line 2, \"1e999 1 1 2 2\": \"1e999\" is not a finite number"),
        ("******** 1 1 2 2", "cannot read line 2, \"******** 1 1 2 2\": Fortran writes asterisks"),
        ("0.25,,1,1,2,2", "cannot read line 2, \"0.25,,1,1,2,2\": a value is missing between two commas"),
        ("(0.2,0.1 1 1 2 2", "cannot read line 2, \"(0.2,0.1 1 1 2 2\": a ( has no )"),
        (
            "(0.2) 1 1 2 2",
            "cannot read line 2, \"(0.2) 1 1 2 2\": (0.2) is no complex number; expected (re, im)",
        ),
        ("(0.2,x) 1 1 2 2", "cannot read line 2, \"(0.2,x) 1 1 2 2\": \"x\" is not a finite number"),
        (
            "(0.2,0.1) 1 1 2 2 1",
            "cannot read line 2, \"(0.2,0.1) 1 1 2 2 1\": 5 orbitals after the value; expected four",
        ),
        (
            "(0.2,0.1) 1 1 2 2",
            "cannot read line 2, \"(0.2,0.1) 1 1 2 2\": it must be real, as only an operator has that is not Hermitian, and of such a one all orders must be listed",
        ),
        ("(0.2,0.1) 0 0 0 0", "cannot read line 2, \"(0.2,0.1) 0 0 0 0\": the core energy must be real"),
        (
            "0.5 1 0 2 2",
            "cannot read line 2, \"0.5 1 0 2 2\": orbitals 0 stand at the end, all four, three or two of them",
        ),
        (
            "0.5 0 0 2 2",
            "cannot read line 2, \"0.5 0 0 2 2\": orbitals 0 stand at the end, all four, three or two of them",
        ),
        (
            "0.5 1 1 2 2 left over",
            "cannot read line 2, \"0.5 1 1 2 2 left over\": 7 numbers; expected a value and four orbitals",
        ),
        (
            "0.5 1 1 2 2 /",
            "cannot read line 2, \"0.5 1 1 2 2 /\": 6 numbers; expected a value and four orbitals, or re, im and four orbitals",
        ),
        (
            "0.25 1 1 2 2\n0.5 2 2 1 1",
            "cannot read line 3, \"0.5 2 2 1 1\": it is 0.5, but the same integral (1 1|2 2) on line 2 is 0.25, and exchange of electrons changes nothing",
        ),
        (
            "0.25 1 2 0 0\n0.5 2 1 0 0\n0.5 2 2 1 1",
            "cannot read line 3, \"0.5 2 1 0 0\": it is 0.5, but its complex conjugate h(1 2) on line 2 is 0.25",
        ),
        (
            "0.25 1 2 1 1\n0.5 1 1 2 1",
            "cannot read line 3, \"0.5 1 1 2 1\": it is 0.5, but its complex conjugate (1 2|1 1) on line 2 is 0.25, as only an operator has that is not Hermitian, and of such a one all orders must be listed",
        ),
        (
            "0.7 0 0 0 0\n0.8 0 0 0 0",
            "cannot read line 3, \"0.8 0 0 0 0\": a second core energy; on line 2 it is 0.7",
        ),
        (
            "0 0 0 0 0\n0.2 1 1 2 2\n0 0 0 0 0",
            "cannot read line 3, \"0.2 1 1 2 2\": a second block begins after the core energy on line 2, and another core energy follows on line 4",
        ),
        ("(0.2,0.1) 1 2 1 2", "(1 2|2 1) nor (2 1|1 2)"),
    ] {
        let message = message(with_header(lines));
        assert!(message.contains(expected), "{message}\n{expected}");
    }
    for (text, expected) in [
        ("", "cannot read \"\": an FCIDUMP file begins with &FCI"),
        ("\n! nothing\n", "an FCIDUMP file begins with &FCI"),
        ("NORB=2", "cannot read line 1, \"NORB=2\": an FCIDUMP file begins with &FCI"),
        ("\n&FCINORB=2 &END", "cannot read line 2, \"&FCINORB=2 &END\": an FCIDUMP file begins with &FCI"),
        ("&FCI NORB=2", "the header has no end; expected &END or / after it"),
        ("&FCI NELEC=2 &END", "the header has no NORB"),
        ("&FCI NORB 2 &END", "cannot read line 1, \"NORB\": no key stands before it; expected KEY = value"),
        ("&FCI = 2 &END", "cannot read line 1, \"=\": no key stands before it; expected KEY = value"),
        ("&FCI NORB=2 3 &END", "cannot read line 1, \"NORB = 2, 3\": NORB has 2 values; expected one"),
        ("&FCI NORB=two NELEC=2 &END", "NORB is \"two\"; expected a whole number"),
        (
            "&FCI\nNORB=2\nNELEC=2.5 &END",
            "cannot read line 3, \"NELEC = 2.5\": NELEC is \"2.5\"; expected a whole number",
        ),
        ("&FCI NORB=-2 NELEC=2 &END", "NORB is -2; expected a whole number, 0 or more"),
        ("&FCI NORB=2 NORB=3 &END", "NORB stands there twice, with other values"),
        ("&FCI NORB=2 UHF=maybe &END", "UHF is \"maybe\"; expected .TRUE., .FALSE. or a number"),
        ("&FCI NORB=2 SPINORB=.TRUE. &END", "SPINORB is on, which is not known"),
        ("&FCI NORB=2 TITLE='H2 &END\n", "a text without its closing '"),
        ("&FCI NORB=2 &FOO &END\n", "& in the header; expected &END or / after it"),
        ("&FCI NORB=2 SYMLZ=1,-1,0 &END", "SYMLZ has 3 values; expected 2, one an orbital"),
        (
            "&FCI NORB=2 SYMLZ=18446744073709551615*1,18446744073709551615*1 &END",
            "expected 2, one an orbital",
        ),
        ("&FCI NORB=2 IUHF=1 &END\n0.5 1 1 2 2", "IUHF is on, but the file does not have its six parts"),
        (
            "&FCI NORB=3 UHF=T &END\n0.5 1 1 2 2",
            "UHF is on and NORB is 3; spin orbitals, up and down in turn, are an even number",
        ),
        (
            "&FCI NORB=2 UHF=T &END\n0.0 1 2 0 0\n0.5 1 2 1 2",
            "cannot read line 3, \"0.5 1 2 1 2\": UHF is on, but the integral mixes spins",
        ),
        (
            "&FCI NORB=2 IGENERAL=1 &END\n0.5 1 1 2 2",
            "IGENERAL is on, but it is not listed with the electrons exchanged",
        ),
        (
            "&FCI NORB=18446744073709551615 &END\n0.5 1 1 2 2",
            "NORB is 18446744073709551615; at most 2147483647 orbitals can be numbered",
        ),
        ("&FCI NORB=99999999999999999999 &END\n0.5 1 1 2 2", "expected a whole number"),
    ] {
        let message = message(Fcidump::parse(text));
        assert!(message.contains(expected), "{message}\n{expected}");
    }
    let message = message(Fcidump::from_file("no such file"));
    assert!(message.starts_with("cannot read \"no such file\": "), "{message}");
}

#[test]
fn a_declared_symmetry_completes_or_contradicts_the_file() {
    let text = format!("{HEADER}0.5 1 2 2 1\n0.4 1 1 1 1\n");
    assert!(
        message(Fcidump::parse(&text))
            .contains("list all orders, or name the symmetry with Fcidump::parse_as")
    );
    let real = Fcidump::parse_as(&text, IntegralSymmetry::Real).unwrap();
    assert_eq!(real.integrals().two_body().map(|(key, _)| key).collect::<Vec<_>>(), [[0; 4], [1, 0, 1, 0]]);
    let hermitian = Fcidump::parse_as(&text, IntegralSymmetry::Hermitian).unwrap();
    assert_eq!(
        hermitian.integrals().two_body().map(|(key, _)| key).collect::<Vec<_>>(),
        [[0; 4], [1, 0, 0, 1]]
    );
    let text = format!("{HEADER}0.5 1 2 2 1\n0.4 1 2 1 2\n");
    let error = message(Fcidump::parse_as(&text, IntegralSymmetry::Real));
    assert!(error.starts_with("cannot read line 3, \"0.4 1 2 1 2\": it is 0.4, but the same integral (1 2|2 1) on line 2 is 0.5, which contradicts the symmetry that was asked for"), "{error}");
}

#[test]
fn numbers_of_electrons_are_those_of_the_file_or_of_the_user() {
    for (header, expected) in [
        ("NORB=2,NELEC=2,MS2=2", [0, 2]),
        ("NORB=2,NELEC=2,MS2=-2", [2, 0]),
        ("NORB=2,NELEC=2", [1, 1]),
        ("NORB=2,NELEC=2,MS2=", [1, 1]),
    ] {
        let dump = Fcidump::parse(&format!("&FCI {header} &END")).unwrap();
        assert_eq!(dump.n_electrons_per_spin().unwrap(), expected);
    }
    let h2 = std::fs::read_to_string(data("h2.fcidump")).unwrap();
    for (numbers, expected) in [
        ("NELEC=3", "NELEC is 3 and MS2 is 0; NELEC - MS2 and NELEC + MS2 must be even"),
        ("NELEC=3,MS2=0", "NELEC is 3 and MS2 is 0"),
        ("NELEC=2,MS2=1", "NELEC is 2 and MS2 is 1"),
        ("NELEC=6,MS2=0", "from 0 to twice the 2 orbitals"),
        ("NELEC=18446744073709551615,MS2=-9223372036854775808", "must be even"),
        ("MS2=0", "the header has no NELEC"),
    ] {
        let dump = Fcidump::parse(&h2.replace("NELEC=2,MS2=0", numbers)).unwrap();
        for error in [dump.n_electrons_per_spin().unwrap_err(), dump.molecular().unwrap_err()] {
            let error = error.to_string();
            assert!(error.contains(expected), "{error}");
            assert!(error.ends_with("give the electrons with Fcidump::molecular_on"), "{error}");
        }
        let space = electrons(2).with_n_fermions_per_spin(&[1, 1]).unwrap();
        assert!((ground_energy(&dump.molecular_on(space).unwrap()) - H2).abs() < 1e-12);
    }
    let dump = read("h2.fcidump");
    let error = dump.molecular_on(electrons(3)).unwrap_err().to_string();
    assert_eq!(
        error,
        "integrals: the file has 2 orbitals, but SpinOrbitalFermions(3 orbitals, s = 1/2) has 3"
    );
    let error = dump.molecular_on(SpinOrbitalFermions::new(4).unwrap()).unwrap_err();
    assert!(matches!(error, Error::WrongHilbert { .. }), "{error}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_panic(
        text in "[&$]FCI[ A-Z=,0-9\\-\n]{0,40}(&END|/)?[ 0-9dDeE.,()!\r\n+\\-é]{0,60}", cut in any::<usize>(),
    ) {
        let _ = Fcidump::parse(&text).map(|dump| dump.molecular().map(|model| model.definition().is_ok()));
        let file = "&FCI NORB=2,NELEC=2,MS2=0,\n &END\n 0.25 1 1 2 2\n 0.5D0 0 0 0 0\n";
        let _ = Fcidump::parse(&file[..cut % file.len()]);
    }
}
