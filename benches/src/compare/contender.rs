use std::hint::black_box;
use std::time::Instant;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::error::{Error, Result};

/// One way to do a work, ready to run again and again on threads of its own.
pub struct Contender {
    /// What is done.
    pub what: &'static str,
    /// Who does it.
    pub backend: &'static str,
    /// On how many threads.
    pub threads: usize,
    /// How many elements, samples or proposals a run has.
    pub count: usize,
    /// How many bytes a run writes, where they are its result.
    pub bytes: Option<usize>,
    pool: ThreadPool,
    run: Box<dyn FnMut() -> Result<()> + Send>,
}

impl Contender {
    /// Of a function that does the work once. `count` is 1 and no bytes are known unless they are set.
    ///
    /// # Errors
    /// [`Error::Threads`] if the threads cannot be started.
    pub fn new(
        what: &'static str,
        backend: &'static str,
        threads: usize,
        run: impl FnMut() -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|source| Error::Threads { threads, source })?;
        Ok(Contender { what, backend, threads, count: 1, bytes: None, pool, run: Box::new(run) })
    }

    /// Sets how many elements, samples or proposals a run has.
    #[must_use]
    pub fn with_count(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// Sets how many bytes a run writes.
    #[must_use]
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = Some(bytes);
        self
    }

    /// One that only sets as many bytes as this one writes, on as many threads; `None` where no bytes are
    /// known. No way to write the result is faster.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn memset(&self) -> Result<Option<Self>> {
        let Some(bytes) = self.bytes else { return Ok(None) };
        let part = bytes.div_ceil(self.threads).max(1);
        // Not zeros, whose pages would be made in the first run.
        let (mut buffer, mut value) = (vec![1u8; bytes], 1u8);
        let run = move || {
            value = value.wrapping_add(1);
            match buffer.len() <= part {
                true => buffer.fill(value),
                false => buffer.par_chunks_mut(part).for_each(|part| part.fill(value)),
            }
            black_box(&mut buffer);
            Ok(())
        };
        Self::new("memset", "memset", self.threads, run).map(Some)
    }

    /// The seconds that one run takes; the way into the pool of threads is not counted.
    ///
    /// # Errors
    /// Those of the work.
    pub fn time(&mut self) -> Result<f64> {
        let Contender { pool, run, .. } = self;
        pool.install(|| {
            let start = Instant::now();
            run()?;
            Ok(start.elapsed().as_secs_f64())
        })
    }
}
