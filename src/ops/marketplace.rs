//! Adding, updating and removing marketplaces.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde::Serialize;

use super::catalog::Marketplace;
use super::fetching::{Reach, fetch};
use super::settings::{Known, Settings, checked_name};
use super::{Note, Watch};
use crate::catalog;
use crate::model::{Change, Hint, Plugin, Severity, Sign, Source, Trouble, changes, counted};
use crate::store::Lock;
use crate::tree::Tree;

/// What a person says about a marketplace to add.
#[derive(Debug, Clone, Default)]
pub struct AddRequest<'a> {
    /// A folder, `owner/repo`, a git URL, `npm:NAME`, or the address of a catalogue.
    pub source: &'a str,
    /// What the source is relative to, where it is a folder.
    pub directory: Option<&'a Path>,
    /// What to call it, instead of what it calls itself.
    pub name: Option<&'a str>,
    /// A branch or a tag.
    pub reference: Option<&'a str>,
    /// A folder of the repository.
    pub folder: Option<&'a str>,
    /// Into the person's own settings.
    pub own: bool,
    /// From what is cached alone.
    pub offline: bool,
}

/// Brings a marketplace here, reads it, and writes it into the settings with a lock.
pub fn add(
    settings: &mut Settings,
    request: &AddRequest<'_>,
    watch: &mut dyn Watch,
) -> Result<Marketplace> {
    let origin = settings.scope(request.own);
    let source = asked_for(settings, request).kind(Trouble::Request)?;
    let reach = reach(request.offline);
    let (tree, lock) =
        bring(settings, &source, reach, watch).with_context(|| format!("cannot add `{source}`"))?;
    let name = name(settings, request, &source, &tree)?;
    let known = Known {
        name,
        origin,
        source: Some(source),
        lock,
    };
    let marketplace = Marketplace::of_tree(settings, known.clone(), tree, true, watch)?;
    worth_having(&marketplace)?;
    settings.put(known)?;
    keep_as_baseline(&marketplace, settings, watch);
    Ok(marketplace)
}

fn reach(offline: bool) -> Reach {
    match offline {
        true => Reach::Offline,
        false => Reach::Newest,
    }
}

/// Keeps what the marketplace is now; where that cannot be done, all else works.
fn keep_as_baseline(marketplace: &Marketplace, settings: &Settings, watch: &mut dyn Watch) {
    if let Err(error) = marketplace.keep_as_baseline(settings) {
        watch.note(Note::Warning {
            text: format!("the next update cannot say what it changes: {error:#}"),
        });
    }
}

/// What a marketplace was and is.
#[derive(Debug, Serialize)]
pub struct Updated {
    pub name: String,
    /// The commit, version or tree before and after; none for a folder.
    pub from: Option<String>,
    pub to: Option<String>,
    /// How many plugins it has now.
    pub plugins: usize,
    /// What changed in what its plugins can do, by plugin.
    pub changes: BTreeMap<String, Vec<Change>>,
}

/// Brings the newest of a marketplace here, and says what changed in what its plugins can do.
pub fn update(
    settings: &mut Settings,
    name: &str,
    offline: bool,
    watch: &mut dyn Watch,
) -> Result<Updated> {
    let known = settings.get(name)?.clone();
    let Some(source) = known.source.clone() else {
        return Err(anyhow!("`{name}` is in the program, and changes with it"))
            .kind(Trouble::Request);
    };
    let old = Marketplace::baseline(settings, &known, watch)?;
    let brought = bring(settings, &source, reach(offline), watch)
        .with_context(|| format!("cannot update the marketplace `{name}`"));
    let (tree, mut lock) = match source {
        Source::Folder(_) => brought.hint(format!("orchestrate marketplace remove {name}"))?,
        _ => brought?,
    };
    // What plans use stays locked as it was until they are planned again.
    lock.plugins = known.lock.plugins.clone();
    let from = shown(&known.lock);
    let known = Known { lock, ..known };
    let new = Marketplace::of_tree(settings, known.clone(), tree, true, watch)?;
    let changes = differences(old, &new)?;
    settings.put_lock(&known)?;
    keep_as_baseline(&new, settings, watch);
    Ok(Updated {
        name: name.to_string(),
        from,
        to: shown(&known.lock),
        plugins: new.index.len(),
        changes,
    })
}

/// Returns the source that a person asks for.
fn asked_for(settings: &Settings, request: &AddRequest<'_>) -> Result<Source> {
    let place = match request.directory {
        Some(directory) if directory != Path::new(".") => directory.join(request.source),
        _ => PathBuf::from(request.source),
    };
    let mut source = Source::parse(request.source, place.is_dir())?;
    match &mut source {
        Source::Folder(path) => *path = settings.path_of(settings.scope(request.own), &place)?,
        Source::Git(git) => {
            git.reference = request
                .reference
                .map(str::to_string)
                .or(git.reference.take());
            git.path = request.folder.map(str::to_string).or(git.path.take());
        }
        Source::Npm(_) | Source::Url(_) => {}
    }
    let git = matches!(source, Source::Git(_));
    if !git && (request.reference.is_some() || request.folder.is_some()) {
        return Err(anyhow!(
            "`--ref` and `--folder` belong to a git repository, and `{source}` is none"
        ));
    }
    source.checked()
}

