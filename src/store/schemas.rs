//! JSON Schemas of our files, for editors: generated from the types, and kept in `templates/schemas`.

use std::path::PathBuf;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use super::{Config, Lock};
use crate::model::{Approval, Domain, Evidence, Pattern, Plan, PluginSpec};
use crate::yaml;

/// Returns the schema of `T`, the contents of `<name>.schema.json`.
fn schema<T: JsonSchema>(name: &str, title: &str) -> (String, Value) {
    // Editors know draft 7 best.
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    schema.insert("title".to_string(), title.into());
    (format!("{name}.schema.json"), schema.to_value())
}

fn all() -> Vec<(String, Value)> {
    vec![
        schema::<Plan>(
            "plan",
            "A plan of orchestrate: .orchestrate/plans/*/plan.yaml",
        ),
        schema::<Approval>(
            "approval",
            "An approval: .orchestrate/plans/*/approval.yaml",
        ),
        schema::<Pattern>("pattern", "A pattern: .orchestrate/patterns/*/pattern.yaml"),
        schema::<Evidence>(
            "evidence",
            "Evidence: .orchestrate/patterns/*/evidence/*.yaml",
        ),
        schema::<Config>(
            "config",
            "Settings of orchestrate: .orchestrate/config.yaml",
        ),
        schema::<Lock>("lock", "A lock: .orchestrate/lock/*.yaml"),
        schema::<Domain>(
            "taxonomy",
            "A part of the taxonomy: .orchestrate/taxonomy/*.yaml",
        ),
        schema::<PluginSpec>(
            "orchestrate",
            "What a plugin does for orchestrate: orchestrate.yaml",
        ),
    ]
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `UPDATE=1 cargo test --lib schemas` writes them anew.
#[test]
fn the_schemas_are_those_of_the_types() {
    let folder = root().join("templates/schemas");
    for (name, schema) in all() {
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        let file = folder.join(&name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "{name}");
    }
    let written = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(written, all().len(), "there is a schema of no type");
}

/// Follows the schema through a file of ours: each field is known, and every one that has to be there is.
fn fits(schema: &Value, root: &Value, value: &Value, place: &str) {
    let schema = match schema["$ref"].as_str() {
        Some(name) => root.pointer(&name[1..]).unwrap(),
        None => schema,
    };
    if let Some(one) = ["anyOf", "allOf"].iter().find_map(|all| schema[all].get(0)) {
        return fits(one, root, value, place);
    }
    let Value::Object(fields) = value else {
        for item in value.as_array().into_iter().flatten() {
            fits(&schema["items"], root, item, place);
        }
        return;
    };
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(
            fields.contains_key(required.as_str().unwrap()),
            "{place}: {required}"
        );
    }
    for (name, value) in fields {
        let place = format!("{place}.{name}");
        let known = [&schema["properties"][name], &schema["additionalProperties"]];
        let known = known
            .into_iter()
            .find(|known| known.is_object() || **known == Value::Bool(true));
        if schema["additionalProperties"] == Value::Bool(false) || known.is_some() {
            fits(
                known.unwrap_or_else(|| panic!("{place} is unknown")),
                root,
                value,
                &place,
            );
        }
    }
}

#[test]
fn files_of_ours_fit_their_schemas() {
    let schemas = all();
    let schema = |name: &str| {
        &schemas
            .iter()
            .find(|(known, _)| known.starts_with(name))
            .unwrap()
            .1
    };
    for name in ["plan", "approval", "pattern", "evidence", "config", "lock"] {
        let file = root().join(format!("tests/formats/v1/{name}.yaml"));
        let value: Value = yaml::parse(name, &std::fs::read(file).unwrap()).unwrap();
        fits(schema(name), schema(name), &value, name);
    }
    for plugin in std::fs::read_dir(root().join("templates/plugins")).unwrap() {
        let file = plugin.unwrap().path().join("orchestrate.yaml");
        let Ok(text) = std::fs::read(&file) else {
            continue;
        };
        let name = file.display().to_string();
        let value: Value = yaml::parse(&name, &text).unwrap();
        fits(schema("orchestrate"), schema("orchestrate"), &value, &name);
    }
}
