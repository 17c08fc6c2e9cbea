//! Fetching a source into the cache, and telling how far it is.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::sync::atomic::AtomicBool;

use anyhow::Result;

use super::settings::Settings;
use super::{Note, Watch};
use crate::fetch::{Cache, FetchOptions, Fetched, Progress, Unit};
use crate::model::Source;

/// How to come by a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// From the cache alone.
    Offline,
    /// From the cache where it is there.
    Cached,
    /// What the source has now.
    Newest,
}

/// Returns the cache of fetched sources.
pub fn cache(settings: &Settings) -> Cache {
    Cache::open(&settings.folders.cache.join("sources"))
}

/// Brings a source into the cache.
pub fn fetch(
    settings: &Settings,
    source: &Source,
    reach: Reach,
    watch: &mut dyn Watch,
) -> Result<Fetched> {
    let watch = RefCell::new(watch);
    let progress = |progress: Progress| watch.borrow_mut().line(&words(source, progress));
    // A signal ends the process at once: a fetch that is cut off leaves nothing behind that is believed.
    let cancel = AtomicBool::new(false);
    let options = FetchOptions {
        offline: reach == Reach::Offline,
        update: reach == Reach::Newest,
        may_ask: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
        progress: &progress,
        cancel: &cancel,
    };
    let fetched = cache(settings).fetch(source, &options)?;
    for text in &fetched.warnings {
        let text = text.clone();
        watch.borrow_mut().note(Note::Warning { text });
    }
    Ok(fetched)
}

fn words(source: &Source, progress: Progress) -> String {
    let amount = |number: u64| match progress.unit {
        Unit::Bytes => format!("{:.1} MB", number as f64 / 1e6),
        Unit::Files => format!("{number} files"),
        Unit::Waiting => format!("waited {number} s for another process"),
    };
    match progress.total {
        Some(total) => format!(
            "fetching {source}: {} of {}",
            amount(progress.done),
            amount(total)
        ),
        None => format!("fetching {source}: {}", amount(progress.done)),
    }
}
