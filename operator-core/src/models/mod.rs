//! Operators by name, one short file each, with no backend in sight.

mod checks;
mod fcidump;
mod integrals;
mod model;
mod openfermion;
mod weights;

pub use fcidump::Fcidump;
pub use heisenberg::SignRule;
pub use integrals::{IntegralSymmetry, MolecularIntegrals, OrbitalKind};
pub use model::{Model, ModelSpec};

/// Declares each model's file, exports the model, and, with the feature `serde`, lists its reader.
macro_rules! models {
    ($($file:ident::$model:ident,)*) => {
        $(
            mod $file;
            pub use $file::$model;
        )*

        /// What reads each of the models from JSON, by its name there.
        #[cfg(feature = "serde")]
        pub(crate) const READERS: &[(&str, crate::spec::Read)] = &[
            $((<$model as crate::spec::Written>::NAME, <$model as crate::spec::Written>::read),)*
        ];
    };
}

// A model is registered here and nowhere else. `cargo fmt` does not find files that a macro declares, so `.ci/run`
// names them.
models! {
    ising::Ising,
    heisenberg::Heisenberg,
    xyz::Xyz,
    kitaev_honeycomb::KitaevHoneycomb,
    rydberg::Rydberg,
    bose_hubbard::BoseHubbard,
    fermi_hubbard::FermiHubbard,
    tj::TJ,
    ssh::Ssh,
    molecular::Molecular,
    local_operator::LocalOperator,
    pauli_strings::PauliStrings,
    fermion_operator::FermionOperator2nd,
}
