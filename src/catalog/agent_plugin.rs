//! Agent Plugins 1.0: the manifest `plugin.json` that several vendors agreed on, told by its `$schema`.

use serde_json::Value;

use super::plugin::{Manifest, Reading};
use crate::model::{Oddity, Severity};

const SCHEMAS: &str = "https://agent-plugins.org/schemas/";
const SCHEMA: &str = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json";

/// The keys that the standard knows; others are reported and ignored.
const TEXTS: [&str; 7] = [
    "$schema",
    "name",
    "version",
    "description",
    "homepage",
    "repository",
    "license",
];

/// Reports what the standard says of the manifest; what makes it refuse the plugin is an error.
pub fn check(reading: &mut Reading<'_>, manifest: &Manifest) -> Result<(), Vec<Oddity>> {
    let value = &manifest.document.value;
    let schema = value
        .get("$schema")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !schema.starts_with(SCHEMAS) {
        return Ok(());
    }
    let oddity = |severity, field: &str, what: String| {
        let line = manifest.document.line(&format!("/{field}"));
        Oddity::of_file(severity, &manifest.file, what).at(line, field)
    };
    let refused = |field: &str, what: String| {
        let hint = "the standard Agent Plugins 1.0 refuses the plugin for it";
        Err(vec![oddity(Severity::Error, field, what).hint(hint)])
    };
    if schema != SCHEMA {
        return refused(
            "$schema",
            format!("`{}` is a version that is not known", schema.escape_debug()),
        );
    }
    let name = value
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !is_name(name) {
        return refused(
            "name",
            format!(
                "`{}` is no name: `a-z`, `0-9`, `.` and `-` are",
                name.escape_debug()
            ),
        );
    }
    for (field, value) in value.as_object().into_iter().flatten() {
        let known = match field.as_str() {
            "author" => value.is_object(),
            "keywords" => value
                .as_array()
                .is_some_and(|words| words.iter().all(Value::is_string)),
            "extensions" if value.is_object() => true,
            field if TEXTS.contains(&field) => value.is_string(),
            _ => {
                let what = format!(
                    "the standard has no such `{}`, and it is ignored",
                    field.escape_debug()
                );
                reading.oddities.push(oddity(Severity::Note, field, what));
                true
            }
        };
        if !known {
            return refused(
                field,
                format!("`{field}` is of another type than the standard's"),
            );
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=64).contains(&name.len())
        && name.chars().all(|c| plain(c) || matches!(c, '.' | '-'))
        && name.starts_with(plain)
        && name.ends_with(plain)
        && !name.contains("--")
        && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::fixture::tree;
    use crate::catalog::plugin::find;

    #[track_caller]
    fn verdict(manifest: &str) -> Result<usize, String> {
        let manifest = manifest.replace("SCHEMA", SCHEMA);
        let (_folder, tree) = tree(&[("plugin.json", &manifest)]);
        let mut reading = Reading::new(Some(&tree));
        match check(
            &mut reading,
            &find(&tree, &["plugin.json"]).unwrap().unwrap(),
        ) {
            Ok(()) => Ok(reading.oddities.len()),
            Err(oddities) => Err(oddities[0].field.clone()),
        }
    }

    #[test]
    fn only_unknown_keys_are_survived() {
        assert_eq!(verdict(r#"{"name": 3}"#), Ok(0));
        assert_eq!(
            verdict(r#"{"$schema": "SCHEMA", "name": "a.b-c", "x": 1, "extensions": 3}"#),
            Ok(2)
        );
        for (manifest, field) in [
            (r#"{"$schema": "SCHEMA", "name": "A"}"#, "name"),
            (r#"{"$schema": "SCHEMA", "name": "a--b"}"#, "name"),
            (
                r#"{"$schema": "SCHEMA", "name": "a", "author": "me"}"#,
                "author",
            ),
            (
                r#"{"$schema": "SCHEMA", "name": "a", "keywords": [1]}"#,
                "keywords",
            ),
            (
                r#"{"$schema": "https://agent-plugins.org/schemas/9/x", "name": "a"}"#,
                "$schema",
            ),
        ] {
            assert_eq!(verdict(manifest), Err(field.to_string()), "{manifest}");
        }
    }
}
