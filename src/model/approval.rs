//! An approval: who allowed which bytes to run, and what is needed for one.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Digest, Oid, PluginId};

/// The file `approval.yaml`, beside the plan that it allows.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    pub schema: u32,
    /// The SHA-256 of the statement of `bound`.
    pub digest: Digest,
    pub bound: Bound,
    /// Who approved, as git names them.
    pub by: String,
    pub at: Timestamp,
    /// The commit that the plan was reviewed at; recorded, not bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Oid>,
    /// What stood there in the files that the plan reads: when it changes, the approval is stale.
    pub reads: Digest,
    pub tool: String,
    /// A signed git commit whose message is the text that was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// Everything that a run of the plan uses, each by the SHA-256 of its raw bytes.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The rules by which the plan runs.
    pub engine: u32,
    /// What was needed for an approval.
    pub policy: String,
    /// `plan.yaml`, with its checks, commands and grants.
    pub plan: Digest,
    /// By marketplace: the head of its lock, and the entries of the plugins that the plan uses.
    pub locks: BTreeMap<String, Digest>,
    /// The trees of the plugins that the plan uses, fallbacks included: templates, prompts, programs.
    pub plugins: BTreeMap<PluginId, Digest>,
}

impl Bound {
    /// Returns what the digest of an approval is made over: one line for each thing, in a fixed order.
    pub fn statement(&self) -> String {
        let mut text = format!(
            "orchestrate approval 1\nengine {}\npolicy {}\nplan {}\n",
            self.engine, self.policy, self.plan
        );
        for (marketplace, digest) in &self.locks {
            text.push_str(&format!("lock {marketplace} {digest}\n"));
        }
        for (plugin, digest) in &self.plugins {
            text.push_str(&format!("plugin {plugin} {digest}\n"));
        }
        text
    }
}

impl Approval {
    /// Returns the text that is signed: what is bound, and what is recorded beside it.
    pub fn signed_text(&self) -> String {
        let base = self.base.as_ref().map_or("none", Oid::as_str);
        format!(
            "{}digest {}\nby {}\nat {}\nbase {base}\nreads {}\n",
            self.bound.statement(),
            self.digest,
            self.by,
            self.at,
            self.reads
        )
    }
}

/// What a repository, or a person for themselves, asks of a plan before it runs.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRule {
    pub policy: ApprovalPolicy,
    /// The branch that a plan has to be on where the policy is `merged`; without one the base branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Who may approve where the policy is `signed`: lines as in git's allowed signers file, or `openpgp:` and a fingerprint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<String>,
}

/// What counts as an approval; the later ones ask for more.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalPolicy {
    /// Nothing is asked for; an approval that is there holds all the same.
    #[default]
    None,
    /// The plan is on the named branch, byte for byte.
    Merged,
    /// Somebody who may has signed an approval.
    Signed,
}

impl fmt::Display for ApprovalPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ApprovalPolicy::None => "none",
            ApprovalPolicy::Merged => "merged",
            ApprovalPolicy::Signed => "signed",
        })
    }
}
