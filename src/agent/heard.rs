//! What an agent has said so far, in words that all agents share.

use std::collections::BTreeSet;

use crate::model::AgentUse;

/// Everything that counts of what an agent printed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heard {
    pub used: AgentUse,
    /// What was reported at the last end; an agent that goes on with a session counts on from there.
    pub before: AgentUse,
    /// The tokens of the turns so far, as far as they are told before the end.
    pub tokens_so_far: u64,
    /// The last turn that was counted there.
    pub last_message: String,
    /// The end of the work; an agent may report several, and the last one counts.
    pub ended: Option<Ended>,
    /// What was asked for and not allowed.
    pub denied: BTreeSet<String>,
    /// What of the plugin did not load, and which of its servers did not start.
    pub broken: Vec<String>,
    /// Names of the skills, commands and agents that it has loaded, where it tells them.
    pub loaded: Option<BTreeSet<String>>,
    /// What went wrong on the way, the last of it.
    pub trouble: Option<Fault>,
}

/// An end that the agent reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub fault: Option<Fault>,
    /// The last thing it said.
    pub words: String,
}

/// Something that went wrong, as the agent says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub words: String,
    /// The status that the model's host answered, where it is told.
    pub status: Option<u16>,
    /// It ended because a budget that it was given is used up.
    pub out_of_budget: bool,
}

impl Fault {
    /// Returns a fault that is known by its words alone.
    pub fn new(words: impl Into<String>) -> Fault {
        Fault {
            words: words.into(),
            status: None,
            out_of_budget: false,
        }
    }

    /// Returns the same fault with the status in it, where it is one.
    pub fn with_status(mut self, status: u64) -> Fault {
        self.status = u16::try_from(status).ok().filter(|status| *status >= 400);
        self
    }
}

impl Heard {
    /// Begins to listen to an agent that goes on with the session of `before`.
    pub fn after(before: &Heard) -> Heard {
        let mut reported = before.before.clone();
        reported.add(&before.used);
        Heard {
            before: reported,
            ..Heard::default()
        }
    }

    /// Takes over what an end reports; totals of a session that is gone on with hold what was reported before.
    pub(super) fn report(&mut self, total: AgentUse) {
        let less = |total: u64, before: u64| total.checked_sub(before).unwrap_or(total);
        let cost_usd = match total.cost_usd >= self.before.cost_usd {
            true => total.cost_usd - self.before.cost_usd,
            false => total.cost_usd,
        };
        let counts = [total.input_tokens, total.cached_tokens, total.output_tokens];
        let before = &self.before;
        let counts_before = [
            before.input_tokens,
            before.cached_tokens,
            before.output_tokens,
        ];
        let goes_on = counts
            .iter()
            .zip(&counts_before)
            .all(|(total, before)| total >= before);
        let [input, cached, output] = match goes_on {
            true => [0, 1, 2].map(|index: usize| less(counts[index], counts_before[index])),
            false => counts,
        };
        self.used.turns = total.turns;
        self.used.input_tokens = input;
        self.used.cached_tokens = cached;
        self.used.output_tokens = output;
        self.used.cost_usd = cost_usd;
    }
}
