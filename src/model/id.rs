//! Names: each kind of thing has a type of its own, so that one is never taken for another.

use std::fmt;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $length_max:literal, $extra:literal) => {
        $(#[$doc])*
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = anyhow::Error;

            fn try_from(text: String) -> Result<$name> {
                well_formed(&text, $what, $length_max, $extra)?;
                Ok($name(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = anyhow::Error;

            fn from_str(text: &str) -> Result<$name> {
                $name::try_from(text.to_string())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// The name of a step in its plan, such as `add-cache`.
    StepId, "step", 64, ""
);
id!(
    /// The name of a plan and of its folder, such as `2026-11-22-rest-api-jwt-redis-7f3a`.
    PlanId, "plan", 100, ""
);
id!(
    /// The name of a run and of its branch: its plan's, a dot, and four letters.
    RunId, "run", 120, "."
);
id!(
    /// The name of a pattern and of its folder, such as `rest-api-jwt-redis`.
    PatternId, "pattern", 80, ""
);
id!(
    /// A word of our taxonomy, such as `auth.jwt`: its family, a dot, and the kind.
    Capability, "capability", 64, "."
);

impl RunId {
    /// Returns the plan that this is a run of.
    pub fn plan(&self) -> &str {
        self.0
            .rsplit_once('.')
            .map_or(self.0.as_str(), |(plan, _)| plan)
    }

    /// Returns the branch that the run lives on.
    pub fn branch(&self) -> String {
        format!("orchestrate/{}", self.0)
    }
}

impl Capability {
    /// Returns the part before the first dot, which it shares with its near kinds.
    pub fn family(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }
}

fn well_formed(text: &str, what: &str, length_max: usize, extra: &str) -> Result<()> {
    let allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || extra.contains(c);
    ensure!(
        !text.is_empty() && text.len() <= length_max,
        "the name of a {what} has 1 to {length_max} characters, and `{}` has {}",
        text.chars()
            .take(length_max)
            .collect::<String>()
            .escape_debug(),
        text.chars().count()
    );
    ensure!(
        text.chars().all(allowed)
            && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && !text.contains("..")
            && !text.ends_with(['.', '-']),
        "`{}` is not the name of a {what}: it is written with small letters, digits{} and `-`",
        text.escape_debug(),
        if extra.is_empty() { "" } else { ", `.`" }
    );
    Ok(())
}

/// A plugin's full name, `name@marketplace`; some catalogues put slashes into the name.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginId {
    pub name: String,
    pub marketplace: String,
}

impl TryFrom<String> for PluginId {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<PluginId> {
        let word = |part: &str| {
            part.len() <= 200
                && !part.contains("..")
                && part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        match text.split_once('@') {
            Some((name, marketplace)) if name.split('/').all(word) && word(marketplace) => {
                Ok(PluginId {
                    name: name.to_string(),
                    marketplace: marketplace.to_string(),
                })
            }
            _ => {
                // A letter of another script is made to be taken for one of ours.
                let stranger = text.chars().find(|c| !c.is_ascii());
                let stranger = stranger.map_or(String::new(), |c| {
                    format!(", and U+{:04X} is not an ASCII letter", u32::from(c))
                });
                anyhow::bail!(
                    "`{}` is not the name of a plugin: it is written `name@marketplace`{stranger}",
                    text.escape_debug()
                )
            }
        }
    }
}

impl From<PluginId> for String {
    fn from(id: PluginId) -> String {
        id.to_string()
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.marketplace)
    }
}

/// What some bytes are, told by their SHA-256: `sha256:` and 64 hexadecimal digits.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// Returns the digest for the 64 digits of a SHA-256.
    pub fn from_hex(hex: &str) -> Result<Digest> {
        Digest::try_from(format!("sha256:{hex}"))
    }

    /// Returns the first `length` digits.
    pub fn short(&self, length: usize) -> &str {
        &self.0["sha256:".len()..][..length]
    }

    /// Says whether it stands for one that is still to be filled in: all of its digits are 0.
    pub fn is_blank(&self) -> bool {
        self.0["sha256:".len()..].bytes().all(|digit| digit == b'0')
    }

    /// Returns the whole digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Digest {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Digest> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        ensure!(
            hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
            "`{}` is not a digest: it is written `sha256:` and 64 hexadecimal digits",
            text.escape_debug()
        );
        Ok(Digest(text))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_paths_or_options_are_refused() {
        for bad in [
            "",
            "-x",
            "a/b",
            "..",
            "a..b",
            "A",
            "a b",
            "é",
            "a.",
            "a\n",
            &"a".repeat(200),
        ] {
            assert!(bad.parse::<RunId>().is_err(), "{bad:?}");
            assert!(bad.parse::<StepId>().is_err(), "{bad:?}");
        }
        assert!("a.b".parse::<StepId>().is_err());
        assert!(PluginId::try_from("a@b/c".to_string()).is_err());
        let said = PluginId::try_from("f\u{430}st@b".to_string()).unwrap_err();
        assert!(said.to_string().contains("U+0430"), "{said}");
        assert!(PluginId::try_from("..@b".to_string()).is_err());
    }

    #[test]
    fn a_run_knows_its_plan_and_branch() {
        let run: RunId = "2026-11-22-rest-api-7f3a.k3m9".parse().unwrap();
        assert_eq!(run.plan(), "2026-11-22-rest-api-7f3a");
        assert_eq!(run.branch(), "orchestrate/2026-11-22-rest-api-7f3a.k3m9");
    }
}
