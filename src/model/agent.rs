//! What a coding agent is asked to do in a step, how far it may go, and what it used.

use serde::{Deserialize, Serialize};

/// What an agent is asked to do.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentTask {
    /// Which agent: `claude`, `codex`, `opencode`, `gemini`, `qwen` or `copilot`.
    pub agent: String,
    /// The model; the agent's own choice without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The component of the plugin that does the work; without one the plugin is loaded and the agent chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<Uses>,
    /// The order, as the agent reads it; inputs follow it.
    pub prompt: String,
    /// What the agent may do without asking, as its own rules are written, such as `Bash` or `Bash(cargo test:*)`; what is not here is denied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    #[serde(default, skip_serializing_if = "Budget::is_empty")]
    pub budget: Budget,
    /// How many tokens the plugin is estimated to add to what the model reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// How many seconds the model may say nothing while it is asked; it counts as cut off then.
    #[serde(default = "silence_s", skip_serializing_if = "is_usual_silence")]
    pub silence_s: u64,
    /// How often the same session is told what a check found, before the attempt counts as failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub corrections_max: u32,
}

fn silence_s() -> u64 {
    120
}

fn is_usual_silence(seconds: &u64) -> bool {
    *seconds == silence_s()
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A component of a plugin, by the name that the agent calls it, without the plugin's namespace.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Uses {
    Skill(String),
    Command(String),
    Agent(String),
}

impl Uses {
    /// Returns the component's name.
    pub fn name(&self) -> &str {
        let (Uses::Skill(name) | Uses::Command(name) | Uses::Agent(name)) = self;
        name
    }

    /// Returns what kind of component it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Uses::Skill(_) => "skill",
            Uses::Command(_) => "command",
            Uses::Agent(_) => "agent",
        }
    }
}

/// The most that all attempts at a step may use together; at the cap the run pauses.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Turns of the model in one session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<u32>,
    /// Tokens in and out, cached ones included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// US dollars, by the agent's own account of its costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
}

impl Budget {
    /// Says whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Budget::default()
    }

    /// Returns the budget so many times.
    pub fn times(&self, times: u32) -> Budget {
        Budget {
            turns: self.turns.map(|turns| turns.saturating_mul(times)),
            tokens: self
                .tokens
                .map(|tokens| tokens.saturating_mul(times.into())),
            usd: self.usd.map(|usd| usd * f64::from(times)),
        }
    }

    /// Returns what is left after `used`, or what has been used up, in words.
    pub fn less(&self, used: &AgentUse) -> Result<Budget, String> {
        let tokens = match self.tokens {
            Some(most) if used.tokens() >= most => {
                return Err(format!("{} of {most} tokens are used", used.tokens()));
            }
            Some(most) => Some(most - used.tokens()),
            None => None,
        };
        let usd = match self.usd {
            Some(most) if used.cost_usd >= most => {
                return Err(format!("{:.4} of {most} USD are used", used.cost_usd));
            }
            Some(most) => Some(most - used.cost_usd),
            None => None,
        };
        Ok(Budget {
            turns: self.turns,
            tokens,
            usd,
        })
    }
}

/// What plans ask of agents where nobody says otherwise.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentDefaults {
    /// Which agent does the steps: `claude`, `codex`, `opencode`, `gemini`, `qwen` or `copilot`.
    pub name: String,
    /// The model; the agent's own choice without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The most tokens, in and out and cached ones included, that all attempts at a step may use together.
    pub tokens: u64,
    /// How often a session is told what a check found, before the attempt counts as failed.
    pub corrections_max: u32,
    /// The most seconds that an attempt at a step may take.
    pub timeout_s: u64,
}

impl Default for AgentDefaults {
    fn default() -> AgentDefaults {
        AgentDefaults {
            name: "claude".to_string(),
            model: None,
            tokens: 3_000_000,
            corrections_max: 2,
            timeout_s: 1800,
        }
    }
}

/// What an agent used in an attempt, by its own account.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentUse {
    /// The agent with its version, such as `claude 2.1.330`.
    pub agent: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// The agent's name for its conversation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub session: String,
    pub turns: u32,
    /// Tokens that were read anew, read from the model's cache (or written to it), and written.
    pub input_tokens: u64,
    #[serde(skip_serializing_if = "is_none_at_all")]
    pub cached_tokens: u64,
    pub output_tokens: u64,
    /// 0 where the agent does not say.
    pub cost_usd: f64,
}

fn is_none_at_all(number: &u64) -> bool {
    *number == 0
}

impl AgentUse {
    /// Returns all tokens together.
    pub fn tokens(&self) -> u64 {
        self.input_tokens + self.cached_tokens + self.output_tokens
    }

    /// Adds what another session or attempt used; the names stay the latest.
    pub fn add(&mut self, other: &AgentUse) {
        for (mine, theirs) in [
            (&mut self.agent, &other.agent),
            (&mut self.model, &other.model),
            (&mut self.session, &other.session),
        ] {
            if !theirs.is_empty() {
                mine.clone_from(theirs);
            }
        }
        self.turns += other.turns;
        self.input_tokens += other.input_tokens;
        self.cached_tokens += other.cached_tokens;
        self.output_tokens += other.output_tokens;
        self.cost_usd += other.cost_usd;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_what_is_left_of_it() {
        let budget = Budget {
            turns: Some(3),
            tokens: Some(100),
            usd: Some(1.0),
        };
        let mut used = AgentUse {
            input_tokens: 30,
            cached_tokens: 10,
            output_tokens: 20,
            cost_usd: 0.25,
            ..AgentUse::default()
        };
        let left = budget.less(&used).unwrap();
        assert_eq!(
            (left.turns, left.tokens, left.usd),
            (Some(3), Some(40), Some(0.75))
        );
        used.add(&used.clone());
        assert_eq!(
            budget.less(&used),
            Err("120 of 100 tokens are used".to_string())
        );
        used.input_tokens = 0;
        used.cached_tokens = 0;
        used.cost_usd = 1.0;
        assert_eq!(
            budget.less(&used),
            Err("1.0000 of 1 USD are used".to_string())
        );
        assert!(Budget::default().less(&used).is_ok());
        assert!(budget.times(2).less(&used).is_ok());
    }
}
