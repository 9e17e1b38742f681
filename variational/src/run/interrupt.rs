//! Ctrl-C as a request that runs check between steps.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// The exit status of a program ended by Ctrl-C, by the shells' convention.
const EXIT_STATUS: i32 = 130;

/// Whether Ctrl-C was pressed since the first listening run began.
static PRESSED: AtomicBool = AtomicBool::new(false);

/// Number of listening runs.
static LISTENING: AtomicUsize = AtomicUsize::new(0);

/// A run that listens until it is dropped.
pub(super) struct Interrupt(());

impl Interrupt {
    /// Installs the handler at the first call in the program.
    pub(super) fn listen() -> Result<Self> {
        static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
        let install = || ctrlc::try_set_handler(on_ctrl_c).map_err(|error| error.to_string());
        INSTALLED.get_or_init(install).clone().map_err(|reason| Error::CtrlC { reason })?;
        if LISTENING.fetch_add(1, Ordering::SeqCst) == 0 {
            PRESSED.store(false, Ordering::SeqCst);
        }
        Ok(Interrupt(()))
    }

    pub(super) fn pressed(&self) -> bool {
        PRESSED.load(Ordering::SeqCst)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        LISTENING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The first Ctrl-C is a request. A second one, or one while no run listens, ends the program as if there were no
/// handler.
fn on_ctrl_c() {
    if LISTENING.load(Ordering::SeqCst) == 0 || PRESSED.swap(true, Ordering::SeqCst) {
        std::process::exit(EXIT_STATUS);
    }
}
