//! `orchestrate marketplace add|list|update|remove`: where plugins come from.

use std::path::Path;

use anyhow::anyhow;
use serde_json::{Value, json};

use super::arguments::{Add, Arguments, MarketplaceCommand};
use super::output::Output;
use super::plugin::finding_documents;
use super::terminal::Terminal;
use super::{Done, failure};
use crate::model::{Hint, Source, Trouble, counted};
use crate::ops::{
    self, AddRequest, Catalog, CatalogOptions, Marketplace, Origin, Settings, Stop, Updated,
};

/// How many findings are told one by one where nobody asked for them.
const FINDINGS_SHOWN_MAX: usize = 10;

/// Does what the subcommand says.
pub fn run(
    arguments: &Arguments,
    command: &MarketplaceCommand,
    output: &Output,
    stop: &Stop,
) -> Done {
    let mut settings = Settings::find(&arguments.shared.directory)?;
    let mut terminal = Terminal::new(output, &stop.cancel);
    match command {
        MarketplaceCommand::Add(add) => {
            self::add(arguments, add, &mut settings, output, &mut terminal)
        }
        MarketplaceCommand::List { show_origin } => {
            let options = CatalogOptions {
                offline: arguments.shared.offline,
                refresh: false,
            };
            let catalog = Catalog::open(&settings, options, &mut terminal)?;
            list(&settings, &catalog, *show_origin, output)
        }
        MarketplaceCommand::Update { names } => {
            let offline = arguments.shared.offline;
            update(names, offline, &mut settings, output, &mut terminal)
        }
        MarketplaceCommand::Remove { name } => {
            let known = settings.remove(name)?;
            output.document(&json!({"removed": known.name}))?;
            output.line(&format!(
                "✓ Removed `{name}` from {}",
                settings.origin_words(known.origin)
            ));
            Ok(0)
        }
    }
}

fn add(
    arguments: &Arguments,
    add: &Add,
    settings: &mut Settings,
    output: &Output,
    terminal: &mut Terminal<'_>,
) -> Done {
    let is_of_one = add.name.is_some() || add.reference.is_some() || add.folder.is_some();
    if is_of_one && add.sources.len() > 1 {
        return Err(anyhow!(
            "`--name`, `--ref` and `--folder` are of one marketplace, and here are {}",
            add.sources.len()
        ))
        .kind(Trouble::Request)
        .hint("add it by a command of its own");
    }
    let mut added = Vec::new();
    let mut outside = 0;
    for source in &add.sources {
        let request = AddRequest {
            source,
            directory: Some(&arguments.shared.directory),
            name: add.name.as_deref(),
            reference: add.reference.as_deref(),
            folder: add.folder.as_deref(),
            own: add.user,
            offline: arguments.shared.offline,
        };
        let marketplace = ops::add_marketplace(settings, &request, terminal)?;
        output.line(&format!(
            "✓ Added `{}` ({}): {}",
            marketplace.known.name,
            marketplace.summary.dialect,
            holding(&marketplace)
        ));
        print_findings(output, &marketplace);
        outside += usize::from(is_of_this_machine(&marketplace));
        added.push(document(settings, &marketplace));
    }
    output.document(&json!({ "added": added }))?;
    match settings.scope(add.user) {
        Origin::Team => {
            if outside > 0 {
                let folders = counted(outside, "folder");
                output.line(&format!(
                    "⚠️ {folders} outside this repository: nobody else has them; `--user` writes them into your own settings"
                ));
            }
            output.line("commit `.orchestrate/config.yaml` and `.orchestrate/lock/`, so that everybody plans with the same plugins");
        }
        origin => output.line(&format!(
            "for you alone, in {}",
            settings.origin_words(origin)
        )),
    }
    Ok(0)
}

/// Says whether the marketplace is a folder that stands in no repository of the team's.
fn is_of_this_machine(marketplace: &Marketplace) -> bool {
    matches!(&marketplace.known.source, Some(Source::Folder(path)) if Path::new(path).is_absolute())
}

/// Tells what is odd in a catalogue, the worst first, and how much more there is.
fn print_findings(output: &Output, marketplace: &Marketplace) {
    let mut findings = marketplace.summary.findings();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.oddity.severity));
    for finding in findings.iter().take(FINDINGS_SHOWN_MAX) {
        output.line(&format!("  {}", ops::finding_line(finding)));
    }
    let more = findings.len().saturating_sub(FINDINGS_SHOWN_MAX);
    if more > 0 {
        output.line(&format!(
            "  and {more} more: orchestrate plugin list --json --marketplace {}",
            marketplace.known.name
        ));
    }
}

