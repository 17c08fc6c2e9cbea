//! Where a program of the person is installed, and what of the disk it needs to run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Agent;
use crate::sandbox::programs_in;

/// A program of the person: an agent, or one that serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub file: PathBuf,
    /// What it reads beside the folders of the system.
    pub read: Vec<PathBuf>,
    /// Folders with what it starts itself, such as Node.
    pub path: Vec<PathBuf>,
}

impl Program {
    /// Returns the agent's program in the folders of `path`.
    pub fn find(agent: &Agent, path: &OsStr) -> Option<Program> {
        Program::called(agent.program, agent.native, path)
    }

    /// Returns the program called `name`, or the one of `native` in the folder of packages that it is in.
    pub fn called(name: &str, native: &[&str], path: &OsStr) -> Option<Program> {
        let real = programs_in(name, path).find_map(|file| file.canonicalize().ok())?;
        let packages = packages(&real);
        let native = packages
            .iter()
            .flat_map(|folder| native.iter().map(|native| folder.join(native)));
        if let Some(native) = native.into_iter().find_map(|file| file.canonicalize().ok()) {
            let read = packages;
            return Some(Program {
                file: native,
                read,
                path: Vec::new(),
            });
        }
        let mut read = match packages.is_empty() {
            true => vec![real.clone()],
            false => packages,
        };
        let mut folders = Vec::new();
        if let Some(interpreter) = interpreter(&real)
            && let Some(found) = programs_in(&interpreter, path).next()
        {
            folders.extend(found.parent().map(Path::to_path_buf));
            read.extend(found.canonicalize().ok());
            read.push(found);
        }
        Some(Program {
            file: real,
            read,
            path: folders,
        })
    }

    /// Returns the version that its package says, where it is of one.
    pub fn version(&self) -> Option<String> {
        let manifests = self
            .file
            .ancestors()
            .skip(1)
            .map(|folder| folder.join("package.json"));
        let text = manifests
            .take(6)
            .find_map(|file| std::fs::read(file).ok())?;
        let manifest: serde_json::Value = serde_json::from_slice(&text).ok()?;
        manifest.get("version")?.as_str().map(str::to_string)
    }
}

/// Returns the folders of packages that `file` is in, the outermost first: what one package needs stands in there, and nothing of the person.
fn packages(file: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = file
        .ancestors()
        .filter(|folder| {
            folder
                .file_name()
                .is_some_and(|name| name == "node_modules")
        })
        .map(Path::to_path_buf)
        .collect();
    folders.reverse();
    folders
}

/// Returns the program that a script is for, such as `node`.
fn interpreter(file: &Path) -> Option<String> {
    use std::io::Read;
    let mut first = Vec::new();
    std::fs::File::open(file)
        .ok()?
        .take(128)
        .read_to_end(&mut first)
        .ok()?;
    let line = String::from_utf8_lossy(first.strip_prefix(b"#!")?).into_owned();
    let mut words = line.lines().next()?.split_whitespace();
    let program = words.next()?;
    let name = match program.rsplit('/').next()? {
        "env" => words.find(|word| !word.starts_with('-'))?,
        name => name,
    };
    Some(name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn program(file: &Path, text: &str) {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn a_program_of_a_package_reads_its_packages_and_its_interpreter() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let script = root.join("lib/node_modules/gemini/index.js");
        program(&script, "#!/usr/bin/env -S node --x\n");
        program(&root.join("node/bin/node"), "\u{7f}ELF");
        std::fs::create_dir(root.join("bin")).unwrap();
        symlink(&script, root.join("bin/gemini")).unwrap();
        let path = std::env::join_paths([root.join("bin"), root.join("node/bin")]).unwrap();
        let found = Program::find(super::super::find("gemini").unwrap(), &path).unwrap();
        assert_eq!(found.file, script);
        assert_eq!(found.path, [root.join("node/bin")]);
        assert!(
            found.read.contains(&root.join("lib/node_modules")),
            "{found:?}"
        );
        assert!(
            found.read.contains(&root.join("node/bin/node")),
            "{found:?}"
        );
    }

    #[test]
    fn the_program_that_does_the_work_is_taken_and_nothing_else_is_read() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        program(&root.join("home/bin/claude"), "\u{7f}ELF");
        let path = root.join("home/bin").into_os_string();
        let claude = Program::find(super::super::find("claude").unwrap(), &path).unwrap();
        assert_eq!(claude.read, [root.join("home/bin/claude")]);
        let agent = super::super::find("codex").unwrap();
        let native = root.join("node_modules").join(agent.native[0]);
        program(&native, "\u{7f}ELF");
        program(
            &root.join("node_modules/@openai/codex/bin/codex.js"),
            "#!/usr/bin/env node\n",
        );
        std::fs::create_dir(root.join("bin")).unwrap();
        symlink(
            root.join("node_modules/@openai/codex/bin/codex.js"),
            root.join("bin/codex"),
        )
        .unwrap();
        let found = Program::find(agent, root.join("bin").as_os_str()).unwrap();
        assert_eq!(
            (found.file, found.read),
            (native, vec![root.join("node_modules")])
        );
        assert_eq!(Program::find(agent, OsStr::new("/nowhere")), None);
    }
}
