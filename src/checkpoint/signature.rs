//! Signatures by the keys that git signs commits with, whatever their kind: SSH, OpenPGP or X.509.
//!
//! A text is signed as the message of a commit that is in no repository: its objects stand in a folder that is deleted at once.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, anyhow, ensure};

use super::merge::last_words;
use super::repository::{Identity, Repository};
use crate::model::{Hint, Trouble};

/// What is signed, by whom and when.
pub struct Signing<'a> {
    pub text: &'a str,
    pub identity: &'a Identity,
    pub time_s: i64,
}

/// What verifying a signature found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// One of the signers has signed the text; who it is.
    Good { signer: String },
    /// It is whole, and by nobody of the signers; whose key it is.
    Stranger { key: String },
    /// It is no signature of this text.
    Bad { why: String },
}

/// What a line of the signers' list begins with where it is the fingerprint of an OpenPGP key.
const OPENPGP: &str = "openpgp:";

impl Repository {
    /// Says whether git was told of a key to sign with.
    pub fn has_signing_key(&self) -> bool {
        self.git()
            .config_snapshot()
            .string("user.signingkey")
            .is_some_and(|key| !key.is_empty())
    }

    /// Returns a signed commit with the text as its message, signed by the key that git signs with.
    pub fn sign(&self, signing: &Signing<'_>) -> anyhow::Result<String> {
        let objects = Objects::new(self)?;
        let tree = objects.run(&["hash-object", "-t", "tree", "-w", "--stdin"], b"")?;
        let (identity, time) = (signing.identity, format!("{} +0000", signing.time_s));
        let mut command = objects.command(&["commit-tree", "-S", "-F", "-", tree.trim()]);
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), &identity.name)
                .env(format!("GIT_{role}_EMAIL"), &identity.email)
                .env(format!("GIT_{role}_DATE"), &time);
        }
        let output = objects.output(command, signing.text.as_bytes())?;
        if !output.status.success() {
            let said = last_words(&output.stderr);
            let first = said
                .lines()
                .next()
                .unwrap_or_default()
                .trim_end_matches(':');
            return Err(anyhow!("{first}"))
                .context("git cannot sign")
                .kind(Trouble::Missing)
                .hint("give git a key to sign with: git config --global gpg.format ssh && git config --global user.signingkey ~/.ssh/id_ed25519.pub");
        }
        let id = String::from_utf8(output.stdout)?;
        objects.run(&["cat-file", "commit", id.trim()], b"")
    }

    /// Says whether `signature`, made by `sign`, is one of `text` by somebody of `signers`.
    pub fn verify(
        &self,
        signature: &str,
        text: &str,
        signers: &[String],
    ) -> anyhow::Result<Verdict> {
        let bad = |why: &str| {
            Ok(Verdict::Bad {
                why: why.to_string(),
            })
        };
        let message = signature.split_once("\n\n").map(|(_, message)| message);
        if message != Some(text) {
            return bad("what was signed is another text");
        }
        let objects = Objects::new(self)?;
        // `--literally` is left out: what is no commit is refused here.
        let mut command = objects.command(&["hash-object", "-t", "commit", "-w", "--stdin"]);
        command.stderr(Stdio::null());
        let written = objects.output(command, signature.as_bytes())?;
        if !written.status.success() {
            return bad("it is not a signed commit");
        }
        let id = String::from_utf8(written.stdout)?;
        let allowed = objects.folder.path().join("allowed_signers");
        let (openpgp, ssh): (Vec<&String>, Vec<&String>) =
            signers.iter().partition(|line| line.starts_with(OPENPGP));
        let lines: String = ssh.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&allowed, lines)
            .with_context(|| format!("cannot write `{}`", allowed.display()))?;
        let setting = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
        let format = "--format=%G?%x00%GF%x00%GP%x00%GS";
        let said = objects.run(
            &[
                "-c",
                &setting,
                "show",
                "-s",
                "--no-show-signature",
                format,
                id.trim(),
            ],
            b"",
        )?;
        let said: Vec<&str> = said.trim_end_matches('\n').split('\0').collect();
        let &[status, key, primary, signer] = said.as_slice() else {
            return bad("git says nothing of it");
        };
        let shown = || match key.is_empty() {
            true => "an unknown key".to_string(),
            false => key.to_string(),
        };
        let fingerprint = |line: &&String| {
            let wanted = line[OPENPGP.len()..].trim();
            !wanted.is_empty()
                && [key, primary]
                    .iter()
                    .any(|key| key.eq_ignore_ascii_case(wanted))
        };
        Ok(match status {
            // A key of SSH is only good for git when the list of signers names it.
            "G" if key.starts_with("SHA256:") => Verdict::Good {
                signer: signer.to_string(),
            },
            "G" | "U" if openpgp.iter().any(fingerprint) => Verdict::Good {
                signer: signer.to_string(),
            },
            "G" | "U" => Verdict::Stranger { key: shown() },
            // Without its public key an OpenPGP signature cannot be judged.
            "E" => Verdict::Stranger { key: shown() },
            "N" => return bad("it is not signed"),
            "X" | "Y" | "R" => return bad("its key has expired or was revoked"),
            _ => return bad("it is no signature of this text"),
        })
    }
}

/// A folder for objects that nobody keeps; what the repository has is seen through it.
struct Objects<'a> {
    repository: &'a Repository,
    folder: tempfile::TempDir,
}

impl Objects<'_> {
    fn new(repository: &Repository) -> anyhow::Result<Objects<'_>> {
        Ok(Objects {
            repository,
            folder: tempfile::tempdir().context("cannot make a folder for a signature")?,
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.repository.git_program();
        let known: &Path = &self.repository.common_directory().join("objects");
        command
            .args(arguments)
            .env("GIT_OBJECT_DIRECTORY", self.folder.path())
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", known);
        command
    }

    fn output(&self, mut command: Command, input: &[u8]) -> anyhow::Result<Output> {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let output = child.and_then(|mut child| {
            // What git does not read of its input is no loss: its exit code says what it thinks of it.
            child.stdin.take().map(|mut stdin| stdin.write_all(input));
            child.wait_with_output()
        });
        self.repository.output_of(output)
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> anyhow::Result<String> {
        let output = self.output(self.command(arguments), input)?;
        ensure!(
            output.status.success(),
            "git {}: {}",
            arguments[0],
            last_words(&output.stderr)
        );
        String::from_utf8(output.stdout).context("git printed what is not UTF-8")
    }
}
