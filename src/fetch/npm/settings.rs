//! The user's `.npmrc`: which registry, and whose token for it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use reqwest::Url;
use reqwest::blocking::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use crate::model::{Hint, NPM_REGISTRY, NpmSource, Trouble};

/// What an `.npmrc` says, by its keys.
#[derive(Default)]
pub struct Settings {
    values: BTreeMap<String, String>,
}

impl Settings {
    /// Reads the user's own file, and the environment, which counts for more.
    pub fn of_user() -> Result<Settings> {
        let variable = |name: &str| {
            let upper = std::env::var_os(name.to_uppercase());
            std::env::var_os(name)
                .or(upper)
                .filter(|value| !value.is_empty())
        };
        let at_home = || Some(std::env::home_dir()?.join(".npmrc"));
        let path = variable("npm_config_userconfig")
            .map(PathBuf::from)
            .or_else(at_home);
        let text = match path.map(|path| (std::fs::read_to_string(&path), path)) {
            None => String::new(),
            Some((Ok(text), _)) => text,
            Some((Err(error), _)) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Some((Err(error), path)) => {
                return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
            }
        };
        let mut settings = Settings::read(&text);
        if let Some(registry) = variable("npm_config_registry") {
            let registry = registry.to_string_lossy().into_owned();
            settings.values.insert("registry".into(), registry);
        }
        Ok(settings)
    }

    /// Reads an `.npmrc`: `key = value` lines, `${NAME}` from the environment.
    pub fn read(text: &str) -> Settings {
        let is_comment = |line: &&str| line.starts_with(['#', ';']);
        let lines = text.lines().map(str::trim).filter(|line| !is_comment(line));
        let pairs = lines.filter_map(|line| line.split_once('='));
        let plain = |value: &str| expanded(value.trim().trim_matches('"'));
        let values = pairs.map(|(key, value)| (key.trim().to_string(), plain(value)));
        Settings {
            values: values.collect(),
        }
    }

    /// Returns the registry of a package: its scope's, else everybody's.
    pub fn registry_of(&self, package: &str) -> Result<Url> {
        let scope = package
            .split_once('/')
            .map(|(scope, _)| format!("{scope}:registry"));
        let scoped = scope.and_then(|key| self.values.get(&key));
        let configured = scoped.or_else(|| self.values.get("registry"));
        registry(configured.map_or(NPM_REGISTRY, String::as_str))
    }

    /// Adds the token that is meant for this address, by the longest start of it that has one.
    pub fn authorized(&self, request: RequestBuilder, url: &Url) -> RequestBuilder {
        let Some(authorization) = self.authorization(url) else {
            return request;
        };
        match HeaderValue::from_str(&authorization) {
            Ok(mut value) => {
                value.set_sensitive(true);
                request.header(AUTHORIZATION, value)
            }
            Err(_) => request,
        }
    }

    fn authorization(&self, url: &Url) -> Option<String> {
        let port = url
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let mut place = format!("//{}{port}{}", url.host_str()?, url.path());
        while place.len() > 2 {
            // Keys end in a slash: `//host/:_authToken`.
            place.truncate(place.rfind('/')? + 1);
            let value = |name: &str| self.values.get(&format!("{place}:{name}"));
            if let Some(token) = value("_authToken") {
                return Some(format!("Bearer {token}"));
            }
            if let Some(basic) = value("_auth") {
                return Some(format!("Basic {basic}"));
            }
            place.pop();
        }
        None
    }
}

/// Returns a registry's address, checked as a source's is, with a slash at its end.
pub fn registry(text: &str) -> Result<Url> {
    let source = NpmSource {
        package: "any".into(),
        version: None,
        registry: Some(text.to_string()),
    };
    let text = source.checked()?.registry.expect("it was given");
    Url::parse(&format!("{text}/"))
        .with_context(|| format!("cannot use the registry `{text}`"))
        .kind(Trouble::Request)
}

/// Replaces `${NAME}` by the environment's value, where there is one, as npm does.
fn expanded(value: &str) -> String {
    let mut text = String::new();
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once("${") {
        let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
        text.push_str(before);
        match std::env::var(name) {
            Ok(found) => text.push_str(&found),
            Err(_) => text.push_str(&format!("${{{name}}}")),
        }
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
; a comment
registry = https://npm.example/all/
@acme:registry=https://acme.example
//npm.example/:_authToken = outer
//npm.example/all/:_authToken=\"inner\"
//acme.example:8443/:_authToken=${ORCHESTRATE_NO_SUCH_VARIABLE}
";

    #[test]
    fn a_scope_has_a_registry_of_its_own() {
        let settings = Settings::read(TEXT);
        let registry = |package: &str| settings.registry_of(package).unwrap().to_string();
        assert_eq!(registry("left-pad"), "https://npm.example/all/");
        assert_eq!(registry("@acme/tools"), "https://acme.example/");
        assert_eq!(registry("@other/tools"), "https://npm.example/all/");
        let default = Settings::default().registry_of("a").unwrap();
        assert_eq!(default.as_str(), format!("{NPM_REGISTRY}/"));
    }

    #[test]
    fn a_token_goes_to_its_own_address_alone() {
        let settings = Settings::read(TEXT);
        let token = |url: &str| settings.authorization(&Url::parse(url).unwrap());
        let bearer = |token: &str| Some(format!("Bearer {token}"));
        assert_eq!(token("https://npm.example/all/a/-/a.tgz"), bearer("inner"));
        assert_eq!(token("https://npm.example/allover/a"), bearer("outer"));
        assert_eq!(token("https://npm.example.com/all/a"), None);
        assert_eq!(token("https://npm.example:8443/all/a"), None);
        assert_eq!(
            token("https://acme.example:8443/a"),
            bearer("${ORCHESTRATE_NO_SUCH_VARIABLE}")
        );
    }

    #[test]
    fn a_registry_over_plain_http_is_refused() {
        let settings = Settings::read("registry=http://npm.example/");
        assert!(settings.registry_of("a").is_err());
    }
}
