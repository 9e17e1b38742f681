//! Runs contenders and peers in turns and keeps the best of each.

use std::time::Instant;

use serde_json::Value;

use super::contender::Contender;
use super::error::Result;
use super::line::Line;
use super::peer::{PeerItem, Peers};
use super::place::Places;
use super::works::Work;

/// Lets contenders and peers take turns, so that a machine that slows down for a while slows all of them.
pub struct Comparison<'a> {
    /// Seconds for each contender and each peer.
    pub seconds: f64,
    /// Number of turns that share these seconds; each turn has at least one run.
    pub turns: usize,
    /// Where the backends run.
    pub places: &'a Places,
    /// The peers' side, if there is one.
    pub peers: Option<Peers>,
    /// Whether to stop with the results so far; checked between runs.
    pub stop: &'a dyn Fn() -> bool,
}

impl Comparison<'_> {
    /// One line for each contender that has run, in order.
    ///
    /// # Errors
    /// Errors of the work; [`Error::Program`](super::Error::Program) if the peers' side fails as a whole.
    pub fn run(&mut self, work: &Work) -> Result<Vec<Line>> {
        let mut ours = Vec::new();
        for contender in work.contenders(self.places)? {
            let memset = contender.memset()?.map(Timed::new);
            ours.push((Timed::new(contender), memset));
        }
        let mut theirs: Vec<Asked<'_>> = work.peers.iter().map(Asked::new).collect();
        for _ in 0..self.turns.max(1) {
            let seconds = self.seconds / self.turns.max(1) as f64;
            for (contender, memset) in &mut ours {
                contender.take_turn(seconds, self.stop)?;
                if let Some(memset) = memset {
                    memset.take_turn(seconds / 4.0, self.stop)?;
                }
            }
            let Some(peers) = &mut self.peers else { continue };
            for asked in &mut theirs {
                if !(self.stop)() {
                    // The Ctrl-C that stops this program also ends the other one.
                    match asked.take_turn(seconds, peers) {
                        Err(_) if (self.stop)() => {}
                        result => result?,
                    }
                }
            }
        }
        Ok(ours.iter().filter_map(|(timed, memset)| line(work, timed, memset.as_ref(), &theirs)).collect())
    }
}

fn line(work: &Work, timed: &Timed, memset: Option<&Timed>, theirs: &[Asked<'_>]) -> Option<Line> {
    let memset = memset.and_then(|memset| memset.best);
    let mut line = Line::new(&work.system.name, work.unit, &timed.contender, timed.best?, memset);
    for asked in theirs.iter().filter(|asked| asked.peer.is_beside(timed.contender.what)) {
        if let Some(answer) = &asked.best {
            line.add_peer(asked.peer, answer);
        }
    }
    Some(line)
}

/// A contender and its shortest run.
struct Timed {
    contender: Contender,
    best: Option<f64>,
}

impl Timed {
    fn new(contender: Contender) -> Self {
        Timed { contender, best: None }
    }

    fn take_turn(&mut self, seconds: f64, stop: &dyn Fn() -> bool) -> Result<()> {
        let start = Instant::now();
        while !stop() {
            let time = self.contender.time()?;
            self.best = Some(self.best.map_or(time, |best| best.min(time)));
            if start.elapsed().as_secs_f64() >= seconds {
                break;
            }
        }
        Ok(())
    }
}

/// A peer's item and its best answer.
struct Asked<'a> {
    peer: &'a PeerItem,
    best: Option<Value>,
}

impl<'a> Asked<'a> {
    fn new(peer: &'a PeerItem) -> Self {
        Asked { peer, best: None }
    }

    fn seconds(&self) -> Option<f64> {
        self.best.as_ref().and_then(|answer| answer["seconds"].as_f64())
    }

    /// Makes as many runs as fit into the time, at least one. The first run tells how long one takes. A failed
    /// item is not tried again.
    fn take_turn(&mut self, seconds: f64, peers: &mut Peers) -> Result<()> {
        /// Beyond this, more runs rarely find a shorter one.
        const MAX_REPEATS: f64 = 1000.0;
        let is_first = self.best.is_none();
        if is_first {
            self.best = Some(peers.ask(&self.peer.item, 1)?);
        }
        let Some(best) = self.seconds() else { return Ok(()) };
        let repeats = seconds / best;
        if is_first && repeats < 1.0 {
            return Ok(());
        }
        let answer = peers.ask(&self.peer.item, repeats.clamp(1.0, MAX_REPEATS) as usize)?;
        if answer["seconds"].as_f64().is_some_and(|seconds| seconds < best) {
            self.best = Some(answer);
        }
        Ok(())
    }
}
