//! Commands and agents: files of instructions in folders, and what their frontmatter says.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{COMPONENTS_MAX, DEPTH_MAX, FOLDERS_MAX, Reading, join};
use crate::catalog::frontmatter::{self, State};
use crate::catalog::hidden::hidden;
use crate::catalog::json::{BOM, WITHOUT_BOM, decoded};
use crate::model::{Component, Oddity, Severity};
use crate::tree::{Kind, of_bytes};

/// Which kind of instructions a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    Skill,
    Command,
    Agent,
}

/// A name in a folder.
#[derive(Debug)]
pub struct Name {
    pub name: String,
    /// What it is, links followed.
    pub kind: Kind,
    pub is_link: bool,
}

impl Text {
    fn name(self) -> &'static str {
        match self {
            Text::Skill => "skill",
            Text::Command => "command",
            Text::Agent => "agent",
        }
    }
}

impl Reading<'_> {
    /// Adds every `.md` file below a folder as a command: `git/commit.md` is `git:commit`.
    pub fn commands_below(&mut self, folder: &str) {
        for (file, prefix) in self.markdown_below(folder) {
            self.command(&file, &prefix);
        }
    }

    /// Adds a file as a command, called by its file after `prefix`.
    pub fn command(&mut self, file: &str, prefix: &str) {
        let Some((fields, mut component)) = self.text(Text::Command, file) else {
            return;
        };
        component.name = format!("{prefix}{}", stem(file));
        component.tools = words(fields.get("allowed-tools"));
        self.components.commands.push(component);
    }

    /// Adds every `.md` file below a folder as an agent.
    pub fn agents_below(&mut self, folder: &str) {
        for (file, prefix) in self.markdown_below(folder) {
            self.agent(&file, &prefix);
        }
    }

    /// Adds a file as an agent, called by the name in its frontmatter, else by its file, after `prefix`.
    pub fn agent(&mut self, file: &str, prefix: &str) {
        let Some((fields, mut component)) = self.text(Text::Agent, file) else {
            return;
        };
        let name = fields.get("name").and_then(Value::as_str);
        component.name = format!("{prefix}{}", name.unwrap_or_else(|| stem(file)));
        component.tools = words(fields.get("tools"));
        self.components.agents.push(component);
    }

    /// Returns the `.md` files below a folder, each with its folders as a prefix of its name.
    fn markdown_below(&mut self, folder: &str) -> Vec<(String, String)> {
        let mut files = Vec::new();
        self.walk(folder, "", 0, &mut files);
        files
    }

    fn walk(
        &mut self,
        folder: &str,
        prefix: &str,
        depth: usize,
        files: &mut Vec<(String, String)>,
    ) {
        for Name {
            name,
            kind,
            is_link,
        } in self.names(folder)
        {
            let path = join(folder, &name);
            match kind {
                Kind::Folder if is_link => {
                    let what = "the link to a folder is not followed: such links can go in circles";
                    self.odd(Severity::Warning, &path, what, "put the folder itself here");
                }
                Kind::Folder if depth < DEPTH_MAX => {
                    self.walk(&path, &format!("{prefix}{name}:"), depth + 1, files);
                }
                Kind::File if is_markdown(&name) && files.len() < COMPONENTS_MAX => {
                    files.push((path, prefix.to_string()));
                }
                _ => {}
            }
        }
    }

    /// Returns the names in a folder and what they are, links followed; what cannot be looked at is noted.
    pub(super) fn names(&mut self, folder: &str) -> Vec<Name> {
        let Some(tree) = self.tree else {
            return Vec::new();
        };
        self.folders += 1;
        if self.folders > FOLDERS_MAX {
            if self.folders == FOLDERS_MAX + 1 {
                let what = format!("more than {FOLDERS_MAX} folders: the rest is not read");
                self.odd(
                    Severity::Warning,
                    folder,
                    what,
                    "look for links that go in circles",
                );
            }
            return Vec::new();
        }
        let entries = match tree.list(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.odd(Severity::Error, folder, format!("{error:#}"), "");
                return Vec::new();
            }
        };
        let mut names = Vec::with_capacity(entries.len());
        let mut lower = BTreeMap::new();
        for entry in entries {
            let path = join(folder, &entry.name);
            if let Some(other) = lower.insert(entry.name.to_lowercase(), entry.name.clone()) {
                let what = format!("`{other}` and `{}` differ in case only", entry.name);
                let hint = "rename one: they are one file on other machines";
                self.odd(Severity::Warning, &path, what, hint);
            }
            let kind = match entry.kind {
                Kind::Link => self.kind(&path),
                kind => Some(kind),
            };
            names.extend(kind.map(|kind| Name {
                is_link: entry.kind == Kind::Link,
                name: entry.name,
                kind,
            }));
        }
        names
    }

    /// Reads a file of instructions; its name and tools are for the caller to fill in.
    pub(super) fn text(
        &mut self,
        text: Text,
        file: &str,
    ) -> Option<(Map<String, Value>, Component)> {
        let bytes = self.bytes(file)?;
        if !self.seen.insert(file.to_string()) {
            return None;
        }
        let (decoded, is_lossy) = decoded(&bytes);
        if is_lossy {
            let what = "bytes that are not UTF-8 were replaced";
            self.odd(Severity::Warning, file, what, "save the file as UTF-8");
        }
        if decoded.starts_with('\u{feff}') {
            self.odd(Severity::Note, file, BOM, WITHOUT_BOM);
        }
        let (fields, component) = self.instructions(text, file, &decoded);
        let digest = of_bytes(&bytes).short(16).to_string();
        Some((
            fields,
            Component {
                digest,
                ..component
            },
        ))
    }

    /// Reads instructions that stand in a file or, with an empty digest, in a manifest.
    pub(super) fn instructions(
        &mut self,
        text: Text,
        file: &str,
        content: &str,
    ) -> (Map<String, Value>, Component) {
        let read = frontmatter::read(file, content);
        self.oddities.extend(read.oddities);
        let is_lost = read.state == State::Lost;
        if read.state == State::Absent {
            self.tell_absence(text, file, content);
        } else if !is_lost {
            self.tell_fields(text, file, &read.fields);
        }
        self.oddities.extend(hidden(file, content));
        self.keep(read.body);
        let component = Component {
            name: String::new(),
            file: file.to_string(),
            description: description(text, &read.fields, read.body),
            digest: String::new(),
            tools: Vec::new(),
        };
        (read.fields, component)
    }

    fn tell_absence(&mut self, text: Text, file: &str, content: &str) {
        if content.starts_with("version https://git-lfs.github.com/spec/") {
            let what = "the file is a pointer of Git LFS, and not what it points to";
            let hint = "keep texts out of Git LFS";
            return self.odd(Severity::Warning, file, what, hint);
        }
        let name = file.rsplit('/').next().unwrap_or(file);
        let is_cut = content
            .lines()
            .next()
            .is_some_and(|line| line.trim_end() == "---");
        let what = match (content.is_empty(), name) {
            (true, _) => "the file is empty".to_string(),
            (_, "README.md" | "CLAUDE.md") => format!("`{name}` is taken for a {}", text.name()),
            _ if is_cut => "the frontmatter has no end, and is not read".to_string(),
            _ => "there is no frontmatter".to_string(),
        };
        let hint = match name {
            _ if is_cut => "end it with a line `---`",
            "README.md" | "CLAUDE.md" => "move it to the plugin's own folder",
            _ => "start the file with `---`, `description: ..` and `---`, each on a line",
        };
        self.odd(Severity::Warning, file, what, hint);
    }

    fn tell_fields(&mut self, text: Text, file: &str, fields: &Map<String, Value>) {
        let mut tell = |severity, field: &str, what: String, hint: &str| {
            let oddity = Oddity::of_file(severity, file, what).hint(hint);
            self.oddities.push(oddity.at(Some(2), field));
        };
        match fields.get("description") {
            Some(Value::Array(_) | Value::Object(_)) => {
                let what = "`description` is not a text, and is dropped".to_string();
                tell(Severity::Error, "description", what, "put it in quotes");
            }
            Some(_) => {}
            None => {
                let what = format!("the {} has no description", text.name());
                tell(
                    Severity::Warning,
                    "description",
                    what,
                    "say what it does, and when to use it",
                );
            }
        }
        // A command is called by its file, whatever its frontmatter says.
        if let Some(name) = fields.get("name").filter(|_| text != Text::Command)
            && !matches!(name, Value::String(_) | Value::Null)
        {
            let what = format!("`name` is {} rather than a text", frontmatter::kind(name));
            tell(Severity::Error, "name", what, "put it in quotes");
        }
    }
}

