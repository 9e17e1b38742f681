//! Ctrl-C as a request that runs check between steps.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

use signal_hook::{consts::SIGINT, flag};

use crate::error::{Error, Result};

/// The exit status of a program ended by Ctrl-C, by the shells' convention.
const EXIT_STATUS: i32 = 130;

/// Whether Ctrl-C was pressed since the first listening run began.
static PRESSED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Whether the next Ctrl-C ends the program: no run listens, or one was told already.
static ENDS: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Number of listening runs.
static LISTENING: AtomicUsize = AtomicUsize::new(0);

/// A run that listens until it is dropped.
pub(super) struct Interrupt(());

impl Interrupt {
    /// Installs handlers at the first call in the program, beside those that it has. Shells start programs in the
    /// background with Ctrl-C ignored; they listen, too.
    pub(super) fn listen() -> Result<Self> {
        static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
        INSTALLED.get_or_init(install).clone().map_err(|reason| Error::CtrlC { reason })?;
        if LISTENING.fetch_add(1, Ordering::SeqCst) == 0 {
            PRESSED.store(false, Ordering::SeqCst);
            ENDS.store(false, Ordering::SeqCst);
        }
        Ok(Interrupt(()))
    }

    pub(super) fn pressed(&self) -> bool {
        PRESSED.load(Ordering::SeqCst)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        if LISTENING.fetch_sub(1, Ordering::SeqCst) == 1 {
            ENDS.store(true, Ordering::SeqCst);
        }
    }
}

/// Handlers run in this order: the first one sees what earlier Ctrl-Cs left.
fn install() -> Result<(), String> {
    flag::register_conditional_shutdown(SIGINT, EXIT_STATUS, ENDS.clone())
        .and_then(|_| flag::register(SIGINT, PRESSED.clone()))
        .and_then(|_| flag::register(SIGINT, ENDS.clone()))
        .map(drop)
        .map_err(|error| error.to_string())
}
