//! Git repositories, by gix: one commit deep, without a checkout, a submodule or a hook.
//!
//! The user's git settings count (credential helpers, `core.sshCommand`, `url.*.insteadOf`); those of what is fetched never do.

use std::any::Any;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, anyhow};
use gix::bstr::{BStr, ByteSlice};
use gix::progress::tree::Item;
use gix::protocol::transport::client::blocking_io::{Transport, http};
use gix::remote::Direction;
use gix::remote::fetch::refmap::SpecIndex;
use gix::remote::fetch::{Prepare, Shallow, Tags};

use super::FetchOptions;
use super::http::configured;
use super::watch::watched;
use crate::model::{GitSource, Hint, Hinted, Oid, Revision, Trouble, hinted};

/// How many commits back a pinned one is looked for where the server does not hand it out by its name.
const DEPTH_MAX: NonZeroU32 = NonZeroU32::new(10_000).expect("it is not zero");
const DEPTH_OF_ONE: NonZeroU32 = NonZeroU32::MIN;

/// How ssh is called where the user has not said it: a connection that hangs or goes quiet ends.
const SSH: &str = "ssh -o ConnectTimeout=10 -o ServerAliveInterval=10 -o ServerAliveCountMax=3";

/// What to ask a server for.
#[derive(Clone)]
struct Order {
    url: String,
    repository: PathBuf,
    /// The branch or tag that is meant.
    reference: Option<String>,
    /// What is asked for, and how many commits of it.
    refspecs: Vec<String>,
    depth: NonZeroU32,
    may_ask: bool,
}

/// Brings what the source means into the repository, and returns the commit and its tree.
pub fn fetch(
    source: &GitSource,
    repository: &gix::Repository,
    options: &FetchOptions<'_>,
) -> Result<Revision> {
    let order = Order {
        url: source.url.clone(),
        repository: repository.path().to_path_buf(),
        reference: source.reference.clone(),
        refspecs: refspecs(source.reference.as_deref()),
        depth: DEPTH_OF_ONE,
        may_ask: options.may_ask,
    };
    let receive = |order: Order| {
        watched(options, move |progress, stop| {
            receive(&order, progress, stop)
        })
    };
    let found = match &source.commit {
        None => receive(order)?,
        Some(commit) => pinned(commit, order, receive)?,
    };
    revision(repository.path(), found)
}

/// Fetches a commit by its name; from a server that refuses, its branch as far back as is bearable.
fn pinned(
    commit: &Oid,
    order: Order,
    receive: impl Fn(Order) -> Result<gix::ObjectId>,
) -> Result<gix::ObjectId> {
    let by_name = Order {
        refspecs: vec![format!("+{commit}:refs/orchestrate/incoming/commit")],
        ..order.clone()
    };
    let refused = match receive(by_name) {
        Ok(id) => return Ok(id),
        Err(error) if error.chain().any(|cause| cause.is::<Hinted>()) => return Err(error),
        Err(error) => error,
    };
    let repository = order.repository.clone();
    receive(Order {
        depth: DEPTH_MAX,
        ..order
    })?;
    let id = gix::ObjectId::from_hex(commit.as_str().as_bytes())?;
    match open(&repository, true)?.find_commit(id) {
        Ok(_) => Ok(id),
        Err(_) => Err(refused.context(format!(
            "commit {commit} is not among the last {DEPTH_MAX} of the branch, and the server does not hand it out by its name"
        )))
        .kind(Trouble::Request)
        .hint("name the branch that holds it: `URL#BRANCH@COMMIT`"),
    }
}

/// Returns what to ask for, a branch before a tag of the same name.
fn refspecs(reference: Option<&str>) -> Vec<String> {
    let spec = |from: &str, to: &str| format!("+{from}:refs/orchestrate/incoming/{to}");
    match reference {
        None | Some("HEAD") => vec![spec("HEAD", "head")],
        Some(full) if full.starts_with("refs/") => vec![spec(full, "full")],
        Some(name) => vec![
            spec(&format!("refs/heads/{name}"), "branch"),
            spec(&format!("refs/tags/{name}"), "tag"),
        ],
    }
}

