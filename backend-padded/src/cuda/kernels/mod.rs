//! The kernels' sources, and what they are compiled for. `README.md` lists the kernels and their arguments.

use operator_core::kernel::EngineKind;

/// Threads of every block.
pub(crate) const THREADS: u32 = 128;

/// Threads of a warp.
pub(crate) const LANES: usize = 32;

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
    /// Sums over units, of ln cosh or of their values.
    Units {
        real: Number,
        is_complex: bool,
        ln_cosh: bool,
    },
    /// Of numbers; needs no engine.
    LnCosh {
        real: Number,
        is_complex: bool,
    },
    /// Sums of elements and ratios; needs no engine.
    Local {
        real: Number,
        is_complex: bool,
    },
    /// Steps of chains, for ln psi of such numbers; needs no engine.
    Chains {
        real: Number,
        is_complex: bool,
    },
}

impl Program {
    /// Whether it depends on how elements are found.
    fn finds_elements(self) -> bool {
        matches!(self, Program::Conn { .. } | Program::Select { .. } | Program::Mels { .. })
    }
}

/// A program for operators of a kind. It is compiled once for each device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Kind {
    program: Program,
    /// `None` for programs that work on numbers alone.
    engine: Option<EngineKind>,
}

impl Kind {
    /// What the program does not depend on is left out of the engine's kind, and rare kinds are merged, so that more
    /// operators share a program.
    pub(crate) fn new(program: Program, engine: EngineKind) -> Self {
        let finds = program.finds_elements();
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
        Kind { program, engine: Some(engine) }
    }

    /// For a program that needs no engine.
    pub(crate) fn of_numbers(program: Program) -> Self {
        Kind { program, engine: None }
    }

    /// The source, which needs no other file.
    pub(crate) fn source(&self) -> String {
        let mut files = vec![text!("common.cuh")];
        let finds = self.program.finds_elements();
        if self.engine.is_some() {
            files.push(text!("space.cuh"));
        }
        if finds {
            files.push(text!("numbers.cuh"));
        }
        let of_engine = match self.engine {
            Some(EngineKind::Masks { .. }) => vec![text!("mask_engine.cuh"), text!("mask_elements.cuh")],
            Some(EngineKind::Tables { .. }) => vec![text!("table_engine.cuh"), text!("table_elements.cuh")],
            None => Vec::new(),
        };
        // The engine's arrays, and what is found in them.
        files.extend(&of_engine[..if finds { of_engine.len() } else { of_engine.len().min(1) }]);
        files.extend(match self.program {
            Program::Pack(_) => vec![text!("pack.cu")],
            Program::Rows(_) => vec![text!("rows.cu")],
            Program::Conn { .. } => vec![text!("places.cuh"), text!("conn.cu")],
            Program::Select { .. } => vec![text!("places.cuh"), text!("select.cu")],
            Program::Mels { .. } => vec![text!("mels.cu")],
            Program::Units { .. } => vec![text!("ln_cosh.cuh"), text!("units.cu")],
            Program::LnCosh { .. } => vec![text!("ln_cosh.cuh"), text!("ln_cosh.cu")],
            Program::Local { .. } => vec![text!("local.cu")],
            Program::Chains { .. } => vec![text!("philox.cu"), text!("site_moves.cu"), text!("ledger.cu")],
        });
        // The compiler's messages name the file.
        files.iter().map(|(name, text)| format!("#line 1 \"{name}\"\n{text}")).collect()
    }

    /// The macros that the source reads, as options of every compiler.
    pub(crate) fn defines(&self) -> Vec<String> {
        let flag = |name: &str, value: bool| format!("-D{name}={}", u32::from(value));
        let mut defines = match self.engine {
            Some(EngineKind::Masks { n_words, has_large_pieces, has_signs, max_outcomes }) => vec![
                format!("-DN_WORDS={n_words}"),
                format!("-DMAX_SUPPORT={}", if has_large_pieces { 255 } else { 2 }),
                flag("HAS_SIGNS", has_signs),
                format!("-DMAX_OUTCOMES={max_outcomes}"),
            ],
            Some(EngineKind::Tables { has_signs, has_steps }) => {
                vec![flag("HAS_SIGNS", has_signs), flag("HAS_STEPS", has_steps)]
            }
            None => Vec::new(),
        };
        let (number, is_complex) = match self.program {
            Program::Pack(number) | Program::Rows(number) => {
                defines.push(format!("-DQUANTUM={}", number.name()));
                defines.push(flag("INDICES", number == Number::U8));
                return defines;
            }
            Program::Mels { real } => (real, false),
            Program::Units { real, is_complex, ln_cosh } => {
                defines.push(flag("LN_COSH", ln_cosh));
                (real, is_complex)
            }
            Program::Conn { real, is_complex }
            | Program::Select { real, is_complex }
            | Program::LnCosh { real, is_complex }
            | Program::Local { real, is_complex }
            | Program::Chains { real, is_complex } => (real, is_complex),
        };
        defines.push(format!("-DREAL={}", number.name()));
        defines.push(flag("COMPLEX", is_complex));
        defines
    }
}
