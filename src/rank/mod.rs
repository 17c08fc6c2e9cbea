//! Puts plugins in order for a request in a person's words: by words, by meaning, by what developers call things, and by what is ruled out.
//!
//! It reads no disk, asks no network, and knows no one set of plugins or requests: whoever calls it hands over what is searched. Words
//! are counted by `index`, meanings are told by `encoder`, and the taxonomy says which words and signs stand for which capability.
//!
//! A further signal is a field of `Signals`, a term in `score::combine`, and a line in `README.md`, where the method and its constants are
//! explained.

mod capabilities;
mod clauses;
mod features;
mod named;
mod normal;
mod passage;
mod past;
mod request;
mod ruled_out;
mod score;
mod words;

pub use capabilities::{Capabilities, texts};
pub use features::{Features, Vocabulary};
pub use named::{negated, technologies};
pub use normal::standard;
pub use passage::{Passage, passages, vector};
pub use past::{Past, PastRequest};
pub use request::{Request, Unit, UnitKind};
pub use ruled_out::RuledOut;
pub use score::{Ranked, Signals, rank};
pub use words::{identifier, is_content, spelled, stems};
