//! Steps that an agent does with a component of somebody's plugin: what it is asked, how far it may go, and how it is known to be done.

use anyhow::Result;

use super::choose::find;
use super::order;
use super::prompt::{prompt, title, titles};
use super::{Choice, Pick, PlanContext};
use crate::model::{
    ANYWHERE, Action, AgentTask, Budget, By, Candidate, Capability, Check, Effects, Grants,
    PluginId, Runner, RunnerUp, Stage, Step, StepId,
};

const ATTEMPTS_MAX: u32 = 2;
const BACKOFF_MS: u64 = 5000;
/// Where the reports of steps are that change nothing.
const REPORTS: &str = "docs/";
/// What an agent may do beside reading and editing: all of it happens in the sandbox.
const TOOLS: [&str; 1] = ["Bash"];

/// Orders to change what is wrong, rather than to look at it.
const MENDING: [&str; 13] = [
    "fix",
    "fixes",
    "fixing",
    "mend",
    "repair",
    "solve",
    "resolve",
    "correct",
    "patch",
    "remedy",
    "remove",
    "eliminate",
    "harden",
];

/// Files that other tools carry out later, by the words of a task that ask for them; a part that says nothing about the tool gets the first.
const PROTECTED: [(&str, &[&str], &[&str]); 9] = [
    ("ci", &["github"], &[".github/"]),
    ("ci", &["gitlab"], &[".gitlab-ci.yml", ".gitlab/"]),
    ("ci", &["jenkins", "jenkinsfile"], &["Jenkinsfile"]),
    ("ci", &["circleci"], &[".circleci/"]),
    ("ci", &["azure pipelines"], &["azure-pipelines.yml"]),
    ("ci", &["bitbucket"], &["bitbucket-pipelines.yml"]),
    ("ci", &["buildkite"], &[".buildkite/"]),
    ("", &["pre-commit"], &[".pre-commit-config.yaml"]),
    ("", &["devcontainer", "dev container"], &[".devcontainer/"]),
];

/// Returns the step for the pick at `place` of the choice, after the steps `before`.
pub fn step(
    context: &PlanContext<'_>,
    choice: &Choice,
    place: usize,
    before: &[Step],
    id: StepId,
) -> Result<Step> {
    let pick = &choice.picks[place];
    let kind = Kind::of(context, choice, place, &id);
    let title = title(context, pick);
    let prompt = prompt(context, choice, place, before, &kind);
    let action = action(context, pick, (&pick.plugin, &pick.by), &kind, &prompt)?;
    let mut fallbacks = Vec::new();
    for (plugin, by) in &pick.fallbacks {
        fallbacks.extend(self::action(context, pick, (plugin, by), &kind, &prompt));
    }
    let provides: Vec<Capability> = pick.capabilities().cloned().collect();
    let once = kind.effects() == Effects::External;
    Ok(Step {
        doing: format!("Working on {}", titles(context, pick).join("; ")),
        needs: order::needs(context, &provides, before),
        why: pick.why.clone(),
        runners_up: runners_up(context, pick, &fallbacks),
        checks: kind.checks(context),
        results: kind.results(),
        attempts_max: if once { 1 } else { ATTEMPTS_MAX },
        backoff_ms: BACKOFF_MS,
        timeout_s: context.agent.timeout_s,
        effects: kind.effects(),
        provides,
        title,
        id,
        action,
        fallbacks,
    })
}

fn asks_to_mend(text: &str) -> bool {
    let text = text.to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|word| MENDING.contains(&word))
}

/// What a step leaves.
pub enum Kind {
    /// A report at this path, and nothing else.
    Report(String),
    /// Changes, wherever the work needs them.
    Changes,
    /// The same, and then something that can be seen outside.
    Deployment,
}

impl Kind {
    /// A step that would only tell what is wrong mends it too, where the task asks for that and no later step does.
    fn of(context: &PlanContext<'_>, choice: &Choice, place: usize, id: &StepId) -> Kind {
        let (pick, later) = (&choice.picks[place], &choice.picks[place + 1..]);
        let tells = |pick: &Pick| {
            let mut all = pick.capabilities();
            all.all(|one| context.taxonomy.is_report(one))
        };
        let is_last_word = later.iter().all(tells);
        let is_last = |one: &Capability| {
            matches!(context.taxonomy.stage(one), Stage::Release | Stage::Operate)
        };
        let deploys = |one: &Capability| is_last(one) && one.as_str().contains("deploy");
        match tells(pick) && !(is_last_word && asks_to_mend(&context.task.text)) {
            true => Kind::Report(format!("{REPORTS}{id}.md")),
            false if pick.capabilities().any(deploys) => Kind::Deployment,
            false => Kind::Changes,
        }
    }

    fn effects(&self) -> Effects {
        match self {
            Kind::Deployment => Effects::External,
            _ => Effects::Files,
        }
    }

    fn writes(&self) -> Vec<String> {
        vec![match self {
            Kind::Report(path) => path.clone(),
            _ => ANYWHERE.to_string(),
        }]
    }

