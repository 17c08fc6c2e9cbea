//! Payloads: what a plugin fetches when it is used, told from its command lines. Nothing is run.

mod fetchers;
mod pinned;
mod shell;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::model::{Components, Payload};
use fetchers::{Fetcher, fetcher};
use pinned::{Kind, is_pinned};
use shell::{Piece, interprets, pieces, program};

/// How many shells within shells are looked into.
const DEPTH_MAX: usize = 4;

/// Returns what is fetched at launch and is therefore covered by no digest, each thing once a place.
pub fn payloads(components: &Components) -> Vec<Payload> {
    let mut found = Found::default();
    for server in &components.mcp_servers {
        found.at = format!("servers.{}", server.name);
        if !server.url.is_empty() {
            found.address(&server.url);
        }
        if !server.argv.is_empty() {
            found.command(&server.argv, 0);
        }
    }
    for hook in &components.hooks {
        found.at = format!("hooks.{}", hook.event);
        match hook.kind.as_str() {
            "http" => found.address(&hook.what),
            "command" => found.line(&hook.what, 0),
            _ => {}
        }
    }
    found.payloads.into_iter().collect()
}

#[derive(Default)]
struct Found {
    /// The place that is being read.
    at: String,
    payloads: BTreeSet<Payload>,
}

impl Found {
    fn add(&mut self, by: &str, what: &str, pinned: bool) {
        self.payloads.insert(Payload {
            by: by.to_string(),
            what: what.to_string(),
            pinned,
            at: self.at.clone(),
        });
    }

    fn address(&mut self, url: &str) {
        let path = url.split(['?', '#']).next().unwrap_or(url);
        let bundle = path.ends_with(".mcpb") || path.ends_with(".dxt");
        self.add(if bundle { "mcpb" } else { "remote" }, url, false);
    }

    /// Reads a line as a shell would take it apart.
    fn line(&mut self, line: &str, depth: usize) {
        let pieces = pieces(line);
        for (index, piece) in pieces.iter().enumerate() {
            self.command(&piece.words, depth);
            if let Some(url) = executed_download(&pieces, index) {
                self.add(program(&piece.words).0, url, false);
            }
        }
    }

    /// Reads one command: a program and its arguments.
    fn command(&mut self, words: &[String], depth: usize) {
        let (program, arguments) = program(words);
        if let Some(script) = shell::script(program, arguments) {
            if depth < DEPTH_MAX {
                self.line(script, depth + 1);
            }
            return;
        }
        let mut named = Vec::new();
        if let Some((fetcher, arguments)) = fetcher(program, arguments) {
            named = fetcher.fetched(arguments);
            for (what, pinned) in &named {
                self.add(fetcher.by, what, *pinned);
            }
            self.proxied(fetcher, &named, arguments);
        }
        let packages = arguments.iter().map(|word| {
            word.split_once("=git+")
                .map_or(word.as_str(), |(_, _)| word)
        });
        for word in packages.filter(|word| word.starts_with("git+")) {
            if !named.iter().any(|(what, _)| what == word) {
                self.add("git", word, is_pinned(Kind::Address, word));
            }
        }
        for word in words.iter().filter(|word| word.starts_with("https://")) {
            if word.ends_with(".mcpb") || word.ends_with(".dxt") {
                self.address(word);
            }
        }
    }

    /// `mcp-remote` is a program that speaks to a server elsewhere: both count.
    fn proxied(&mut self, fetcher: &Fetcher, named: &[(String, bool)], arguments: &[String]) {
        let remote = |what: &str| what.split('@').next() == Some("mcp-remote");
        if fetcher.kind == Kind::Npm && named.iter().any(|(what, _)| remote(what)) {
            let urls = arguments.iter().filter(|word| word.starts_with("http"));
            urls.for_each(|url| self.address(url));
        }
    }
}

/// Returns the address that the piece downloads, where what comes from it is then executed: piped into an interpreter, put into
/// the command line of one, or saved under a name that a later command mentions.
fn executed_download(pieces: &[Piece], index: usize) -> Option<&str> {
    let (name, arguments) = program(&pieces[index].words);
    if !matches!(name, "curl" | "wget") {
        return None;
    }
    let is_address = |word: &&String| word.contains("://");
    let url = arguments.iter().find(is_address)?.as_str();
    let mut piped = pieces[index..]
        .windows(2)
        .take_while(|pair| pair[0].ends_with == Some('|'))
        .map(|pair| program(&pair[1].words));
    let substituted = index > 0
        && matches!(pieces[index - 1].ends_with, Some('(' | '`'))
        && matches!(
            program(&pieces[index - 1].words).0,
            "sh" | "bash" | "zsh" | "dash" | "eval" | "source" | "."
        );
    let output = arguments
        .windows(2)
        .find(|pair| matches!(pair[0].as_str(), "-o" | "--output" | "-O"))
        .map(|pair| pair[1].as_str());
    let saved = output
        .filter(|name| !name.contains("://"))
        .unwrap_or_else(|| url.rsplit('/').next().unwrap_or(url));
    let mentioned = || {
        let later = pieces[index + 1..].iter().flat_map(|piece| &piece.words);
        saved.len() > 1 && later.into_iter().any(|word| word.contains(saved))
    };
    (substituted || piped.any(|(name, arguments)| interprets(name, arguments)) || mentioned())
        .then_some(url)
}
