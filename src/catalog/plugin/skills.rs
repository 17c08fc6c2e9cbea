//! Skills: folders with a `SKILL.md`.

use serde_json::Value;

use super::texts::{Name, Text, words};
use super::{COMPONENTS_MAX, Reading, join};
use crate::model::Severity;
use crate::tree::Kind;

const FILE: &str = "SKILL.md";

impl Reading<'_> {
    /// Adds the skills in the folders of `folder`, one level below it; what is nearly one is noted. Says whether there were any.
    pub fn skills_below(&mut self, folder: &str) -> bool {
        let before = self.components.skills.len();
        for Name { name, kind, .. } in self.names(folder) {
            let path = join(folder, &name);
            match kind {
                Kind::Folder if self.components.skills.len() >= COMPONENTS_MAX => break,
                Kind::Folder if !self.skill(&path, &name) => self.tell_near_miss(&path),
                Kind::File
                    if name.ends_with(".md") && !matches!(name.as_str(), "README.md" | FILE) =>
                {
                    let what = "a skill is a folder with a `SKILL.md`; this file is not loaded";
                    self.odd(
                        Severity::Warning,
                        &path,
                        what,
                        "move it into a folder of its own",
                    );
                }
                _ => {}
            }
        }
        self.components.skills.len() > before
    }

    /// Adds the skill in a folder of skills, called by its own folder. Says whether there is one.
    pub fn skill(&mut self, folder: &str, name: &str) -> bool {
        self.read_skill(folder, name, false)
    }

    /// Adds the skill in a folder that was named itself, called by its frontmatter or else as given. Says whether there is one.
    pub fn skill_named(&mut self, folder: &str, otherwise: &str) -> bool {
        self.read_skill(folder, otherwise, true)
    }

    fn read_skill(&mut self, folder: &str, name: &str, own_counts: bool) -> bool {
        let file = join(folder, FILE);
        let Some((fields, mut component)) = self.text(Text::Skill, &file) else {
            return self.seen.contains(&file);
        };
        let own = fields.get("name").and_then(Value::as_str);
        let name = own.filter(|_| own_counts).unwrap_or(name);
        if let Some(own) = own.filter(|own| *own != name) {
            let what = format!(
                "the skill calls itself `{}`, and its folder is `{name}`",
                own.escape_debug()
            );
            self.odd(Severity::Note, &file, what, "give both the same name");
        }
        // A dot cannot be typed after the slash of a skill.
        component.name = name.replace('.', "-");
        component.tools = words(fields.get("allowed-tools"));
        self.components.skills.push(component);
        true
    }

    fn tell_near_miss(&mut self, folder: &str) {
        for Name { name, kind, .. } in self.names(folder) {
            let path = join(folder, &name);
            if kind == Kind::File && name.eq_ignore_ascii_case(FILE) && name != FILE {
                let what = format!("`{name}` is not loaded: a skill's file is called `{FILE}`");
                self.odd(Severity::Warning, &path, what, "rename it");
            }
            let nested = join(&path, FILE);
            if kind == Kind::Folder && matches!(self.kind(&nested), Some(Kind::File)) {
                let what = "the skill is not loaded: it is more than one folder below `skills`";
                self.odd(
                    Severity::Warning,
                    &nested,
                    what,
                    "move its folder up, or name it in the manifest's `skills`",
                );
            }
        }
    }
}
