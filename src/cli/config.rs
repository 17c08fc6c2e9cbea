//! `orchestrate config`: the settings that hold here, and where each comes from.

use serde_json::json;

use super::Done;
use super::arguments::Arguments;
use super::output::Output;
use crate::ops::{self, Settings};

/// Prints the settings.
pub fn run(arguments: &Arguments, show_origin: bool, output: &Output) -> Done {
    let settings = Settings::find(&arguments.shared.directory)?;
    let mut documents = Vec::new();
    for known in &settings.marketplaces {
        let source = match &known.source {
            Some(source) => source.to_string(),
            None => "in this program".to_string(),
        };
        let origin = settings.origin_words(known.origin);
        let shown = if show_origin {
            format!("{origin}\t")
        } else {
            String::new()
        };
        let revision = ops::shown_revision(&known.lock);
        let pinned = revision
            .as_ref()
            .map(|revision| format!(" (locked at {revision})"));
        output.line(&format!(
            "{shown}marketplaces.{}={source}{}",
            known.name,
            pinned.unwrap_or_default()
        ));
        documents.push(json!({
            "setting": format!("marketplaces.{}", known.name),
            "value": source,
            "origin": origin,
            "locked": revision,
        }));
    }
    output.document(&json!({ "settings": documents }))?;
    Ok(0)
}
