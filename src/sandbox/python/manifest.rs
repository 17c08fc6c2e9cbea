//! The dependencies in the text of a `pyproject.toml`: read, and added to without touching the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::Context;
use serde::Deserialize;
use toml::Spanned;

use crate::model::Hint;

#[derive(Deserialize)]
struct Manifest {
    project: Option<Project>,
}

#[derive(Deserialize)]
struct Project {
    dependencies: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default, rename = "optional-dependencies")]
    optional: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    dynamic: Vec<String>,
}

/// The optional dependencies that a project's own tests need.
const DEVELOPMENT: &str = "dev";

/// Returns the dependencies of `manifest` and its optional ones named `dev`, sorted, each once.
/// Fails with line and column where the text is not TOML, and on a dependency that could be taken for an option.
pub fn requirements(manifest: &str) -> anyhow::Result<Vec<String>> {
    let Some(project) = parse(manifest)?.project else {
        return Ok(Vec::new());
    };
    if project.dynamic.iter().any(|field| field == "dependencies") {
        return Err(anyhow::anyhow!(
            "the project's dependencies are `dynamic`, so they are known only by building it"
        ))
        .hint("list them in `[project]` as `dependencies = [..]`");
    }
    let mut all: BTreeSet<String> = texts(&project).into_iter().collect();
    all.extend(
        project
            .optional
            .get(DEVELOPMENT)
            .into_iter()
            .flatten()
            .cloned(),
    );
    all.iter().try_for_each(|requirement| check(requirement))?;
    Ok(all.into_iter().collect())
}

/// Returns `manifest` with `requirement` among the project's dependencies, in place of one for the same package.
/// Fails where there is no `[project]` table, or where the text cannot be changed with certainty.
pub fn add_requirement(manifest: &str, requirement: &str) -> anyhow::Result<String> {
    check(requirement)?;
    let project = parse(manifest)?.project;
    let project = project
        .with_context(|| format!("there is no `[project]` table to add `{requirement}` to"))?;
    let before = texts(&project);
    let same = before
        .iter()
        .position(|item| name(item) == name(requirement));
    let mut after = before.clone();
    match same {
        Some(index) => after[index] = requirement.to_owned(),
        None => after.push(requirement.to_owned()),
    }
    if after == before {
        return Ok(manifest.to_owned());
    }
    let changed = match (&project.dependencies, same) {
        (Some(list), Some(index)) => {
            replaced(manifest, list.get_ref()[index].span(), &quoted(requirement))
        }
        (Some(list), None) => appended(manifest, list, requirement),
        (None, _) => introduced(manifest, requirement),
    };
    // The places were found in the text, so what they gave is read again before it is believed.
    let found = parse(&changed)?.project.map(|project| texts(&project));
    anyhow::ensure!(
        found == Some(after),
        "cannot tell where to add `{requirement}` to the project's dependencies"
    );
    Ok(changed)
}

fn parse(manifest: &str) -> anyhow::Result<Manifest> {
    toml::from_str(manifest).map_err(|error| {
        let (line, column) = position(manifest, error.span().map_or(0, |span| span.start));
        anyhow::anyhow!("line {line} column {column}: {}", error.message())
    })
}

/// Returns line and column, both from 1 and in characters, of a place in bytes.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

fn texts(project: &Project) -> Vec<String> {
    let list = project.dependencies.as_ref().map(Spanned::get_ref);
    list.into_iter()
        .flatten()
        .map(|item| item.get_ref().clone())
        .collect()
}

/// Refuses what an installer would take for an option or for two lines.
pub(super) fn check(requirement: &str) -> anyhow::Result<()> {
    let begins_well = requirement.starts_with(|first: char| first.is_ascii_alphanumeric());
    anyhow::ensure!(
        begins_well && !requirement.contains(char::is_control),
        "`{}` is not a requirement: it begins with the name of a package",
        requirement.escape_debug()
    );
    Ok(())
}

/// Returns the package that a requirement is for, as package indexes compare names.
fn name(requirement: &str) -> String {
    let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    let name = requirement[..end.unwrap_or(requirement.len())].to_ascii_lowercase();
    let parts: Vec<&str> = name
        .split(['-', '_', '.'])
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("-")
}

fn quoted(requirement: &str) -> String {
    format!(
        "\"{}\"",
        requirement.replace('\\', "\\\\").replace('"', "\\\"")
    )
}

fn replaced(text: &str, range: Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &text[..range.start], &text[range.end..])
}

/// Adds an item to a list as the list is written: on its line, or on a line of its own with the others' indent.
fn appended(text: &str, list: &Spanned<Vec<Spanned<String>>>, requirement: &str) -> String {
    let item = quoted(requirement);
    let Some(last) = list.get_ref().last().map(Spanned::span) else {
        let opening = list.span().start + 1;
        return replaced(text, opening..opening, &item);
    };
    let line = text[..last.start]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    if line <= list.span().start {
        return replaced(text, last.end..last.end, &format!(", {item}"));
    }
    let indent: String = text[line..]
        .chars()
        .take_while(|c| matches!(c, ' ' | '\t'))
        .collect();
    let rest = &text[last.end..list.span().end - 1];
    let has_comma = rest.trim_start().starts_with(',');
    // A comment behind the last item stays with it.
    let line_end = last.end + rest.find('\n').unwrap_or(0);
    let line_end = if text[..line_end].ends_with('\r') {
        line_end - 1
    } else {
        line_end
    };
    let (comma, own_comma) = if has_comma { ("", ",") } else { (",", "") };
    format!(
        "{}{comma}{}\n{indent}{item}{own_comma}{}",
        &text[..last.end],
        &text[last.end..line_end],
        &text[line_end..]
    )
}

