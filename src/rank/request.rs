//! A request, taken apart: what it asks for as a whole, its clauses, and what it rules out.

use super::clauses::clauses;
use super::ruled_out::{self, RuledOut};
use crate::model::Taxonomy;

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The first is the whole.
    pub units: Vec<Unit>,
    pub ruled_out: RuledOut,
}

/// A text whose meaning is looked up by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub kind: UnitKind,
    pub text: String,
}

/// What a unit is of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    Whole,
    /// One of several things that are asked for.
    Clause,
    /// What somebody else says about the request.
    Instruction,
}

impl Request {
    /// Reads a request; an instruction says in general terms what is to be found for it.
    pub fn read(text: &str, instruction: Option<&str>, taxonomy: &Taxonomy) -> Request {
        let (text, ruled_out) = ruled_out::read(text, taxonomy);
        let unit = |kind, text| Unit { kind, text };
        let units = match instruction.filter(|instruction| !instruction.is_empty()) {
            Some(instruction) => vec![
                unit(UnitKind::Whole, format!("{instruction} {text}")),
                unit(UnitKind::Instruction, instruction.to_string()),
            ],
            None => {
                let clauses = clauses(&text);
                let several = clauses.len() > 1;
                let clauses = clauses.into_iter().filter(|_| several);
                let clauses = clauses.map(|clause| unit(UnitKind::Clause, clause));
                [unit(UnitKind::Whole, text)]
                    .into_iter()
                    .chain(clauses)
                    .collect()
            }
        };
        Request { units, ruled_out }
    }

    /// Returns the text of the whole.
    pub fn whole(&self) -> &str {
        &self.units[0].text
    }
}
