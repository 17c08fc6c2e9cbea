//! Ctrl-C and its kin: seen while the process lives, told to whoever asked.

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

/// A wish to stop that came from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    Terminate,
}

impl Signal {
    /// Returns the exit code of a process that ends for this reason.
    pub fn exit_code(self) -> u8 {
        match self {
            Signal::Interrupt => 130,
            Signal::Terminate => 143,
        }
    }

    /// Returns the signal's name.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
        }
    }
}

/// Calls `on_signal` for each signal from now on, with how many there were, on a thread of its own.
pub fn watch(on_signal: impl Fn(Signal, usize) + Send + 'static) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .context("cannot watch for signals")?;
    let (mut interrupts, mut terminations) = {
        let _guard = runtime.enter();
        let interrupts = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
        (
            interrupts,
            signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?,
        )
    };
    let watching = async move {
        for count in 1.. {
            let signal = tokio::select! {
                Some(()) = interrupts.recv() => Signal::Interrupt,
                Some(()) = terminations.recv() => Signal::Terminate,
            };
            on_signal(signal, count);
        }
    };
    std::thread::Builder::new()
        .name("signals".to_string())
        .spawn(move || runtime.block_on(watching))
        .context("cannot watch for signals")?;
    Ok(())
}
