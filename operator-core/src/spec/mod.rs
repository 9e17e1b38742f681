//! Operators from and to JSON.
//!
//! A spec is an object: `model` names the operator, `hilbert` describes its space, and the other keys depend on
//! the model. An optional quantity may be left out or null.
//!
//! | `model` | keys |
//! |---|---|
//! | `ising` | `edges`; `h`, one value a site; `J`, a coupling |
//! | `heisenberg` | `edges`; `J`, a coupling; `sign_rule` (optional), one value or one a colour |
//! | `xyz` | `edges`; `Jx`, `Jy`, `Jz`, or `Jxy`, `Jz`, couplings; `h` (optional), one value a site |
//! | `kitaev_honeycomb` | `edges`, `edge_colors`; `Jx`, `Jy`, `Jz`, one value an edge of colour 0, 1, 2 |
//! | `rydberg` | `positions`, `cutoff` (optional); `Omega`, `delta`, one value a site; `C6`, one value a pair |
//! | `bose_hubbard` | `edges`; `U`, `mu` (optional), one value a site; `J`, `V` (optional), couplings |
//! | `fermi_hubbard` | `edges`; `t`, a coupling; `U`, one value an orbital |
//! | `tj` | `edges`; `t`, `J`, couplings; `penalty` (optional), one value an orbital |
//! | `ssh` | `boundary`, `open` or `periodic`; `t1`, `t2`, one value a bond of its kind |
//! | `molecular` | `core` (optional); `one_body`, `two_body`, one an integral; `one_body_indices`, `two_body_indices`, its orbitals; `one_body_im`, `two_body_im`, imaginary parts (optional); `orbitals`, `spatial` (default) or `spin`; `symmetry`, `real` (default), `hermitian` or `exchange` |
//! | `local` | `terms`, each with `sites`, `re` and `im` (optional); `weights` (optional), one per term |
//! | `pauli_strings` | `strings`; `weights`, one per string, each a number or `[re, im]`; `weights_im` (optional) |
//! | `fermion_operator_2nd` | `terms`, strings such as `0^ 1`; `weights`, `weights_im` as above; `constant` (optional), a number or `[re, im]` |
//! | `terms` | `terms`, each with `factor`, `parameter` (optional, the number of a value) and one of: `paulis`, pairs of site and letter; `paulis_on_occupations`, such pairs on fermion modes; `ladders`, pairs of mode and 1 where it is created or 0; `factors`, pairs of site and number in `site_matrices`; `sites` and `matrix`, a number in `matrices`. `parameters` (optional), each with `name` and `value`; `matrices` (optional), each with `re` and `im`; `site_matrices` (optional), each with `dim` and `elements`, lists of row, column, real and imaginary part; `name` (optional) |
//!
//! Every model takes `rounding_cutoff` (optional), its [cutoff](crate::Definition::with_cutoff).
//!
//! A coupling is a number, or a list with one number a colour or one an edge. "One value a site" also takes one
//! number for all sites, and so with orbitals, pairs and bonds.
//!
//! With `edges` go `edge_colors` (optional), the colour of each edge, 0 by default, and `n_colors` (optional), their
//! number, if the last of them have no edge.
//!
//! | `hilbert.kind` | keys |
//! |---|---|
//! | `spin` | `s`, `n`, `total_sz` (optional) |
//! | `qubit` | `n` |
//! | `fock` | `n_max`, `n`, `n_particles` (optional) |
//! | `spin_orbital_fermions` | `n_orbitals`, `s`, `n_fermions`, `n_fermions_per_spin` (all but the first optional) |
//! | `tensor` | `factors`, a list of spaces |
//!
//! A key that is not in these tables, or that stands twice in one object, is an error.
//!
//! ```
//! use operator_core::Definition;
//! let text = r#"{"model": "ising", "hilbert": {"kind": "spin", "s": 0.5, "n": 3},
//!                "edges": [[0, 1], [1, 2]], "h": 0.5, "J": -1}"#;
//! let ising = Definition::from_json(text)?;
//! assert_eq!(ising.to_string(), "Ising(h = 0.5, J = -1) on Spin(1/2, 3 sites)");
//! assert_eq!(Definition::from_json(&ising.to_json())?, ising);
//! # Ok::<(), operator_core::Error>(())
//! ```

mod definition;
mod graph;
mod hilbert;
mod reader;
mod terms;
mod unique_keys;
mod weights;
mod written;

pub(crate) use graph::{graph, graph_to_json, orbital_graph};
pub use hilbert::{hilbert_from_json, hilbert_to_json};
pub(crate) use reader::Reader;
pub use unique_keys::unique_keys;
pub(crate) use weights::Weights;
pub(crate) use written::{Read, Written};
