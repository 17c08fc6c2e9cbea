//! What the person has set up about package indexes, which building an environment must follow.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Variables that are passed on, and files that they or the tools name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) environment: BTreeMap<String, String>,
    pub(super) read: Vec<PathBuf>,
}

/// Beginnings and ends of names that are passed on.
const PREFIXES: &[&str] = &["PIP_", "UV_"];
const SUFFIXES: &[&str] = &["_PROXY", "_proxy"];
const NAMES: &[&str] = &[
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];
/// Variables that say where things go, which is ours to say.
const OURS: &[&str] = &[
    "PIP_CACHE_DIR",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_LOG",
    "PIP_REPORT",
    "PIP_SRC",
    "PIP_PYTHON",
    "PIP_REQUIREMENT",
    "PIP_EDITABLE",
    "UV_CACHE_DIR",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PROJECT",
    "UV_WORKING_DIRECTORY",
    "UV_TARGET",
    "UV_PREFIX",
    "UV_LINK_MODE",
];
/// Where the tools look for a person's settings below the home folder, and the variable that names such a file.
const FILES: &[(&str, &str)] = &[
    ("PIP_CONFIG_FILE", ".config/pip/pip.conf"),
    ("PIP_CONFIG_FILE", ".pip/pip.conf"),
    ("UV_CONFIG_FILE", ".config/uv/uv.toml"),
];

impl Settings {
    /// Returns the settings of the person who runs this program.
    pub(super) fn of_the_person() -> Settings {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Settings::new(variables, std::env::home_dir().as_deref())
    }

    fn new(variables: impl Iterator<Item = (String, String)>, home: Option<&Path>) -> Settings {
        let mut settings = Settings {
            environment: variables.filter(|(name, _)| is_passed(name)).collect(),
            read: Vec::new(),
        };
        for (variable, file) in FILES {
            let file = home
                .map(|home| home.join(file))
                .filter(|file| file.is_file());
            if let Some(file) = file.as_deref().and_then(Path::to_str) {
                settings
                    .environment
                    .entry((*variable).to_owned())
                    .or_insert_with(|| file.to_owned());
            }
        }
        settings.read = settings
            .environment
            .values()
            .flat_map(|value| paths(value))
            .collect();
        settings
    }
}

fn is_passed(name: &str) -> bool {
    let listed = NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    listed && !OURS.contains(&name)
}

/// Returns the files and folders that a value names, by path or as a `file:` address.
fn paths(value: &str) -> impl Iterator<Item = PathBuf> {
    let words = value
        .split_whitespace()
        .map(|word| word.strip_prefix("file://").unwrap_or(word));
    words
        .map(Path::new)
        .filter(|path| path.is_absolute() && path.parent().is_some())
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], environment: &[(&str, &str)], read: &[&str]) {
        let own = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        let settings = Settings::new(own(variables).into_iter(), None);
        assert_eq!(settings.environment, own(environment));
        assert_eq!(
            settings.read,
            read.iter().map(PathBuf::from).collect::<Vec<_>>()
        );
    }

    #[test]
    fn settings_of_an_index_are_passed_and_nothing_else() {
        check(
            &[
                ("HOME", "/h"),
                ("AWS_SECRET", "x"),
                ("PATH", "/bin"),
                ("PIPX_HOME", "/p"),
            ],
            &[],
            &[],
        );
        check(
            &[("PIP_INDEX_URL", "https://example.org/simple")],
            &[("PIP_INDEX_URL", "https://example.org/simple")],
            &[],
        );
        check(
            &[("https_proxy", "http://proxy:1")],
            &[("https_proxy", "http://proxy:1")],
            &[],
        );
        check(
            &[("PIP_TARGET", "/somewhere"), ("UV_CACHE_DIR", "/else")],
            &[],
            &[],
        );
    }

    #[test]
    fn what_a_setting_names_can_be_read() {
        check(
            &[("PIP_FIND_LINKS", "/wheels file:///more https://example.org")],
            &[("PIP_FIND_LINKS", "/wheels file:///more https://example.org")],
            &["/wheels", "/more"],
        );
        check(
            &[("SSL_CERT_FILE", "/home/me/ca.pem")],
            &[("SSL_CERT_FILE", "/home/me/ca.pem")],
            &["/home/me/ca.pem"],
        );
        check(&[("PIP_FIND_LINKS", "/")], &[("PIP_FIND_LINKS", "/")], &[]);
    }

    #[test]
    fn a_file_of_settings_is_named_to_the_tool() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".pip/pip.conf");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "").unwrap();
        let settings = Settings::new(std::iter::empty(), Some(home.path()));
        assert_eq!(
            settings.environment["PIP_CONFIG_FILE"],
            file.to_str().unwrap()
        );
        assert_eq!(settings.read, [file]);
    }
}
