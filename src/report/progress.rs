//! A line at the bottom of a terminal that says what is going on right now.

use std::cell::Cell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A spinner below the lines that stay; without a terminal it shows nothing.
pub struct Progress {
    bar: ProgressBar,
    shown: Cell<bool>,
}

impl Progress {
    /// Returns a spinner on standard error where `live`, else one that shows nothing.
    pub fn new(live: bool) -> Progress {
        let target = if live {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("  {spinner} {elapsed} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Progress {
            bar,
            shown: Cell::new(false),
        }
    }

    /// Shows what is going on.
    pub fn say(&self, message: &str) {
        if !self.shown.replace(true) {
            self.bar.reset();
        }
        self.bar.enable_steady_tick(Duration::from_millis(120));
        self.bar
            .set_message(message.chars().take(200).collect::<String>());
    }

    /// Starts the clock anew: another step begins.
    pub fn restart(&self) {
        if self.shown.get() {
            self.bar.reset_elapsed();
        }
    }

    /// Writes lines above the spinner by `write`.
    pub fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        match self.shown.get() {
            true => self.bar.suspend(write),
            false => write(),
        }
    }

    /// Takes the spinner away.
    pub fn clear(&self) {
        if self.shown.replace(false) {
            self.bar.disable_steady_tick();
            self.bar.finish_and_clear();
        }
    }
}
