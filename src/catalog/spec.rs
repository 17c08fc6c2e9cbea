//! The one file of ours in a plugin, `orchestrate.yaml`.

use anyhow::{Result, anyhow, bail, ensure};

use crate::model::{PluginId, PluginSpec, SCHEMA};
use crate::yaml;

/// The file's name.
pub const FILE: &str = "orchestrate.yaml";

/// Reads the file; what it lacks or gets wrong is an error.
pub fn read(id: &PluginId, bytes: &[u8]) -> Result<PluginSpec> {
    let spec: PluginSpec = yaml::parse(&format!("orchestrate.yaml of {id}"), bytes)?;
    if spec.schema != SCHEMA {
        bail!(
            "`orchestrate.yaml` of `{id}` has schema {}, and this orchestrate reads {SCHEMA}",
            spec.schema
        );
    }
    ensure!(
        !spec.checks.is_empty(),
        "`orchestrate.yaml` of `{id}` has no `checks`: a step without one is never done"
    );
    for check in &spec.checks {
        check.kind()?;
    }
    for remedy in &spec.remedies {
        remedy.repair()?;
        regex::Regex::new(&remedy.when).map_err(|error| {
            anyhow!(
                "remedy `{}` has a `when` that is no regular expression: {error}",
                remedy.id
            )
        })?;
    }
    for (name, input) in &spec.inputs {
        if let Some(note) = &input.note {
            regex::Regex::new(note).map_err(|error| {
                anyhow!("input `{name}` has a `note` that is no regular expression: {error}")
            })?;
        }
    }
    Ok(spec)
}
