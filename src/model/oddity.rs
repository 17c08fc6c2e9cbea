//! Something in a marketplace that is not as it should be, and that is survived.

use serde::{Deserialize, Serialize};

use super::{Hinted, Kinded};

/// What is odd, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oddity {
    pub severity: Severity,
    /// A path from the root of what was read: of the marketplace for its entries, of the plugin for its files.
    pub file: String,
    /// The first line that is meant, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Where in the file, such as `plugins[3].source`; empty where the whole file is meant.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// What is odd, as a sentence without a dot.
    pub what: String,
    /// What its author can do, as an order; empty where there is nothing to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// It loads, and is not what its author will have meant.
    Warning,
    /// It does not load, or its own tool's validation refuses it.
    Error,
    /// It could do harm: it would run something, or leads out of the marketplace.
    Refused,
}

impl Oddity {
    /// Returns an oddity of a file as a whole.
    pub fn of_file(severity: Severity, file: &str, what: impl Into<String>) -> Oddity {
        Oddity {
            severity,
            file: file.to_string(),
            line: None,
            field: String::new(),
            what: what.into(),
            hint: String::new(),
        }
    }

    /// Returns the oddity that an error is: all that it says, and its first advice.
    pub fn of_error(severity: Severity, file: &str, error: &anyhow::Error) -> Oddity {
        let oddity = Oddity::of_file(severity, file, format!("{error:#}"));
        oddity.hint(advice(error).unwrap_or_default())
    }

    /// Returns the same, at a line and a field of the file.
    pub fn at(mut self, line: Option<u32>, field: impl Into<String>) -> Oddity {
        self.line = line;
        self.field = field.into();
        self
    }

    /// Returns the same, with what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Oddity {
        self.hint = hint.into();
        self
    }
}

fn advice(error: &anyhow::Error) -> Option<&str> {
    error.chain().find_map(|cause| {
        if let Some(hinted) = cause.downcast_ref::<Hinted>() {
            return Some(hinted.hint.as_str());
        }
        advice(cause.downcast_ref::<Kinded>()?.inner())
    })
}
