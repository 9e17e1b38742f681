//! What kernels are compiled for.

use std::collections::BTreeSet;

use super::case::operators;
use super::kernels::{Kind, Number, Program};

/// The kinds of programs that need no engine.
pub(crate) fn number_kinds() -> Vec<Kind> {
    let types = [Number::F32, Number::F64].into_iter().flat_map(|real| [(real, false), (real, true)]);
    let programs = types.flat_map(|(real, is_complex)| {
        [
            Program::LnCosh { real, is_complex },
            Program::Local { real, is_complex },
            Program::Chains { real, is_complex },
        ]
    });
    programs.map(Kind::of_numbers).collect()
}

/// The kinds of all others that the tests' operators need.
pub(crate) fn engine_kinds() -> Vec<Kind> {
    let engines: BTreeSet<_> =
        operators().iter().map(|(_, definition)| definition.pattern().arrays().kind()).collect();
    let mut kinds = Vec::new();
    for engine in engines {
        for real in [Number::F32, Number::F64] {
            let elements = [false, true]
                .map(|is_complex| [Program::Conn { real, is_complex }, Program::Select { real, is_complex }]);
            let others =
                [Program::Pack(real), Program::Rows(real), Program::Rows(Number::U8), Program::Mels { real }];
            let units = [false, true]
                .map(|is_complex| [false, true].map(|ln_cosh| Program::Units { real, is_complex, ln_cosh }));
            let programs = elements.into_iter().chain(units).flatten().chain(others);
            for program in programs {
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
    let (n_kinds, n_operators) = (engine_kinds().len(), operators().len());
    // Without sharing, each operator would have twelve.
    println!("{n_kinds} kinds for {n_operators} operators");
    assert!(n_kinds < 2 * n_operators);
}
