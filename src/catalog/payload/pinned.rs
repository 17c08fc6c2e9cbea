//! Whether a package as written names exact bytes or an exact version.

/// Where a package comes from; each place writes versions its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Npm,
    Pypi,
    Image,
    Go,
    Crate,
    /// A repository or a file by its address.
    Address,
}

/// Says whether `what` is exact: ranges, tags, branches and nothing at all are not.
pub fn is_pinned(kind: Kind, what: &str) -> bool {
    let version = || what.get(1..).and_then(|rest| rest.rsplit_once('@'));
    if what.contains("://") || what.starts_with("git+") || what.contains('#') {
        return kind != Kind::Image && names_commit(what);
    }
    match kind {
        Kind::Npm | Kind::Crate => version().is_some_and(|(_, version)| is_exact(version)),
        Kind::Pypi => match what.split_once("==") {
            Some((_, version)) => is_release(version.trim_start_matches('=')),
            None => version().is_some_and(|(_, version)| is_release(version)),
        },
        Kind::Image => what
            .rsplit_once("@sha256:")
            .is_some_and(|(_, digest)| is_hex(digest, 64)),
        Kind::Go => version().is_some_and(|(_, version)| {
            version.strip_prefix('v').is_some_and(is_exact) || is_hex(version, 40)
        }),
        Kind::Address => version().is_some_and(|(_, version)| is_exact(version)),
    }
}

/// Says whether an address names a whole commit, as in `git+https://host/x@<40 digits>#egg=x` and `github:o/r#<40 digits>`, or a
/// file of an exact version, as in `https://host/x@1.2.3/mod.ts`.
fn names_commit(address: &str) -> bool {
    let mut parts = address.split(['@', '#', '/', '&', '=']);
    let versioned = || {
        let mut versions = address.split('@').skip(1);
        versions.any(|rest| {
            let version = rest.split(['/', '#', '?']).next().unwrap_or(rest);
            is_exact(version.strip_prefix('v').unwrap_or(version))
        })
    };
    match address.starts_with("git+") || !address.contains("://") {
        true => parts.any(|part| is_hex(part, 40)),
        false => parts.any(|part| is_hex(part, 40)) || versioned(),
    }
}

/// Says whether it is a whole version such as `1.2.3` or `1.2.3-rc.1`.
fn is_exact(version: &str) -> bool {
    let (core, rest) = version
        .find(['-', '+'])
        .map_or((version, ""), |at| version.split_at(at));
    let numbers = core.split('.');
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    core.split('.').count() == 3
        && numbers.into_iter().all(number)
        && rest
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-+.".contains(&b))
}

/// Says whether it is a version of the Python index: `2024.1` is whole there.
fn is_release(version: &str) -> bool {
    version.starts_with(|c: char| c.is_ascii_digit())
        && version
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".!+-_".contains(&b))
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
}
