//! The programs that fetch what they then run.
//!
//! To add one, add a row to `FETCHERS`.

use super::pinned::{Kind, is_pinned};

/// A program, or one of its subcommands, that fetches packages.
pub struct Fetcher {
    /// What it is called in a payload.
    pub by: &'static str,
    /// The program and its subcommand, as words.
    command: &'static [&'static str],
    pub kind: Kind,
    /// Options whose values are packages; one such option that is no addition replaces the first argument.
    packages: &'static [&'static str],
    /// Options whose values are packages besides the first argument.
    additions: &'static [&'static str],
    /// Options that take a value which is no package.
    valued: &'static [&'static str],
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// The first argument is the package, the others are for it.
    One,
    /// All arguments are packages.
    All,
    /// Only what options name.
    None,
}

const NPM: &[&str] = &[
    "--registry",
    "--cache",
    "--prefix",
    "--userconfig",
    "-w",
    "--workspace",
    "-c",
    "--call",
];
const UV: &[&str] = &[
    "-p",
    "--python",
    "--index-url",
    "-i",
    "--index",
    "--default-index",
    "--extra-index-url",
    "--directory",
    "--project",
    "--cache-dir",
    "--refresh-package",
    "--env-file",
    "-c",
    "--constraint",
];
const PIP: &[&str] = &[
    "-i",
    "--index-url",
    "--extra-index-url",
    "-t",
    "--target",
    "--prefix",
    "--root",
    "-c",
    "--constraint",
    "-f",
    "--find-links",
    "--python",
    "--pip-args",
    "-p",
];
const DOCKER: &[&str] = &[
    "-e",
    "--env",
    "--env-file",
    "-v",
    "--volume",
    "--volumes-from",
    "--mount",
    "-p",
    "--publish",
    "--name",
    "--network",
    "--net",
    "-w",
    "--workdir",
    "-u",
    "--user",
    "--entrypoint",
    "-l",
    "--label",
    "--platform",
    "--pull",
    "--add-host",
    "-m",
    "--memory",
    "--cpus",
    "-h",
    "--hostname",
    "--gpus",
    "--restart",
    "--log-driver",
    "--log-opt",
    "--security-opt",
    "--cap-add",
    "--cap-drop",
    "--device",
    "--tmpfs",
    "--ulimit",
    "--dns",
    "--link",
    "--ip",
    "--shm-size",
    "--userns",
    "--ipc",
    "--pid",
    "--cidfile",
    "--group-add",
    "--expose",
    "--runtime",
    "--stop-signal",
];

macro_rules! fetchers {
    ($($by:literal $command:expr, $kind:ident, $takes:ident, $packages:expr, $additions:expr, $valued:expr;)*) => {
        &[$(Fetcher {
            by: $by,
            command: &$command,
            kind: Kind::$kind,
            takes: Takes::$takes,
            packages: &$packages,
            additions: &$additions,
            valued: $valued,
        }),*]
    };
}

#[rustfmt::skip]
const FETCHERS: &[Fetcher] = fetchers! {
    "npx"    ["npx"],              Npm,     One,  ["-p", "--package"], [],         NPM;
    "npx"    ["npm", "exec"],      Npm,     One,  ["-p", "--package"], [],         NPM;
    "npx"    ["npm", "x"],         Npm,     One,  ["-p", "--package"], [],         NPM;
    "npm"    ["npm", "install"],   Npm,     All,  [],                  [],         NPM;
    "npm"    ["npm", "i"],         Npm,     All,  [],                  [],         NPM;
    "bunx"   ["bunx"],             Npm,     One,  ["-p", "--package"], [],         NPM;
    "bunx"   ["bun", "x"],         Npm,     One,  ["-p", "--package"], [],         NPM;
    "pnpm"   ["pnpm", "dlx"],      Npm,     One,  ["--package"],       [],         NPM;
    "pnpm"   ["pnpx"],             Npm,     One,  ["--package"],       [],         NPM;
    "yarn"   ["yarn", "dlx"],      Npm,     One,  ["-p", "--package"], [],         NPM;
    "uvx"    ["uvx"],              Pypi,    One,  ["--from"],          ["--with"], UV;
    "uvx"    ["uv", "tool", "run"], Pypi,   One,  ["--from"],          ["--with"], UV;
    "uv"     ["uv", "tool", "install"], Pypi, One, [],                 ["--with"], UV;
    "uv"     ["uv", "run"],        Pypi,    None, [],                  ["--with"], UV;
    "pip"    ["uv", "pip", "install"], Pypi, All, [],                  ["-r", "--requirement"], PIP;
    "pip"    ["pip", "install"],   Pypi,    All,  [],                  ["-r", "--requirement"], PIP;
    "pip"    ["pip3", "install"],  Pypi,    All,  [],                  ["-r", "--requirement"], PIP;
    "pip"    ["python", "-m", "pip", "install"],  Pypi, All, [],       ["-r", "--requirement"], PIP;
    "pip"    ["python3", "-m", "pip", "install"], Pypi, All, [],       ["-r", "--requirement"], PIP;
    "pipx"   ["pipx", "run"],      Pypi,    One,  ["--spec"],          [],         PIP;
    "pipx"   ["pipx", "install"],  Pypi,    One,  [],                  [],         PIP;
    "docker" ["docker", "run"],    Image,   One,  [],                  [],         DOCKER;
    "docker" ["docker", "container", "run"], Image, One, [],           [],         DOCKER;
    "docker" ["docker", "pull"],   Image,   One,  [],                  [],         DOCKER;
    "podman" ["podman", "run"],    Image,   One,  [],                  [],         DOCKER;
    "podman" ["podman", "pull"],   Image,   One,  [],                  [],         DOCKER;
    "deno"   ["deno", "run"],      Address, One,  [],                  [],         &["-c", "--config", "--import-map", "--lock"];
    "go"     ["go", "run"],        Go,      One,  [],                  [],         &["-C", "-mod", "-tags"];
    "go"     ["go", "install"],    Go,      One,  [],                  [],         &["-C", "-mod", "-tags"];
    "cargo"  ["cargo", "install"], Crate,   All,  ["--git"],           [],         &["--features", "--root", "--path", "--branch", "--tag"];
    "dnx"    ["dnx"],              Npm,     One,  [],                  [],         &["--source", "--version"];
    "gem"    ["gem", "install"],   Npm,     All,  [],                  [],         &["-v", "--version", "-s", "--source"];
    "nix"    ["nix", "run"],       Address, One,  [],                  [],         &[];
    "git"    ["git", "clone"],     Address, One,  [],                  [],         &["-b", "--branch", "--depth", "-c", "--filter", "-o"];
};