/// Says in words what is in a marketplace.
fn holding(marketplace: &Marketplace) -> String {
    let plugins = counted(marketplace.index.len(), "plugin");
    let summary = &marketplace.summary;
    let lost = summary.entries.saturating_sub(marketplace.index.len());
    let mut words = vec![plugins];
    if summary.elsewhere > 0 {
        words.push(format!(
            "{} of them in repositories of their own",
            summary.elsewhere
        ));
    }
    if lost > 0 {
        words.push(format!("{lost} more that cannot be loaded"));
    }
    words.join(", ")
}

fn list(settings: &Settings, catalog: &Catalog, show_origin: bool, output: &Output) -> Done {
    let mut documents: Vec<Value> = Vec::new();
    for marketplace in &catalog.marketplaces {
        documents.push(document(settings, marketplace));
        let known = &marketplace.known;
        let origin = match show_origin {
            true => format!("{}\t", settings.origin_words(known.origin)),
            false => String::new(),
        };
        let revision = ops::shown_revision(&known.lock).map(|revision| format!(" at {revision}"));
        output.line(&format!(
            "{origin}{}: {} ({}{})",
            known.name,
            holding(marketplace),
            source_words(marketplace),
            revision.unwrap_or_default()
        ));
    }
    for (name, error) in &catalog.failures {
        documents.push(json!({"name": name, "error": format!("{error:#}")}));
        failure::warn(output, error);
    }
    output.document(&json!({ "marketplaces": documents }))?;
    if catalog.marketplaces.len() == 1 && catalog.failures.is_empty() {
        output.line("hint: the well-known ones: orchestrate init");
    }
    Ok(if catalog.failures.is_empty() { 0 } else { 7 })
}

fn source_words(marketplace: &Marketplace) -> String {
    match &marketplace.known.source {
        Some(source) => source.to_string(),
        None => "in this program".to_string(),
    }
}

fn document(settings: &Settings, marketplace: &Marketplace) -> Value {
    let known = &marketplace.known;
    json!({
        "name": known.name,
        "source": known.source.as_ref().map(ToString::to_string),
        "origin": settings.origin_words(known.origin),
        "dialect": marketplace.summary.dialect,
        "description": marketplace.summary.description,
        "entries": marketplace.summary.entries,
        "plugins": marketplace.index.len(),
        "elsewhere": marketplace.summary.elsewhere,
        "commit": known.lock.commit,
        "tree": known.lock.tree,
        "version": known.lock.version,
        "findings": finding_documents(marketplace),
    })
}

fn update(
    names: &[String],
    offline: bool,
    settings: &mut Settings,
    output: &Output,
    terminal: &mut Terminal<'_>,
) -> Done {
    let names: Vec<String> = match names {
        [] => settings
            .marketplaces
            .iter()
            .filter(|known| known.source.is_some())
            .map(|known| known.name.clone())
            .collect(),
        names => names.to_vec(),
    };
    let mut updated = Vec::new();
    for name in &names {
        let found = ops::update_marketplace(settings, name, offline, terminal)?;
        print_update(output, &found);
        updated.push(found);
    }
    output.document(&json!({ "updated": updated }))?;
    if names.is_empty() {
        output.line("there is no marketplace to update: `builtin` changes with the program");
    }
    Ok(0)
}

fn print_update(output: &Output, updated: &Updated) {
    let revisions = match (&updated.from, &updated.to) {
        (Some(from), Some(to)) if from != to => format!(" {from} -> {to}"),
        (_, Some(to)) => format!(" {to}"),
        _ => String::new(),
    };
    let plugins = counted(updated.plugins, "plugin");
    let changed = match updated.changes.len() {
        0 => "nothing changed in what they can do".to_string(),
        count => format!("changes in {}", counted(count, "plugin")),
    };
    output.line(&format!(
        "{}{revisions}: {plugins}, {changed}",
        updated.name
    ));
    for (plugin, changes) in &updated.changes {
        output.line(&format!("  {plugin}"));
        for change in changes {
            output.line(&format!("    {}", change.line()));
        }
    }
}
