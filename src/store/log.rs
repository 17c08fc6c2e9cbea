//! The log of a run: segments, each closed by a commit, and one that is still open.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::schema;
use crate::model::{Event, SCHEMA};
use crate::yaml;

/// The first entry of a segment.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: u32,
}

/// The open segment of a run's log. An event is on disk when `append` returns.
#[derive(Debug)]
pub struct LiveLog {
    path: PathBuf,
    file: File,
    text: Vec<u8>,
    /// Whether the file's name is on the disk for good.
    named: bool,
}

/// Puts `text` into a file, all of it or nothing, as far as the end of this process can tell.
fn replace(path: &Path, text: &[u8]) -> Result<()> {
    let half = path.with_extension("new");
    std::fs::write(&half, text)
        .and_then(|()| std::fs::rename(&half, path))
        .with_context(|| format!("cannot write `{}`", path.display()))
}

impl LiveLog {
    /// Opens the segment at `path`, and returns with it the whole events that it already holds.
    ///
    /// A torn event at its end is dropped. An event that closes a segment counts only in a commit, so one that was written
    /// just before a crash is dropped as well: what it says has not happened.
    pub fn open(path: &Path) -> Result<(LiveLog, Vec<Event>)> {
        let reading = || format!("cannot read `{}`", path.display());
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(reading),
        };
        let name = path.display().to_string();
        let whole = yaml::whole_part(&bytes);
        let mut events = match whole.is_empty() {
            true => Vec::new(),
            false => {
                schema::check(&name, whole)?;
                segment_events(&name, whole)?
            }
        };
        if let Some(end) = events.iter().position(|event| event.event.closes_segment()) {
            events.truncate(end);
        }
        let text = sealed(&events)?;
        if bytes != text.as_bytes() {
            replace(path, text.as_bytes())?;
        }
        let log = LiveLog {
            path: path.to_path_buf(),
            file: open(path)?,
            text: text.into_bytes(),
            named: false,
        };
        Ok((log, events))
    }

    /// Appends an event. The end of this process loses nothing of it; a power cut may, unless it is to be flushed at once.
    pub fn append(&mut self, event: &Event, flush: bool) -> Result<()> {
        let entry = yaml::print_entry(event)?;
        let writing = || format!("cannot write `{}`", self.path.display());
        self.file
            .write_all(entry.as_bytes())
            .with_context(writing)?;
        if flush {
            self.flush()?;
        }
        self.text.extend_from_slice(entry.as_bytes());
        Ok(())
    }

    /// Returns the text of the segment, as it goes into the commit that closes it.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Deletes the segment's file: a commit holds it now.
    pub fn close(self) -> Result<()> {
        std::fs::remove_file(&self.path)
            .with_context(|| format!("cannot remove `{}`", self.path.display()))
    }

    fn flush(&mut self) -> Result<()> {
        let writing = || format!("cannot write `{}`", self.path.display());
        self.file.sync_data().with_context(writing)?;
        if !self.named {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            let folder = File::open(folder).with_context(writing)?;
            folder.sync_all().with_context(writing)?;
            self.named = true;
        }
        Ok(())
    }
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot write `{}`", path.display()))
}

/// Returns the text of a segment that holds `events`.
pub fn sealed(events: &[Event]) -> Result<String> {
    let mut text = yaml::print_entry(&Header { schema: SCHEMA })?;
    for event in events {
        text.push_str(&yaml::print_entry(event)?);
    }
    Ok(text)
}

/// Returns the events of a segment, after its header.
pub fn segment_events(file: &str, text: &[u8]) -> Result<Vec<Event>> {
    let first = text
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(text.len(), |end| end + 1);
    let rest = text[first..]
        .strip_prefix(b"...\n")
        .unwrap_or(&text[first..]);
    let lines_before = text[..text.len() - rest.len()]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count();
    yaml::parse_log(file, rest, lines_before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EventKind;

    fn event(event: EventKind) -> Event {
        Event {
            at: jiff::Timestamp::UNIX_EPOCH,
            event,
        }
    }

    #[test]
    fn a_log_cut_anywhere_keeps_its_whole_events() {
        let step = "add-cache".parse().unwrap();
        let finished = EventKind::RunFinished { duration_ms: 5 };
        let events = [
            event(EventKind::StepStarted { step }),
            event(EventKind::RunResumed {
                sandbox: "a: \"b\"\nc".into(),
                tool: "x".into(),
            }),
            event(finished),
        ];
        let text = sealed(&events).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live.yaml");
        for end in 0..=text.len() {
            std::fs::write(&path, &text.as_bytes()[..end]).unwrap();
            let (log, found) = LiveLog::open(&path).unwrap();
            assert!(
                found.len() <= 2,
                "the event that closes a segment counts only in a commit"
            );
            assert_eq!(found, events[..found.len()]);
            assert_eq!(std::fs::read(&path).unwrap(), log.text());
            assert_eq!(segment_events("live", log.text()).unwrap(), found);
        }
    }
}
