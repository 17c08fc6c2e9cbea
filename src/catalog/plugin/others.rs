//! Components that are only named: language servers, styles, themes, programs.

use serde_json::Value;

use super::texts::Name;
use super::{Origin, Reading, child, inside};
use crate::model::Severity;
use crate::tree::Kind;

/// The most of them that one plugin is read with.
const OTHERS_MAX: usize = 1_000;

impl Reading<'_> {
    /// Adds the files of a folder with an ending, as `kind:name`; with an empty ending, all of them.
    pub fn files_in(&mut self, kind: &str, folder: &str, ending: &str) {
        for Name {
            name, kind: what, ..
        } in self.names(folder)
        {
            if let (Kind::File, Some(stem)) = (what, name.strip_suffix(ending)) {
                self.other(kind, stem);
            }
        }
    }

    /// Adds the keys of a JSON object in a file, or the names in its list, as `kind:name`; says whether there is one.
    pub fn names_in_file(&mut self, kind: &str, file: &str) -> bool {
        self.json(file, |reading, document| {
            reading.names_in(kind, &document.value)
        })
    }

    /// Adds what a manifest declares: an object by its keys, a list of objects by their names, a path by what is there.
    pub fn declared(
        &mut self,
        kind: &str,
        ending: &str,
        origin: Origin<'_>,
        pointer: &str,
        value: &Value,
    ) {
        match value {
            Value::String(path) => self.declared_at(kind, ending, origin, pointer, path),
            Value::Array(items) if items.iter().any(Value::is_string) => {
                for (index, path) in items.iter().enumerate() {
                    if let Value::String(path) = path {
                        self.declared_at(kind, ending, origin, &child(pointer, index), path);
                    }
                }
            }
            value => self.names_in(kind, value),
        }
    }

    fn declared_at(
        &mut self,
        kind: &str,
        ending: &str,
        origin: Origin<'_>,
        pointer: &str,
        path: &str,
    ) {
        let Some(inner) = inside(path) else {
            return self.tell_escape(origin, pointer, path);
        };
        match self.kind(inner) {
            Some(Kind::Folder) => self.files_in(kind, inner, ending),
            Some(Kind::File) if ending.is_empty() => {
                self.names_in_file(kind, inner);
            }
            Some(Kind::File) => {
                let name = inner.rsplit('/').next().unwrap_or(inner);
                self.other(kind, name.strip_suffix(ending).unwrap_or(name));
            }
            _ => self.tell_missing(origin, pointer, path),
        }
    }

    fn names_in(&mut self, kind: &str, value: &Value) {
        match value {
            Value::Object(fields) => fields.keys().for_each(|name| self.other(kind, name)),
            Value::Array(items) => {
                let names = items.iter().filter_map(|item| item.get("name")?.as_str());
                names.for_each(|name| self.other(kind, name));
            }
            _ => {}
        }
    }

    fn other(&mut self, kind: &str, name: &str) {
        let other = format!("{kind}:{name}");
        let others = &mut self.components.others;
        if others.len() < OTHERS_MAX && !others.contains(&other) {
            others.push(other);
        }
    }

    /// Notes what stands in the plugin's own folder and is not loaded.
    pub fn tell_unloaded(&mut self, root: &[Name]) {
        for Name { name, kind, .. } in root {
            if name == "CLAUDE.md" && *kind == Kind::File {
                let what = "`CLAUDE.md` of a plugin is not loaded";
                self.odd(Severity::Warning, name, what, "say it in a skill");
            }
            if *kind == Kind::Special || *kind == Kind::Submodule {
                let what = match kind {
                    Kind::Submodule => "it is a submodule, whose files are elsewhere",
                    _ => "it is a pipe, a socket or a device, and is not read",
                };
                self.odd(Severity::Warning, name, what, "");
            }
        }
    }
}
