//! What changed since a plan was approved before.

use anyhow::Result;

use super::{PlanId, Project, file};
use crate::approve::{Difference, differences, text_diff};
use crate::model::{Approval, Bound};
use crate::store::paths;
use crate::tree;

/// What somebody approves who has approved the plan before.
#[derive(Debug, Clone, Default)]
pub struct Review {
    pub differences: Vec<Difference>,
    /// How the lines of `plan.yaml` changed, where the approved text is still in the history of the branch.
    pub diff: String,
}

impl Review {
    /// Compares what stands now with what was approved before.
    pub fn of(
        project: &Project,
        id: &PlanId,
        before: Option<&Approval>,
        bound: &Bound,
        files: &[(String, Vec<u8>)],
    ) -> Result<Review> {
        let Some(before) = before else {
            return Ok(Review::default());
        };
        let path = paths::plan_yaml(id);
        let now = file(files, &path).unwrap_or_default();
        let mut diff = String::new();
        if before.bound.plan != bound.plan
            && let Some(then) = approved_text(project, &path, before)?
        {
            diff = text_diff(&path, &then, now);
        }
        Ok(Review {
            differences: differences(&before.bound, bound),
            diff,
        })
    }
}

/// Returns the text that was approved, from the commit it was approved at or the one that is checked out.
fn approved_text(project: &Project, path: &str, before: &Approval) -> Result<Option<Vec<u8>>> {
    for commit in before.base.iter().chain(project.head.commit()) {
        // The commit may be one that this clone never had.
        if let Ok(Some(text)) = project.repository.read_file(commit, path)
            && tree::of_bytes(&text) == before.bound.plan
        {
            return Ok(Some(text));
        }
    }
    Ok(None)
}
