//! What a person asks for, one use case a file. Phases meet here and nowhere else.
//!
//! Only this module reads and writes `.orchestrate/` and git. It prints nothing: it tells a `Watch` what happens.
//!
//! A new command is a file here with what it does, and one in `cli` with its arguments and its words.

mod bisect;
mod blame;
mod catalog;
mod clean;
mod clock;
mod commit;
mod doctor;
mod fetching;
mod finish;
mod history;
mod host;
mod init;
mod locks;
mod marketplace;
mod names;
mod plan;
mod plugin;
mod prepare;
mod project;
mod recover;
mod reuse;
mod run;
mod session;
mod settings;
mod slots;
mod undo;
mod verify;
mod watch;

pub use bisect::{Bisected, Tried, bisect};
pub use blame::{Blame, blame};
pub use catalog::{Catalog, CatalogOptions, CatalogueFinding, Marketplace};
pub use clean::{Cleaned, clean};
pub use clock::Clock;
pub use doctor::{Doctor, Examined, doctor};
pub use finish::{Taught, taught};
pub use history::{RunLog, RunSummary, find_run, run_log, run_report, runs};
pub use init::{WellKnown, chosen as chosen_marketplaces, init, well_known};
pub use marketplace::{
    AddRequest, Updated, add as add_marketplace, shown as shown_revision,
    update as update_marketplace,
};
pub use plan::{Planned, find_plan, patterns_for, plan, research, save};
pub use plugin::{Found, finding_line, oddity_line, one_plugin, search, validate_plugin};
pub use project::{OpenOptions, Project};
pub use run::{RunOptions, choose_sandbox, resume, start, start_from};
pub use settings::{Known, Origin, Settings};
pub use undo::{Undone, undo};
pub use verify::{Verified, rerun_checks, verify};
pub use watch::{Note, Silent, Stop, Watch};
