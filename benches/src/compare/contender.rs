//! One backend's way to do a work, with its place and its clock.

use std::hint::black_box;
use std::time::Instant;

use backend_padded::candle_core::{DType, Tensor};
use backend_padded::failed;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::error::{Error, Result};
use super::place::Place;

/// One way to do a work, ready to run repeatedly on its own threads.
pub struct Contender {
    /// What is done.
    pub what: &'static str,
    /// Who does it.
    pub backend: &'static str,
    /// Where it runs.
    pub place: Place,
    /// Number of elements, samples or proposals in a run.
    pub count: usize,
    /// Number of bytes that a run writes, if they are its result.
    pub bytes: Option<usize>,
    pool: ThreadPool,
    run: Box<dyn FnMut() -> Result<()> + Send>,
}

impl Contender {
    /// A contender from a function that does the work once. Unless set, `count` is 1 and no bytes are known.
    ///
    /// # Errors
    /// [`Error::Threads`] if the threads cannot be started.
    pub fn new(
        what: &'static str,
        backend: &'static str,
        place: &Place,
        run: impl FnMut() -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let threads = place.threads;
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|source| Error::Threads { threads, source })?;
        Ok(Contender { what, backend, place: place.clone(), count: 1, bytes: None, pool, run: Box::new(run) })
    }

    /// Sets the number of elements, samples or proposals in a run.
    #[must_use]
    pub fn with_count(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// Sets the number of bytes that a run writes.
    #[must_use]
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = Some(bytes);
        self
    }

    /// A contender that only sets the same number of bytes at the same place; `None` if no bytes are known. This bounds
    /// the time of any way to write the result.
    ///
    /// # Errors
    /// As for [`new`](Self::new); errors of the device.
    pub fn memset(&self) -> Result<Option<Self>> {
        let Some(bytes) = self.bytes else { return Ok(None) };
        if !self.place.device.is_cpu() {
            let buffer = Tensor::ones(bytes, DType::U8, &self.place.device).map_err(failed)?;
            let run = move || Ok(buffer.zero_set().map_err(failed)?);
            return Self::new("memset", "memset", &self.place, run).map(Some);
        }
        let part = bytes.div_ceil(self.place.threads).max(1);
        // Not zeros: their pages would only be made in the first run.
        let (mut buffer, mut value) = (vec![1u8; bytes], 1u8);
        let run = move || {
            value = value.wrapping_add(1);
            if buffer.len() <= part {
                buffer.fill(value);
            } else {
                buffer.par_chunks_mut(part).for_each(|part| part.fill(value));
            }
            black_box(&mut buffer);
            Ok(())
        };
        Self::new("memset", "memset", &self.place, run).map(Some)
    }

    /// The seconds of one run, until the device has done all of it, without the entry into the thread pool.
    ///
    /// # Errors
    /// Errors of the work.
    pub fn time(&mut self) -> Result<f64> {
        let Contender { pool, run, place, .. } = self;
        pool.install(|| {
            let start = Instant::now();
            run()?;
            place.device.synchronize().map_err(failed)?;
            Ok(start.elapsed().as_secs_f64())
        })
    }
}
