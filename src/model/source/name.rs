//! What a reference, a path, a package or a version may be called.

use anyhow::{Result, anyhow, bail, ensure};

use super::super::{Hint, invisible, is_inside};

/// The longest address, name or path that a source may have, in bytes.
const LENGTH_MAX: usize = 2048;

/// Refuses what a reviewer could not see.
pub fn printable(text: &str) -> Result<()> {
    ensure!(
        text.len() <= LENGTH_MAX,
        "it is longer than {LENGTH_MAX} bytes"
    );
    match text.chars().find(|c| c.is_control() || invisible(*c)) {
        Some(c) => bail!(
            "it holds a character that cannot be seen, U+{:04X}",
            c as u32
        ),
        None => Ok(()),
    }
}

/// Does as `git check-ref-format` does, and refuses what git would read as an option, a pattern or two references.
pub fn reference(name: &str) -> Result<()> {
    printable(name)?;
    ensure!(!name.is_empty() && name != "@", "it names nothing");
    ensure!(
        !name.starts_with(['-', '+', '/']),
        "it begins with `{}`",
        &name[..1]
    );
    if let Some(c) = name.chars().find(|c| " ~^:?*[\\".contains(*c)) {
        bail!("no branch or tag has a `{c}` in its name");
    }
    for part in ["..", "@{", "//", "/."] {
        ensure!(
            !name.contains(part),
            "no branch or tag has `{part}` in its name"
        );
    }
    let ends_well =
        !name.ends_with(['/', '.']) && !name.split('/').any(|part| part.ends_with(".lock"));
    ensure!(
        !name.starts_with('.') && ends_well,
        "no branch or tag is called so"
    );
    Ok(())
}

/// Refuses a path that climbs or begins at the root.
pub fn below(path: &str) -> Result<()> {
    printable(path)?;
    ensure!(
        matches!(path, "" | ".") || is_inside(path),
        "it leaves the repository"
    );
    Ok(())
}

/// Follows npm's rules for names, without those that only packages from before 2015 have.
pub fn package(name: &str) -> Result<()> {
    printable(name)?;
    let (scope, bare) = match name.strip_prefix('@').map(|rest| rest.split_once('/')) {
        Some(Some((scope, bare))) => (Some(scope), bare),
        Some(None) => bail!("a name that begins with `@` is written `@scope/name`"),
        None => (None, name),
    };
    ensure!(name.len() <= 214, "it is longer than 214 characters");
    for part in scope.into_iter().chain([bare]) {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '~');
        ensure!(!part.is_empty(), "a part of it is empty");
        ensure!(
            !part.starts_with(['.', '_', '-', '~']),
            "it begins with `{}`",
            &part[..1]
        );
        if let Some(c) = part.chars().find(|c| !plain(*c)) {
            bail!("no package has a `{c}` in its name");
        }
    }
    ensure!(
        !matches!(bare, "node_modules" | "favicon.ico"),
        "no package is called so"
    );
    Ok(())
}

/// Refuses what is no version, range or tag: an address, an alias, a path.
pub fn range(version: &str) -> Result<()> {
    printable(version)?;
    ensure!(
        !version.is_empty() && version.trim() == version,
        "it is empty or has a space at an end"
    );
    ensure!(
        !version.starts_with('-'),
        "it begins with `-`, as an option does"
    );
    let plain = |c: char| c.is_ascii_alphanumeric() || " .^~<>=|*+_-".contains(c);
    match version.chars().find(|c| !plain(*c)) {
        Some(c) => Err(anyhow!("no version or range has a `{c}`"))
            .hint("write a version (`1.2.3`), a range (`^1.2`) or a tag (`latest`)"),
        None => Ok(()),
    }
}
