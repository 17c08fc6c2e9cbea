//! What is said about a run: lines while it goes on, a page when it is over, and the messages of its commits.
//!
//! Everything here is computed from a plan, its events and its commits, and written into something that is given; nothing is printed.
//!
//! A new line on the screen is an arm in `lines`; a new section of REPORT.md goes into `page`.

mod account;
mod commit;
mod faults;
mod lines;
mod page;
mod progress;

pub use account::{FindingsFile, account};
pub use commit::{CommitMessage, commit_message, merge_message, research_message};
pub use faults::{fault_line, github_annotation, sarif};
pub use lines::{action_lines, duration, event_lines, plan_lines};
pub use page::{report_page, research_page};
pub use progress::Progress;
