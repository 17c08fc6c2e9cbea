//! Finding something by its name, or by the beginning or the end of it.

use anyhow::{Result, anyhow};

use crate::model::{Hint, Trouble};

/// How like a name has to be for it to have been meant, from 0 to 1.
const LIKENESS_MIN: f64 = 0.6;

/// A kind of thing that goes by names.
pub struct Named {
    /// The noun: `plan`.
    pub noun: &'static str,
    /// The command that lists all of them.
    pub all: &'static str,
    /// What to do where there are none.
    pub none: &'static str,
}

impl Named {
    /// Returns the one of `known` that is called `name`, else the only one that begins or ends so.
    pub fn find<'a>(&self, name: &str, known: &'a [String]) -> Result<&'a String> {
        if let Some(exact) = known.iter().find(|known| *known == name) {
            return Ok(exact);
        }
        let like = |known: &&String| known.starts_with(name) || known.ends_with(name);
        let matching: Vec<&String> = match name {
            "" => Vec::new(),
            _ => known.iter().filter(like).collect(),
        };
        match matching.as_slice() {
            [one] => Ok(one),
            [] => self.missing(name, known),
            several => {
                let several: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
                Err(anyhow!("`{name}` could be any of: {}", several.join(", ")))
                    .kind(Trouble::Request)
            }
        }
    }

    /// Says that there is none called `name`, and which of `known` may have been meant.
    pub fn missing<T>(&self, name: &str, known: &[String]) -> Result<T> {
        let likeness = |known: &String| strsim::jaro_winkler(known, name);
        let near = known
            .iter()
            .filter(|known| likeness(known) >= LIKENESS_MIN)
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`? all {}s: `{}`", self.noun, self.all),
            None if known.is_empty() => self.none.to_string(),
            None => format!("all {}s: `{}`", self.noun, self.all),
        };
        Err(anyhow!("there is no {} `{name}`", self.noun))
            .kind(Trouble::Request)
            .hint(hint)
    }
}
