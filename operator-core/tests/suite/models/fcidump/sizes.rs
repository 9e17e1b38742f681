//! Files of many orbitals.

use operator_core::{Error, Model as _};

use super::parse;

#[test]
fn many_orbitals_take_no_more_than_their_integrals() {
    let text = "&FCI NORB=100000,NELEC=2,MS2=0 &END\n0.5 100000 1 2 1\n-1.5 99999 1 0 0\n0.125 0 0 0 0";
    let dump = parse(text);
    let definition = dump.molecular().unwrap().definition().unwrap();
    assert_eq!(definition.hilbert().n_sites(), 200_000);
    assert!(definition.max_conn_size() > 1);
    // As many as can be numbered.
    let dump = parse(&text.replace("100000", "2147483647"));
    assert!(matches!(dump.molecular(), Err(Error::InvalidHilbert(_))));
}
