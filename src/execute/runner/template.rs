//! The template runner: renders a plugin's templates into the worktree and runs its declared commands.

use std::path::{Component, Path};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::command;
use crate::model::{
    Action, ExistingFile, Failure, FailureKind, PluginSpec, Remedy, Repair, TemplateFile,
    TemplateInsert,
};
use crate::render;
use crate::sandbox::add_requirement;
use crate::workspace::{Line, Workspace, failure, read_plain};
use crate::yaml;

type Attempt<T = ()> = Result<Result<T, Failure>>;

/// Renders, applies the remedies, builds the environment, runs the commands.
pub fn run(
    action: &Action,
    workspace: &mut Workspace,
    remedies: &[Remedy],
    timeout: Duration,
    say: &mut dyn FnMut(Line<'_>),
) -> Attempt {
    let deadline = Instant::now() + timeout;
    if let Err(failure) = render_only(action, workspace)? {
        return Ok(Err(failure));
    }
    if let Err(error) = require(action, workspace, remedies) {
        return Ok(Err(failure(
            FailureKind::Template,
            format!("{error:#}"),
            "",
        )));
    }
    if let Err(failure) = workspace.build_environment(say)? {
        return Ok(Err(failure));
    }
    let ended = command::programs(action, workspace, remedies, deadline, say)?;
    workspace.writes_are_known = !command::runs_any(action, remedies);
    Ok(ended)
}

/// Renders the plugin's templates, and does nothing else.
pub fn render_only(action: &Action, workspace: &mut Workspace) -> Attempt {
    let Some(text) = workspace.files.get("orchestrate.yaml") else {
        return Ok(Err(failure(
            FailureKind::Template,
            format!("`{}` has no `orchestrate.yaml`", action.plugin),
            "",
        )));
    };
    let spec: PluginSpec = yaml::parse("orchestrate.yaml", &text.bytes)?;
    if let Err(error) = render_all(&spec, workspace) {
        return Ok(Err(failure(
            FailureKind::Template,
            format!("{error:#}"),
            "",
        )));
    }
    Ok(Ok(()))
}

fn render_all(spec: &PluginSpec, workspace: &mut Workspace) -> Result<()> {
    for file in &spec.files {
        if file.applies(&workspace.values) {
            let written = self::file(file, workspace)?;
            workspace.written.extend(written);
        }
    }
    for insert in &spec.inserts {
        if insert.applies(&workspace.values) {
            let written = self::insert(insert, workspace)?;
            workspace.written.push(written);
        }
    }
    Ok(())
}

/// Returns the path that was written, or none where the file that is there is kept.
fn file(file: &TemplateFile, workspace: &Workspace) -> Result<Option<String>> {
    let name = format!("templates/{}", file.template);
    let template = workspace
        .files
        .get(&name)
        .with_context(|| format!("the plugin has no `{name}`"))?;
    let template =
        std::str::from_utf8(&template.bytes).with_context(|| format!("`{name}` is not UTF-8"))?;
    let text = render::text(&name, template, &workspace.values)?;
    let to = render::text("orchestrate.yaml", &file.to, &workspace.values)?;
    let path = inside(&workspace.directory, &to)?;
    match read_plain(&path)? {
        Some(there) if there == text.as_bytes() || file.if_exists == ExistingFile::Keep => Ok(None),
        Some(_) => anyhow::bail!("`{to}` is already there, with other content"),
        None => {
            write(&path, &text)?;
            Ok(Some(to))
        }
    }
}

/// Returns the path that was written.
fn insert(insert: &TemplateInsert, workspace: &Workspace) -> Result<String> {
    let render = |text: &str| render::text("orchestrate.yaml", text, &workspace.values);
    let to = render(&insert.file)?;
    let (anchor, after) = match (&insert.before, &insert.after) {
        (Some(anchor), None) => (render(anchor)?, false),
        (None, Some(anchor)) => (render(anchor)?, true),
        _ => {
            anyhow::bail!("the insert into `{to}` has to have exactly one of `before` and `after`")
        }
    };
    let path = inside(&workspace.directory, &to)?;
    let text = read_plain(&path)?.with_context(|| format!("`{to}` is not there"))?;
    let text = String::from_utf8(text).with_context(|| format!("`{to}` is not UTF-8"))?;
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let found: Vec<usize> = (0..lines.len())
        .filter(|&index| lines[index].trim() == anchor.trim())
        .collect();
    let &[place] = found.as_slice() else {
        anyhow::bail!(
            "`{to}` has {} lines `{}`, and exactly one was expected",
            found.len(),
            anchor.trim()
        );
    };
    let addition = render(&insert.text)?;
    lines.insert(place + usize::from(after), &addition);
    write(&path, &lines.concat())?;
    Ok(to)
}

/// Adds what the chosen remedies require to the environment's manifest: in the project, not only on this machine.
fn require(action: &Action, workspace: &mut Workspace, remedies: &[Remedy]) -> Result<()> {
    let Some(environment) = &action.environment else {
        return Ok(());
    };
    for remedy in remedies {
        if let Ok(Repair::Require(requirement)) = remedy.repair() {
            let path = inside(&workspace.directory, &environment.python)?;
            let text = read_plain(&path)?
                .with_context(|| format!("`{}` is not there", environment.python))?;
            let text = String::from_utf8(text)?;
            write(&path, &add_requirement(&text, requirement)?)?;
            workspace.written.push(environment.python.clone());
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    let writing = || format!("cannot write `{}`", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(writing)?;
    }
    std::fs::write(path, text).with_context(writing)
}

/// Returns where `path` is in the worktree; it may not climb, and no part of it may be a link that leads elsewhere.
fn inside(directory: &Path, path: &str) -> Result<std::path::PathBuf> {
    let mut full = directory.to_path_buf();
    for component in Path::new(path).components() {
        let Component::Normal(part) = component else {
            anyhow::bail!(
                "`{}` is not a path inside the repository",
                path.escape_debug()
            );
        };
        anyhow::ensure!(
            !part.eq_ignore_ascii_case(".git"),
            "`{}` is in git's own folder",
            path.escape_debug()
        );
        full.push(part);
        let link = full
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_symlink());
        anyhow::ensure!(
            !link,
            "`{}` leads through the link `{}`",
            path.escape_debug(),
            full.display()
        );
    }
    Ok(full)
}
