//! Plans of any shape, whose steps are little programs for the shell.

use std::fs;

use super::TestEnvironment;

/// One step of such a plan.
#[derive(Debug, Clone, Default)]
pub struct Scripted {
    /// The numbers of the steps that it needs, from 1.
    pub needs: Vec<usize>,
    pub writes: Vec<String>,
    /// Nothing is done without one.
    pub script: String,
    /// Has to be there afterwards.
    pub leaves: String,
    /// Further lines of the step, as they stand in a plan.
    pub more: Vec<String>,
}

/// The name that the plan is saved under.
pub const PLAN: &str = "2026-11-22-scripted-0000";

impl TestEnvironment {
    /// Saves and commits a plan with these steps, called `s1`, `s2` and so on.
    pub fn save_plan(&self, steps: &[Scripted]) {
        self.write_plan(steps);
        self.commit("Plan");
    }

    /// Writes the plan without committing it.
    pub fn write_plan(&self, steps: &[Scripted]) {
        let digest = self.digest_of("plain-tests@fixtures");
        let mut text =
            String::from("schema: 1\nengine: 1\ntask: Scripted\nunderstood: []\nsteps:\n");
        for (index, step) in steps.iter().enumerate() {
            text.push_str(&step_text(index + 1, step, &digest));
        }
        let folder = self.project(&format!(".orchestrate/plans/{PLAN}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("plan.yaml"), text).unwrap();
    }

    fn digest_of(&self, plugin: &str) -> String {
        let kept = self.path("digest");
        if let Ok(digest) = fs::read_to_string(&kept) {
            return digest;
        }
        self.orchestrate(&["--plan-only", "--pattern-id", "five-steps", super::TASK])
            .exits(0);
        let plans = self.project(".orchestrate/plans");
        let plan = fs::read_dir(&plans)
            .unwrap()
            .flatten()
            .find(|entry| entry.path().is_dir());
        let text = fs::read_to_string(plan.unwrap().path().join("plan.yaml")).unwrap();
        let (_, after) = text.split_once(&format!("plugin: {plugin}\n")).unwrap();
        let line = after.lines().next().unwrap();
        let digest = line.trim().trim_start_matches("digest: ").to_owned();
        fs::remove_dir_all(plans).unwrap();
        fs::remove_dir_all(self.project(".orchestrate/lock")).ok();
        fs::write(kept, &digest).unwrap();
        digest
    }
}

fn step_text(number: usize, step: &Scripted, digest: &str) -> String {
    let needs: Vec<String> = step.needs.iter().map(|need| format!("s{need}")).collect();
    let more: String = step.more.iter().map(|line| format!("  {line}\n")).collect();
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let commands = match step.script.as_str() {
        "" => String::new(),
        script => format!("    commands:\n    - argv: [sh, -c, {}]\n", quoted(script)),
    };
    let writes: Vec<String> = step.writes.iter().map(|path| quoted(path)).collect();
    format!(
        "- id: s{number}\n  title: Step {number}\n  doing: Doing step {number}\n  provides: []\n  needs: [{}]\n  why: it is scripted\n  \
action:\n    plugin: plain-tests@fixtures\n    digest: {digest}\n    runner: template\n{commands}    writes: [{}]\n  \
checks:\n  - id: left\n    file: {}\n  attempts_max: 1\n  backoff_ms: 10\n  timeout_s: 60\n{more}",
        needs.join(", "),
        writes.join(", "),
        quoted(&step.leaves),
    )
}
