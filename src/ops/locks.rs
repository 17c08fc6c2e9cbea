//! The locks that go with a plan: what the plugins that it uses are.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::{Project, Silent};
use crate::model::{Action, Hint, Plan, Trouble};
use crate::store::{Lock, PluginLock, paths};

/// Returns the path and the text of the lock of each marketplace that the plan uses.
pub fn lock_files(project: &Project, plan: &Plan) -> Result<Vec<(String, Vec<u8>)>> {
    let mut locks: BTreeMap<String, Lock> = BTreeMap::new();
    for action in plan.steps.iter().flat_map(|step| step.actions()) {
        let name = &action.plugin.marketplace;
        if !locks.contains_key(name) {
            locks.insert(name.clone(), project.settings.get(name)?.lock.clone());
        }
        let lock = locks.get_mut(name).expect("it was put there just now");
        let plugin = action.plugin.name.clone();
        lock.plugins.insert(plugin, plugin_lock(project, action)?);
    }
    let file = |(name, lock): (&String, &Lock)| Ok((paths::lock(name), lock.print()?.into_bytes()));
    locks.iter().map(file).collect()
}

/// Returns the paths of the locks of the marketplaces that the plan uses.
pub fn lock_paths(plan: &Plan) -> Vec<String> {
    let actions = plan.steps.iter().flat_map(|step| step.actions());
    let mut paths: Vec<String> = actions
        .map(|action| paths::lock(&action.plugin.marketplace))
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

fn plugin_lock(project: &Project, action: &Action) -> Result<PluginLock> {
    let plugin = project
        .catalog(&mut Silent)?
        .find(&action.plugin)?
        .with_context(|| format!("`{}` is in no known marketplace", action.plugin))
        .kind(Trouble::Missing)?;
    Ok(PluginLock {
        digest: action.digest.clone(),
        payloads: plugin.payloads,
    })
}