/// Returns the row for the command, and the arguments after its subcommand.
pub fn fetcher<'a>(
    program: &str,
    arguments: &'a [String],
) -> Option<(&'static Fetcher, &'a [String])> {
    FETCHERS.iter().find_map(|fetcher| {
        let (name, mut subcommand) = fetcher.command.split_first()?;
        let mut rest = arguments;
        while let Some((word, after)) = subcommand.split_first() {
            // Options of the program itself may stand before its subcommand: `uv --directory x run`.
            let skipped = options(rest, fetcher.valued, word);
            rest = rest
                .get(skipped..)?
                .split_first()
                .filter(|(next, _)| next == word)?
                .1;
            subcommand = after;
        }
        (*name == program).then_some((fetcher, rest))
    })
}

/// Returns how many words are options and their values, up to the word that is looked for.
fn options(words: &[String], valued: &[&str], until: &str) -> usize {
    let mut count = 0;
    while let Some(word) = words
        .get(count)
        .filter(|word| word.starts_with('-') && *word != until)
    {
        count += 1 + usize::from(valued.contains(&word.as_str()));
    }
    count
}

impl Fetcher {
    /// Returns the packages that the arguments name, and whether each is exact.
    pub fn fetched(&self, arguments: &[String]) -> Vec<(String, bool)> {
        // These make it an error to fetch anything.
        if arguments
            .iter()
            .any(|word| matches!(word.as_str(), "--no-install" | "--offline"))
        {
            return Vec::new();
        }
        let (mut named, mut added, mut plain) = (Vec::new(), Vec::new(), Vec::new());
        let mut exact = None;
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let (option, value) = match word.split_once('=').filter(|_| word.starts_with('-')) {
                Some((option, value)) => (option, Some(value.to_string())),
                None => (word.as_str(), None),
            };
            let mut value = || {
                value
                    .clone()
                    .or_else(|| words.next().cloned())
                    .unwrap_or_default()
            };
            if self.packages.contains(&option) {
                named.push(value());
            } else if self.additions.contains(&option) {
                added.push(value());
            } else if matches!(option, "--version" | "-v" | "--rev") && self.takes == Takes::All {
                exact = Some(value());
            } else if self.valued.contains(&option) {
                value();
            } else if option == "--" || !option.starts_with('-') {
                plain.extend((option != "--").then(|| word.clone()));
                if self.takes == Takes::One && !plain.is_empty() {
                    break;
                }
            }
        }
        if named.is_empty() && self.takes != Takes::None {
            named = plain;
        }
        named.extend(
            added
                .iter()
                .flat_map(|list| list.split(','))
                .map(str::to_string),
        );
        named.retain(|what| self.is_fetched(what));
        named
            .into_iter()
            .map(|what| self.written(what, exact.as_deref()))
            .collect()
    }

    /// Says whether it comes from elsewhere: what is a path here is covered by the plugin's own digest.
    fn is_fetched(&self, what: &str) -> bool {
        let path = what.starts_with(['.', '/', '~', '$']) || what.starts_with("file:");
        let elsewhere = match self.kind {
            Kind::Address => what.contains(':'),
            Kind::Go => what.contains('@'),
            _ => true,
        };
        !what.is_empty() && !path && elsewhere
    }

    /// Joins a package with the version that another option gives.
    fn written(&self, what: String, version: Option<&str>) -> (String, bool) {
        let what = match version {
            Some(version) => format!("{what}@{}", version.trim_start_matches('=')),
            None => what,
        };
        let pinned = is_pinned(self.kind, &what);
        (what, pinned)
    }
}
