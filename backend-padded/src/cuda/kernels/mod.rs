//! The kernels' sources, and what they are compiled for. `README.md` lists the kernels and their arguments.

use operator_core::kernel::EngineKind;

/// Threads of every block.
pub(crate) const THREADS: u32 = 128;

/// Words of a sample that a program keeps in registers; more are read from memory.
const MOST_WORDS: usize = 4;

/// A file of this folder, and its name.
macro_rules! text {
    ($name:literal) => {
        ($name, include_str!($name))
    };
}

/// The type of numbers in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Number {
    U8,
    F32,
    F64,
}

impl Number {
    fn name(self) -> &'static str {
        match self {
            Number::U8 => "unsigned char",
            Number::F32 => "float",
            Number::F64 => "double",
        }
    }
}

/// Some kernels that are compiled together, and the types that they work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Program {
    /// From rows of these numbers: local indices if they are bytes, quantum numbers otherwise.
    Pack(Number),
    /// To rows of these numbers.
    Rows(Number),
    Conn {
        real: Number,
        is_complex: bool,
    },
    Select {
        real: Number,
        is_complex: bool,
    },
    Mels {
        real: Number,
    },
}

/// A program for operators of a kind. It is compiled once for each device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Kind {
    program: Program,
    engine: EngineKind,
}

impl Kind {
    /// What the program does not depend on is left out of the engine's kind, and rare kinds are merged, so that more
    /// operators share a program.
    pub(crate) fn new(program: Program, engine: EngineKind) -> Self {
        let finds = !matches!(program, Program::Pack(_) | Program::Rows(_));
        let sums = matches!(program, Program::Conn { .. });
        let engine = match engine {
            EngineKind::Masks { n_words, has_large_pieces, has_signs, max_outcomes } => EngineKind::Masks {
                n_words: if n_words > MOST_WORDS { 0 } else { n_words },
                has_large_pieces: finds && has_large_pieces,
                has_signs: finds && (has_signs || has_large_pieces),
                max_outcomes: match max_outcomes {
                    _ if !sums => 1,
                    0..=2 => 2,
                    3..=4 => 4,
                    _ => 16,
                },
            },
            EngineKind::Tables { has_signs, has_steps } => EngineKind::Tables {
                has_signs: finds && has_signs,
                has_steps: finds && (has_steps || has_signs),
            },
        };
        Kind { program, engine }
    }

    /// The source, which needs no other file.
    pub(crate) fn source(&self) -> String {
        let (engine, elements) = match self.engine {
            EngineKind::Masks { .. } => (text!("mask_engine.cuh"), text!("mask_elements.cuh")),
            EngineKind::Tables { .. } => (text!("table_engine.cuh"), text!("table_elements.cuh")),
        };
        let (common, space) = (text!("common.cuh"), text!("space.cuh"));
        let (numbers, places) = (text!("numbers.cuh"), text!("places.cuh"));
        let files = match self.program {
            Program::Pack(_) => vec![common, space, engine, text!("pack.cu")],
            Program::Rows(_) => vec![common, space, engine, text!("rows.cu")],
            Program::Conn { .. } => {
                vec![common, space, numbers, engine, elements, places, text!("conn.cu")]
            }
            Program::Select { .. } => {
                vec![common, space, numbers, engine, elements, places, text!("select.cu")]
            }
            Program::Mels { .. } => vec![common, space, numbers, engine, elements, text!("mels.cu")],
        };
        // The compiler's messages name the file.
        files.iter().map(|(name, text)| format!("#line 1 \"{name}\"\n{text}")).collect()
    }

    /// The macros that the source reads, as options of every compiler.
    pub(crate) fn defines(&self) -> Vec<String> {
        let flag = |name: &str, value: bool| format!("-D{name}={}", u32::from(value));
        let mut defines = match self.engine {
            EngineKind::Masks { n_words, has_large_pieces, has_signs, max_outcomes } => vec![
                format!("-DN_WORDS={n_words}"),
                format!("-DMAX_SUPPORT={}", if has_large_pieces { 255 } else { 2 }),
                flag("HAS_SIGNS", has_signs),
                format!("-DMAX_OUTCOMES={max_outcomes}"),
            ],
            EngineKind::Tables { has_signs, has_steps } => {
                vec![flag("HAS_SIGNS", has_signs), flag("HAS_STEPS", has_steps)]
            }
        };
        match self.program {
            Program::Pack(number) | Program::Rows(number) => {
                defines.push(format!("-DQUANTUM={}", number.name()));
                defines.push(flag("INDICES", number == Number::U8));
            }
            Program::Conn { real, is_complex } | Program::Select { real, is_complex } => {
                defines.push(format!("-DREAL={}", real.name()));
                defines.push(flag("COMPLEX", is_complex));
            }
            Program::Mels { real } => {
                defines.push(format!("-DREAL={}", real.name()));
                defines.push(flag("COMPLEX", false));
            }
        }
        defines
    }
}
