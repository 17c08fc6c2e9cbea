//! What an event that closes a segment commits: the step's files and the run's state together.

use anyhow::{Context, Result};

use super::host::RunHost;
use crate::checkpoint::NewCommit;
use crate::model::{Event, EventKind, StepId};
use crate::report::{self, CommitMessage};
use crate::store::{LiveLog, paths};
use crate::yaml;

/// The most bytes of what a step printed that are kept.
const STEP_LOG_MAX: usize = 256 * 1024;

/// What the attempts of a step printed.
#[derive(Debug, Default)]
pub struct StepLog {
    text: Vec<u8>,
    left_out: usize,
}

impl StepLog {
    /// Adds text; of a long log the middle is left out, as its end says why something failed.
    pub fn write(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
        if self.text.len() > 2 * STEP_LOG_MAX {
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        let half = STEP_LOG_MAX / 2;
        let end = self.text.len() - half;
        self.left_out += end - half;
        self.text.drain(half..end);
    }

    /// Returns the log as it is kept.
    fn end(mut self) -> Vec<u8> {
        if self.text.len() > STEP_LOG_MAX {
            self.shorten();
        }
        let StepLog { text, left_out } = self;
        if left_out == 0 {
            return text;
        }
        let (head, tail) = text.split_at(STEP_LOG_MAX / 2);
        let note = format!("\n… {left_out} bytes left out …\n");
        let log = [head, note.as_bytes(), tail].concat();
        String::from_utf8_lossy(&log).into_owned().into_bytes()
    }
}

impl RunHost<'_> {
    /// Commits what an event closes: the step's files and the run's state together.
    pub fn checkpoint(&mut self, event: &Event) -> Result<()> {
        let repository = &self.session.project.repository;
        let segment = paths::segment(&self.session.run, self.segment);
        let mut files = vec![(segment, self.log.text().to_vec())];
        files.extend(self.files_beside(event)?);
        for (_, bytes) in &mut files {
            // What is said is redacted where it is said; nothing that slipped through there is committed.
            if self.hidden.named_in(bytes).is_some() {
                *bytes = self
                    .hidden
                    .redact(&String::from_utf8_lossy(bytes))
                    .into_bytes();
            }
        }
        let tree = match &event.event {
            EventKind::StepFinished { .. } => {
                let result = self.result.take();
                let result = result.context("a finished step was integrated")?;
                repository.with_snapshot(&result, &files)?
            }
            _ => repository.with_files(&repository.tree_of(&self.tip)?, &files)?,
        };
        let message = report::commit_message(&CommitMessage {
            run: &self.session.run,
            digest: &self.session.digest,
            plan: self.plan,
            state: &self.state,
            event: &event.event,
            sandbox: self.sandbox.name(),
            key: match &event.event {
                EventKind::StepFinished { step, .. } => self.keys.get(step).map(String::as_str),
                _ => None,
            },
        });
        let tip = repository.commit(&NewCommit {
            branch: &self.session.run.branch(),
            expected: self.born.then_some(&self.tip),
            tree: &tree,
            parents: std::slice::from_ref(&self.tip),
            message: &message,
            identity: &self.session.identity,
            time_s: event.at.as_second(),
        })?;
        self.tip = tip;
        self.born = true;
        self.next_segment()
    }

    /// What the commit holds beside the log: the step's findings and its output, the report, the evidence.
    fn files_beside(&mut self, event: &Event) -> Result<Vec<(String, Vec<u8>)>> {
        match &event.event {
            EventKind::RunStarted { .. } => Ok(std::mem::take(&mut self.plan_files)),
            EventKind::StepFinished { step, findings, .. } => {
                let text = yaml::print(&report::FindingsFile::new(findings))?;
                Ok(vec![
                    (paths::findings(&self.session.run, step), text.into_bytes()),
                    self.step_log(step),
                ])
            }
            EventKind::RunPaused { step, .. } => Ok(vec![self.step_log(step)]),
            EventKind::RunFailed {
                step, out_of_time, ..
            } => {
                let log = self.step_log(step);
                if *out_of_time {
                    return Ok(vec![log]);
                }
                // A failure is evidence too: rates that knew only of successes would be invented.
                let lesson = self.session.lesson(self.plan, &self.state, event.at);
                Ok(vec![log, lesson.evidence_file()?])
            }
            EventKind::RunFinished { .. } => {
                let account = self.session.account(self.plan, &self.state, &self.tip)?;
                let page = report::report_page(
                    &account,
                    self.plan,
                    &self.state,
                    &self.session.standing(self.plan),
                );
                Ok(vec![
                    (paths::report_md(&self.session.run), page.into_bytes()),
                    (
                        paths::report_yaml(&self.session.run),
                        yaml::print(&account)?.into_bytes(),
                    ),
                ])
            }
            EventKind::RunLearned { .. } => {
                let lesson = self.session.lesson(self.plan, &self.state, event.at);
                Ok(vec![lesson.evidence_file()?])
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Returns the file with what the attempts at a step printed.
    fn step_log(&mut self, step: &StepId) -> (String, Vec<u8>) {
        let log = self.step_logs.remove(step).unwrap_or_default();
        (paths::step_log(&self.session.run, step), log.end())
    }

    fn next_segment(&mut self) -> Result<()> {
        self.segment += 1;
        let (next, _) = LiveLog::open(&self.session.folder.live_log(self.segment))?;
        std::mem::replace(&mut self.log, next).close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_keeps_its_beginning_and_its_end() {
        let mut log = StepLog::default();
        log.write("first\n");
        for _ in 0..100_000 {
            log.write("é and more\n");
        }
        log.write("last\n");
        let text = String::from_utf8(log.end()).unwrap();
        assert!(text.starts_with("first\n") && text.ends_with("\nlast\n"));
        assert!(text.len() < STEP_LOG_MAX + 100 && text.contains(" bytes left out …"));
    }
}