/// Adds the list itself at the end of the `[project]` table.
fn introduced(text: &str, requirement: &str) -> String {
    let mut at = 0;
    let mut inside = false;
    let mut end = text.len();
    for line in text.split_inclusive('\n') {
        let header = line.trim_start().starts_with('[');
        if inside && header {
            break;
        }
        inside |= header
            && line.trim_start()[1..].trim_start().starts_with("project")
            && line.contains("project]");
        at += line.len();
        if inside && !line.trim().is_empty() {
            end = at;
        }
    }
    let newline = if text[..end].ends_with('\n') {
        ""
    } else {
        "\n"
    };
    replaced(
        text,
        end..end,
        &format!("{newline}dependencies = [{}]\n", quoted(requirement)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(manifest: &str, expected: Result<&[&str], &str>) {
        let found = requirements(manifest).map_err(|error| error.to_string());
        let expected = expected.map(|list| list.iter().map(|&text| text.to_owned()).collect());
        assert_eq!(found, expected.map_err(str::to_owned), "{manifest}");
    }

    fn add(manifest: &str, requirement: &str, expected: &str) {
        assert_eq!(add_requirement(manifest, requirement).unwrap(), expected);
        let again = add_requirement(expected, requirement).unwrap();
        assert_eq!(again, expected, "a second time changes nothing");
    }

    #[test]
    fn requirements_are_sorted_and_told_once() {
        read("", Ok(&[]));
        read("[tool.ruff]\nline-length = 100\n", Ok(&[]));
        read("[project]\nname = 'x'\n", Ok(&[]));
        read(
            "[project]\ndependencies = ['b', 'a>=1']\n[project.optional-dependencies]\ndev = ['pytest', 'b']\ndocs = ['mkdocs']\n",
            Ok(&["a>=1", "b", "pytest"]),
        );
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_place() {
        read(
            "[project]\ndependencies = ['a'\n",
            Err("line 2 column 20: unclosed array, expected `]`"),
        );
        read(
            "[project]\ndependencies = 'a'\n",
            Err("line 2 column 16: invalid type: string \"a\", expected a sequence"),
        );
        read(
            "[project]\ndynamic = ['dependencies']\n",
            Err("the project's dependencies are `dynamic`, so they are known only by building it"),
        );
    }

    #[test]
    fn what_an_installer_would_take_for_an_option_is_refused() {
        for bad in ["--index-url=x", "-e .", ".", "", " a", "a\n--pre"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        for good in [
            "a",
            "python-jose[cryptography]>=3",
            "a @ git+https://example.org/a",
            "a; python_version < '3.12'",
        ] {
            assert!(check(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_requirement_is_added_as_the_list_is_written() {
        add(
            "[project]\ndependencies = []\n",
            "a",
            "[project]\ndependencies = [\"a\"]\n",
        );
        add(
            "[project]\ndependencies = ['b']\n",
            "a",
            "[project]\ndependencies = ['b', \"a\"]\n",
        );
        add(
            "[project]\ndependencies = ['b',]\n",
            "a",
            "[project]\ndependencies = ['b', \"a\",]\n",
        );
        add(
            "[project]\ndependencies = [\n  'b', # why\n  'c', # not\n]\n# end\n",
            "a>=1",
            "[project]\ndependencies = [\n  'b', # why\n  'c', # not\n  \"a>=1\",\n]\n# end\n",
        );
        add(
            "[project]\ndependencies = [\n    'b',\n    'c'\n]\n",
            "a",
            "[project]\ndependencies = [\n    'b',\n    'c',\n    \"a\"\n]\n",
        );
        add(
            "[project]\ndependencies = [\n    'b',\n    'c']\n",
            "a",
            "[project]\ndependencies = [\n    'b',\n    'c',\n    \"a\"]\n",
        );
    }

    #[test]
    fn a_list_is_introduced_at_the_end_of_its_table() {
        add(
            "[project]\nname = 'x'",
            "a",
            "[project]\nname = 'x'\ndependencies = [\"a\"]\n",
        );
        add(
            "[project]\nname = 'x'\n\n[tool.y]\nz = 1\n",
            "a",
            "[project]\nname = 'x'\ndependencies = [\"a\"]\n\n[tool.y]\nz = 1\n",
        );
    }

    #[test]
    fn another_requirement_for_the_same_package_takes_its_place() {
        add(
            "[project]\ndependencies = ['Python_Jose>=3', 'b']\n",
            "python-jose[cryptography]",
            "[project]\ndependencies = [\"python-jose[cryptography]\", 'b']\n",
        );
        add(
            "[project]\ndependencies = ['a']\n",
            "a; extra == \"x\"",
            "[project]\ndependencies = [\"a; extra == \\\"x\\\"\"]\n",
        );
    }

    #[test]
    fn nothing_is_added_where_the_place_is_not_certain() {
        assert!(add_requirement("[tool.x]\n", "a").is_err());
        assert!(add_requirement("project = {name = 'x'}\n", "a").is_err());
        assert!(add_requirement("[project]\ndependencies = []\n", "-e .").is_err());
    }
}
