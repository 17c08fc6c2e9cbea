//! Names that must never enter a tree, or leave one for the disk.

use gix::bstr::BStr;
use gix::validate::path::component;

/// Returns why git forbids a name in a tree, or None when it does not.
///
/// Names that another file system takes for `.git`, such as `.GIT` or `git~1`, are forbidden on every machine.
pub(super) fn forbidden(name: &[u8], is_link: bool) -> Option<String> {
    let options = component::Options {
        // Windows' own rules would refuse names such as `aux.py`, which git takes.
        protect_windows: false,
        protect_hfs: true,
        protect_ntfs: true,
    };
    let mode = is_link.then_some(component::Mode::Symlink);
    let error = gix::validate::path::component(BStr::new(name), mode, options).err()?;
    Some(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::forbidden;

    fn check(name: &str, is_link: bool, expected: bool) {
        assert_eq!(
            forbidden(name.as_bytes(), is_link).is_some(),
            expected,
            "{name:?}"
        );
    }

    #[test]
    fn lookalikes_of_the_git_directory_are_forbidden() {
        for name in [
            ".git",
            ".GIT",
            ".Git",
            "git~1",
            "GIT~1",
            ".git ",
            ".git.",
            ".g\u{200c}it",
            ".git::$INDEX_ALLOCATION",
        ] {
            check(name, false, true);
        }
        for name in ["..", ".", "", "a/b"] {
            check(name, false, true);
        }
        check(".gitmodules", true, true);
    }

    #[test]
    fn ordinary_names_are_fine() {
        for name in [
            "a",
            ".gitignore",
            ".gitmodules",
            "git",
            "aux.py",
            "a:b",
            "a b",
            "-",
            "x~1",
            "ü",
            "a\\b",
            "\n",
        ] {
            check(name, false, false);
        }
    }
}
