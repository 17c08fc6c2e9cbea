//! Plans with what stands beside them: their locks and their approvals.

use std::collections::BTreeSet;

use super::Check;
use crate::approve::{begins, lock_part};
use crate::model::{Approval, Digest, PlanId, Rule};
use crate::store::{self, paths};
use crate::tree;
use crate::validate;

impl Check {
    pub(super) fn plan_file(&mut self, file: &str) {
        let below = &file[paths::PLANS.len()..];
        match below.split('/').collect::<Vec<_>>().as_slice() {
            [folder, "plan.yaml"] => match folder.parse::<PlanId>() {
                Ok(id) => self.named_plan(file, id),
                Err(error) => self.fault(file, "", Rule::Named, error.to_string(), ""),
            },
            [folder, "approval.yaml"] => self.approval(file, folder),
            [_, "PLAN.md" | "RESEARCH.md"] => {}
            _ => self.stranger(file),
        }
    }

    fn named_plan(&mut self, file: &str, id: PlanId) {
        if let Some(plan) = self.plan(file) {
            self.lock_agrees(file, &plan);
            self.plans.insert(id, plan);
        }
    }

    /// Looks at the text of a plan, wherever it stands.
    pub(super) fn plan(&mut self, file: &str) -> Option<crate::model::Plan> {
        let plan = self.read(file, store::parse_plan)?;
        for fault in validate::check_plan(&plan) {
            let (field, what) = fault.split_once(": ").unwrap_or(("", &fault));
            self.fault(file, field, Rule::PlanRuns, format!("{field}: {what}"), "");
        }
        Some(plan)
    }

    /// What the plan uses is in its locks, as the plan has it.
    fn lock_agrees(&mut self, file: &str, plan: &crate::model::Plan) {
        for (index, step) in plan.steps.iter().enumerate() {
            for (number, action) in step.actions().enumerate() {
                let field = match number {
                    0 => format!("steps[{index}].action.digest"),
                    _ => format!("steps[{index}].fallbacks[{}].digest", number - 1),
                };
                let name = &action.plugin.marketplace;
                let locked = self.locks.get(name).map(|lock| {
                    let entry = lock.plugins.get(&action.plugin.name);
                    entry.map(|entry| entry.digest.clone())
                });
                let what = match locked {
                    Some(Some(digest)) if digest == action.digest => continue,
                    Some(Some(digest)) => format!(
                        "the plan names {} for `{}`, and `{}` names {digest}",
                        action.digest,
                        action.plugin,
                        paths::lock(name)
                    ),
                    Some(None) => format!("`{}` is not in `{}`", action.plugin, paths::lock(name)),
                    // A lock that cannot be read has its own fault.
                    None if self.texts.contains_key(&paths::lock(name)) => continue,
                    None => format!(
                        "there is no `{}` for `{}`",
                        paths::lock(name),
                        action.plugin
                    ),
                };
                self.fault(file, &field, Rule::LockAgrees, what, "plan again");
            }
        }
    }

    fn approval(&mut self, file: &str, folder: &str) {
        let Some(approval) = self.read(file, store::read_approval) else {
            return;
        };
        let Ok(id) = folder.parse::<PlanId>() else {
            return self.fault(file, "", Rule::Named, format!("`{folder}` is no plan"), "");
        };
        let hint = format!("orchestrate approve {id}");
        let Some(plan) = self.texts.get(&paths::plan_yaml(&id)) else {
            let what = "there is no `plan.yaml` beside it".to_string();
            return self.fault(file, "bound.plan", Rule::Known, what, "");
        };
        if let Err(error) = begins(&id, &approval, plan) {
            return self.fault(
                file,
                "bound.plan",
                Rule::Approved,
                format!("{error:#}"),
                &hint,
            );
        }
        for (name, found) in self.locks_of(&approval) {
            if found != approval.bound.locks[&name] {
                let what = format!(
                    "the lock of `{name}`: approved {}, found {found}",
                    approval.bound.locks[&name]
                );
                let field = format!("bound.locks.{name}");
                self.fault(file, &field, Rule::Approved, what, &hint);
            }
        }
    }

    fn locks_of(&self, approval: &Approval) -> Vec<(String, Digest)> {
        let part = |name: &String| {
            let used: BTreeSet<&str> = approval
                .bound
                .plugins
                .keys()
                .filter(|id| id.marketplace == *name)
                .map(|id| id.name.as_str())
                .collect();
            let text = self.texts.get(&paths::lock(name));
            let text = text.map(Vec::as_slice).unwrap_or_default();
            (name.clone(), tree::of_bytes(&lock_part(text, &used)))
        };
        approval.bound.locks.keys().map(part).collect()
    }
}
