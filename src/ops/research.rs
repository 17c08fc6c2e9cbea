//! Research: what is known of a task, without a plan.

use anyhow::Result;

use super::{Catalog, Note, Project, Watch};
use crate::agent::{self, Program};
use crate::model::{PatternCandidate, Plugin, Research, Task};
use crate::rank::Capabilities;
use crate::retrieve::{self, Library};

/// Researches the task and returns the patterns for it, best first.
pub fn patterns_for(
    project: &Project,
    task: &Task,
    watch: &mut dyn Watch,
) -> Result<Vec<PatternCandidate>> {
    let found = research(project, task, watch)?.patterns.into_iter();
    Ok(found.filter(PatternCandidate::fits).collect())
}

/// Researches the task without planning it.
pub fn research(project: &Project, task: &Task, watch: &mut dyn Watch) -> Result<Research> {
    let catalog = project.catalog(watch)?;
    // With less to choose from, the same task would be planned in another way, and nobody would know.
    catalog.complete()?;
    for complaint in &project.complaints {
        watch.note(Note::Warning {
            text: complaint.clone(),
        });
    }
    watch.note(Note::ResearchStarted {
        plugins: catalog.len(),
        patterns: project.patterns.len(),
    });
    let plugins = known_whole(project, catalog)?;
    let capabilities = Capabilities::of(&project.taxonomy);
    let missing: Vec<String> = match catalog.len() > plugins.len() {
        true => missing_agent(project).into_iter().collect(),
        false => Vec::new(),
    };
    let research = catalog.looked_up(|sources| {
        let library = Library {
            plugins: &plugins,
            patterns: &project.patterns,
            taxonomy: &project.taxonomy,
            capabilities: &capabilities,
            sources,
            plugin: &|(source, number)| catalog.marketplaces[source].record(number),
            bytes: &|plugin, component| catalog.bytes(plugin, component),
            missing: &missing,
        };
        retrieve::research(task, &library)
    })?;
    for (index, analysis) in research.analyses.iter().enumerate() {
        watch.note(Note::Analyst { index, analysis });
    }
    watch.note(Note::ResearchDone {
        research: &research,
    });
    Ok(research)
}

/// Returns the plugins that say how they work, and those that patterns name.
fn known_whole(project: &Project, catalog: &Catalog) -> Result<Vec<Plugin>> {
    let mut plugins = catalog.planable()?.to_vec();
    let patterns = project.patterns.iter();
    for step in patterns.flat_map(|proven| &proven.pattern.steps) {
        if !plugins.iter().any(|plugin| plugin.id == step.plugin) {
            plugins.extend(catalog.find(&step.plugin)?);
        }
    }
    Ok(plugins)
}

/// Says that the agent is not installed that plans ask, where it is not.
pub fn missing_agent(project: &Project) -> Option<String> {
    let name = &project.settings.agent.name;
    let Some(agent) = agent::find(name) else {
        return Some(format!(
            "there is no agent `{name}`, which the settings name"
        ));
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = Program::find(agent, &path);
    found.is_none().then(|| {
        format!(
            "the agent `{name}` is not installed on this machine: npm install --global {}",
            agent.package
        )
    })
}