/// Returns the newest files of a source, and the lock that pins them.
fn bring(
    settings: &Settings,
    source: &Source,
    reach: Reach,
    watch: &mut dyn Watch,
) -> Result<(Tree, Lock)> {
    let mut lock = Lock {
        source: Some(source.clone().into()),
        ..Lock::default()
    };
    if let Source::Folder(path) = source {
        let tree = Tree::folder(&settings.folder(path)).kind(Trouble::Missing)?;
        return Ok((tree, lock));
    }
    let fetched = fetch(settings, source, reach, watch)?;
    let revision = fetched.revision;
    lock.commit = revision.commit;
    lock.tree = Some(revision.tree);
    lock.version = revision.version;
    lock.integrity = revision.integrity;
    Ok((fetched.tree, lock))
}

/// Returns what to call the marketplace: what the person says, else what it calls itself, else the last word of its source.
fn name(
    settings: &Settings,
    request: &AddRequest<'_>,
    source: &Source,
    tree: &Tree,
) -> Result<String> {
    let other = |name: &str| {
        let known = settings
            .marketplaces
            .iter()
            .find(|known| known.name == name);
        known.filter(|known| known.source.as_ref() != Some(source))
    };
    let dialect = match (catalog::dialect(tree), source) {
        (Err(error), Source::Folder(path)) if is_bare(&settings.folder(path)) => {
            let folder = settings.folder(path);
            return Err(error).hint(format!(
                "it is a git repository without its files: orchestrate marketplace add file://{}",
                folder.canonicalize().unwrap_or(folder).display()
            ));
        }
        (found, _) => found?,
    };
    let listing = (dialect.list)(tree).kind(Trouble::Request)?;
    let Some(name) = request.name else {
        // Two marketplaces may call themselves the same; where from tells them apart.
        let candidates = [listing.name, Some(last_word(settings, source))];
        let free = |name: &String| checked_name(name).is_ok() && other(name).is_none();
        return candidates
            .into_iter()
            .flatten()
            .find(free)
            .ok_or_else(|| {
                anyhow!("there are marketplaces already by every name that `{source}` goes by")
            })
            .kind(Trouble::Request)
            .hint("say what to call it: `--name NAME`");
    };
    checked_name(name).kind(Trouble::Request)?;
    match other(name) {
        Some(known) => Err(anyhow!(
            "there is a marketplace `{name}` already, {}",
            match &known.source {
                Some(source) => format!("from `{source}`"),
                None => "in this program".to_string(),
            }
        ))
        .kind(Trouble::Request)
        .hint("call this one something else: `--name NAME`"),
        None => Ok(name.to_string()),
    }
}

/// Says whether the folder is a git repository without a checkout.
fn is_bare(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir()
}

fn last_word(settings: &Settings, source: &Source) -> String {
    let text = match source {
        Source::Folder(path) => {
            let full = settings.folder(path);
            let full = full.canonicalize().unwrap_or(full);
            full.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        }
        Source::Git(git) => git.path.clone().unwrap_or_else(|| git.url.clone()),
        Source::Npm(npm) => npm.package.clone(),
        Source::Url(url) => url.trim_end_matches("/marketplace.json").to_string(),
    };
    let text = text.trim_end_matches('/').trim_end_matches(".git");
    text.rsplit(['/', ':']).next().unwrap_or(text).to_string()
}

/// Refuses a marketplace of which nothing could be loaded although there is something in it.
fn worth_having(marketplace: &Marketplace) -> Result<()> {
    if !marketplace.index.is_empty() {
        return Ok(());
    }
    let findings = marketplace.summary.findings();
    let worst = findings.iter().map(|found| found.oddity.severity).max();
    let lines: Vec<String> = findings.iter().map(super::finding_line).collect();
    let kind = match worst {
        None | Some(Severity::Note | Severity::Warning) => return Ok(()),
        Some(Severity::Error) => Trouble::Request,
        Some(Severity::Refused) => Trouble::Integrity,
    };
    Err(anyhow!("{}", lines.join("\n")))
        .with_context(|| {
            format!(
                "none of the {} of `{}` can be loaded",
                counted(marketplace.summary.entries.max(1), "plugin"),
                marketplace.known.name
            )
        })
        .kind(kind)
}

/// Returns what changed, by plugin, in plugins that came, went or are not the same.
fn differences(
    old: Option<Vec<Plugin>>,
    new: &Marketplace,
) -> Result<BTreeMap<String, Vec<Change>>> {
    let mut found = BTreeMap::new();
    let Some(old) = old else { return Ok(found) };
    let named = |plugin: Plugin| (plugin.id.name.clone(), plugin);
    let before: BTreeMap<String, Plugin> = old.into_iter().map(named).collect();
    let after: BTreeMap<String, Plugin> = new
        .plugins()
        .map(|plugin| plugin.map(named))
        .collect::<Result<_>>()?;
    for (name, plugin) in &after {
        let changes = match before.get(name) {
            Some(known) => changes(known, plugin),
            None => vec![whole(Sign::Added, plugin)],
        };
        if !changes.is_empty() {
            found.insert(name.clone(), changes);
        }
    }
    for (name, plugin) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        found.insert(name.clone(), vec![whole(Sign::Removed, plugin)]);
    }
    Ok(found)
}

fn whole(sign: Sign, plugin: &Plugin) -> Change {
    Change {
        sign,
        what: "plugin".to_string(),
        name: plugin.id.name.clone(),
        detail: plugin
            .description
            .lines()
            .next()
            .unwrap_or_default()
            .to_string(),
    }
}

/// Returns the revision of a lock as people know it.
pub fn shown(lock: &Lock) -> Option<String> {
    let commit = lock
        .commit
        .as_ref()
        .map(|commit| commit.short().to_string());
    let tree = lock.tree.as_ref().map(|tree| tree.short().to_string());
    lock.version.clone().or(commit).or(tree)
}
