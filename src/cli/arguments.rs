//! The command line, as `--help` shows it.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  orchestrate \"Build a REST API with JWT authentication and Redis caching\"
  orchestrate --plan-only \"Build API with authentication [prefer: oauth2]\"
  orchestrate --execute 2026-11-22-rest-api-jwt-redis-7f3a
  orchestrate --resume 2026-11-22-rest-api-jwt-redis-7f3a.k3m9

Constraints, in the task:
  [prefer: fastapi, jwt] [avoid: redis] [max-time: 10min] [quality: production-ready]
  [domain: web-development] [note: Redis now on port 6380]

Exit codes:
  0 done   1 a step or check failed, resumable   2 the request cannot be carried out
  3 paused, a person has to act   4 approval missing   5 not what was approved, or tampered with
  6 held by another process
  7 something needed is missing   70 a bug   130, 143 interrupted, resumable";

/// Git-native orchestrator of coding-agent plugins: the plan you merged is the run you get.
#[derive(Debug, Parser)]
#[command(name = "orchestrate", version, after_help = EXAMPLES, max_term_width = 110, disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do, in a sentence, with constraints in brackets
    pub task: Option<String>,

    #[command(flatten)]
    pub front: Front,

    #[command(flatten)]
    pub shared: Shared,

    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do with the task.
#[derive(Debug, Args)]
pub struct Front {
    /// Show the patterns for the task first; on a terminal, choose one
    #[arg(long)]
    pub show_patterns: bool,
    /// Write the plan and run nothing
    #[arg(long, conflicts_with_all = ["execute", "resume", "show_patterns", "dry_run", "rehearse"])]
    pub plan_only: bool,
    #[command(flatten)]
    pub preview: Preview,
    /// Run a plan that was saved
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["task", "resume"])]
    pub execute: Option<String>,
    /// Use this pattern
    #[arg(long, value_name = "PATTERN", conflicts_with_all = ["execute", "resume", "explore"])]
    pub pattern_id: Option<String>,
    /// Go on with a run from its last checkpoint
    #[arg(long, value_name = "RUN", conflicts_with_all = ["task", "dry_run", "rehearse"])]
    pub resume: Option<String>,
    /// Let agents use so many times what the plan lets them, in this run
    #[arg(long, value_name = "TIMES", requires = "resume", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub budget: Option<u32>,
    /// Go on from this step of the run, as a run of its own: what it did before that step is taken over
    #[arg(long, value_name = "STEP", requires = "resume")]
    pub from: Option<String>,
    /// Take over what earlier runs have done with the very same steps, plugins and input; their checks run again
    #[arg(long, conflicts_with = "resume")]
    pub reuse: bool,
    /// Do this step again though it may have had its effects outside the files already
    #[arg(long, value_name = "STEP")]
    pub repeat: Vec<String>,
    /// Compose anew, whatever patterns there are
    #[arg(long, conflicts_with_all = ["execute", "resume"])]
    pub explore: bool,
    /// Make a git repository of a folder that holds files already
    #[arg(long)]
    pub init: bool,
}

/// A run seen before it is one.
#[derive(Debug, Clone, Copy, Args)]
pub struct Preview {
    /// Say what would happen, and write nothing
    #[arg(long, conflicts_with = "rehearse")]
    pub dry_run: bool,
    /// Go through the plan with stubs: no program runs, and nothing is kept
    #[arg(long)]
    pub rehearse: bool,
}

impl Preview {
    /// Says whether nothing is to be run.
    pub fn is_wanted(self) -> bool {
        self.dry_run || self.rehearse
    }
}

