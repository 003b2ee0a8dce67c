//! Laying one layer over another, and remembering which value came from where.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_yaml::{Mapping, Value};

use super::sense::Findings;
use super::{Config, ConfigError, DEFAULT, Environment, Settings, usual_places};
use crate::document::{Document, Path as Place, Problems, plain};

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The embedded default.
    Default,
    /// The configuration file.
    File,
    /// The environment variable of this name.
    Environment(&'static str),
    /// A flag.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.pad("default"),
            Self::File => f.pad("file"),
            Self::Environment(name) => f.pad(name),
            Self::Flag => f.pad("flag"),
        }
    }
}

/// A value that holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// Its path, such as `run.concurrency`.
    pub key: String,
    /// The value, secrets masked.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// The merged layers.
struct Layers {
    value: Value,
    origins: Vec<(String, Origin)>,
}

impl Config {
    /// Lays the layers over one another: `file` is what `--config` names, `flags` are settings by key.
    ///
    /// # Errors
    /// A layer that cannot be read or says something that cannot be right.
    pub fn load(
        file: Option<PathBuf>,
        environment: Environment,
        flags: Vec<(&str, Value)>,
    ) -> Result<Self, ConfigError> {
        let default = Document::parse("default.yaml", DEFAULT).map_err(ConfigError::Invalid)?;
        let mut layers = Layers { value: default.value().clone(), origins: Vec::new() };

        let named = file.or_else(|| environment.get("THRASH_CONFIG").map(PathBuf::from));
        let path = named.clone().or_else(|| usual_places().into_iter().find(is_there));
        let document = match &path {
            None => default,
            Some(path) => {
                let text = read(path).map_err(|source| ConfigError::Read { path: path.clone(), source })?;
                let document =
                    Document::parse(&path.display().to_string(), &text).map_err(ConfigError::Invalid)?;
                check_shape(&document, default.value()).map_err(ConfigError::Invalid)?;
                layers.lay(document.value(), Origin::File);
                // Decoded once here, so that a problem has its place in the file.
                document
                    .decode_merged::<Settings>(&layers.value, default.value())
                    .map_err(ConfigError::Invalid)?;
                document
            }
        };
        for (key, value, name) in environment.settings()? {
            layers.lay(&nested(key, value), Origin::Environment(name));
        }
        for (key, value) in flags {
            layers.lay(&nested(key, value), Origin::Flag);
        }
        let settings = layers.decode()?;
        let mut findings = layers.odd_texts();
        settings.look_for_nonsense(&mut findings);
        let effective = layers.effective();
        let config = Self { settings, effective, file: path, document, environment };
        config.refuse(findings)?;
        Ok(config)
    }
}

/// Largest configuration that is read, in bytes; a device has no end.
const LARGEST_FILE: u64 = 1 << 20;

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LARGEST_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(std::io::Error::other(format!("it is larger than {} MiB", LARGEST_FILE >> 20)));
    }
    Ok(text)
}

/// Whether there is something under this name, readable or not: a file that is meant and cannot be read is an error.
#[expect(clippy::ptr_arg, reason = "as an iterator gives it")]
fn is_there(place: &PathBuf) -> bool {
    place.symlink_metadata().is_ok()
}