    fn checks(&self, context: &PlanContext<'_>) -> Vec<Check> {
        let changed = |path: &str| Check {
            changed: Some(path.to_string()),
            ..Check::named("changed")
        };
        match self {
            Kind::Report(path) => vec![
                Check {
                    file: Some(path.clone()),
                    ..Check::named("report")
                },
                changed(path),
            ],
            _ => {
                let own = context.own.checks.iter().cloned();
                [changed(ANYWHERE)].into_iter().chain(own).collect()
            }
        }
    }

    fn results(&self) -> std::collections::BTreeMap<String, String> {
        match self {
            Kind::Report(path) => [("Report".to_string(), path.clone())].into(),
            _ => Default::default(),
        }
    }
}

fn action(
    context: &PlanContext<'_>,
    pick: &Pick,
    (id, by): (&PluginId, &By),
    kind: &Kind,
    prompt: &str,
) -> Result<Action> {
    let plugin = find(context, id)?;
    let (uses, context_tokens) = match by {
        By::Agent {
            uses,
            context_tokens,
        } => (uses.clone(), Some(*context_tokens)),
        By::Itself => (None, None),
    };
    let changes = !matches!(kind, Kind::Report(_));
    let own = context.own;
    let mut network = vec!["model".to_string()];
    network.extend(own.network.iter().filter(|_| changes).cloned());
    Ok(Action {
        plugin: id.clone(),
        digest: (context.digest)(plugin)?,
        runner: Runner::Agent,
        inputs: Default::default(),
        connections: Default::default(),
        outputs: Default::default(),
        environment: own.environment.clone().filter(|_| changes),
        commands: Vec::new(),
        mcp: None,
        agent: Some(AgentTask {
            agent: context.agent.name.clone(),
            model: context.agent.model.clone(),
            uses,
            prompt: prompt.to_string(),
            tools: TOOLS.map(str::to_string).to_vec(),
            budget: Budget {
                tokens: Some(context.agent.tokens),
                ..Budget::default()
            },
            context_tokens,
            silence_s: SILENCE_S,
            corrections_max: context.agent.corrections_max,
        }),
        writes: kind.writes(),
        reads: match changes {
            true => Vec::new(),
            // What is reported on is all that is there.
            false => vec![ANYWHERE.to_string()],
        },
        grants: Grants {
            network,
            protected: match changes {
                true => protected(context, pick),
                false => Vec::new(),
            },
            ..Grants::default()
        },
        remedies: Vec::new(),
    })
}

/// How long a model may say nothing, in seconds.
const SILENCE_S: u64 = 120;

/// Returns the files that the work itself is about, among those that other tools carry out later.
fn protected(context: &PlanContext<'_>, pick: &Pick) -> Vec<String> {
    let text = context.task.text.to_lowercase();
    let is_of = |family: &str| pick.capabilities().any(|one| one.family() == family);
    let asked = PROTECTED.iter().filter(|(family, words, _)| {
        (family.is_empty() || is_of(family)) && words.iter().any(|word| text.contains(word))
    });
    let mut paths: Vec<String> = asked
        .flat_map(|(.., paths)| paths.iter().map(|path| path.to_string()))
        .collect();
    if paths.is_empty() && is_of("ci") {
        let (.., usual) = PROTECTED[0];
        paths.extend(usual.iter().map(|path| path.to_string()));
    }
    paths
}

fn runners_up(context: &PlanContext<'_>, pick: &Pick, fallbacks: &[Action]) -> Vec<RunnerUp> {
    let is_other = |candidate: &&Candidate| {
        pick.capabilities().any(|one| *one == candidate.need) && candidate.plugin.id != pick.plugin
    };
    let mut found: Vec<RunnerUp> = Vec::new();
    for candidate in context.research.plugins.iter().filter(is_other) {
        let id = &candidate.plugin.id;
        if found.iter().any(|other| other.plugin == *id) {
            continue;
        }
        let is_fallback = fallbacks.iter().any(|action| action.plugin == *id);
        let why_not = match candidate.why_not() {
            Some(reason) => reason,
            None if is_fallback => format!("{}; kept as the fallback", candidate.why),
            None => candidate.why.clone(),
        };
        found.push(RunnerUp {
            plugin: id.clone(),
            why_not,
        });
    }
    found
}

/// Returns what a reviewer should know of the steps that agents do.
pub fn remarks(context: &PlanContext<'_>, steps: &[Step]) -> Vec<String> {
    let by_agent: Vec<&Step> = steps
        .iter()
        .filter(|step| step.action.runner == Runner::Agent)
        .collect();
    if by_agent.is_empty() {
        return Vec::new();
    }
    let ids: Vec<String> = by_agent
        .iter()
        .map(|step| format!("`{}`", step.id))
        .collect();
    let agent = &context.agent.name;
    let mut remarks = vec![format!(
        "done by the agent `{agent}`, which has to be installed and logged in where the plan runs: {}",
        ids.join(", ")
    )];
    let outside = by_agent
        .iter()
        .filter(|step| step.effects == Effects::External);
    remarks.extend(outside.map(|step| {
        format!("`{}` prepares the deployment; a person, or a pipeline, carries it out: steps reach nothing outside", step.id)
    }));
    let changes = by_agent.iter().any(|step| step.action.writes == [ANYWHERE]);
    remarks.extend(context.own.remarks.iter().filter(|_| changes).cloned());
    remarks
}
