//! The agent runner: has a coding agent do the step, with the plugin loaded, behind a gateway to its model and in a home of its own.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::agent::{
    Call, Heard, Hindsight, Instructions, Judgement, Order, Ready, correction, granted, judge,
    rules,
};
use crate::gateway::{Gateway, Upstream};
use crate::model::{Action, AgentTask, Failure, FailureKind, Step};
use crate::sandbox::{Cancel, Network, Outcome, Reading};
use crate::workspace::{Access, Line, Workspace, failure, lay_out};

/// The longest event that is understood, in bytes: one may hold a whole file.
const EVENT_BYTES_MAX: usize = 32 << 20;
/// How often it is looked whether the model is still there.
const LOOK: Duration = Duration::from_millis(250);

type Attempt<T = ()> = Result<Result<T, Failure>>;

/// An agent with the session that it has with us, in one attempt.
pub struct Conversation {
    ready: Ready,
    task: AgentTask,
    order: Order,
    gateway: Gateway,
    heard: Heard,
    corrections: u32,
    deadline: Instant,
}

/// Has the agent do the step, and returns the conversation, to go on with where a check finds something.
pub fn run(
    step: &Step,
    action: &Action,
    workspace: &mut Workspace,
    timeout: Duration,
    say: &mut dyn FnMut(Line<'_>),
) -> Attempt<Conversation> {
    let task = action
        .agent
        .clone()
        .context("an agent's step says what it is asked")?;
    let ready = workspace
        .agent
        .clone()
        .context("an agent's step has an agent")?;
    let order = match order(step, action, &task, &ready, workspace) {
        Ok(order) => order,
        Err(error) => return Ok(Err(failure(FailureKind::Refused, format!("{error:#}"), ""))),
    };
    let login = &ready.login;
    let upstream = Upstream::new(&login.address, login.key.clone())?;
    let mut conversation = Conversation {
        gateway: Gateway::open(upstream)?,
        heard: Heard::default(),
        corrections: 0,
        deadline: Instant::now() + timeout,
        ready,
        task,
        order,
    };
    Ok(conversation.say(workspace, say)?.map(|()| conversation))
}

impl Conversation {
    /// Tells the same session what a check found; false where the plan allows no more of that.
    pub fn correct(
        &mut self,
        found: &Failure,
        workspace: &mut Workspace,
        say: &mut dyn FnMut(Line<'_>),
    ) -> Attempt<bool> {
        let is_finding = matches!(
            found.kind,
            FailureKind::Check | FailureKind::Command | FailureKind::Environment
        );
        if !is_finding
            || self.corrections >= self.task.corrections_max
            || self.heard.used.session.is_empty()
        {
            return Ok(Ok(false));
        }
        self.corrections += 1;
        self.order.work = correction(found);
        say(Line::Program("the agent is told what the check found"));
        Ok(self.say(workspace, say)?.map(|()| true))
    }

    /// Starts the agent with the order, and listens to its end.
    fn say(&mut self, workspace: &mut Workspace, say: &mut dyn FnMut(Line<'_>)) -> Attempt {
        let session = self.heard.used.session.clone();
        let mut spent = workspace.spent.clone();
        spent.add(&workspace.used);
        let budget = match self.task.budget.times(workspace.budget_times).less(&spent) {
            Ok(budget) => budget,
            Err(used_up) => return Ok(Err(self.out_of_budget(&used_up))),
        };
        let home = workspace.scratch.join("agent");
        let invocation = (self.ready.agent.invoke)(&Call {
            program: &self.ready.program.file,
            task: &self.task,
            order: &self.order,
            home: &home,
            plugin: &workspace.plugin,
            address: &self.gateway.address(),
            variable: self.ready.login.variable,
            pass: self.gateway.pass(),
            session: Some(session.as_str()).filter(|session| !session.is_empty()),
            budget,
        });
        std::fs::create_dir_all(&home)
            .with_context(|| format!("cannot create `{}`", home.display()))?;
        for (path, text) in &invocation.files {
            write(path, text)?;
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        let mut command = workspace.command(&invocation.argv, Access::Write, left);
        command.policy.read.extend(self.ready.program.read.clone());
        command.policy.network = match command.policy.network {
            Network::Ports(mut ports) => {
                ports.insert(self.gateway.port());
                Network::Ports(ports)
            }
            _ => Network::Ports([self.gateway.port()].into()),
        };
        let path = command.environment.entry("PATH".to_string()).or_default();
        for folder in &self.ready.program.path {
            *path = format!("{path}:{}", folder.display());
        }
        command.environment.extend(invocation.environment);
        let tokens_max = budget.tokens.unwrap_or(u64::MAX);
        let (outcome, stopped) = self.listen(&command, tokens_max, workspace, say)?;
        self.heard.used.agent = match self.heard.used.agent.is_empty() {
            true => self.ready.version.clone(),
            false => std::mem::take(&mut self.heard.used.agent),
        };
        if self.heard.used.tokens() == 0 {
            // It ended before it could say; what its turns read is the best that is known.
            self.heard.used.input_tokens = self.heard.tokens_so_far;
        }
        workspace.used.add(&self.heard.used);
        Ok(match self.verdict(&outcome, stopped) {
            Some(failure) => Err(failure),
            None => Ok(()),
        })
    }

    /// Runs the command and takes in what it says; returns also why it was stopped, if we did.
    fn listen(
        &mut self,
        command: &crate::sandbox::Command,
        tokens_max: u64,
        workspace: &Workspace,
        say: &mut dyn FnMut(Line<'_>),
    ) -> Result<(Outcome, Option<Failure>)> {
        let halt = Cancel::new();
        let _registration = workspace.cancel.on_cancel({
            let halt = halt.clone();
            move || halt.cancel()
        });
        let reading = Reading {
            line_bytes_max: EVENT_BYTES_MAX,
            ..Reading::default()
        };
        let stopped = Mutex::new(None);
        let stop = |kind: FailureKind, why: String| {
            let mut stopped = stopped
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            stopped.get_or_insert(failure(kind, why, ""));
            halt.cancel();
        };
        let wanted = self.wanted();
        let hear = self.ready.agent.hear;
        let (gateway, silence) = (&self.gateway, Duration::from_secs(self.task.silence_s));
        let mut heard = Heard::after(&self.heard);
        let over = Cancel::new();
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.sleep(LOOK) {
                    if gateway.news().silent.is_some_and(|silent| silent > silence) {
                        let why = format!("the model has said nothing for {} s", silence.as_secs());
                        stop(FailureKind::Model, why);
                        return;
                    }
                }
            });
            let outcome = workspace.start(command, &reading, &halt, &mut |line| {
                let (Line::Program(text) | Line::Building(text)) = line;
                match serde_json::from_str::<Value>(text) {
                    Ok(event) if event.is_object() => {
                        if let Some(shown) = hear(&event, &mut heard) {
                            shown.lines().for_each(|line| say(Line::Program(line)));
                        }
                    }
                    _ => say(line),
                }
                if heard.is_hopeless(wanted.as_deref()) {
                    halt.cancel();
                } else if heard.tokens_so_far > tokens_max {
                    stop(
                        FailureKind::Budget,
                        format!("more than {tokens_max} tokens are used"),
                    );
                }
            });
            over.cancel();
            outcome
        })?;
        self.heard = heard;
        Ok((
            outcome,
            stopped
                .into_inner()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        ))
    }

    fn verdict(&self, outcome: &Outcome, stopped: Option<Failure>) -> Option<Failure> {
        match stopped {
            Some(stopped) if stopped.kind == FailureKind::Budget => {
                return Some(self.out_of_budget(&stopped.message));
            }
            Some(stopped) => return Some(stopped),
            None => {}
        }
        if outcome.ending == crate::sandbox::Ending::TimedOut {
            return Some(failure(
                FailureKind::Timeout,
                "the agent ran into the step's timeout",
                &outcome.log,
            ));
        }
        let news = self.gateway.news();
        let wanted = self.wanted();
        let Judgement {
            kind,
            message,
            wait,
        } = judge(
            &self.heard,
            &Hindsight {
                ending: &outcome.ending,
                wanted: wanted.as_deref(),
                status: news.status,
                retry_after: news.retry_after,
                unreachable: news.broken.as_deref(),
                log: &outcome.log,
            },
        )?;
        if kind == FailureKind::Budget {
            return Some(self.out_of_budget(&message));
        }
        let mut failure = failure(kind, message, "");
        failure.wait_ms = wait.map(|wait| wait.as_millis() as u64);
        if kind == FailureKind::Refused && matches!(news.status, Some(401 | 403)) {
            failure.actions = vec![format!(
                "set `{}` to a key that the model's host takes",
                self.ready.login.variable
            )];
        }
        Some(failure)
    }

    fn wanted(&self) -> Option<String> {
        self.order.component.as_ref().map(|(_, name)| name.clone())
    }

    fn out_of_budget(&self, used_up: &str) -> Failure {
        let mut failure = failure(
            FailureKind::Budget,
            format!("the step's budget is used up: {used_up}"),
            "",
        );
        failure.actions = vec!["let it use more: `orchestrate --resume RUN --budget 2` allows twice what the plan does".to_string()];
        failure
    }
}

/// Lays the plugin out as far as it is granted, and returns what the agent is told.
fn order(
    step: &Step,
    action: &Action,
    task: &AgentTask,
    ready: &Ready,
    workspace: &Workspace,
) -> Result<Order> {
    let files = granted(&ready.plugin, &workspace.files, &action.grants.programs)?;
    if workspace.plugin.exists() {
        std::fs::remove_dir_all(&workspace.plugin)
            .with_context(|| format!("cannot empty `{}`", workspace.plugin.display()))?;
    }
    lay_out(&workspace.plugin, &files)?;
    let rules = rules(action, &step.checks);
    if ready.agent.loads_plugins {
        return Ok(Order::by_name(
            task,
            &ready.plugin.namespace,
            rules,
            &workspace.values,
        ));
    }
    let told = task
        .uses
        .as_ref()
        .map(|uses| Instructions::of(&ready.plugin, &files, uses, &workspace.plugin))
        .transpose()?;
    Ok(Order::in_full(
        task,
        told.as_ref(),
        rules,
        &workspace.values,
    ))
}

fn write(path: &Path, text: &str) -> Result<()> {
    let writing = || format!("cannot write `{}`", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(writing)?;
    }
    std::fs::write(path, text).with_context(writing)
}
