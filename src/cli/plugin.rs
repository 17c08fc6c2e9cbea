//! `orchestrate plugin list|search|show|validate`: what the plugins are and can do.

use std::path::Path;

use serde_json::{Value, json};

use super::arguments::{Arguments, PluginCommand};
use super::output::Output;
use super::terminal::Terminal;
use super::{Done, failure};
use crate::model::{self, Component, Oddity, Place, Plugin, Severity, counted, visible};
use crate::ops::{
    self, Catalog, CatalogOptions, CatalogueFinding, Explanation, Found, Marketplace, Search,
    Settings, Stop,
};

/// How many characters of a description are shown in a list.
const LINE_MAX: usize = 160;

/// Does what the subcommand says.
pub fn run(arguments: &Arguments, command: &PluginCommand, output: &Output, stop: &Stop) -> Done {
    if let PluginCommand::Validate { path } = command {
        let directory = &arguments.shared.directory;
        return match directory == Path::new(".") {
            true => validate(path, output),
            false => validate(&directory.join(path), output),
        };
    }
    let settings = Settings::find(&arguments.shared.directory)?;
    let options = CatalogOptions {
        offline: arguments.shared.offline,
        refresh: false,
    };
    let mut terminal = Terminal::new(output, &stop.cancel);
    if let PluginCommand::Search { words, limit } = command {
        let words = words.join(" ");
        let search = ops::search(&settings, options, &words, *limit, &mut terminal)?;
        return found(&search, &words, output);
    }
    let catalog = Catalog::open(&settings, options, &mut terminal)?;
    for (_, error) in &catalog.failures {
        failure::warn(output, error);
    }
    match command {
        PluginCommand::List { marketplace } => {
            list(&settings, &catalog, marketplace.as_deref(), output)
        }
        PluginCommand::Show { plugin, fetch } => {
            let asked = plugin.split('@').next().unwrap_or_default();
            let mut plugin = ops::one_plugin(&catalog, plugin)?;
            if asked != plugin.id.name {
                output.progress(&format!("`{asked}` is called `{}` by now", plugin.id.name));
            }
            if *fetch {
                plugin = catalog.fetch(&settings, &plugin, &mut terminal)?;
            }
            show(&catalog, &plugin, output)
        }
        PluginCommand::Explain { plugin, request } => {
            let plugin = ops::one_plugin(&catalog, plugin)?;
            let explanation = ops::explain(&settings, options, &plugin, request, &mut terminal)?;
            explain(&explanation, output)
        }
        PluginCommand::Validate { .. } | PluginCommand::Search { .. } => {
            unreachable!("they need no catalog and are done by now")
        }
    }?;
    Ok(if catalog.failures.is_empty() { 0 } else { 7 })
}

fn list(settings: &Settings, catalog: &Catalog, only: Option<&str>, output: &Output) -> Done {
    if let Some(name) = only {
        settings.get(name)?;
    }
    let mut plugins = Vec::new();
    let mut findings = Vec::new();
    let wanted = catalog
        .marketplaces
        .iter()
        .filter(|marketplace| only.is_none_or(|only| only == marketplace.known.name));
    for marketplace in wanted {
        for plugin in marketplace.plugins() {
            let plugin = plugin?;
            output.line(&format!(
                "{}\t{}",
                plugin.id,
                first_line(&plugin.description)
            ));
            if output.json {
                plugins.push(document(&plugin));
            }
        }
        for mut document in finding_documents(marketplace) {
            document["marketplace"] = json!(marketplace.known.name);
            findings.push(document);
        }
    }
    output.document(&json!({"plugins": plugins, "findings": findings}))?;
    if !findings.is_empty() {
        output.progress(&format!(
            "{} in the catalogues: orchestrate plugin list --json{}",
            counted(findings.len(), "finding"),
            only.map(|only| format!(" --marketplace {only}"))
                .unwrap_or_default()
        ));
    }
    Ok(0)
}

