//! What differs from run to run, and from machine to machine, put in brackets.

use std::collections::BTreeMap;

use regex::Regex;

use super::TestEnvironment;

/// What is put in place of what.
const VARYING: [(&str, &str); 11] = [
    (r"Orchestrate-Key: [0-9a-f]{32}\b", "Orchestrate-Key: [KEY]"),
    (r"(?m)^Sandbox: .*$", "Sandbox: [WHAT HOLDS]"),
    (r"\d+\.\d s\b", "[TIME]"),
    (r"\(\d+ (s|min)\b[^)]*\)", "([TIME])"),
    (r"sha256:[0-9a-f]{8,}", "sha256:[DIGEST]"),
    (r"(@[a-z-]+)#[0-9a-f]{12}\b", "$1#[DIGEST]"),
    (r"\b[0-9a-f]{40}\b|\b[0-9a-f]{7}\b", "[ID]"),
    (r#"(duration_ms"?:) ?\d+"#, "$1 [MS]"),
    (r#"("score":)\d+\.\d+"#, "$1[SCORE]"),
    (r"\.tmp[A-Za-z0-9]{6}", ".tmp[NAME]"),
    (r"(?m)[ \t]+$", ""),
];

/// The names of plans that were seen, by what is put in their place.
#[derive(Default)]
pub struct Redaction {
    names: BTreeMap<String, String>,
}

impl Redaction {
    /// Returns what was printed as a story has it.
    pub fn hide(&mut self, printed: &str, environment: &TestEnvironment) -> String {
        let root = environment.path("").display().to_string();
        let text = printed.replace(root.trim_end_matches('/'), "[ROOT]");
        let plan = Regex::new(r"\b(2026-11-22-[a-z0-9-]*?-)[0-9a-f]{4}\b").unwrap();
        for name in plan.captures_iter(&text) {
            let shown = format!("{}[HASH]", &name[1]);
            self.names.insert(shown, name[0].to_owned());
        }
        let text = plan.replace_all(&text, "$1[HASH]").into_owned();
        VARYING.iter().fold(text, |text, (varying, word)| {
            let varying = Regex::new(varying).unwrap();
            varying.replace_all(&text, *word).into_owned()
        })
    }

    /// Returns a command of a story with the names that plans and folders really have here.
    pub fn show(&self, command: &str, environment: &TestEnvironment) -> String {
        let root = environment.path("").display().to_string();
        let command = command.replace("[ROOT]", root.trim_end_matches('/'));
        let full = |text: String, (shown, real): (&String, &String)| text.replace(shown, real);
        self.names.iter().fold(command, full)
    }
}
