//! What kernels are compiled for.

use std::collections::BTreeSet;

use super::case::operators;
use super::kernels::{Kind, Number, Program};

/// All kinds that the tests' operators need.
pub(crate) fn all_kinds() -> Vec<Kind> {
    let engines: BTreeSet<_> =
        operators().iter().map(|(_, definition)| definition.pattern().arrays().kind()).collect();
    let mut kinds = Vec::new();
    for (real, is_complex) in
        [Number::F32, Number::F64].into_iter().flat_map(|real| [(real, false), (real, true)])
    {
        kinds.push(Kind::of_numbers(Program::LnCosh { real, is_complex }));
        kinds.push(Kind::of_numbers(Program::Local { real, is_complex }));
    }
    for engine in engines {
        for real in [Number::F32, Number::F64] {
            let elements = [false, true]
                .map(|is_complex| [Program::Conn { real, is_complex }, Program::Select { real, is_complex }]);
            let others =
                [Program::Pack(real), Program::Rows(real), Program::Rows(Number::U8), Program::Mels { real }];
            for program in elements.into_iter().flatten().chain(others) {
                let kind = Kind::new(program, engine);
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
        }
    }
    kinds
}

#[test]
fn operators_share_programs() {
    let kinds = all_kinds();
    println!("{} kinds", kinds.len());
    assert!(kinds.len() < 200);
}
