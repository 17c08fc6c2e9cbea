//! What a person asks for, one use case a file. Phases meet here and nowhere else.
//!
//! Only this module reads and writes `.orchestrate/` and git. It prints nothing: it tells a `Watch` what happens.
//!
//! A new command is a file here with what it does, and one in `cli` with its arguments and its words.

mod approve;
mod bisect;
mod blame;
mod catalog;
mod check;
mod clean;
mod clock;
mod commit;
mod doctor;
mod draft;
mod dry_run;
mod failpoint;
mod fetching;
mod finish;
mod history;
mod host;
mod init;
mod locks;
mod marketplace;
mod meaning;
mod names;
mod own_checks;
mod past;
mod plan;
mod plugin;
mod prepare;
mod project;
mod recover;
mod rehearse;
mod research;
mod reuse;
mod run;
mod search;
mod session;
mod settings;
mod slots;
mod tools;
mod undo;
mod verify;
mod watch;

pub use approve::{ApproveOptions, Approved, approve, policy as approval_policy};
pub use bisect::{Bisected, Tried, bisect};
pub use blame::{Blame, blame};
pub use catalog::{Catalog, CatalogOptions, CatalogueFinding, Marketplace};
pub use check::{Checked, check, check_plan_text};
pub use clean::{Cleaned, clean};
pub use clock::Clock;
pub use doctor::{Doctor, Examined, doctor};
pub use draft::{Drafted, drafted, edited, skeleton};
pub use dry_run::{DryRun, DryStep, dry_run};
pub use finish::{Taught, taught};
pub use history::{RunLog, RunSummary, find_run, run_log, run_report, runs};
pub use init::{CiService, WellKnown, chosen as chosen_marketplaces, init, init_ci, well_known};
pub use marketplace::{
    AddRequest, Updated, add as add_marketplace, shown as shown_revision,
    update as update_marketplace,
};
pub use meaning::{embedded_passages, embedded_taxonomy};
pub use past::past_requests;
pub use plan::{Planned, find_plan, find_plan_id, plan, plan_text, save};
pub use plugin::{finding_line, oddity_line, one_plugin, validate_plugin};
pub use project::{OpenOptions, Project};
pub use rehearse::{Rehearsed, rehearse};
pub use research::{patterns_for, research};
pub use run::{RunOptions, choose_sandbox, ready, resume, start, start_from};
pub use search::{Explanation, Found, Search, explain, search};
pub use settings::{Known, Origin, Settings};
pub use undo::{Undone, undo};
pub use verify::{Verified, rerun_checks, verify};
pub use watch::{Note, Silent, Stop, Watch};
