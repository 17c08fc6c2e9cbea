//! Approving a plan, and making sure that nothing runs that was not approved.

mod policy;
mod review;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow};

use super::plan::{PlanFiles, find_plan_id, read_plan};
use super::session::planned_plugin;
use super::{Planned, Project};
use crate::approve::{self, anew, lock_part};
use crate::checkpoint::{Identity, Signing, Verdict};
use crate::model::{
    ANYWHERE, Approval, ApprovalPolicy, Bound, Digest, ENGINE, EventKind, Hint, Oid, Plan, PlanId,
    RunId, SCHEMA, Trouble, visible,
};
use crate::store::{self, Lock, paths};
use crate::tree;
pub use policy::{Policy, policy};
pub use review::Review;

/// What a person may say about approving.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApproveOptions {
    /// Sign, whether or not git was told of a key.
    pub sign: bool,
}

/// An approval that was written, or that was there already.
pub struct Approved {
    pub id: PlanId,
    pub approval: Approval,
    pub path: String,
    /// Whether the very same was approved before.
    pub unchanged: bool,
    /// What changed since the approval before, for people.
    pub review: Review,
    pub policy: Policy,
}

/// Approves the plan called `name` as it stands now, and writes that down beside it.
pub fn approve(project: &Project, name: &str, options: ApproveOptions) -> Result<Approved> {
    let policy = policy(project)?;
    let id = find_plan_id(project, name)?;
    let planned = read_plan(project, &id, PlanFiles::default())?;
    for action in planned.plan.steps.iter().flat_map(|step| step.actions()) {
        planned_plugin(project, action)?;
    }
    let path = paths::approval(&id);
    let before = approval_in(&id, &planned.files).ok().flatten();
    let bound = bound(
        &policy,
        &planned.plan,
        &planned.files,
        planned.digest.clone(),
    )?;
    let base = project.base();
    let reads = covered(project, &planned.plan, base.as_ref())?;
    let sign = options.sign
        || policy.rule.policy == ApprovalPolicy::Signed
        || project.repository.has_signing_key();
    let review = Review::of(project, &id, before.as_ref(), &bound, &planned.files)?;
    if let Some(before) = before
        && before.bound == bound
        && before.digest == approve::digest(&bound)
        && before.reads == reads
        && (!sign || signer(project, &policy, &id, &before).is_ok())
    {
        return Ok(Approved {
            id,
            approval: before,
            path,
            unchanged: true,
            review,
            policy,
        });
    }
    let identity = project.repository.identity();
    let mut approval = Approval {
        schema: SCHEMA,
        digest: approve::digest(&bound),
        bound,
        by: by(&identity),
        at: project.clock.now(),
        base,
        reads,
        tool: super::run::tool(),
        signature: None,
    };
    if sign {
        let signature = project.repository.sign(&Signing {
            text: &approval.signed_text(),
            identity: &identity,
            time_s: approval.at.as_second(),
        })?;
        approval.signature = Some(signature);
    }
    let text = crate::yaml::print(&approval)?;
    let full = project.repository.work_directory().join(&path);
    store::write_whole(&full, text.as_bytes()).kind(Trouble::Request)?;
    Ok(Approved {
        id,
        approval,
        path,
        unchanged: false,
        review,
        policy,
    })
}

fn by(identity: &Identity) -> String {
    visible(&format!("{} <{}>", identity.name, identity.email))
}

/// Refuses a plan whose bytes are not those of the approval beside it, before they are parsed.
pub fn before_parsing(project: &Project, id: &PlanId, files: &mut PlanFiles) -> Result<()> {
    let Some(approval) = files.read(project, &paths::approval(id))? else {
        return Ok(());
    };
    let approval = read_approval(id, &approval)?;
    let plan = files.read(project, &paths::plan_yaml(id))?;
    approve::begins(id, &approval, &plan.unwrap_or_default())?;
    let mut found = approval.bound.clone();
    for (name, digest) in &mut found.locks {
        let text = files.read(project, &paths::lock(name))?;
        let used = names_of(approval.bound.plugins.keys(), name);
        *digest = tree::of_bytes(&lock_part(&text.unwrap_or_default(), &used));
    }
    approve::same(id, &approval.bound, &found).hint(anew(id))
}

/// When a plan is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before its run is begun: what it reads has to be as it was.
    Start,
    /// In the middle of its run.
    Resume,
}

