//! What a person asks for, one use case a file. Phases meet here and nowhere else.
//!
//! Only this module reads and writes `.orchestrate/` and git. It prints nothing: it tells a `Watch` what happens.
//!
//! A new command is a file here with what it does, and one in `cli` with its arguments and its words.

mod catalog;
mod clock;
mod commit;
mod doctor;
mod finish;
mod history;
mod host;
mod names;
mod plan;
mod prepare;
mod project;
mod run;
mod session;
mod watch;

pub use catalog::Catalog;
pub use clock::Clock;
pub use doctor::{Doctor, Examined, doctor};
pub use finish::{Taught, taught};
pub use history::{RunSummary, find_run, run_report, runs};
pub use plan::{Planned, find_plan, patterns_for, plan, research, save};
pub use project::{OpenOptions, Project};
pub use run::{RunOptions, choose_sandbox, resume, start};
pub use watch::{Note, Stop, Watch};