fn found(search: &Search, words: &str, output: &Output) -> Done {
    for (_, error) in &search.failures {
        failure::warn(output, error);
    }
    let hits = &search.found;
    let documents: Vec<Value> = hits
        .iter()
        .map(|hit| {
            json!({
                "id": hit.plugin.id.to_string(),
                "score": hit.score,
                "description": hit.plugin.description,
                "matched": hit.matched,
                "same_as": hit.twins,
                "signals": hit.signals,
            })
        })
        .collect();
    output.document(&json!({
        "query": words,
        "by": if search.by_meaning { "meaning" } else { "words" },
        "understood": understood(&search.understood),
        "hits": documents,
        "ruled_out": search.ruled_out.iter().map(|(id, why)| json!({"id": id, "why": why})).collect::<Vec<_>>(),
    }))?;
    for (asked, title) in &search.understood {
        output.progress(&format!("understood: {asked} → {title}"));
    }
    for hit in hits {
        let twins = match hit.twins.as_slice() {
            [] => String::new(),
            twins => format!(" (the same: {})", twins.join(", ")),
        };
        output.line(&format!(
            "{}\t{}{twins}",
            hit.plugin.id,
            first_line(&hit.plugin.description)
        ));
    }
    if hits.is_empty() {
        output.line("no plugin has any of these words; all of them: orchestrate plugin list");
    }
    for (id, why) in &search.ruled_out {
        output.progress(&format!("left out: {id} ({why})"));
    }
    Ok(if search.failures.is_empty() { 0 } else { 7 })
}

fn understood(understood: &[(String, String)]) -> Vec<Value> {
    let each = understood.iter();
    each.map(|(asked, title)| json!({"asked": asked, "capability": title}))
        .collect()
}

fn explain(explanation: &Explanation, output: &Output) -> Done {
    let found = &explanation.found;
    let others = &explanation.others;
    output.document(&json!({
        "id": found.plugin.id.to_string(),
        "rank": explanation.rank,
        "of": explanation.of,
        "score": found.score,
        "signals": found.signals,
        "ruled_out": explanation.ruled_out,
        "understood": understood(&explanation.understood),
        "others": others.iter().map(|other| json!({
            "id": other.plugin.id.to_string(), "score": other.score, "signals": other.signals,
        })).collect::<Vec<_>>(),
    }))?;
    for (asked, title) in &explanation.understood {
        output.line(&format!("understood: {asked} → {title}"));
    }
    output.line(&format!(
        "{} is number {} of {}",
        found.plugin.id, explanation.rank, explanation.of
    ));
    if let Some(why) = &explanation.ruled_out {
        output.line(&format!("it is left out: {why}"));
    }
    for shown in [found].into_iter().chain(others) {
        output.line(&format!("{}\t{}", shown.plugin.id, signals(shown)));
    }
    Ok(0)
}

/// Returns a plugin's score and what it is made of.
fn signals(found: &Found) -> String {
    let Some(signals) = found.signals else {
        return format!("{:.2}", found.score);
    };
    format!(
        "{:.2}: meaning {:.2}, best part {:.2}, words {:.2}, name {:.0} %, coverage {:.2}",
        found.score,
        signals.meaning,
        signals.clause,
        signals.words,
        signals.name * 100.0,
        signals.coverage
    )
}

