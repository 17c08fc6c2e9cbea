//! What happens during a call, told as its progress.

use tokio::sync::mpsc::UnboundedSender;

use crate::model::{Event, Plan, RunState, Step};
use crate::ops::{Note, Watch};
use crate::report;

/// Passes on in words what happens; nobody can be asked, as approving and acting are a person's.
pub struct Listening {
    pub tell: UnboundedSender<String>,
}

impl Listening {
    fn say(&self, text: impl Into<String>) {
        // Whoever does not listen any more misses nothing that is not in the result.
        self.tell.send(text.into()).ok();
    }
}

impl Watch for Listening {
    fn note(&mut self, note: Note<'_>) {
        match note {
            Note::Sandbox { describe } => self.say(format!("Sandbox: {describe}")),
            Note::ResearchStarted { plugins, .. } => {
                self.say(format!("researching {plugins} plugins"));
            }
            Note::Analyst { analysis, .. } => self.say(analysis.summary.clone()),
            Note::ResearchDone { .. } | Note::Planned { .. } => {}
            Note::Doing { what } => self.say(what),
            Note::Resumed { run, .. } => self.say(format!("going on with {run}")),
            Note::Learned { lines } => self.say(lines.join("; ")),
            Note::Merged { branch, commit } => {
                self.say(format!("merged into {branch} as {commit}"))
            }
            Note::Warning { text } => self.say(text),
        }
    }

    fn event(&mut self, plan: &Plan, state: &RunState, event: &Event) {
        let lines = report::event_lines(plan, state, event);
        let said: Vec<&str> = lines
            .iter()
            .map(|line| line.trim())
            .filter(|line| !line.is_empty())
            .collect();
        if !said.is_empty() {
            self.say(said.join("; "));
        }
    }

    fn line(&mut self, _line: &str) {}

    fn ask(&mut self, _step: &Step, _reason: &str, _actions: &[String]) -> bool {
        false
    }
}
