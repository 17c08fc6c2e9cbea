//! Paths that stay in the repository.

/// What stands for the whole repository where a step says which paths it writes; our own folder is no part of it.
pub const ANYWHERE: &str = ".";

/// Says whether the path is relative, does not climb, and is not in git's own folder.
pub fn is_inside(path: &str) -> bool {
    let mut parts = path.trim_end_matches('/').split('/');
    !path.contains('\\')
        && !parts.any(|part| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git"))
}

/// Says whether a declared path is the other one, or a folder above it; a `/` at the end of either says nothing more.
pub fn is_above(above: &str, path: &str) -> bool {
    if above == ANYWHERE {
        return true;
    }
    let (above, path) = (above.trim_end_matches('/'), path.trim_end_matches('/'));
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::is_inside;

    #[test]
    fn a_path_neither_climbs_nor_starts_at_the_root() {
        for good in ["a", "a/b.txt", "docs/", ".gitignore", "a..b"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in [
            "",
            "/",
            "/a",
            "..",
            "a/../b",
            "./a",
            "a//b",
            ".git/config",
            "a/.GIT",
            "a\\b",
        ] {
            assert!(!is_inside(bad), "{bad}");
        }
    }
}
