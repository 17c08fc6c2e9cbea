//! What the person asked: a sentence, and constraints in brackets.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Hint, invisible};

/// A task: the sentence without its brackets, and what the brackets ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub text: String,
    pub constraints: Constraints,
}

/// What a person asks of the plan besides the task.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Constraints {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefer: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_time_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How much the checks ask for.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quality {
    /// The checks of the plugins.
    Standard,
    /// The same, and every step's checks also run once more at the end.
    ProductionReady,
}

impl Constraints {
    /// Says whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Constraints::default()
    }
}

/// The most characters that a task with its constraints may have.
const LENGTH_MAX: usize = 4000;

const KEYS: &str = "prefer, avoid, max-time, quality, domain, note";

impl Task {
    /// Returns the task in `text`; errors point at the column, counted in characters from 1.
    pub fn parse(text: &str) -> Result<Task> {
        if text.chars().count() > LENGTH_MAX {
            bail!(
                "the task has {} characters, and at most {LENGTH_MAX} are read",
                text.chars().count()
            );
        }
        let hidden = |(_, c): &(usize, char)| invisible(*c) && !c.is_whitespace();
        if let Some((column, bad)) = text.chars().enumerate().find(hidden) {
            return Err(fault(
                text,
                column + 1,
                &format!("the character U+{:04X} does not show", bad as u32),
            ));
        }
        let mut constraints = Constraints::default();
        let mut sentence = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('[') {
            sentence.push_str(&rest[..start]);
            let inside = &rest[start + 1..];
            let column = column_of(text, inside) - 1;
            let Some(end) = inside
                .find([']', '['])
                .filter(|&end| inside[end..].starts_with(']'))
            else {
                return Err(fault(text, column, "this `[` has no `]`"))
                    .hint("a constraint is written `[prefer: fastapi, jwt]`");
            };
            constraint(text, &inside[..end], &mut constraints)?;
            rest = &inside[end + 1..];
        }
        sentence.push_str(rest);
        if let Some(end) = sentence.find(']') {
            return Err(fault(
                text,
                column_of_stray(text),
                "this `]` has no `[` before it",
            ))
            .hint(format!(
                "a constraint is written `[prefer: ..]`, after: {}",
                &sentence[..end]
            ));
        }
        let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        if sentence.is_empty() {
            return Err(anyhow::anyhow!("the task is empty")).hint(
                "orchestrate \"Build a REST API with JWT authentication and Redis caching\"",
            );
        }
        let both = constraints
            .prefer
            .iter()
            .find(|word| constraints.avoid.contains(word));
        if let Some(word) = both {
            bail!("`{word}` is both preferred and to be avoided");
        }
        Ok(Task {
            text: sentence,
            constraints,
        })
    }
}

fn constraint(text: &str, inside: &str, constraints: &mut Constraints) -> Result<()> {
    let column = column_of(text, inside);
    let Some((key, value)) = inside.split_once(':') else {
        return Err(fault(text, column, &format!("`[{inside}]` has no `:`")))
            .hint(format!("the constraints are: {KEYS}"));
    };
    let value_column =
        column_of(text, value) + value.chars().take_while(|c| c.is_whitespace()).count();
    let value = value.trim();
    if value.is_empty() {
        return Err(fault(
            text,
            value_column,
            &format!("`{}` has no value", key.trim()),
        ))
        .hint("a constraint is written `[prefer: fastapi, jwt]`");
    }
    let at_value = |message: String| fault(text, value_column, &message);
    let once = |set: bool| match set {
        true => Err(fault(
            text,
            column,
            &format!("`{}` is given twice", key.trim()),
        )),
        false => Ok(()),
    };
    match key.trim() {
        "prefer" => constraints.prefer.extend(words(value).map_err(at_value)?),
        "avoid" => constraints.avoid.extend(words(value).map_err(at_value)?),
        "note" => constraints.notes.push(value.to_string()),
        "max-time" => {
            once(constraints.max_time_s.is_some())?;
            let seconds =
                seconds(value).ok_or_else(|| at_value(format!("`{value}` is not a time")));
            constraints.max_time_s =
                Some(seconds.hint("a time is written `90s`, `10min` or `2h`")?);
        }
        "quality" => {
            once(constraints.quality.is_some())?;
            constraints.quality = Some(match value {
                "standard" => Quality::Standard,
                "production-ready" => Quality::ProductionReady,
                _ => {
                    return Err(at_value(format!("there is no quality `{value}`")))
                        .hint("the qualities are: standard, production-ready");
                }
            });
        }
        "domain" => {
            once(constraints.domain.is_some())?;
            constraints.domain = Some(value.to_ascii_lowercase());
        }
        unknown => {
            let near = KEYS.split(", ").max_by(|a, b| {
                strsim::jaro_winkler(a, unknown).total_cmp(&strsim::jaro_winkler(b, unknown))
            });
            return Err(fault(
                text,
                column,
                &format!("there is no constraint `{unknown}`"),
            ))
            .hint(format!(
                "did you mean `{}`? the constraints are: {KEYS}",
                near.unwrap_or("prefer")
            ));
        }
    }
    Ok(())
}

