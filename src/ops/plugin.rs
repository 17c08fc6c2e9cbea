//! Looking at plugins: finding them by words or by name, and judging a folder of one.

use std::path::Path;

use anyhow::{Context, Result, anyhow};

use super::Catalog;
use super::catalog::CatalogueFinding;
use super::names::Named;
use super::settings::MARKETPLACES;
use crate::catalog;
use crate::model::{Hint, Oddity, Plugin, Severity, Trouble, visible};
use crate::tree::Tree;

/// How plugins go by names.
const PLUGINS: Named = Named {
    noun: "plugin",
    all: "orchestrate plugin list",
    none: "orchestrate plugin search WORDS",
};

/// How many reasons are told why a plugin cannot be loaded.
const REASONS_SHOWN_MAX: usize = 10;

/// Returns the one plugin called `name` or `name@marketplace`.
pub fn one_plugin(catalog: &Catalog, name: &str) -> Result<Plugin> {
    let mut called = catalog.called(name)?;
    match called.len() {
        1 => Ok(called.remove(0)),
        0 => missing(catalog, name),
        _ => {
            let ids: Vec<String> = called.iter().map(|plugin| plugin.id.to_string()).collect();
            Err(anyhow!("`{name}` is in {} marketplaces", ids.len()))
                .kind(Trouble::Request)
                .hint(format!("say which is meant: {}", ids.join(", ")))
        }
    }
}

/// Says why there is no plugin called `name` or `name@marketplace`.
fn missing(catalog: &Catalog, name: &str) -> Result<Plugin> {
    let (plain, only) = match name.split_once('@') {
        Some((plain, marketplace)) => (plain, Some(marketplace)),
        None => (name, None),
    };
    let mut wanted = catalog
        .marketplaces
        .iter()
        .filter(|marketplace| only.is_none_or(|only| marketplace.known.name == only))
        .peekable();
    if let (None, Some(only)) = (wanted.peek(), only) {
        catalog.of_failed(only)?;
        let names = catalog.marketplaces.iter();
        let names: Vec<String> = names.map(|known| known.known.name.clone()).collect();
        return MARKETPLACES.missing(only, &names);
    }
    let mut names = Vec::new();
    for marketplace in wanted {
        if let Some(oddities) = marketplace.summary.lost.get(plain) {
            return Err(anyhow!("{}", reasons(oddities)))
                .with_context(|| format!("`{plain}@{}` cannot be loaded", marketplace.known.name))
                .kind(Trouble::Request);
        }
        let full = |name: String| match only {
            Some(only) => format!("{name}@{only}"),
            None => name,
        };
        names.extend(marketplace.names()?.into_iter().map(full));
    }
    if let (Some((failed, _)), None) = (catalog.failures.first(), only) {
        return Err(anyhow!(
            "there is no plugin `{name}` in the marketplaces that can be opened, and `{failed}` cannot"
        ))
        .kind(Trouble::Missing);
    }
    PLUGINS.missing(name, &names)
}

fn reasons(oddities: &[Oddity]) -> String {
    let shown = oddities.iter().take(REASONS_SHOWN_MAX).map(oddity_line);
    let mut lines: Vec<String> = shown.collect();
    let more = oddities.len().saturating_sub(REASONS_SHOWN_MAX);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

/// Returns what is odd about the plugin or the marketplace in a folder, the worst first.
pub fn validate_plugin(folder: &Path) -> Vec<Oddity> {
    let tree = match Tree::folder(folder) {
        Ok(tree) => tree,
        Err(error) => return vec![Oddity::of_error(Severity::Error, "", &error)],
    };
    let mut oddities = catalog::validate(&tree);
    oddities.sort_by_key(|oddity| std::cmp::Reverse(oddity.severity));
    oddities
}

/// Returns an oddity of a catalogue on one line, with the plugin that it costs.
pub fn finding_line(finding: &CatalogueFinding<'_>) -> String {
    line(finding.plugin, finding.oddity)
}

/// Returns the oddity on one line: how bad, where, what, and what to do.
pub fn oddity_line(oddity: &Oddity) -> String {
    line(None, oddity)
}

fn line(plugin: Option<&str>, oddity: &Oddity) -> String {
    let mark = match oddity.severity {
        Severity::Note => "note",
        Severity::Warning => "⚠️",
        Severity::Error | Severity::Refused => "✗",
    };
    let line = oddity
        .line
        .map(|line| format!(":{line}"))
        .unwrap_or_default();
    let field = match oddity.field.as_str() {
        "" => String::new(),
        field => format!(" {field}"),
    };
    let hint = match oddity.hint.as_str() {
        "" => String::new(),
        hint => format!(" ({hint})"),
    };
    let place = format!("{}{line}{field}", oddity.file);
    let place = match place.trim() {
        "" => String::new(),
        place => format!("{place}: "),
    };
    let plugin = plugin
        .map(|plugin| format!("`{plugin}`: "))
        .unwrap_or_default();
    visible(&format!("{mark} {plugin}{place}{}{hint}", oddity.what))
}