/// Carries out the order, and returns the object that was asked for first.
fn receive(order: &Order, mut progress: Item, stop: &AtomicBool) -> Result<gix::ObjectId> {
    let git = open(&order.repository, order.may_ask)?;
    let prepared = prepare(&git, order, progress.add_child("handshake"))
        .map_err(|error| unreachable(&error, &order.url))?;
    if let Some(reference) = &order.reference
        && prepared.ref_map().is_missing_required_mapping()
    {
        return Err(anyhow!("there is no branch or tag `{reference}`"))
            .kind(Trouble::Request)
            .hint(format!(
                "`git ls-remote {}` names those that are there",
                order.url
            ));
    }
    let outcome = prepared
        .with_shallow(Shallow::DepthAtRemote(order.depth))
        .receive(progress, stop)
        .map_err(reason)
        .context("the server did not hand it out")?;
    let asked = |index: usize| {
        let mut mappings = outcome.ref_map.mappings.iter();
        mappings.find(|mapping| mapping.spec_index == SpecIndex::ExplicitInRemote(index))
    };
    let found = (0..order.refspecs.len()).find_map(asked);
    let id = found.and_then(|mapping| mapping.remote.as_id());
    let id = id.ok_or_else(|| anyhow!("it has no commit there"));
    Ok(id.kind(Trouble::Request)?.to_owned())
}

/// Connects, and agrees with the server on what is asked for.
fn prepare<'git>(
    git: &'git gix::Repository,
    order: &Order,
    progress: Item,
) -> gix::Result<Prepare<'static, 'git, Box<dyn Transport + Send>>> {
    let specs: Vec<&BStr> = order
        .refspecs
        .iter()
        .map(|spec| spec.as_str().into())
        .collect();
    let remote = git
        .remote_at(order.url.as_str())?
        .with_fetch_tags(Tags::None)
        .with_refspecs(specs, Direction::Fetch)?;
    let url = remote.url(Direction::Fetch).map(gix::Url::to_bstring);
    let mut connection = remote.connect(Direction::Fetch)?;
    let options = url
        .map(|url| git.transport_options(url.as_bstr(), None))
        .transpose()?;
    if let Some(options) = options.flatten() {
        connection.set_transport_options(with_our_client(options));
    }
    connection.prepare_fetch(progress, gix::remote::ref_map::Options::default())
}

/// Returns the options of git's HTTP transport with what all our connections have.
fn with_our_client(mut options: Box<dyn Any>) -> Box<dyn Any> {
    if let Some(options) = options.downcast_mut::<http::Options>() {
        let backend = http::reqwest::Options {
            configure_client: Some(Box::new(|builder| Ok(configured(builder)))),
            configure_request: None,
        };
        options.backend = Some(Arc::new(Mutex::new(backend)));
    }
    options
}

/// Opens a repository of the cache with the user's settings, but for those that could make git ask or hang.
fn open(path: &Path, may_ask: bool) -> Result<gix::Repository> {
    let cannot = || format!("cannot open the repository `{}`", path.display());
    let open = |settings: Vec<String>| {
        let options = gix::open::Options::default().open_path_as_is(true);
        gix::ThreadSafeRepository::open_opts(path, options.cli_overrides(settings))
            .with_context(cannot)
    };
    let mut settings = vec!["core.logAllRefUpdates=false".to_string()];
    if !may_ask {
        settings.push("gitoxide.credentials.terminalPrompt=false".into());
        settings.push("core.askPass=".into());
    }
    let git = open(settings.clone())?.to_thread_local();
    if git
        .ssh_connect_options()
        .with_context(cannot)?
        .command
        .is_some()
    {
        return Ok(git);
    }
    let batch = if may_ask { "" } else { " -o BatchMode=yes" };
    settings.push(format!("core.sshCommand={SSH}{batch}"));
    settings.push("ssh.variant=ssh".into());
    Ok(open(settings)?.to_thread_local())
}

/// Returns the commit that an object leads to, with its tree, once both are here.
fn revision(repository: &Path, found: gix::ObjectId) -> Result<Revision> {
    let git = open(repository, false)?;
    let commit = git.find_object(found)?.peel_to_commit();
    let commit = commit.map_err(|_| anyhow!("{found} leads to no commit"));
    let commit = commit.kind(Trouble::Request)?;
    let tree = commit.tree().context("the commit came without its files")?;
    Ok(Revision {
        commit: Some(Oid::try_from(commit.id.to_string())?),
        tree: Oid::try_from(tree.id.to_string())?,
        version: None,
        integrity: None,
    })
}

/// Says why there is no connection, and what mends it.
fn unreachable(error: &gix::Error, url: &str) -> anyhow::Error {
    let cause = anyhow!("{}", error.probable_cause());
    if error.is_unauthenticated() || error.is_permission_denied() {
        return hinted(
            cause.context("the server wants to know who you are, or does not have it"),
            Trouble::Missing,
            format!(
                "`git ls-remote {url}` has to work without a question: see `git help credentials`"
            ),
        );
    }
    let advice = "check the address and the connection; what is cached works with `--offline`";
    hinted(
        cause.context("cannot talk to the server"),
        Trouble::Missing,
        advice,
    )
}

fn reason(error: gix::Error) -> anyhow::Error {
    anyhow!("{}", error.probable_cause())
}
