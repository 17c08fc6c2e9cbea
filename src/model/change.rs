//! What changed in what a plugin can do.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Component, Plugin, first_line, visible};

/// How many characters of a description are shown.
const SHOWN_MAX: usize = 100;

/// One difference between two versions of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub sign: Sign,
    /// `plugin`, `skill`, `command`, `agent`, `hook`, `mcp server`, `payload`, `version` or another kind of component.
    pub what: String,
    pub name: String,
    /// What it is or does, or what about it changed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Which way a difference goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    Added,
    Removed,
    Changed,
}

impl Sign {
    /// Returns the mark of a line in a diff.
    pub fn mark(self) -> char {
        match self {
            Sign::Added => '+',
            Sign::Removed => '-',
            Sign::Changed => '~',
        }
    }
}

impl Change {
    /// Returns the difference as a line of a diff: `+ hook PreToolUse: ./check.sh`.
    pub fn line(&self) -> String {
        let detail = match self.detail.as_str() {
            "" => String::new(),
            detail => format!(": {}", visible(detail)),
        };
        format!(
            "{} {} {}{detail}",
            self.sign.mark(),
            self.what,
            visible(&self.name)
        )
    }
}

/// Returns what changed from `old` to `new`, what a plugin runs first.
pub fn changes(old: &Plugin, new: &Plugin) -> Vec<Change> {
    let mut changes = Vec::new();
    for (what, list) in ABILITIES {
        compare(what, &list(old), &list(new), &mut changes);
    }
    if old.version != new.version {
        changes.push(Change {
            sign: Sign::Changed,
            what: "version".into(),
            name: new.version.clone(),
            detail: format!("was {}", old.version),
        });
    }
    changes
}

/// What a plugin has of one kind, each by its name, with what tells two versions of it apart and what is shown of it.
type Abilities = BTreeMap<String, (String, String)>;

/// A kind of ability by its name, and how those of a plugin are found.
type Kind = (&'static str, fn(&Plugin) -> Abilities);

/// What runs by itself comes first.
const ABILITIES: [Kind; 7] = [
    ("hook", |plugin| {
        let hooks = plugin.components.hooks.iter();
        let named = hooks.map(|hook| {
            let name = match hook.matcher.as_str() {
                "" => format!("{} {}", hook.event, hook.what),
                matcher => format!("{}({matcher}) {}", hook.event, hook.what),
            };
            (name, (hook.kind.clone(), String::new()))
        });
        named.collect()
    }),
    ("mcp server", |plugin| {
        let servers = plugin.components.mcp_servers.iter();
        let named = servers.map(|server| {
            let what = match server.url.as_str() {
                "" => server.argv.join(" "),
                url => url.to_string(),
            };
            let key = format!("{what} {:?}", server.environment);
            (server.name.clone(), (key, what))
        });
        named.collect()
    }),
    ("payload", |plugin| {
        let payloads = plugin.payloads.iter();
        let named = payloads.map(|payload| {
            let pinned = if payload.pinned {
                "pinned"
            } else {
                "not pinned"
            };
            let name = format!("{} {}", payload.by, payload.what);
            (name, (pinned.to_string(), pinned.to_string()))
        });
        named.collect()
    }),
    ("command", |plugin| {
        instructions(&plugin.components.commands)
    }),
    ("agent", |plugin| instructions(&plugin.components.agents)),
    ("skill", |plugin| instructions(&plugin.components.skills)),
    ("component", |plugin| {
        let others = plugin.components.others.iter();
        others
            .map(|other| (other.clone(), (String::new(), String::new())))
            .collect()
    }),
];

fn instructions(components: &[Component]) -> Abilities {
    let named = components.iter().map(|component| {
        let key = format!("{} {:?}", component.digest, component.tools);
        (component.name.clone(), (key, component.description.clone()))
    });
    named.collect()
}

fn compare(what: &str, old: &Abilities, new: &Abilities, changes: &mut Vec<Change>) {
    let change = |sign, name: &String, detail: &str| Change {
        sign,
        what: what.to_string(),
        name: name.clone(),
        detail: first_line(detail, SHOWN_MAX),
    };
    for (name, (key, shown)) in new {
        match old.get(name) {
            None => changes.push(change(Sign::Added, name, shown)),
            Some((before, _)) if before != key && what == "mcp server" => {
                changes.push(change(Sign::Changed, name, &format!("now {shown}")));
            }
            Some((before, _)) if before != key => {
                changes.push(change(Sign::Changed, name, "instructions changed"));
            }
            Some(_) => {}
        }
    }
    for (name, (_, shown)) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        changes.push(change(Sign::Removed, name, shown));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Components, Hook, McpServer, Place};

    fn plugin(components: Components) -> Plugin {
        Plugin {
            id: "p@m".to_string().try_into().unwrap(),
            namespace: "p".into(),
            version: "1".into(),
            description: String::new(),
            keywords: Vec::new(),
            category: String::new(),
            place: Place::Inside(String::new()),
            components,
            payloads: Vec::new(),
            spec: None,
            oddities: Vec::new(),
        }
    }

    fn skill(digest: &str) -> Component {
        Component {
            name: "review".into(),
            file: "skills/review/SKILL.md".into(),
            description: "Reviews".into(),
            digest: digest.into(),
            tools: Vec::new(),
        }
    }

    fn lines(old: Components, new: Components) -> Vec<String> {
        let changes = changes(&plugin(old), &plugin(new));
        changes.iter().map(Change::line).collect()
    }

    #[test]
    fn what_runs_by_itself_comes_first() {
        let old = Components {
            skills: vec![skill("a")],
            ..Components::default()
        };
        let new = Components {
            skills: vec![skill("b")],
            hooks: vec![Hook {
                event: "PreToolUse".into(),
                matcher: "Bash".into(),
                kind: "command".into(),
                what: "./check.sh".into(),
            }],
            mcp_servers: vec![McpServer {
                name: "db".into(),
                argv: vec!["npx".into(), "db@latest".into()],
                url: String::new(),
                environment: Vec::new(),
            }],
            ..Components::default()
        };
        let expected = [
            "+ hook PreToolUse(Bash) ./check.sh",
            "+ mcp server db: npx db@latest",
            "~ skill review: instructions changed",
        ];
        assert_eq!(lines(old.clone(), new.clone()), expected);
        assert_eq!(lines(new.clone(), new.clone()), Vec::<String>::new());
        assert_eq!(lines(new, old)[1], "- mcp server db: npx db@latest");
    }
}
