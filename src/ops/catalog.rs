//! Everything that the configured marketplaces offer: each is a tree of files and an index over it, which is made where it is missing.

mod marketplace;
mod mending;
mod pinned;
mod summary;
mod unread;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};

use super::Watch;
use super::fetching::{Reach, fetch};
use super::settings::{BUILTIN, Settings};
use crate::index::Source;
use crate::model::{Component, Digest, Hint, Place, Plugin, PluginFile, PluginId, Trouble};
pub use marketplace::{Marketplace, Pinned};
pub use mending::mending;
pub use summary::CatalogueFinding;
pub use unread::Unread;

/// All plugins of all marketplaces.
pub struct Catalog {
    pub marketplaces: Vec<Marketplace>,
    planable: OnceCell<Vec<Plugin>>,
    /// Marketplaces that could not be read, and why.
    pub failures: Vec<(String, anyhow::Error)>,
}

/// How to come by marketplaces.
#[derive(Debug, Clone, Copy, Default)]
pub struct CatalogOptions {
    /// Use what is cached, and nothing else.
    pub offline: bool,
    /// Read everything again, whatever has been read before.
    pub refresh: bool,
}

impl Catalog {
    /// Opens every marketplace of the settings; one that cannot be read is a failure, and costs only itself.
    pub fn open(
        settings: &Settings,
        options: CatalogOptions,
        watch: &mut dyn Watch,
    ) -> Result<Catalog> {
        let mut catalog = Catalog {
            marketplaces: Vec::new(),
            planable: OnceCell::new(),
            failures: Vec::new(),
        };
        for known in &settings.marketplaces {
            match Marketplace::open(settings, known, options, watch) {
                Ok(marketplace) => catalog.marketplaces.push(marketplace),
                Err(error) => catalog.failures.push((known.name.clone(), error)),
            }
        }
        Ok(catalog)
    }

    /// Returns the plugins that a plan can use, sorted by full name.
    pub fn planable(&self) -> Result<&[Plugin]> {
        if let Some(plugins) = self.planable.get() {
            return Ok(plugins);
        }
        let mut plugins = Vec::new();
        for marketplace in &self.marketplaces {
            for name in &marketplace.summary.planable {
                plugins.extend(marketplace.plugin(name)?);
            }
        }
        plugins.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(self.planable.get_or_init(|| plugins))
    }

    /// Fails where a marketplace could not be read: with less to choose from, choices would be others.
    pub fn complete(&self) -> Result<()> {
        let Some((name, error)) = self.failures.first() else {
            return Ok(());
        };
        let failed = Err(anyhow!("{error:#}")).kind(Trouble::Missing);
        match name.as_str() {
            BUILTIN => failed,
            name => failed.hint(format!(
                "mend it, or do without: orchestrate marketplace remove {name}"
            )),
        }
    }

    /// Fails where the marketplace called `name` is one that could not be read.
    pub fn of_failed(&self, name: &str) -> Result<()> {
        match self.failures.iter().any(|(failed, _)| failed == name) {
            true => {
                Err(anyhow!("the marketplace `{name}` cannot be opened")).kind(Trouble::Missing)
            }
            false => Ok(()),
        }
    }

    /// Returns how many plugins there are.
    pub fn len(&self) -> usize {
        let marketplaces = self.marketplaces.iter();
        marketplaces
            .map(|marketplace| marketplace.index.len())
            .sum()
    }

    /// Says whether there is no plugin at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the plugin called `name@marketplace`; one that was renamed is found by its former name too.
    pub fn find(&self, id: &PluginId) -> Result<Option<Plugin>> {
        let marketplace = self.marketplace(&id.marketplace);
        match marketplace {
            Some(marketplace) => marketplace.find(&id.name),
            None => Ok(None),
        }
    }

    /// Returns the files of a plugin by their path in it.
    pub fn files(&self, plugin: &Plugin) -> Result<BTreeMap<String, PluginFile>> {
        let marketplace = self
            .marketplace(&plugin.id.marketplace)
            .with_context(|| format!("`{}` is of no marketplace here", plugin.id))?;
        match &plugin.place {
            Place::Inside(path) => marketplace.tree.below(path)?.files(),
            Place::Elsewhere(source) => Err(anyhow!("its files are elsewhere, at `{source}`"))
                .kind(Trouble::Missing)
                .hint(format!("orchestrate plugin show --fetch {}", plugin.id)),
        }
        .with_context(|| format!("cannot read the files of `{}`", plugin.id))
    }

    /// Does the work on the indexes of all marketplaces, and once more where one turned out to be damaged.
    pub fn looked_up<T>(&self, work: impl FnMut(&[Source<'_>]) -> Result<T>) -> Result<T> {
        let indexes = self.marketplaces.iter().map(Marketplace::current);
        mending(
            || indexes.clone().map(Source::Index).collect(),
            || {
                self.marketplaces
                    .iter()
                    .try_for_each(|marketplace| marketplace.mend().map(drop))
            },
            work,
        )
    }

    /// Returns how many bytes the text of a component has; 0 where it cannot be read.
    pub fn bytes(&self, plugin: &Plugin, component: &Component) -> u64 {
        let Place::Inside(path) = &plugin.place else {
            return 0;
        };
        let marketplace = self.marketplace(&plugin.id.marketplace);
        let folder = marketplace.and_then(|marketplace| marketplace.tree.below(path).ok());
        let text = folder.and_then(|folder| folder.read(&component.file).ok().flatten());
        text.map_or(0, |text| text.len() as u64)
    }

    /// Returns what the plugin's files are now.
    pub fn digest(&self, plugin: &Plugin) -> Result<Digest> {
        Ok(crate::tree::digest(&self.files(plugin)?))
    }

    /// Returns the plugins called `name`, or `name@marketplace`, whatever marketplace they are of.
    pub fn called(&self, name: &str) -> Result<Vec<Plugin>> {
        let (name, only) = match name.split_once('@') {
            Some((name, marketplace)) => (name, Some(marketplace)),
            None => (name, None),
        };
        let wanted =
            |marketplace: &&Marketplace| only.is_none_or(|only| marketplace.known.name == only);
        let mut found = Vec::new();
        for marketplace in self.marketplaces.iter().filter(wanted) {
            found.extend(marketplace.find(name)?);
        }
        Ok(found)
    }

    /// Fetches a plugin whose files are elsewhere, and returns it with all that they say.
    pub fn fetch(
        &self,
        settings: &Settings,
        plugin: &Plugin,
        watch: &mut dyn Watch,
    ) -> Result<Plugin> {
        let Place::Elsewhere(source) = &plugin.place else {
            return Ok(plugin.clone());
        };
        let marketplace = self
            .marketplace(&plugin.id.marketplace)
            .with_context(|| format!("`{}` is of no marketplace here", plugin.id))?;
        let fetched = fetch(settings, source, Reach::Cached, watch)?;
        marketplace.loaded_from(plugin, &fetched.tree)
    }

    fn marketplace(&self, name: &str) -> Option<&Marketplace> {
        self.marketplaces
            .iter()
            .find(|marketplace| marketplace.known.name == name)
    }
}