/// Refuses a plan that is not approved as the policy asks for, or is not the one that was. `files` are the very bytes that run.
pub fn require(
    project: &Project,
    id: &PlanId,
    plan: &Plan,
    files: &[(String, Vec<u8>)],
    moment: Moment,
) -> Result<()> {
    let policy = policy(project)?;
    let text = file(files, &paths::plan_yaml(id)).unwrap_or_default();
    let bound = bound(&policy, plan, files, tree::of_bytes(text))?;
    let approval = approval_in(id, files)?;
    if let Some(approval) = &approval {
        approve::begins(id, approval, text)?;
        approve::same(id, &approval.bound, &bound).hint(anew(id))?;
        if moment == Moment::Start {
            fresh(project, id, plan, approval)?;
        }
    }
    match (policy.rule.policy, approval) {
        (ApprovalPolicy::None, _) => Ok(()),
        (ApprovalPolicy::Merged, _) => merged(project, &policy, id, plan, files),
        (ApprovalPolicy::Signed, Some(approval)) => {
            signer(project, &policy, id, &approval).map(drop)
        }
        (ApprovalPolicy::Signed, None) => Err(anyhow!(
            "plan `{id}` is not approved, and {} asks for a signed approval",
            policy.origin
        ))
        .kind(Trouble::Unapproved)
        .hint(format!("orchestrate approve --sign {id}")),
    }
}

/// Refuses an event that does what the plan does not hold: a change in the middle of a run is another plan, which is approved like any.
pub fn within(run: &RunId, plan: &Plan, event: &EventKind) -> Result<()> {
    let Some(what) = approve::beyond(plan, event) else {
        return Ok(());
    };
    Err(anyhow!("{what}, which the plan does not hold"))
        .with_context(|| format!("run `{run}` does not keep to its plan"))
        .kind(Trouble::Integrity)
        .hint(format!(
            "what a run does is in its plan: `orchestrate plan edit {}`, approve it, and start anew",
            run.plan()
        ))
}

/// Returns everything that a run of the plan uses, by its digest.
fn bound(
    policy: &Policy,
    plan: &Plan,
    files: &[(String, Vec<u8>)],
    digest: Digest,
) -> Result<Bound> {
    let mut plugins = BTreeMap::new();
    for action in plan.steps.iter().flat_map(|step| step.actions()) {
        plugins.insert(action.plugin.clone(), action.digest.clone());
    }
    let mut locks = BTreeMap::new();
    for id in plugins.keys() {
        let name = &id.marketplace;
        let Some(text) = file(files, &paths::lock(name)) else {
            continue;
        };
        let part = lock_part(text, &names_of(plugins.keys(), name));
        let lock = Lock::read(&paths::lock(name), &part).kind(Trouble::Integrity)?;
        if let Some(entry) = lock.plugins.get(&id.name)
            && entry.digest != plugins[id]
        {
            return Err(anyhow!(
                "the lock of `{name}` names {} for `{}`, and the plan names {}",
                entry.digest,
                id.name,
                plugins[id]
            ))
            .kind(Trouble::Integrity)
            .hint("plan again, or bring the lock back: git checkout -- .orchestrate/lock");
        }
        locks.insert(name.clone(), tree::of_bytes(&part));
    }
    Ok(Bound {
        engine: ENGINE,
        policy: policy.words(),
        plan: digest,
        locks,
        plugins,
    })
}

/// Refuses an approval that was given when other things stood in the files that the plan reads.
fn fresh(project: &Project, id: &PlanId, plan: &Plan, approval: &Approval) -> Result<()> {
    let found = covered(project, plan, project.base().as_ref())?;
    if found == approval.reads {
        return Ok(());
    }
    let since = match &approval.base {
        Some(base) => format!(" since it was approved at {}", base.short()),
        None => " since it was approved".to_string(),
    };
    Err(anyhow!("approved {}, found {found}", approval.reads))
        .context(format!(
            "the approval of plan `{id}` is stale: what it reads or writes has changed{since}"
        ))
        .kind(Trouble::Integrity)
        .hint(match (&approval.base, project.base()) {
            (Some(old), Some(new)) => format!("git diff {} {}", old.short(), new.short()),
            _ => "git log".to_string(),
        })
        .hint(anew(id))
}

/// Returns the digest of what stands in the files that the plan reads.
fn covered(project: &Project, plan: &Plan, base: Option<&Oid>) -> Result<Digest> {
    let mut lines = String::new();
    if let Some(base) = base {
        for path in approve::reads(plan).0 {
            if path == ANYWHERE {
                let all = project.repository.tree_of(base)?;
                let ours = paths::ROOT.trim_end_matches('/');
                let theirs = project.repository.tree_without(&all, ours)?;
                lines.push_str(&format!("{path}\0{theirs}\n"));
                continue;
            }
            for path in files_at(project, base, &path)? {
                if let Some(bytes) = project.repository.read_file(base, &path)? {
                    lines.push_str(&format!("{path}\0{}\n", tree::of_bytes(&bytes)));
                }
            }
        }
    }
    Ok(tree::of_bytes(lines.as_bytes()))
}

