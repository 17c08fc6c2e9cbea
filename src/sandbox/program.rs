//! Finds a program as a shell would, and says in words why one did not start.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Returns the file that `name` stands for in the folder `directory` with the search path `path`.
pub(super) fn find(name: &str, directory: &Path, path: &OsStr) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(directory.join(name)).filter(|file| is_program(file));
    }
    let folders = std::env::split_paths(path).filter(|folder| !folder.as_os_str().is_empty());
    folders
        .map(|folder| directory.join(folder).join(name))
        .find(|file| is_program(file))
}

/// Returns every program called `name` in the absolute folders of `path`, in order.
pub fn find_all<'a>(name: &'a str, path: &OsStr) -> impl Iterator<Item = PathBuf> + use<'a> {
    let folders: Vec<PathBuf> = std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .collect();
    folders
        .into_iter()
        .map(move |folder| folder.join(name))
        .filter(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Returns why `file`, which exists, could not be started.
pub(super) fn reason(file: &Path, error: &io::Error, confined: bool) -> String {
    let name = file.display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("`{name}` cannot start: the interpreter it names is missing")
        }
        io::ErrorKind::PermissionDenied if confined => {
            format!(
                "`{name}` cannot start: it, or the interpreter it names, is outside what the sandbox lets a step read"
            )
        }
        io::ErrorKind::ArgumentListTooLong => {
            format!("`{name}` cannot start: its arguments are too long")
        }
        _ => format!("`{name}` cannot start: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, directory: &str, path: &str, expected: Option<&str>) {
        let found = find(name, Path::new(directory), OsStr::new(path));
        assert_eq!(found.as_deref(), expected.map(Path::new), "{name}");
    }

    #[test]
    fn programs_are_found_as_a_shell_would() {
        check("sh", "/", "/nowhere:/bin", Some("/bin/sh"));
        check("/bin/sh", "/", "", Some("/bin/sh"));
        check("./sh", "/bin", "", Some("/bin/./sh"));
        check("bin/sh", "/", "", Some("/bin/sh"));
        check("sh", "/", "bin", Some("/bin/sh"));
    }

    #[test]
    fn what_is_no_program_is_not_found() {
        check("sh", "/bin", "", None);
        check("passwd", "/", "/etc", None);
        check("no-such-program", "/", "/bin:/usr/bin", None);
        check("", "/", "/bin", None);
    }
}
