//! Components that a manifest or an entry names by their paths.

use serde_json::{Map, Value};

use super::texts::Text;
use super::{Origin, Reading, child, inside};
use crate::model::Severity;
use crate::tree::Kind;

/// Whether what is declared is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Nothing,
    Something,
}

impl Reading<'_> {
    /// Adds commands or agents as they are declared: paths of files and folders or, for commands, an object by their names.
    pub fn texts_declared(&mut self, field: &str, origin: Origin<'_>, value: &Value) -> Found {
        if let (Value::Object(commands), "commands") = (value, field) {
            self.commands_declared(origin, commands);
            return Found::Something;
        }
        self.each_path(field, origin, value, |reading, pointer, written, path| {
            match (reading.kind(path), field) {
                (Some(Kind::File), "agents") => reading.agent(path, ""),
                (Some(Kind::File), _) => reading.command(path, ""),
                (Some(Kind::Folder), "agents") => reading.agents_below(path),
                (Some(Kind::Folder), _) => reading.commands_below(path),
                _ => {
                    reading.tell_missing(origin, pointer, written);
                    return Found::Nothing;
                }
            }
            Found::Something
        })
    }

    /// Adds skills as they are declared: the folder of one, or a folder of such folders.
    pub fn skills_declared(&mut self, origin: Origin<'_>, value: &Value) -> Found {
        self.each_path(
            "skills",
            origin,
            value,
            |reading, pointer, written, path| match reading.kind(path) {
                Some(Kind::Folder) => {
                    let name = path.rsplit('/').next().unwrap_or(path).to_string();
                    if !reading.skill_named(path, &name) {
                        reading.skills_below(path);
                    }
                    Found::Something
                }
                Some(_) => {
                    let what = format!(
                        "`{}` is a file: a skill is declared by its folder",
                        written.escape_debug()
                    );
                    reading
                        .oddities
                        .push(origin.odd(Severity::Error, pointer, what));
                    Found::Nothing
                }
                None => {
                    reading.tell_missing(origin, pointer, written);
                    Found::Nothing
                }
            },
        )
    }

    fn each_path(
        &mut self,
        field: &str,
        origin: Origin<'_>,
        value: &Value,
        mut add: impl FnMut(&mut Self, &str, &str, &str) -> Found,
    ) -> Found {
        let pointer = child("", field);
        let paths: Vec<(String, &str)> = match value {
            Value::String(path) => vec![(pointer, path)],
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items
                    .filter_map(|(index, item)| Some((child(&pointer, index), item.as_str()?)))
                    .collect()
            }
            _ => Vec::new(),
        };
        let mut found = Found::Nothing;
        for (pointer, written) in paths {
            match inside(written) {
                Some(path) => {
                    if add(self, &pointer, written, path) == Found::Something {
                        found = Found::Something;
                    }
                }
                None => self.tell_escape(origin, &pointer, written),
            }
        }
        found
    }

    fn commands_declared(&mut self, origin: Origin<'_>, commands: &Map<String, Value>) {
        for (name, command) in commands {
            let at = child("/commands", name);
            let said = command.get("description").and_then(Value::as_str);
            let before = self.components.commands.len();
            if let Some(content) = command.get("content").and_then(Value::as_str) {
                let (_, component) = self.instructions(Text::Command, origin.file, content);
                self.components.commands.push(component);
            } else if let Some(written) = command.get("source").and_then(Value::as_str) {
                let at = child(&at, "source");
                match inside(written) {
                    None => self.tell_escape(origin, &at, written),
                    Some(path) => match self.kind(path) {
                        Some(Kind::File) => self.command(path, ""),
                        _ => self.tell_missing(origin, &at, written),
                    },
                }
            }
            if let Some(component) = self.components.commands.get_mut(before) {
                component.name = name.clone();
                if let Some(said) = said {
                    component.description = said.to_string();
                }
            }
        }
    }

    /// Adds hooks as they are declared: an object of them, a file, or a list of those.
    pub fn hooks_declared(&mut self, origin: Origin<'_>, pointer: &str, value: &Value) {
        match value {
            Value::Object(events) => self.hooks(origin, pointer, events),
            Value::Array(items) => {
                for (index, item) in items
                    .iter()
                    .enumerate()
                    .filter(|(_, item)| !item.is_array())
                {
                    self.hooks_declared(origin, &child(pointer, index), item);
                }
            }
            Value::String(written) => match inside(written) {
                None => self.tell_escape(origin, pointer, written),
                Some("hooks/hooks.json") => {}
                Some(path) if !self.hooks_file(path) => self.tell_missing(origin, pointer, written),
                Some(_) => {}
            },
            _ => {}
        }
    }
}
