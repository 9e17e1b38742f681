//! Markov chains in snapshots.

use sampler::{ChainRng, ChainsSnapshot};

use crate::error::Result;
use crate::storage::Snapshot;

pub(super) fn insert_chains(snapshot: &mut Snapshot, chains: &ChainsSnapshot) -> Result<()> {
    // Generators expose their state only through serde. It is whole numbers, so JSON rounds nothing.
    let rngs = serde_json::to_string(chains.rngs())
        .map_err(|error| snapshot.error(format!("random generators: {error}")))?;
    snapshot.note("rngs", rngs);
    snapshot.note("n_accepted", chains.n_accepted());
    snapshot.note("n_proposed", chains.n_proposed());
    snapshot.insert("configurations", chains.configurations().view());
    snapshot.insert("log_weights", ndarray::aview1(chains.log_weights()));
    Ok(())
}

pub(super) fn read_chains(snapshot: &Snapshot) -> Result<ChainsSnapshot> {
    let rngs: Vec<ChainRng> = serde_json::from_str(&snapshot.read_note::<String>("rngs")?)
        .map_err(|error| snapshot.error(format!("note \"rngs\" does not hold generators: {error}")))?;
    let log_weights: ndarray::Array1<f64> = snapshot.array("log_weights")?;
    let chains = ChainsSnapshot::new(snapshot.array("configurations")?, log_weights.to_vec(), rngs);
    let [n_accepted, n_proposed] = ["n_accepted", "n_proposed"].map(|name| snapshot.read_count(name));
    Ok(chains.with_n_accepted(n_accepted? as u64).with_n_proposed(n_proposed? as u64))
}
