//! `orchestrate init`: the settings of a repository, and the well-known marketplaces.

use serde_json::json;

use super::Done;
use super::arguments::{Arguments, Ci, Init};
use super::output::Output;
use super::terminal::Terminal;
use crate::model::counted;
use crate::ops::{self, AddRequest, CiService, Origin, Settings, Stop, WellKnown};

/// Sets the repository up.
pub fn run(arguments: &Arguments, init: &Init, output: &Output, stop: &Stop) -> Done {
    let mut settings = Settings::find(&arguments.shared.directory)?;
    let written = ops::init(&settings)?;
    let file = settings.origin_words(Origin::Team);
    match written {
        true => output.line(&format!("✓ Wrote {file}")),
        false => output.line(&format!("{file} is there already")),
    }
    let ci = init.ci.map(|ci| match ci {
        Ci::Github => CiService::Github,
        Ci::Gitlab => CiService::Gitlab,
    });
    let ci = ci
        .map(|service| ops::init_ci(&settings, service))
        .transpose()?;
    match ci {
        Some((file, true)) => output.line(&format!("✓ Wrote {file}")),
        Some((file, false)) => output.line(&format!("{file} is there already")),
        None => {}
    }
    let offered = ops::well_known()?;
    let chosen = match init.with.as_slice() {
        [] => ask(&settings, &offered, output, stop),
        names => ops::chosen_marketplaces(names)?,
    };
    let mut terminal = Terminal::new(output, &stop.cancel);
    for marketplace in &chosen {
        let request = AddRequest {
            source: &marketplace.source,
            name: Some(&marketplace.name),
            offline: arguments.shared.offline,
            ..AddRequest::default()
        };
        let added = ops::add_marketplace(&mut settings, &request, &mut terminal)?;
        output.line(&format!(
            "✓ Added `{}`: {}",
            added.known.name,
            counted(added.index.len(), "plugin")
        ));
    }
    let new = |offer: &&WellKnown| settings.get(&offer.name).is_err();
    if chosen.is_empty() && offered.iter().any(|offer| new(&offer)) {
        output.line("well-known marketplaces, each added by `orchestrate init --with NAME` (or `--with all`):");
        for marketplace in offered.iter().filter(new) {
            output.line(&format!(
                "  {}\t{} ({})",
                marketplace.name, marketplace.about, marketplace.source
            ));
        }
    }
    output.document(&json!({
        "config": file,
        "written": written,
        "ci": ci.map(|(file, _)| file),
        "added": chosen.iter().map(|marketplace| &marketplace.name).collect::<Vec<_>>(),
        "offered": offered.iter().map(|marketplace| json!({
            "name": marketplace.name, "source": marketplace.source, "about": marketplace.about,
        })).collect::<Vec<_>>(),
    }))?;
    Ok(0)
}

/// Asks for each marketplace that is not configured yet; where nobody can be asked, none is wanted.
fn ask(settings: &Settings, offered: &[WellKnown], output: &Output, stop: &Stop) -> Vec<WellKnown> {
    let new = offered
        .iter()
        .filter(|offer| settings.get(&offer.name).is_err());
    let wanted = new.filter(|offer| {
        let question = format!("Add `{}`, {}? [y/n]", offer.name, offer.about);
        let answer = output.ask(&question, &stop.cancel);
        answer.is_some_and(|answer| matches!(answer.as_str(), "y" | "yes"))
    });
    wanted.cloned().collect()
}
