//! Arguments in, text and an exit code out.
//!
//! Commands are thin: they read arguments, call one function of `ops`, and print what comes back. This is the only module that prints.
//!
//! A new command is a variant of `Command`, a file here with its arguments and its words, and a file in `ops` with what it does.

mod approve;
mod arguments;
mod check;
mod clean;
mod config;
mod discover_patterns;
mod doctor;
mod failure;
mod front;
mod init;
mod learn;
mod marketplace;
mod mcp;
mod output;
mod pattern;
mod plan;
mod plugin;
mod preview;
mod research;
mod run;
mod terminal;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::execute::{Signal, watch};
use crate::ops::{OpenOptions, Project, Stop};
use crate::sandbox;
use arguments::{Arguments, Command};
use output::Output;

/// What a command hands back: the exit code.
type Done = anyhow::Result<u8>;

/// Does what the arguments of this process ask for.
pub fn main() -> ExitCode {
    // The launcher is this program again; it has to be told apart before anything else is done.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == sandbox::LAUNCH)
    {
        return sandbox::launcher_main();
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            error.print().ok();
            return ExitCode::from(match error.use_stderr() {
                true => failure::arguments(&error),
                false => 0,
            });
        }
    };
    let output = Output::new(&arguments.shared);
    let stop = Stop::default();
    let code = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run(&arguments, &output, &stop)
    })) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => failure::print(&output, &error, stop.signal()),
        Err(_) => failure::bug(&output),
    };
    ExitCode::from(code)
}

fn run(arguments: &Arguments, output: &Output, stop: &Stop) -> Done {
    listen(output, stop)?;
    match &arguments.command {
        None => front::run(arguments, output, stop),
        Some(Command::Implement(implement)) => front::implement(arguments, implement, output, stop),
        Some(Command::Approve(command)) => approve::run(arguments, command, output),
        Some(Command::Plan(command)) => plan::run(arguments, command, output),
        Some(Command::Check(check)) => check::run(arguments, check, output),
        Some(Command::Research(research)) => research::run(arguments, research, output, stop),
        Some(Command::DiscoverPatterns(discover)) => {
            discover_patterns::run(arguments, discover, output)
        }
        Some(Command::Learn(learn)) => learn::run(arguments, learn, output),
        Some(Command::Run(command)) => run::run(arguments, command, output),
        Some(Command::Verify { run, rerun_checks }) => {
            verify::run(arguments, run, *rerun_checks, output)
        }
        Some(Command::Clean { branches, dry_run }) => {
            clean::run(arguments, *branches, *dry_run, output)
        }
        Some(Command::Status) => run::status(arguments, output),
        Some(Command::Pattern(command)) => pattern::run(arguments, command, output),
        Some(Command::Init(init)) => init::run(arguments, init, output, stop),
        Some(Command::Marketplace(command)) => marketplace::run(arguments, command, output, stop),
        Some(Command::Plugin(command)) => plugin::run(arguments, command, output, stop),
        Some(Command::Config { show_origin }) => config::run(arguments, *show_origin, output),
        Some(Command::Doctor) => doctor::run(arguments, output),
        Some(Command::Mcp(command)) => mcp::run(arguments, command, output, stop),
        Some(Command::Completions { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "orchestrate", &mut text);
            output.text(&String::from_utf8_lossy(&text));
            Ok(0)
        }
    }
}

/// Opens the project that the arguments mean.
fn open(arguments: &Arguments) -> anyhow::Result<Project> {
    let options = OpenOptions {
        offline: arguments.shared.offline,
        ..OpenOptions::default()
    };
    open_with(arguments, options)
}

/// Opens it in a way of its own; what a killed process had left there is said first.
fn open_with(arguments: &Arguments, options: OpenOptions) -> anyhow::Result<Project> {
    let project = Project::open(&arguments.shared.directory, options)?;
    let output = Output::new(&arguments.shared);
    for said in &project.recovered {
        output.progress(&format!("⚠️ {said}"));
    }
    Ok(project)
}

/// The first Ctrl-C stops gently, the second at once.
fn listen(output: &Output, stop: &Stop) -> anyhow::Result<()> {
    let (output, stop) = (output.clone(), stop.clone());
    watch(move |signal: Signal, count| {
        if count > 1 || !stop.is_listening() {
            if count == 1 {
                output.progress("interrupted: nothing was changed");
                let document =
                    serde_json::json!({"status": "interrupted", "exit": signal.exit_code()});
                output.document(&document).ok();
            }
            std::process::exit(i32::from(signal.exit_code()));
        }
        output.progress(&format!(
            "\n{}: stopping after a checkpoint; once more stops at once",
            signal.name()
        ));
        stop.request(signal);
    })
}
