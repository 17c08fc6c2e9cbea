//! Which sources are followed: the one place that refuses what could start a program, carry a secret or leave its folder.

use anyhow::{Result, anyhow, bail, ensure};

use super::super::{Hint, Oid, Trouble};
use super::address::Address;
use super::name::{below, package, printable, range, reference};
use super::parse::is_spelled_as_folder;
use super::{GitSource, NpmSource, Source};

impl Source {
    /// Returns the source in its usual spelling, or why it is not followed even for a person who names it.
    pub fn checked(self) -> Result<Source> {
        Ok(match self {
            Source::Folder(path) => {
                said_of("folder", &path, folder(&path))?;
                match is_spelled_as_folder(&path) {
                    true => Source::Folder(path),
                    false => Source::Folder(format!("./{path}")),
                }
            }
            Source::Git(git) => Source::Git(git.checked()?),
            Source::Npm(npm) => Source::Npm(npm.checked()?),
            Source::Url(url) => {
                said_of("address", &url, catalogue(&url))?;
                Source::Url(url)
            }
        })
    }

    /// Does as `checked` for what a stranger's catalogue names: git over https or ssh, and npm, neither on this machine.
    pub fn checked_as_stranger(self) -> Result<Source> {
        let source = self.checked()?;
        let refused = match &source {
            Source::Folder(_) => Some("a catalogue may not name a folder of this machine"),
            Source::Url(_) => Some("a catalogue's plugin is no catalogue"),
            Source::Git(git) => near(&git.url),
            Source::Npm(npm) => npm.registry.as_deref().and_then(near),
        };
        match refused {
            None => Ok(source),
            Some(why) => {
                said_of("source", &source.to_string(), Err(anyhow!("{why}"))).map(|()| source)
            }
        }
    }
}

impl GitSource {
    /// Returns the source in its usual spelling, or why it is not followed.
    pub fn checked(mut self) -> Result<GitSource> {
        said_of("git source", &self.url, repository(&self.url))?;
        self.url = usual(&self.url);
        if let Some(name) = &self.reference {
            said_of("reference", name, reference(name))?;
            // Catalogues write a commit where a branch belongs.
            if let Ok(commit) = Oid::try_from(name.clone()) {
                self.reference = None;
                self.commit.get_or_insert(commit);
            }
        }
        if let Some(path) = &self.path {
            let inner = path
                .strip_prefix("./")
                .unwrap_or(path)
                .trim_end_matches('/');
            said_of("path", path, below(inner))?;
            self.path = (!matches!(inner, "" | ".")).then(|| inner.to_string());
        }
        Ok(self)
    }
}

impl NpmSource {
    /// Returns the source in its usual spelling, or why it is not followed.
    pub fn checked(mut self) -> Result<NpmSource> {
        said_of("npm package", &self.package, package(&self.package))?;
        if let Some(version) = &self.version {
            said_of("version", version, range(version))?;
        }
        if let Some(registry) = &self.registry {
            said_of("registry", registry, web(registry))?;
            self.registry = Some(registry.trim_end_matches('/').to_string());
        }
        Ok(self)
    }
}

/// Says what is refused, with its name cut where it is long.
fn said_of(what: &str, name: &str, verdict: Result<()>) -> Result<()> {
    let shown: String = name.chars().take(200).collect();
    verdict
        .map_err(|why| why.context(format!("cannot use the {what} `{}`", shown.escape_debug())))
        .kind(Trouble::Request)
}

fn folder(path: &str) -> Result<()> {
    ensure!(!path.is_empty(), "it is empty");
    printable(path)
}

fn address(url: &str) -> Result<Address<'_>> {
    printable(url)?;
    ensure!(!url.contains(char::is_whitespace), "it holds a space");
    ensure!(
        !url.contains(['\\', '"', '\'', '<', '>', '`']),
        "it holds a character that no address has"
    );
    if let Some((helper, _)) = url
        .split_once("::")
        .filter(|(helper, _)| !helper.contains(['/', '[']))
    {
        bail!("`{helper}::` starts a program, and only addresses are followed");
    }
    let address = Address::read(url).ok_or_else(|| anyhow!("it is not an address"))?;
    if address.user.is_some_and(|user| user.contains(':')) {
        return Err(anyhow!("it holds a password")).hint(
            "passwords belong into git's credential helper (`git help credentials`) or `.npmrc`, where no one commits them",
        );
    }
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    ensure!(
        address.port.is_none_or(is_port),
        "its port is not a number from 1 to 65535"
    );
    Ok(address)
}

fn repository(url: &str) -> Result<()> {
    let address = address(url)?;
    ensure!(!url.contains(['?', '#']), "a git URL has no `?` and no `#`");
    let bare = address.path.trim_matches('/');
    ensure!(!bare.is_empty(), "it names no repository");
    match address.scheme {
        "https" | "http" => on_web(&address),
        "ssh" => {
            let user = address.user.unwrap_or("git");
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            ensure!(
                !user.is_empty() && !user.starts_with('-') && user.chars().all(plain),
                "`{user}` is not a user's name"
            );
            ensure!(
                address.has_plain_host(),
                "`{}` is not a host's name",
                address.host
            );
            ensure!(
                !address.path.starts_with('-'),
                "its path begins with `-`, as an option does"
            );
            Ok(())
        }
        "file" => {
            ensure!(
                address.host.is_empty() && address.user.is_none(),
                "a file URL names no host: `file:///path`"
            );
            Ok(())
        }
        "git" => Err(anyhow!("`git://` is neither encrypted nor signed")).hint("use `https://`"),
        other => Err(anyhow!("`{other}` is not followed"))
            .hint("use `https://`, `ssh://` or `git@host:path`"),
    }
}

/// Refuses what is neither https nor, on this machine, http.
fn on_web(address: &Address<'_>) -> Result<()> {
    ensure!(
        address.has_plain_host(),
        "`{}` is not a host's name",
        address.host
    );
    if address.user.is_some() {
        return Err(anyhow!("it names a user")).hint(
            "leave out what is before the `@`: git's credential helper (`git help credentials`) knows who you are",
        );
    }
    match address.scheme {
        "https" => Ok(()),
        "http" if address.is_loopback() => Ok(()),
        "http" => {
            Err(anyhow!("`http://` can be read and changed on its way")).hint("use `https://`")
        }
        other => Err(anyhow!("`{other}` is not followed")).hint("use `https://`"),
    }
}

fn web(url: &str) -> Result<()> {
    ensure!(!url.contains(['?', '#']), "it has a `?` or a `#`");
    on_web(&address(url)?)
}

fn catalogue(url: &str) -> Result<()> {
    web(url)?;
    ensure!(url.ends_with(".json"), "it does not end in `.json`");
    Ok(())
}

/// Says why a stranger's catalogue may not name the address.
fn near(url: &str) -> Option<&'static str> {
    let address = Address::read(url)?;
    match address.scheme {
        "file" => Some("a catalogue may not name a folder of this machine"),
        _ if address.is_near() => Some("a catalogue may not name this machine or one beside it"),
        _ => None,
    }
}

/// Returns the URL as most people write it, so that one repository is not fetched twice.
fn usual(url: &str) -> String {
    let url = url.trim_end_matches('/');
    match url.strip_prefix("https://github.com/") {
        Some(name) => format!("https://github.com/{}.git", name.trim_end_matches(".git")),
        None => url.to_string(),
    }
}
