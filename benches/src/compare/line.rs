//! One result of a comparison: a contender beside its peers.

use serde::Serialize;
use serde_json::Value;

use super::contender::Contender;
use super::peer::PeerItem;
use super::unit::{Figure, Unit};

/// The result of one contender.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The system.
    pub system: String,
    /// The work.
    pub what: &'static str,
    /// The backend.
    pub backend: &'static str,
    /// The device of its tensors: `cpu`, `cuda:0`.
    pub device: String,
    /// Number of threads.
    pub threads: usize,
    /// Seconds of the shortest run.
    pub seconds: f64,
    /// The same time in the unit of the work.
    #[serde(flatten)]
    pub figure: Figure,
    /// Number of elements, samples or proposals in the run.
    pub count: usize,
    /// Number of bytes that a run writes, if they are its result.
    pub bytes: Option<usize>,
    /// The time to set these bytes as a fraction of the run's time: 1 is the bound.
    pub memset_fraction: Option<f64>,
    /// The peers' results for the same work.
    pub peers: Vec<PeerLine>,
}

/// The result of a peer.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum PeerLine {
    /// The peer did the work.
    Measured {
        /// Name of the peer.
        peer: String,
        /// Its program, which may have other ways to do the work.
        #[serde(skip)]
        program: &'static str,
        /// Seconds of the shortest run.
        seconds: f64,
        /// The same time in the unit of the work.
        #[serde(flatten)]
        figure: Figure,
        /// Number of elements, samples or proposals in its run.
        count: usize,
        /// How many times as long it takes per unit.
        ratio: f64,
        /// Whether no other way of its program is faster, so that its ratio is the one to quote.
        fastest: bool,
    },
    /// The peer did not do it.
    Failed {
        /// Name of the peer.
        peer: String,
        /// Its error message.
        error: String,
    },
}

impl Line {
    /// A line from a contender's shortest run and the shortest run that sets its bytes.
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
            device: contender.place.device_name(),
            threads: contender.place.threads,
            seconds,
            figure: unit.figure(seconds, contender.count),
            count: contender.count,
            bytes: contender.bytes,
            memset_fraction: memset.map(|memset| memset / seconds),
            peers: Vec::new(),
        }
    }

    /// Adds a peer's answer. A peer that gives no count is taken to have the same count as this side.
    pub(super) fn add_peer(&mut self, item: &PeerItem, answer: &Value) {
        let (peer, program) = (item.name(), item.program);
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
        let mut fastest = true;
        for other in &mut self.peers {
            if let PeerLine::Measured { program: same, ratio: theirs, fastest: is_fastest, .. } = other
                && *same == program
            {
                fastest &= ratio < *theirs;
                *is_fastest &= ratio >= *theirs;
            }
        }
        self.peers.push(PeerLine::Measured { peer, program, seconds, figure, count, ratio, fastest });
    }
}
