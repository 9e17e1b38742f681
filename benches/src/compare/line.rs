use serde::Serialize;
use serde_json::Value;

use super::contender::Contender;
use super::unit::{Figure, Unit};

/// What came of one contender.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The system.
    pub system: String,
    /// What was done.
    pub what: &'static str,
    /// Who did it.
    pub backend: &'static str,
    /// On how many threads.
    pub threads: usize,
    /// The shortest run.
    pub seconds: f64,
    /// The same in the unit of the work.
    #[serde(flatten)]
    pub figure: Figure,
    /// How many elements, samples or proposals the run had.
    pub count: usize,
    /// How many bytes a run writes, where they are its result.
    pub bytes: Option<usize>,
    /// What setting these bytes takes, as a fraction of the time: 1 is the bound.
    pub memset_fraction: Option<f64>,
    /// What the peers took for the same.
    pub peers: Vec<PeerLine>,
}

/// What came of a peer.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum PeerLine {
    /// It did the work.
    Measured {
        /// Name of the peer.
        peer: &'static str,
        /// The shortest run.
        seconds: f64,
        /// The same in the unit of the work.
        #[serde(flatten)]
        figure: Figure,
        /// How many elements, samples or proposals its run had.
        count: usize,
        /// How many times as long it takes per unit.
        ratio: f64,
    },
    /// It did not.
    Failed {
        /// Name of the peer.
        peer: &'static str,
        /// What it says.
        error: String,
    },
}

impl Line {
    /// Of a contender, its shortest run and that of setting its bytes.
    pub(super) fn new(
        system: &str,
        unit: Unit,
        contender: &Contender,
        seconds: f64,
        memset: Option<f64>,
    ) -> Self {
        Line {
            system: system.to_owned(),
            what: contender.what,
            backend: contender.backend,
            threads: contender.threads,
            seconds,
            figure: unit.figure(seconds, contender.count),
            count: contender.count,
            bytes: contender.bytes,
            memset_fraction: memset.map(|memset| memset / seconds),
            peers: Vec::new(),
        }
    }

    /// Adds a peer's answer. A peer that does not say its count did as much as this side.
    pub(super) fn add_peer(&mut self, peer: &'static str, answer: &Value) {
        let Some(seconds) = answer["seconds"].as_f64() else {
            let error = answer["error"].as_str().unwrap_or("the answer has no seconds").to_owned();
            self.peers.push(PeerLine::Failed { peer, error });
            return;
        };
        let unit = self.figure.unit;
        let own_count = unit.count_key().and_then(|key| answer[key].as_u64()).map(|count| count as usize);
        let count = own_count.unwrap_or(self.count);
        let figure = unit.figure(seconds, count);
        let ratio = figure.value / self.figure.value;
        self.peers.push(PeerLine::Measured { peer, seconds, figure, count, ratio });
    }
}