/// What holds for every command.
#[derive(Debug, Args)]
pub struct Shared {
    /// Work in this folder; the task creates it where there is none
    #[arg(short = 'C', value_name = "DIR", default_value = ".", global = true)]
    pub directory: PathBuf,
    /// One JSON document on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// Fetch nothing; what is cached still works
    #[arg(long, global = true)]
    pub offline: bool,
    /// Only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Also what the programs of the steps print
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// How progress is shown, on standard error
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    pub progress: ProgressMode,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    pub color: ColorMode,
    /// Run steps with everything you may do yourself, where no sandbox is to be had
    #[arg(long, global = true)]
    pub unsandboxed: bool,
    /// Leave your branch alone at the end; the result stays on the run's branch
    #[arg(long, global = true)]
    pub no_merge: bool,
    /// Run at most so many steps side by side [default: one for each core]
    #[arg(long, global = true, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ProgressMode {
    /// A live line on a terminal, plain lines elsewhere
    #[default]
    Auto,
    Plain,
    /// One JSON document a line for each event
    Json,
    None,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorMode {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

/// What can be done besides the task.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find out which plugins and patterns there are for something
    Research(Research),
    /// Find the patterns for something
    DiscoverPatterns(DiscoverPatterns),
    /// Begin a plan by hand, change one, or look whether one can run
    Plan(PlanArguments),
    /// Approve a plan as it stands: exactly that may run
    Approve(Approve),
    /// Look at every file of ours in the repository, offline
    Check(Check),
    /// Run a plan that was saved, as --execute does
    Implement(Implement),
    /// Show what a run taught, and propose it again where the proposal is gone
    Learn(Learn),
    /// Look at runs
    #[command(subcommand)]
    Run(RunCommand),
    /// Show the runs that wait for something
    Status,
    /// Prove a run from its branch alone: its checkpoints, digests and findings
    Verify {
        run: String,
        /// Also run the checks of each step again, at the files it left
        #[arg(long)]
        rerun_checks: bool,
    },
    /// Remove what ended runs have left: worktrees, and with --branches what is merged
    Clean {
        /// Also delete the branches of runs whose result is in the checked out branch
        #[arg(long)]
        branches: bool,
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
    },
    /// Look at patterns
    #[command(subcommand)]
    Pattern(PatternCommand),
    /// Set a repository up, and offer the well-known marketplaces
    Init(Init),
    /// Say where plugins come from
    #[command(subcommand)]
    Marketplace(MarketplaceCommand),
    /// Look at plugins
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Show the settings that hold here
    Config {
        /// Say where each setting comes from
        #[arg(long)]
        show_origin: bool,
    },
    /// Show what works here, and how to mend what does not
    Doctor,
    /// Serve agents: what can be asked for here, as tools of the Model Context Protocol
    Mcp(Mcp),
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, Args)]
pub struct Mcp {
    /// Serve HTTP at this address of the loopback, instead of standard input and output
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<std::net::SocketAddr>,
}

#[derive(Debug, Args)]
pub struct Research {
    /// The question, in a sentence
    pub question: String,
}

#[derive(Debug, Args)]
pub struct DiscoverPatterns {
    /// A domain, or a task in a sentence; all patterns without one
    pub domain: Option<String>,
}

#[derive(Debug, Args)]
pub struct Implement {
    /// The plan's name, or the beginning or end of it
    pub plan: String,
    #[command(flatten)]
    pub preview: Preview,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PlanArguments {
    /// What the plan is for; a skeleton opens in your editor, or is printed where nobody can edit
    pub task: Option<String>,
    /// Take up a plan that you wrote; digests of all zeros are filled in
    #[arg(long, value_name = "FILE", conflicts_with = "task")]
    pub from: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<PlanCommand>,
}

#[derive(Debug, Subcommand)]
pub enum PlanCommand {
    /// Change a plan in your editor; it is looked at before it is taken up
    Edit { plan: String },
    /// Say whether a plan can run, by its name or its file
    Check {
        plan: String,
        /// How what is wrong is printed
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        format: FaultFormat,
    },
}

#[derive(Debug, Args)]
pub struct Approve {
    /// The plan's name, or the beginning or end of it
    pub plan: String,
    /// Sign with the key that git signs with; also done without this where git was told of one
    #[arg(long)]
    pub sign: bool,
}

#[derive(Debug, Args)]
pub struct Check {
    /// How what is wrong is printed
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: FaultFormat,
}

/// How faults are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum FaultFormat {
    #[default]
    Text,
    /// A SARIF 2.1.0 document
    Sarif,
    /// Annotations in a GitHub workflow
    Github,
}

