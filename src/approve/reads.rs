//! What a plan reads of the repository: when it changes there, an approval no longer says much.

use std::collections::BTreeSet;

use crate::model::{CheckKind, Plan};

/// Returns the paths that the plan declares: what its steps write, read and build from, and what its checks look at. A path that
/// ends with `/` is a folder with everything in it; our own folder is none of them.
pub fn reads(plan: &Plan) -> Covered {
    let mut paths = BTreeSet::new();
    for step in &plan.steps {
        for action in step.actions() {
            paths.extend(action.writes.iter().chain(&action.reads).cloned());
            paths.extend(action.environment.iter().map(|built| built.python.clone()));
        }
        for check in &step.checks {
            match check.kind() {
                Ok(CheckKind::File(path) | CheckKind::Changed(path)) => {
                    paths.insert(path.to_string())
                }
                Ok(CheckKind::Json(json)) => paths.insert(json.path.clone()),
                _ => false,
            };
        }
    }
    paths.retain(|path| path != ".orchestrate" && !path.starts_with(".orchestrate/"));
    Covered(paths.into_iter().collect())
}

/// Paths of files, and of folders with everything in them, in order.
pub struct Covered(pub Vec<String>);
