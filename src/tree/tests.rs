use std::fs;

use super::*;

fn tree() -> (tempfile::TempDir, Tree) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("in/a/b")).unwrap();
    fs::write(folder.path().join("secret"), "secret").unwrap();
    fs::write(folder.path().join("in/a/b/file"), "text").unwrap();
    let tree = Tree::folder(&folder.path().join("in")).unwrap();
    (folder, tree)
}

#[test]
fn a_path_is_read_beneath_its_root() {
    let (_folder, tree) = tree();
    for path in ["a/b/file", "./a/b/file", "././a/b/file"] {
        assert_eq!(tree.read(path).unwrap().unwrap(), b"text", "{path}");
    }
    assert_eq!(tree.read("a/none").unwrap(), None);
    assert_eq!(tree.read("a/b/file/below").unwrap(), None);
    for path in [
        "../secret",
        "a/../../secret",
        "/etc/hostname",
        "a\\b",
        "a//b",
    ] {
        assert!(tree.read(path).is_err(), "{path}");
    }
    let file = tree.below("a/b/file").unwrap();
    assert_eq!(file.files().unwrap()["file"].bytes, b"text");
    let below = tree.below("./a/").unwrap();
    assert_eq!(below.read("b/file").unwrap().unwrap(), b"text");
    assert_eq!(below.files().unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_inside_and_refused_outside() {
    use std::os::unix::fs::symlink;
    let (folder, tree) = tree();
    symlink("a/b/file", folder.path().join("in/near")).unwrap();
    assert_eq!(tree.read("near").unwrap().unwrap(), b"text");
    assert_eq!(tree.files().unwrap()["near"].bytes, b"text");
    symlink("../secret", folder.path().join("in/out")).unwrap();
    symlink("..", folder.path().join("in/folder")).unwrap();
    for path in ["out", "folder/secret"] {
        let error = format!("{:#}", tree.read(path).unwrap_err());
        assert!(error.contains("symlink leads out"), "{error}");
    }
    let refused = format!("{:#}", tree.files().unwrap_err());
    assert!(refused.contains("symlink"), "{refused}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_neither_waited_for_nor_read() {
    let (folder, tree) = tree();
    let pipe = folder.path().join("in/pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    assert!(tree.read("pipe").is_err());
    assert_eq!(tree.kind("pipe").unwrap(), Some(Kind::Special));
    assert!(tree.files().is_err());
}

#[test]
fn what_could_be_taken_for_gits_folder_is_told() {
    for name in [
        ".git",
        ".GIT",
        ".git.",
        ".git ",
        "git~1",
        ".g\u{200c}it",
        ".git::$INDEX_ALLOCATION",
    ] {
        assert!(is_git_folder(name), "{name:?}");
    }
    for name in ["git", ".gitignore", ".github", "git~2"] {
        assert!(!is_git_folder(name), "{name:?}");
    }
}

#[test]
fn the_embedded_tree_lists_and_reads() {
    let tree = Tree::embedded("plugins");
    assert_eq!(tree.kind(".claude-plugin").unwrap(), Some(Kind::Folder));
    assert!(
        tree.files()
            .unwrap()
            .contains_key("jwt-auth-plugin/orchestrate.yaml")
    );
    let names = tree.list("").unwrap();
    assert!(names.iter().any(|entry| entry.name == "jwt-auth-plugin"));
    let plugin = tree.below("./jwt-auth-plugin").unwrap();
    assert!(plugin.files().unwrap().contains_key("orchestrate.yaml"));
}

#[test]
fn what_is_in_memory_is_read_as_a_folder_is() {
    let file = |path: &str| (path.to_string(), path.as_bytes().to_vec());
    let tree = Tree::memory(["a/b/c", "a/b.md", "ab", "../x", "/y", ""].map(file).into());
    let paths: Vec<String> = tree.files().unwrap().into_keys().collect();
    assert_eq!(paths, ["a/b.md", "a/b/c", "ab"]);
    assert_eq!(tree.kind("").unwrap(), Some(Kind::Folder));
    assert_eq!(tree.kind("a/b").unwrap(), Some(Kind::Folder));
    assert_eq!(tree.kind("a/b/c").unwrap(), Some(Kind::File));
    assert_eq!(tree.kind("a/c").unwrap(), None);
    let names = |path: &str| {
        let entries = tree.list(path).unwrap().into_iter();
        entries
            .map(|entry| (entry.name, entry.kind))
            .collect::<Vec<_>>()
    };
    let of = |name: &str, kind| (name.to_string(), kind);
    assert_eq!(names(""), [of("a", Kind::Folder), of("ab", Kind::File)]);
    assert_eq!(names("a"), [of("b", Kind::Folder), of("b.md", Kind::File)]);
    assert_eq!(
        tree.below("a").unwrap().read("b/c").unwrap().unwrap(),
        b"a/b/c"
    );
}