#[derive(Debug, Args)]
pub struct Learn {
    /// The run's name, or the beginning or end of it
    pub run: String,
}

#[derive(Debug, Subcommand)]
pub enum RunCommand {
    /// List the runs of this repository
    List,
    /// Show one run
    Show { run: String },
    /// Show what happened in a run, event by event
    Log { run: String },
    /// Take the merge of a run back, by a new commit
    Undo { run: String },
    /// Find the step after which a command fails that succeeded before
    Bisect {
        run: String,
        /// The command; 0 means good, 125 that it cannot be told, anything else bad
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Say which step of which run wrote a line
    Blame {
        #[arg(value_name = "FILE:LINE")]
        place: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum PatternCommand {
    /// List the patterns with their evidence
    List,
    /// Show one pattern
    Show { pattern: String },
}

#[derive(Debug, Args)]
pub struct Init {
    /// Add these well-known marketplaces, or `all`
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub with: Vec<String>,
    /// Write what shows plans on pull requests, and carries merged ones out
    #[arg(long, value_enum, value_name = "SERVICE")]
    pub ci: Option<Ci>,
}

/// A service that runs things on pull requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ci {
    Github,
    Gitlab,
}

#[derive(Debug, Subcommand)]
pub enum MarketplaceCommand {
    /// Add marketplaces: a folder, owner/repo, a git URL, npm:NAME, or the address of a marketplace.json
    Add(Add),
    /// List the marketplaces
    List {
        /// Say where each setting comes from
        #[arg(long)]
        show_origin: bool,
    },
    /// Fetch the newest, and show what changed in what the plugins can do
    Update {
        /// These; all without a name
        names: Vec<String>,
    },
    /// Take a marketplace out of the settings
    Remove { name: String },
}

#[derive(Debug, Args)]
pub struct Add {
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Call it so, instead of what it calls itself
    #[arg(long)]
    pub name: Option<String>,
    /// A branch or a tag of the git repository
    #[arg(long = "ref", value_name = "REF")]
    pub reference: Option<String>,
    /// A folder of the git repository
    #[arg(long, value_name = "PATH")]
    pub folder: Option<String>,
    /// Into your own settings instead of the repository's
    #[arg(long)]
    pub user: bool,
}

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// List the plugins
    List {
        /// Only those of this marketplace
        #[arg(long, value_name = "NAME")]
        marketplace: Option<String>,
    },
    /// Find plugins: up to three words are looked up, and a sentence is understood
    Search {
        #[arg(required = true)]
        words: Vec<String>,
        /// The most that are shown
        #[arg(long, default_value_t = 10, value_name = "N")]
        limit: usize,
    },
    /// Say why a plugin is found for a request, or is not
    Explain {
        plugin: String,
        /// What is to be done, in your words
        request: String,
    },
    /// Show what a plugin is, can do, and fetches when it is used
    Show {
        plugin: String,
        /// Fetch it where its files are elsewhere, and show what they say
        #[arg(long)]
        fetch: bool,
    },
    /// Judge a folder that holds a plugin or a marketplace
    Validate {
        #[arg(default_value = ".")]
        path: PathBuf,
    },
}

/// The names of the subcommands, to tell a mistyped one from a task.
pub const COMMANDS: [&str; 20] = [
    "verify",
    "clean",
    "plan",
    "approve",
    "check",
    "research",
    "discover-patterns",
    "implement",
    "learn",
    "run",
    "status",
    "pattern",
    "init",
    "marketplace",
    "plugin",
    "config",
    "doctor",
    "mcp",
    "completions",
    "help",
];