fn words(value: &str) -> Result<Vec<String>, String> {
    let words: Vec<String> = value
        .split(',')
        .map(|word| word.trim().to_lowercase())
        .collect();
    match words.iter().any(|word| word.is_empty()) {
        true => Err(format!("`{value}` has an empty word between its commas")),
        false => Ok(words),
    }
}

fn seconds(value: &str) -> Option<u64> {
    let digits = value.chars().take_while(|c| c.is_ascii_digit()).count();
    let number: u64 = value[..digits].parse().ok()?;
    let unit = match value[digits..].trim() {
        "s" | "sec" | "seconds" => 1,
        "m" | "min" | "minutes" => 60,
        "h" | "hours" | "hour" => 3600,
        _ => return None,
    };
    number
        .checked_mul(unit)
        .filter(|&seconds| seconds > 0 && seconds <= 30 * 24 * 3600)
}

/// Returns the column, in characters from 1, at which `part` (a slice of `text`) starts.
fn column_of(text: &str, part: &str) -> usize {
    let offset = part.as_ptr() as usize - text.as_ptr() as usize;
    text[..offset].chars().count() + 1
}

fn column_of_stray(text: &str) -> usize {
    let mut open = 0;
    for (column, character) in text.chars().enumerate() {
        match character {
            '[' => open += 1,
            ']' if open == 0 => return column + 1,
            ']' => open -= 1,
            _ => {}
        }
    }
    1
}

fn fault(text: &str, column: usize, message: &str) -> anyhow::Error {
    let text = text.replace(|c: char| c.is_control() || invisible(c), " ");
    anyhow::anyhow!(
        "{message}, at column {column}\n  {text}\n  {}^",
        " ".repeat(column - 1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let said = match Task::parse(text) {
            Ok(task) => format!("{} | {:?}", task.text, task.constraints),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(expected), "{text:?} gave {said}");
    }

    #[test]
    fn constraints_are_read_and_taken_out_of_the_sentence() {
        check("Build API [prefer: FastAPI, jwt] now", "Build API now | ");
        check("x [prefer: FastAPI, jwt]", "prefer: [\"fastapi\", \"jwt\"]");
        check("x [max-time: 10min]", "max_time_s: Some(600)");
        check("x [quality: production-ready]", "Some(ProductionReady)");
        check(
            "x [note: Redis now on port 6380]",
            "notes: [\"Redis now on port 6380\"]",
        );
        check(
            "ETL pipeline: CSV → transform [domain: devops]",
            "domain: Some(\"devops\")",
        );
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        check("", "the task is empty");
        check(" [prefer: a]", "the task is empty");
        check("x [prefer fastapi]", "has no `:`, at column 4");
        check("x [avoid: a", "this `[` has no `]`, at column 3");
        check("é [preffer: a]", "no constraint `preffer`, at column 4");
        check("x [max-time: soon]", "`soon` is not a time, at column 14");
        check(
            "x [prefer: a,,b]",
            "empty word between its commas, at column 12",
        );
        check("x [quality: best]", "no quality `best`, at column 13");
        check("x a] b", "has no `[` before it, at column 4");
        check("x [domain: a] [domain: b]", "given twice, at column 16");
        check("x [prefer:]", "has no value");
    }

    proptest::proptest! {
        #[test]
        fn no_sentence_makes_it_panic(text in "[a-z\\[\\]:, é\\n]{0,40}") {
            let _ = Task::parse(&text);
        }
    }
}