fn show(catalog: &Catalog, plugin: &Plugin, output: &Output) -> Done {
    let mut whole = serde_json::to_value(plugin)?;
    whole["digest"] = json!(catalog.digest(plugin).ok());
    output.document(&whole)?;
    output.line(format!("{} {}", plugin.id, plugin.version).trim_end());
    if !plugin.description.is_empty() {
        output.line(&visible(&plugin.description));
    }
    match &plugin.place {
        Place::Inside(path) => output.line(&format!("files: `{path}` of its marketplace")),
        Place::Elsewhere(source) => {
            output.line(&format!("files: elsewhere, at {source}; they are not here"))
        }
    }
    let parts = &plugin.components;
    for (what, list) in [
        ("skill", &parts.skills),
        ("command", &parts.commands),
        ("agent", &parts.agents),
    ] {
        for component in list {
            let name = component_name(plugin, component);
            output.line(&format!(
                "{what} {name}: {}",
                first_line(&component.description)
            ));
        }
    }
    for hook in &parts.hooks {
        output.line(&format!(
            "hook {} {}: {} {}",
            hook.event,
            hook.matcher,
            hook.kind,
            visible(&hook.what)
        ));
    }
    for server in &parts.mcp_servers {
        let what = if server.url.is_empty() {
            server.argv.join(" ")
        } else {
            server.url.clone()
        };
        output.line(&format!("mcp server {}: {}", server.name, visible(&what)));
    }
    for other in &parts.others {
        output.line(&format!("also {other}"));
    }
    for payload in &plugin.payloads {
        let pinned = if payload.pinned {
            "pinned"
        } else {
            "⚠️ not pinned"
        };
        output.line(&format!(
            "fetched when used: {} {} ({pinned}, {})",
            payload.by,
            visible(&payload.what),
            payload.at
        ));
    }
    if let Some(digest) = whole["digest"].as_str() {
        output.line(&format!("digest: {digest}"));
    }
    for oddity in &plugin.oddities {
        output.line(&ops::oddity_line(oddity));
    }
    Ok(0)
}

fn validate(path: &Path, output: &Output) -> Done {
    let oddities = ops::validate_plugin(path);
    let of = |wanted: fn(Severity) -> bool| {
        let chosen = oddities
            .iter()
            .filter(move |oddity| wanted(oddity.severity));
        chosen.map(oddity_document).collect::<Vec<_>>()
    };
    let errors = of(|severity| severity >= Severity::Error);
    let warnings = of(|severity| severity == Severity::Warning);
    let success = errors.is_empty();
    output.document(&json!({
        "success": success,
        "errors": errors,
        "warnings": warnings,
        "notes": of(|severity| severity == Severity::Note),
    }))?;
    for oddity in &oddities {
        output.line(&ops::oddity_line(oddity));
    }
    let counts = format!(
        "{}, {}",
        counted(errors.len(), "error"),
        counted(warnings.len(), "warning")
    );
    match success {
        true => output.line(&format!("✓ {}: {counts}", path.display())),
        false => output.line(&format!("✗ {}: {counts}", path.display())),
    }
    Ok(if success { 0 } else { 2 })
}

/// Returns the plugin as scripts rely on it.
fn document(plugin: &Plugin) -> Value {
    let parts = &plugin.components;
    let names = |list: &[Component]| -> Vec<String> {
        list.iter()
            .map(|component| component_name(plugin, component))
            .collect()
    };
    json!({
        "id": plugin.id.to_string(),
        "version": plugin.version,
        "description": plugin.description,
        "skills": names(&parts.skills),
        "commands": names(&parts.commands),
        "agents": names(&parts.agents),
        "hooks": parts.hooks.len(),
        "mcp_servers": parts.mcp_servers.iter().map(|server| server.name.as_str()).collect::<Vec<_>>(),
        "findings": oddity_documents(&plugin.oddities),
    })
}

/// Returns how an agent calls the component.
fn component_name(plugin: &Plugin, component: &Component) -> String {
    format!("{}:{}", plugin.namespace, component.name)
}

/// Returns what is odd in a catalogue as scripts see it.
pub fn finding_documents(marketplace: &Marketplace) -> Vec<Value> {
    let findings = marketplace.summary.findings();
    let document = |finding: &CatalogueFinding<'_>| {
        let mut document = oddity_document(finding.oddity);
        document["plugin"] = json!(finding.plugin);
        document
    };
    findings.iter().map(document).collect()
}

/// Returns oddities as scripts see them.
fn oddity_documents(oddities: &[Oddity]) -> Vec<Value> {
    oddities.iter().map(oddity_document).collect()
}

fn oddity_document(oddity: &Oddity) -> Value {
    json!({
        "severity": oddity.severity,
        "file": oddity.file,
        "line": oddity.line,
        "field": oddity.field,
        "message": oddity.what,
        "hint": oddity.hint,
    })
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    model::first_line(&visible(line), LINE_MAX)
}