/// Returns the files that a path of a plan stands for in a commit: a folder ends with `/`, and our own files are no part of all.
pub fn files_at(project: &Project, commit: &Oid, path: &str) -> Result<Vec<String>> {
    let list = |folder: &str| project.repository.list_files(commit, folder);
    match path.strip_suffix('/') {
        Some(folder) => list(folder),
        None if path == ANYWHERE => {
            let mut files = list("")?;
            files.retain(|file| !file.starts_with(paths::ROOT));
            Ok(files)
        }
        None => Ok(vec![path.to_string()]),
    }
}

/// Refuses a plan that is not on the branch that the policy names, byte for byte.
fn merged(
    project: &Project,
    policy: &Policy,
    id: &PlanId,
    plan: &Plan,
    files: &[(String, Vec<u8>)],
) -> Result<()> {
    let missing = |why: String| {
        Err(anyhow!("plan `{id}` is not approved: {why}"))
            .kind(Trouble::Unapproved)
            .hint(format!(
                "commit `{}{id}` and `{}`, and have them merged into `{}`; then fetch it",
                paths::PLANS,
                paths::LOCKS,
                policy.branch
            ))
    };
    let Some(tip) = project.repository.reviewed_tip(&policy.branch)? else {
        return missing(format!("there is no branch `{}` here", policy.branch));
    };
    let path = paths::plan_yaml(id);
    let Some(text) = project.repository.read_file(&tip, &path)? else {
        return missing(format!(
            "it is not on the branch `{}`, as {} asks for",
            policy.branch, policy.origin
        ));
    };
    let found = bound(
        policy,
        plan,
        files,
        tree::of_bytes(file(files, &path).unwrap_or_default()),
    )?;
    let mut approved = found.clone();
    approved.plan = tree::of_bytes(&text);
    for (name, digest) in &mut approved.locks {
        let text = project.repository.read_file(&tip, &paths::lock(name))?;
        let used = names_of(found.plugins.keys(), name);
        *digest = tree::of_bytes(&lock_part(&text.unwrap_or_default(), &used));
    }
    let shown = tip.short();
    approve::same(id, &approved, &found)
        .with_context(|| {
            format!(
                "what would run is not what is on `{}` at {shown}",
                policy.branch
            )
        })
        .hint(format!(
            "have the change merged there, or go back: git checkout {shown} -- {}{id} {}",
            paths::PLANS,
            paths::LOCKS
        ))
}

/// Returns who signed the approval, and refuses one that nobody who may has signed.
fn signer(project: &Project, policy: &Policy, id: &PlanId, approval: &Approval) -> Result<String> {
    let sign = format!("orchestrate approve --sign {id}");
    let Some(signature) = &approval.signature else {
        return Err(anyhow!(
            "the approval of plan `{id}` is not signed, and {} asks for a signature",
            policy.origin
        ))
        .kind(Trouble::Unapproved)
        .hint(sign);
    };
    let text = approval.signed_text();
    match project
        .repository
        .verify(signature, &text, &policy.rule.signers)?
    {
        Verdict::Good { signer } => Ok(signer),
        Verdict::Stranger { key } => Err(anyhow!(
            "the approval of plan `{id}` is signed by {key}, who is none of the signers in {}",
            policy.origin
        ))
        .kind(Trouble::Unapproved)
        .hint("have one of them approve it, or add the key to `approval.signers` there"),
        Verdict::Bad { why } => Err(anyhow!(
            "the signature on the approval of plan `{id}` does not hold: {why}"
        ))
        .kind(Trouble::Integrity)
        .hint(sign),
    }
}

fn approval_in(id: &PlanId, files: &[(String, Vec<u8>)]) -> Result<Option<Approval>> {
    let text = file(files, &paths::approval(id));
    text.map(|text| read_approval(id, text)).transpose()
}

fn read_approval(id: &PlanId, text: &[u8]) -> Result<Approval> {
    store::read_approval(&paths::approval(id), text)
        .kind(Trouble::Integrity)
        .hint(anew(id))
}

fn file<'a>(files: &'a [(String, Vec<u8>)], path: &str) -> Option<&'a [u8]> {
    let found = files.iter().find(|(name, _)| name == path);
    found.map(|(_, text)| text.as_slice())
}

/// Returns the plugins of one marketplace by their names in it.
fn names_of<'a>(
    plugins: impl Iterator<Item = &'a crate::model::PluginId>,
    marketplace: &str,
) -> BTreeSet<&'a str> {
    plugins
        .filter(|id| id.marketplace == marketplace)
        .map(|id| id.name.as_str())
        .collect()
}

impl Planned {
    /// Says what an approval of the plan names, or why there can be none.
    pub fn approved_digest(&self, project: &Project) -> Result<Digest> {
        let policy = policy(project)?;
        let bound = bound(&policy, &self.plan, &self.files, self.digest.clone())?;
        Ok(approve::digest(&bound))
    }
}
