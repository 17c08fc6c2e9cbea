//! Where an entry says its plugin is. A stranger wrote it: what could start a program or leave the marketplace is refused.

use anyhow::{Result, anyhow, bail, ensure};
use serde_json::Value;

use crate::model::{GitSource, Hint, NpmSource, Oid, Place, Source, is_inside};

/// The kind of source that is a program's command line.
const PROGRAM: &str = "command";

/// Returns the place of an entry's plugin, and what is odd about it; `root` is the folder of plugins whose source is a mere name.
pub fn place(source: Option<&Value>, root: Option<&str>) -> Result<(Place, Option<String>)> {
    match source {
        Some(Value::String(path)) => Ok((Place::Inside(path_inside(path, root)?), None)),
        Some(Value::Object(_)) => elsewhere(source.unwrap_or(&Value::Null)),
        Some(_) => bail!("the source is neither a path nor an object"),
        None => Err(anyhow!("there is no source")).hint("write `\"source\": \"./plugins/NAME\"`"),
    }
}

/// Says whether following the source would run a program that it names.
pub fn is_program(source: &Value) -> bool {
    source["source"] == PROGRAM
}

fn path_inside(written: &str, root: Option<&str>) -> Result<String> {
    ensure!(
        !written.starts_with(['/', '~']) && !written.contains(':'),
        "the source `{}` is absolute, and leads outside of the marketplace",
        written.escape_debug()
    );
    ensure!(
        !written.contains('\\') && !written.split('/').any(|part| part == ".."),
        "the source `{}` leads outside of the marketplace: `..` and `\\` are not followed",
        written.escape_debug()
    );
    let path = match (written, root) {
        ("." | "./", _) => return Ok(String::new()),
        (path, _) if path.starts_with("./") => path[2..].to_string(),
        (name, Some(root)) if !name.contains('/') => {
            format!(
                "{}/{name}",
                root.trim_start_matches("./").trim_end_matches('/')
            )
        }
        _ => {
            return Err(anyhow!(
                "the source `{}` does not start with `./`",
                written.escape_debug()
            ))
            .hint(
                "write `./` before it, and the path from the folder that holds `.claude-plugin`",
            );
        }
    };
    let path = path.trim_matches('/');
    ensure!(
        is_inside(path) && !path.contains('\0'),
        "the source `{}` leads outside of the marketplace, or into git's own folder",
        written.escape_debug()
    );
    Ok(path.to_string())
}

fn elsewhere(source: &Value) -> Result<(Place, Option<String>)> {
    let text = |field: &str| text(source, field);
    let kind = text("source")?.unwrap_or_default();
    let mut odd = None;
    let source = match kind.as_str() {
        "github" => git(source, needed(text("repo")?, "repo")?, None)?,
        "url" => {
            let path = text("path")?;
            if path.is_some() {
                odd = Some(
                    "Claude Code ignores `path` here: other tools, and this one, read that folder"
                        .to_string(),
                );
            }
            git(source, needed(text("url")?, "url")?, path)?
        }
        "git-subdir" => git(
            source,
            needed(text("url")?, "url")?,
            Some(needed(text("path")?, "path")?),
        )?,
        "npm" => npm(
            needed(text("package")?, "package")?,
            text("version")?,
            text("registry")?,
        ),
        PROGRAM => {
            bail!("the source kind `command` runs a program to find the plugin, and nothing is run")
        }
        "archive" => {
            return Err(anyhow!("the source kind `archive` is not read"))
                .hint("the plugin's repository can be named instead: `{\"source\": \"url\", \"url\": ..}`");
        }
        "" => bail!(
            "the source does not say its kind: `\"source\": \"github\"`, or `url`, `git-subdir`, `npm`"
        ),
        other => bail!("the source kind `{}` is unknown", other.escape_debug()),
    };
    Ok((Place::Elsewhere(source.checked_as_stranger()?), odd))
}

fn git(source: &Value, location: String, path: Option<String>) -> Result<Source> {
    let commit = match text(source, "sha")? {
        None => None,
        Some(sha) => {
            let is_full = sha.len() == 40
                && sha
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            ensure!(
                is_full,
                "the sha `{}` is no commit: it has 40 digits, 0-9 and a-f",
                sha.escape_debug()
            );
            Some(Oid::try_from(sha)?)
        }
    };
    Ok(Source::Git(GitSource {
        path,
        reference: text(source, "ref")?,
        commit,
        ..GitSource::at(&location)?
    }))
}

/// A package may carry its version behind an `@`.
fn npm(package: String, version: Option<String>, registry: Option<String>) -> Source {
    let at = package.char_indices().skip(1).find(|(_, c)| *c == '@');
    let (package, carried) = match at {
        Some((at, _)) => (
            package[..at].to_string(),
            Some(package[at + 1..].to_string()),
        ),
        None => (package, None),
    };
    Source::Npm(NpmSource {
        package,
        version: version.or(carried),
        registry,
    })
}

fn text(source: &Value, field: &str) -> Result<Option<String>> {
    match source.get(field) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => bail!("the source's `{field}` is no text"),
    }
}

fn needed(value: Option<String>, field: &str) -> Result<String> {
    value.ok_or_else(|| anyhow!("the source has no `{field}`"))
}
