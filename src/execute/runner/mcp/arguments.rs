//! What a tool is called with: filled in from the step's inputs, and held against the schema that the server gives.

use anyhow::{Context, Result, anyhow, bail};
use boon::{CompileError, Compiler, Draft, Schemas, UrlLoader};
use serde_json::{Map, Value};

use crate::workspace::Workspace;

/// The name under which a schema is known while it is looked at; nothing is ever read from there.
const PLACE: &str = "mcp:///input";

/// Returns the arguments with inputs and folders in their places.
pub fn filled(arguments: &Map<String, Value>, workspace: &Workspace) -> Result<Map<String, Value>> {
    arguments
        .iter()
        .map(|(name, value)| Ok((name.clone(), fill(value, workspace)?)))
        .collect()
}

fn fill(value: &Value, workspace: &Workspace) -> Result<Value> {
    Ok(match value {
        Value::String(text) => {
            let name = text
                .strip_prefix("${input:")
                .and_then(|rest| rest.strip_suffix('}'));
            match name {
                Some(name) => {
                    let given = workspace.values.get(name).filter(|value| !value.is_null());
                    given
                        .with_context(|| format!("nothing gives the input `{name}`"))?
                        .clone()
                }
                None => {
                    let worktree = workspace.directory.display().to_string();
                    Value::String(workspace.fill(text).replace("${worktree}", &worktree))
                }
            }
        }
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| fill(item, workspace))
                .collect::<Result<_>>()?,
        ),
        Value::Object(fields) => Value::Object(filled(fields, workspace)?),
        plain => plain.clone(),
    })
}

/// Says what of the arguments does not fit the schema, which a stranger wrote: it is compiled without reading anything else.
pub fn fit(schema: &Map<String, Value>, arguments: &Map<String, Value>) -> Result<()> {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.use_loader(Box::new(Nothing));
    let (mut schemas, schema) = (Schemas::new(), Value::Object(schema.clone()));
    let no_schema = |error: CompileError| anyhow!("the tool's input schema is none: {error}");
    compiler.add_resource(PLACE, schema).map_err(no_schema)?;
    let compiled = compiler.compile(PLACE, &mut schemas).map_err(no_schema)?;
    let arguments = Value::Object(arguments.clone());
    schemas
        .validate(&arguments, compiled)
        .map_err(|error| anyhow!("{}", said(&error)))
}

/// Returns the first thing that really does not fit, and where.
fn said(error: &boon::ValidationError<'_, '_>) -> String {
    let mut inner = error;
    while let Some(first) = inner.causes.first() {
        inner = first;
    }
    format!("arguments{}: {}", inner.instance_location, inner.kind)
}

/// A schema that names another one gets nothing.
struct Nothing;

impl UrlLoader for Nothing {
    fn load(&self, url: &str) -> std::result::Result<Value, Box<dyn std::error::Error>> {
        let refuse = || -> Result<Value> { bail!("`{url}` is not read") };
        Ok(refuse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(schema: Value, arguments: Value, expected: &str) {
        let object = |value: Value| value.as_object().unwrap().clone();
        let found = match fit(&object(schema), &object(arguments)) {
            Ok(()) => "fits".to_string(),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected), "{found}");
    }

    #[test]
    fn arguments_are_held_against_the_schema() {
        let schema = || {
            json!({"type": "object", "required": ["a"], "additionalProperties": false,
                "properties": {"a": {"type": "number", "maximum": 3}, "b": {"$ref": "#/$defs/word"}}, "$defs": {"word": {"enum": ["x"]}}})
        };
        check(schema(), json!({"a": 1, "b": "x"}), "fits");
        check(
            schema(),
            json!({"b": "x"}),
            "arguments: missing properties 'a'",
        );
        check(
            schema(),
            json!({"a": "1"}),
            "arguments/a: want number, but got string",
        );
        check(schema(), json!({"a": 4}), "arguments/a");
        check(schema(), json!({"a": 1, "b": "y"}), "arguments/b");
        check(
            schema(),
            json!({"a": 1, "c": 1}),
            "additionalProperties 'c'",
        );
        let old = json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {"a": {"type": "array", "items": [{"type": "string"}]}}});
        check(old.clone(), json!({"a": ["x", 1]}), "fits");
        check(old, json!({"a": [1]}), "arguments/a/0");
    }

    #[test]
    fn a_schema_reads_nothing_and_never_ends_us() {
        for url in ["file:///etc/passwd", "http://127.0.0.1:1/x", "other.json"] {
            check(
                json!({"properties": {"a": {"$ref": url}}}),
                json!({}),
                "the tool's input schema is none",
            );
        }
        check(
            json!({"type": 7}),
            json!({}),
            "the tool's input schema is none",
        );
        check(json!({"$ref": "#"}), json!({}), "reference cycle");
        check(
            json!({"properties": {"a": {"pattern": "("}}}),
            json!({}),
            "the tool's input schema is none",
        );
    }
}