/// Returns what the instructions are for: as their frontmatter says it or, for a command, as they start.
fn description(text: Text, fields: &Map<String, Value>, body: &str) -> String {
    let field = |name| match fields.get(name) {
        Some(Value::String(text)) => Some(text.trim().to_string()),
        Some(plain @ (Value::Number(_) | Value::Bool(_))) => Some(plain.to_string()),
        _ => None,
    };
    match (field("description"), field("when_to_use")) {
        (Some(what), Some(when)) => format!("{what} {when}"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) if text == Text::Command => {
            let first = body.lines().map(|line| line.trim_start_matches('#').trim());
            first
                .into_iter()
                .find(|line| !line.is_empty())
                .unwrap_or_default()
                .to_string()
        }
        (None, None) => String::new(),
    }
}

/// Returns the tools of a list, or of a text with commas or spaces between them; those in parentheses part nothing.
pub(super) fn words(value: Option<&Value>) -> Vec<String> {
    let text = match value {
        Some(Value::Array(items)) => {
            return items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_string)
                .collect();
        }
        Some(Value::String(text)) => text,
        _ => return Vec::new(),
    };
    let mut depth = 0_usize;
    let parts = text.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && (c == ',' || c.is_whitespace())
    });
    parts
        .filter(|word| !word.is_empty())
        .map(str::to_string)
        .collect()
}

fn is_markdown(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(stem, extension)| !stem.is_empty() && extension == "md")
}

fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".md").unwrap_or(name)
}
