//! A value in a JSON file is what it should be.

use anyhow::Result;
use serde_json::Value;

use super::found;
use crate::model::{Finding, JsonCheck, Outcome};
use crate::workspace::{Workspace, read_plain};

/// Reads the file, relative to the worktree, and looks at the value behind the pointer.
pub fn run(check: &JsonCheck, workspace: &Workspace) -> Result<Finding> {
    let text = match read_plain(&workspace.directory.join(&check.path)) {
        Ok(Some(text)) => text,
        Ok(None) => {
            return Ok(found(
                Outcome::Failed,
                format!("`{}` is not there", check.path),
            ));
        }
        Err(error) => return Ok(found(Outcome::Failed, format!("{error:#}"))),
    };
    Ok(match judge(check, &text) {
        Ok(message) => found(Outcome::Passed, message),
        Err(message) => found(Outcome::Failed, message),
    })
}

fn judge(check: &JsonCheck, text: &[u8]) -> Result<String, String> {
    let (path, pointer) = (&check.path, &check.pointer);
    let document: Value =
        serde_json::from_slice(text).map_err(|error| format!("`{path}` is not JSON: {error}"))?;
    let value = document
        .pointer(pointer)
        .ok_or_else(|| format!("`{path}` has nothing at `{pointer}`"))?;
    if let Some(expected) = &check.equals
        && value != expected
    {
        return Err(format!(
            "`{pointer}` of `{path}` is {value}, and should be {expected}"
        ));
    }
    if let Some(least) = check.at_least {
        let least = least as f64;
        let size = size(value).ok_or_else(|| format!("`{pointer}` of `{path}` has no size"))?;
        if size < least {
            return Err(format!(
                "`{pointer}` of `{path}` is {size}, and should be at least {least}"
            ));
        }
    }
    Ok(format!("`{pointer}` of `{path}` is as it should be"))
}

fn size(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => Some(text.chars().count() as f64),
        Value::Array(items) => Some(items.len() as f64),
        Value::Object(fields) => Some(fields.len() as f64),
        Value::Null | Value::Bool(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(equals: Option<Value>, at_least: Option<u64>, expected: &str) {
        let check = JsonCheck {
            path: "f".into(),
            pointer: "/a".into(),
            equals,
            at_least,
        };
        let said = judge(&check, br#"{"a": [1, 2]}"#).unwrap_or_else(|message| message);
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn values_and_sizes_are_compared() {
        check(Some(json!([1, 2])), None, "as it should be");
        check(Some(json!([1])), None, "should be [1]");
        check(None, Some(2), "as it should be");
        check(None, Some(3), "at least 3");
    }
}