/// A file that is empty or all comments changes nothing; a list or a text is no configuration, and a section of nothing
/// says nothing.
fn check_shape(document: &Document, below: &Value) -> Result<(), Problems> {
    if !matches!(document.value(), Value::Null | Value::Mapping(_)) {
        return Err(document
            .problem(&Place::root(), "a configuration is a mapping of settings")
            .with_hint("such as `target: ash-v5`")
            .into());
    }
    let mut problems = Problems::default();
    collect_empty(below, document.value(), &Place::root(), &mut |path| {
        let problem = document.key_problem(&path, format!("`{path}`: there is nothing below this key"));
        problems.push(problem.with_hint("leave the key out, or write below it what is to change"));
    });
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Finds the mappings over which a document lays nothing.
fn collect_empty(below: &Value, over: &Value, path: &Place, found: &mut dyn FnMut(Place)) {
    let (Value::Mapping(below), Value::Mapping(over)) = (below, over) else { return };
    for (name, value) in over {
        let Some(old) = below.get(name) else { continue };
        let path = path.join(name.as_str().unwrap_or_default());
        match (old, value) {
            (Value::Mapping(old), Value::Null) if !old.is_empty() => found(path),
            _ => collect_empty(old, value, &path, found),
        }
    }
}

fn nested(key: &str, value: Value) -> Value {
    key.rsplit('.').fold(value, |value, part| {
        let mut mapping = Mapping::new();
        mapping.insert(Value::from(part), value);
        Value::Mapping(mapping)
    })
}

impl Layers {
    fn lay(&mut self, over: &Value, origin: Origin) {
        let mut changed = Vec::new();
        let base = std::mem::replace(&mut self.value, Value::Null);
        self.value = laid_over(base, over, &mut |key| changed.push(key.to_owned()));
        for key in &changed {
            self.note(key, origin);
        }
    }

    fn note(&mut self, key: &str, origin: Origin) {
        self.origins.retain(|(known, _)| !is_within(known, key));
        self.origins.push((key.to_owned(), origin));
    }

    /// Where the value came from, or the newest of what it lies in.
    fn origin(&self, key: &str) -> Origin {
        let laid = self.origins.iter().rev().find(|(known, _)| is_within(key, known));
        laid.map_or(Origin::Default, |(_, origin)| *origin)
    }

    fn decode(&self) -> Result<Settings, ConfigError> {
        serde_path_to_error::deserialize(self.value.clone()).map_err(|error| {
            let key = error.path().to_string();
            let message = plain(&error.inner().to_string());
            ConfigError::Setting { origin: self.origin(&key), key, message }
        })
    }

    /// Texts that are blank, or would break the lines they are shown in. What stands under `targets` is looked at when
    /// it is used.
    fn odd_texts(&self) -> Findings {
        let mut leaves = Vec::new();
        collect(&self.value, "", &mut leaves);
        let mut findings = Findings::default();
        for (key, value) in leaves {
            let Value::String(text) = value else { continue };
            if key.starts_with("targets.") {
                continue;
            }
            let may_be_empty = key == "service.base_path" && text.is_empty();
            findings.note(
                text.trim().is_empty() && !may_be_empty,
                &key,
                "it is empty: leave it out, or say what is meant",
            );
            findings.note(
                text.contains(char::is_control),
                &key,
                "it holds a line break or another control character",
            );
        }
        findings
    }

    fn effective(&self) -> Vec<Effective> {
        let mut leaves = Vec::new();
        collect(&self.value, "", &mut leaves);
        leaves
            .into_iter()
            .map(|(key, value)| Effective { origin: self.origin(&key), value: shown(&key, &value), key })
            .collect()
    }
}

/// Lays a value over another: mappings key by key, everything else as a whole. Targets are laid over their presets
/// when they are used, not here. `changed` is told the path of each value that is laid.
pub(super) fn laid_over(base: Value, over: &Value, changed: &mut dyn FnMut(&str)) -> Value {
    lay_at("", base, over, changed)
}

fn lay_at(key: &str, base: Value, over: &Value, changed: &mut dyn FnMut(&str)) -> Value {
    match (base, over) {
        // A file that is empty or all comments changes nothing.
        (base, Value::Null) if key.is_empty() => base,
        (Value::Mapping(mut base), Value::Mapping(over)) => {
            for (name, value) in over {
                let below = below(key, name);
                match base.get_mut(name) {
                    Some(old) if key != "targets" => {
                        let taken = std::mem::replace(old, Value::Null);
                        *old = lay_at(&below, taken, value, changed);
                    }
                    _ => {
                        changed(&below);
                        base.insert(name.clone(), value.clone());
                    }
                }
            }
            Value::Mapping(base)
        }
        (_, over) => {
            changed(key);
            over.clone()
        }
    }
}

/// Whether a key is another one, or lies in it.
pub(super) fn is_within(key: &str, other: &str) -> bool {
    key.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The path of a key under another.
fn below(key: &str, name: &Value) -> String {
    let name = name.as_str().unwrap_or_default();
    if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") }
}

fn collect(value: &Value, key: &str, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Mapping(mapping) if key != "targets" && !mapping.is_empty() => {
            for (name, value) in mapping {
                collect(value, &below(key, name), leaves);
            }
        }
        Value::Mapping(mapping) => {
            for (name, value) in mapping {
                leaves.push((below(key, name), value.clone()));
            }
        }
        leaf => leaves.push((key.to_owned(), leaf.clone())),
    }
}

/// The value as it may be shown: a URL without its password, a target by what it extends.
fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(_) if key == "service.internal_key" => "•••".to_owned(),
        Value::String(text) if key == "url" || key == "store.database_url" => without_password(text),
        Value::String(text) => text.clone(),
        Value::Mapping(mapping) if key.starts_with("targets.") => {
            let extends = mapping.get("extends").and_then(Value::as_str);
            extends.map_or_else(|| "a contract of its own".to_owned(), |preset| format!("extends {preset}"))
        }
        Value::Sequence(keys) if key == "service.keys" => {
            let names = keys.iter().filter_map(|key| key.get("name")?.as_str());
            if keys.is_empty() { "none".to_owned() } else { names.collect::<Vec<_>>().join(", ") }
        }
        Value::Sequence(items) if items.is_empty() => "none".to_owned(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

/// A URL with its password, and anything that may be a secret in its query, masked. What does not look like a URL and
/// might hold a password is masked whole.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        let may_be_secret = url.contains('@') || url.to_ascii_lowercase().contains("password");
        return if may_be_secret { "•••".to_owned() } else { url.to_owned() };
    };
    // The last `@` ends the password, whatever signs it holds.
    if let Some((user, host)) = rest.rsplit_once('@') {
        let name = user.split(':').next().unwrap_or_default();
        return format!("{scheme}://{name}:•••@{}", without_query(host));
    }
    // Where the host was forgotten, the password stands in the place of the port.
    let rest = without_query(rest);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') && !port.chars().all(|c| c.is_ascii_digit()) => {
            format!("{scheme}://{name}:•••{path}")
        }
        _ => format!("{scheme}://{rest}"),
    }
}

fn without_query(rest: &str) -> &str {
    rest.split(['?', '#']).next().unwrap_or_default()
}
