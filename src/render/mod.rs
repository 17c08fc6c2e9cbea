//! Templates with their blanks filled in.
//!
//! A template sees the values it is given and nothing else: no files, no environment, no clock, and a bounded amount of work.
//!
//! To give templates a new function, add it in `environment`.

use anyhow::{Context, Result, anyhow};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Value};

/// The most steps that one template may take; a loop of a hostile plugin ends here.
const FUEL_MAX: u64 = 1_000_000;

/// Returns `template` rendered over `values`; a name that is not among them is an error. `name` is for messages.
pub fn text(name: &str, template: &str, values: &Map<String, Value>) -> Result<String> {
    environment()
        .render_named_str(name, template, Serde(values))
        .map_err(|error| {
            let place = error
                .line()
                .map(|line| format!(", at line {line}"))
                .unwrap_or_default();
            anyhow!(
                "{}{place}",
                error
                    .detail()
                    .map_or_else(|| error.kind().to_string(), str::to_string)
            )
        })
        .with_context(|| format!("cannot render `{name}`"))
}

/// Returns `value` with each string in it rendered over `values`.
pub fn value(name: &str, value: &Value, values: &Map<String, Value>) -> Result<Value> {
    Ok(match value {
        Value::String(template) => Value::String(text(name, template, values)?),
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| self::value(name, item, values))
                .collect::<Result<_>>()?,
        ),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, field)| Ok((key.clone(), self::value(name, field, values)?)))
                .collect::<Result<_>>()?,
        ),
        plain => plain.clone(),
    })
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    environment.set_syntax(syntax.expect("only delimiters can be refused"));
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(FUEL_MAX));
    environment
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(template: &str, expected: &str) {
        let Value::Object(values) =
            json!({"package": "app", "redis": null, "app": {"main": "src/app/main.py"}})
        else {
            unreachable!()
        };
        let said = text("t", template, &values).unwrap_or_else(|error| format!("{error:#}"));
        assert!(said.contains(expected), "{template:?} gave {said:?}");
    }

    #[test]
    fn blanks_are_filled_and_unknown_names_refused() {
        check("src/{{ package }}/x.py\n", "src/app/x.py\n");
        check("{{ app.main }}", "src/app/main.py");
        check("a\n{% if redis %}\nb\n{% endif %}\nc\n", "a\nc\n");
        check("<{{ missing }}>", "cannot render `t`");
        check("{{ package", "cannot render `t`");
        check(
            "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}",
            "cannot render",
        );
    }
}
