//! Where an entry of a stranger's catalogue says that its plugin is, and what of that is followed.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::catalogue::text;
use super::frontmatter::kind as kind_of;
use crate::model::{GitSource, NpmSource, Oid, Place, Source, is_inside};

/// What sources a dialect knows.
pub struct Rules {
    /// The kinds of object, by their names.
    pub kinds: &'static [&'static str],
    /// Whether a path may stand without `./` before it.
    pub bare: bool,
}

/// What the dialects know that came after Claude Code's.
pub const LOOSE: Rules = Rules {
    kinds: &["local", "url", "github", "git-subdir", "npm"],
    bare: true,
};

/// Returns the place. Paths that leave the marketplace, programs, and addresses on this machine are refused.
pub fn place(source: &Value, rules: &Rules) -> Result<Place> {
    match source {
        Value::String(address) if rules.bare && address.contains("://") => {
            remote(git(address, source)?)
        }
        Value::String(path) => inside(path, rules),
        Value::Object(_) => object(source, rules),
        other => bail!(
            "the source is {} rather than a text or an object",
            kind_of(other)
        ),
    }
}

fn object(source: &Value, rules: &Rules) -> Result<Place> {
    let kind = text(source, "source")
        .or_else(|| text(source, "type"))
        .context("the source does not say of which kind it is")?;
    ensure!(
        rules.kinds.contains(&kind.as_str()),
        "sources of the kind `{}` are not followed, only {}",
        kind.escape_debug(),
        rules.kinds.join(", ")
    );
    let field =
        |name: &str| text(source, name).with_context(|| format!("the source has no `{name}`"));
    match kind.as_str() {
        "local" => inside(&field("path")?, rules),
        "github" => {
            let repository = field("repo")?;
            ensure!(!repository.contains(':'), "`repo` is written `owner/name`");
            remote(git(&repository, source)?)
        }
        "npm" => remote(Source::Npm(NpmSource {
            package: field("package")?,
            version: text(source, "version"),
            registry: text(source, "registry"),
        })),
        "git-subdir" => {
            field("path")?;
            remote(git(&field("url")?, source)?)
        }
        _ => remote(git(&field("url")?, source)?),
    }
}

fn git(location: &str, source: &Value) -> Result<Source> {
    let commit = text(source, "sha");
    Ok(Source::Git(GitSource {
        path: text(source, "path"),
        reference: text(source, "ref"),
        commit: commit
            .map(Oid::try_from)
            .transpose()
            .context("the `sha` is no commit")?,
        ..GitSource::at(location)?
    }))
}

fn remote(source: Source) -> Result<Place> {
    source.checked_as_stranger().map(Place::Elsewhere)
}

fn inside(path: &str, rules: &Rules) -> Result<Place> {
    let shown = path.escape_debug();
    let is_dotted = path == "." || path.starts_with("./");
    ensure!(
        rules.bare || is_dotted,
        "the path `{shown}` does not start with `./`"
    );
    let inner = path
        .strip_prefix("./")
        .unwrap_or(path)
        .trim_end_matches('/');
    if matches!(inner, "" | ".") && !path.starts_with('/') {
        return Ok(Place::Inside(String::new()));
    }
    ensure!(
        is_inside(inner),
        "the path `{shown}` leaves the marketplace"
    );
    Ok(Place::Inside(inner.to_string()))
}

#[cfg(test)]
pub mod tests {
    use serde_json::json;

    use super::*;

    pub const LOCAL: Rules = Rules {
        kinds: &["local"],
        bare: false,
    };
    const ALL: Rules = Rules {
        kinds: &["local", "url", "github", "git-subdir", "npm"],
        bare: true,
    };

    #[track_caller]
    fn check(source: Value, rules: &Rules, expected: &str) {
        let shown = match place(&source, rules) {
            Ok(Place::Inside(path)) => format!("inside {path}"),
            Ok(Place::Elsewhere(source)) => source.to_string(),
            Err(error) => format!("{error:#}"),
        };
        assert!(shown.contains(expected), "{shown}");
    }

    #[test]
    fn a_path_stays_in_its_marketplace() {
        check(json!("./a/b/"), &LOCAL, "inside a/b");
        check(json!("./"), &LOCAL, "inside ");
        check(
            json!({"source": "local", "path": "./a"}),
            &LOCAL,
            "inside a",
        );
        check(json!({"type": "local", "path": "./a"}), &LOCAL, "inside a");
        check(json!("a/b"), &LOCAL, "does not start with `./`");
        check(json!("a/b"), &ALL, "inside a/b");
        for bad in [
            "./../a",
            "..",
            "/etc",
            "./a/../../b",
            "./.git/hooks",
            "./a\\b",
            "/",
        ] {
            check(json!(bad), &ALL, "leaves the marketplace");
        }
    }

    #[test]
    fn sources_elsewhere_are_checked() {
        let sha = "0123456789012345678901234567890123456789";
        check(
            json!({"source": "url", "url": "https://h/r.git", "path": "p", "sha": sha}),
            &ALL,
            ":p",
        );
        check(
            json!({"source": "github", "repo": "o/r", "path": "p"}),
            &ALL,
            "o/r#:p",
        );
        check(
            json!({"source": "npm", "package": "@o/p", "version": "1.0.0"}),
            &ALL,
            "npm:@o/p@1.0.0",
        );
        check(json!("https://h/r"), &ALL, "https://h/r");
        check(
            json!({"source": "url", "url": "ext::sh -c x"}),
            &ALL,
            "cannot use",
        );
        check(
            json!({"source": "url", "url": "file:///etc"}),
            &ALL,
            "cannot use",
        );
        check(
            json!({"source": "url", "url": "https://h/r", "ref": "--upload-pack=x"}),
            &ALL,
            "cannot use",
        );
        check(
            json!({"source": "url", "url": "https://h/r", "sha": "abc"}),
            &ALL,
            "no commit",
        );
        check(
            json!({"source": "github", "repo": "o/r"}),
            &LOCAL,
            "not followed",
        );
        check(
            json!({"source": "command", "command": "x"}),
            &ALL,
            "not followed",
        );
        check(json!({"url": "https://h/r"}), &ALL, "kind");
        check(json!(3), &ALL, "a number");
    }
}
