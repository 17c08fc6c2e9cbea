//! `orchestrate plan`: plans written and changed by hand.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, anyhow};
use serde_json::json;

use super::arguments::{Arguments, FaultFormat, PlanArguments, PlanCommand};
use super::output::Output;
use super::{Done, check, front, open};
use crate::model::{Hint, Task, Trouble, counted};
use crate::ops::{self, Drafted, Project};

/// Does what the subcommand says; without one, begins a plan.
pub fn run(arguments: &Arguments, command: &PlanArguments, output: &Output) -> Done {
    match (&command.command, &command.from, &command.task) {
        (Some(PlanCommand::Edit { plan }), ..) => edit(arguments, plan, output),
        (Some(PlanCommand::Check { plan, format }), ..) => {
            check_one(arguments, plan, *format, output)
        }
        (None, Some(file), _) => {
            let text = std::fs::read(file)
                .with_context(|| format!("cannot read `{}`", file.display()))
                .kind(Trouble::Request)?;
            let project = open(arguments)?;
            let drafted = ops::drafted(&project, &file.display().to_string(), text)?;
            finish(arguments, &project, drafted, output)
        }
        (None, None, Some(task)) => begin(arguments, task, output),
        (None, None, None) => Err(anyhow!("there is no task, and no file"))
            .kind(Trouble::Request)
            .hint("orchestrate plan \"task\", or orchestrate plan --from FILE"),
    }
}

/// Opens a skeleton in the person's editor; where nobody can edit, prints it.
fn begin(arguments: &Arguments, text: &str, output: &Output) -> Done {
    let task = Task::parse(text).kind(Trouble::Request)?;
    let project = open(arguments)?;
    let skeleton = ops::skeleton(&project, &task)?;
    if !output.interactive {
        output
            .document(&json!({"status": "skeleton", "text": String::from_utf8_lossy(&skeleton)}))?;
        if !output.json {
            output.text(&String::from_utf8_lossy(&skeleton));
        }
        output.progress("complete it, then: orchestrate plan --from FILE");
        return Ok(0);
    }
    let edited = in_editor(&skeleton)?;
    let drafted = ops::drafted(&project, "plan.yaml", edited.text.clone())?;
    finish_edit(arguments, &project, drafted, edited, output)
}

/// Opens a plan in the person's editor, and takes up what they made of it.
fn edit(arguments: &Arguments, name: &str, output: &Output) -> Done {
    let project = open(arguments)?;
    let id = ops::find_plan_id(&project, name)?;
    let (_, text) = ops::plan_text(&project, &id)?;
    let edited = in_editor(&text)?;
    if edited.text == text {
        output.document(&json!({"status": "unchanged", "plan": id.as_str()}))?;
        output.line(&format!("Unchanged: {id}"));
        return Ok(0);
    }
    let drafted = ops::edited(&project, id.as_str(), edited.text.clone())?;
    finish_edit(arguments, &project, drafted, edited, output)
}

/// What a person made of a text, and the file it stands in until it is taken up.
struct Edited {
    text: Vec<u8>,
    file: tempfile::TempPath,
}

fn in_editor(text: &[u8]) -> anyhow::Result<Edited> {
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .filter_map(std::env::var_os)
        .find(|editor| !editor.is_empty())
        .ok_or_else(|| anyhow!("no editor is set"))
        .kind(Trouble::Missing)
        .hint("export EDITOR=vi; or edit the file yourself, then `orchestrate plan check PLAN`")?;
    let file = tempfile::Builder::new()
        .prefix("plan-")
        .suffix(".yaml")
        .tempfile()
        .context("cannot make a file to edit")?
        .into_temp_path();
    std::fs::write(&file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
    // As git does it: the variable may hold arguments too.
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("$ORCHESTRATE_EDITOR \"$1\"")
        .arg("sh")
        .arg(&file);
    let status = command
        .env("ORCHESTRATE_EDITOR", &editor)
        .status()
        .context("cannot start the editor")?;
    if !status.success() {
        return Err(anyhow!(
            "the editor `{}` ended with {status}, so nothing was taken up",
            editor.display()
        ))
        .kind(Trouble::Request);
    }
    let text = std::fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
    Ok(Edited { text, file })
}

/// Takes up an edited text; one that cannot run is kept, so that no work is lost.
fn finish_edit(
    arguments: &Arguments,
    project: &Project,
    drafted: Drafted,
    edited: Edited,
    output: &Output,
) -> Done {
    let faulty = matches!(drafted, Drafted::Faulty(_));
    let code = finish(arguments, project, drafted, output)?;
    if faulty {
        let kept = edited.file.keep().context("cannot keep the edited file")?;
        output.error(&format!(
            "hint: what you wrote is kept: orchestrate plan --from {}",
            kept.display()
        ));
    }
    Ok(code)
}

fn finish(arguments: &Arguments, project: &Project, drafted: Drafted, output: &Output) -> Done {
    match drafted {
        Drafted::Faulty(faults) => {
            check::show(&faults, FaultFormat::Text, output)?;
            output.line(&format!(
                "✗ the plan cannot run: {}",
                counted(faults.len(), "fault")
            ));
            Ok(check::FAULTY)
        }
        Drafted::Plan { planned, diff } => {
            ops::save(project, &planned)?;
            if !diff.is_empty() {
                output.line(diff.trim_end());
            }
            front::plan_only(arguments, output, &planned)
        }
    }
}

/// Looks at one plan, by its name or by its file.
fn check_one(arguments: &Arguments, plan: &str, format: FaultFormat, output: &Output) -> Done {
    let (file, text) = if Path::new(plan).is_file() {
        let text = std::fs::read(plan).with_context(|| format!("cannot read `{plan}`"))?;
        (plan.to_string(), text)
    } else {
        let project = open(arguments)?;
        let id = ops::find_plan_id(&project, plan)?;
        ops::plan_text(&project, &id)?
    };
    let faults = ops::check_plan_text(&file, &text);
    check::show(&faults, format, output)?;
    if format == FaultFormat::Text {
        output.line(&match faults.as_slice() {
            [] => format!("✓ {file} can run"),
            faults => format!("✗ {file} cannot run: {}", counted(faults.len(), "fault")),
        });
    }
    Ok(if faults.is_empty() { 0 } else { check::FAULTY })
}
