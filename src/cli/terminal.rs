//! What happens, shown while it happens.

use std::time::Instant;

use super::output::Output;
use crate::model::{Event, EventKind, Plan, RunState, Step, counted};
use crate::ops::{Note, Watch};
use crate::report::{self, Progress};
use crate::sandbox::Cancel;

/// Shows a run on standard error.
pub struct Terminal<'a> {
    output: &'a Output,
    progress: Progress,
    started: Instant,
    /// Whether a person has just read what there is to do.
    asked: bool,
    cancel: Cancel,
}

impl<'a> Terminal<'a> {
    /// Returns a terminal that shows what `output` allows.
    pub fn new(output: &'a Output, cancel: &Cancel) -> Terminal<'a> {
        Terminal {
            output,
            progress: Progress::new(output.live),
            started: Instant::now(),
            asked: false,
            cancel: cancel.clone(),
        }
    }

    fn say(&self, text: &str) {
        self.progress.above(|| self.output.progress(text));
    }

    fn research(&self, note: &Note<'_>) {
        match note {
            Note::ResearchStarted { .. } => self.say("\n⚙️ Phase 1: Researching plugins...\n"),
            Note::Analyst { index, analysis } => {
                let doing = match analysis.analyst {
                    "capabilities" => "Analyzing plugin capabilities",
                    "integrations" => "Mapping integration patterns",
                    _ => "Checking success rates and known issues",
                };
                self.say(&format!(
                    "[Agent {}] {doing}: {}",
                    index + 1,
                    analysis.summary
                ));
            }
            Note::ResearchDone { research } => {
                let needs: Vec<&str> = research
                    .needs
                    .iter()
                    .filter(|need| !need.is_own())
                    .map(|need| need.capability.as_str())
                    .collect();
                self.say(&format!(
                    "\n✓ Research complete ({})",
                    report::duration(self.started.elapsed().as_millis() as u64)
                ));
                self.say(&format!(
                    "  - Understood: {}",
                    match needs.is_empty() {
                        true => "nothing".to_string(),
                        false => needs.join(", "),
                    }
                ));
                let relevant = research
                    .plugins
                    .iter()
                    .filter(|candidate| candidate.is_usable());
                let mut names: Vec<String> = relevant
                    .map(|candidate| candidate.plugin.id.to_string())
                    .collect();
                names.sort();
                names.dedup();
                self.say(&format!(
                    "  - Found {}",
                    counted(names.len(), "relevant plugin")
                ));
                let fitting = research
                    .patterns
                    .iter()
                    .filter(|candidate| candidate.fits())
                    .count();
                self.say(&format!(
                    "  - Identified {}",
                    counted(fitting, "fitting pattern")
                ));
            }
            _ => {}
        }
    }
}

impl Watch for Terminal<'_> {
    fn note(&mut self, note: Note<'_>) {
        match &note {
            Note::Sandbox { describe } => self.say(&format!("Sandbox: {describe}")),
            Note::ResearchStarted { .. } | Note::Analyst { .. } | Note::ResearchDone { .. } => {
                self.research(&note)
            }
            Note::Planned {
                id,
                plan,
                odds,
                estimate,
            } => {
                self.say("\n⚙️ Phase 2: Planning workflow...\n");
                for line in report::plan_lines(id, plan, odds, *estimate) {
                    self.say(&line);
                }
            }
            Note::Doing { what } => self.say(&format!("\n⚙️ {what}")),
            Note::Resumed { run, done, commit } => {
                self.say(&format!(
                    "Resuming `{run}` from checkpoint {commit}, completed and kept: {}",
                    counted(*done, "step")
                ));
            }
            Note::Learned { lines } => {
                self.say("");
                lines.iter().for_each(|line| self.say(line));
                self.say("\n✓ Learning complete");
            }
            Note::Merged { branch, commit } => {
                self.say(&format!("\n✓ Merged into `{branch}` as {commit}"))
            }
            Note::Warning { text } => self.say(&format!("⚠️ {text}")),
        }
    }

    fn event(&mut self, plan: &Plan, state: &RunState, event: &Event) {
        if self.output.events
            && let Ok(line) = serde_json::to_string(event)
        {
            self.output.error(&line);
        }
        if matches!(
            event.event,
            EventKind::StepStarted { .. } | EventKind::AttemptStarted { .. }
        ) {
            self.progress.restart();
        }
        let told = std::mem::take(&mut self.asked);
        if !(told && matches!(event.event, EventKind::RunPaused { .. })) {
            for line in report::event_lines(plan, state, event) {
                self.say(&line);
            }
        }
        match event.event {
            EventKind::AttemptStarted { .. } => self.progress.say("running"),
            EventKind::StepFinished { .. }
            | EventKind::RunPaused { .. }
            | EventKind::RunFailed { .. }
            | EventKind::RunInterrupted { .. } => {
                self.progress.clear();
            }
            _ => {}
        }
    }

    fn line(&mut self, line: &str) {
        if self.output.verbose {
            self.say(&format!("    {line}"));
        } else {
            self.progress.say(line.trim());
        }
    }

    fn ask(&mut self, _step: &Step, _reason: &str, actions: &[String]) -> bool {
        if !self.output.interactive {
            return false;
        }
        self.progress.clear();
        for line in report::action_lines(actions) {
            self.say(&line);
        }
        self.asked = true;
        let answer = self
            .output
            .ask("\n  Retry after fixing? [y/n]", &self.cancel);
        answer.is_some_and(|answer| matches!(answer.as_str(), "y" | "yes"))
    }
}
