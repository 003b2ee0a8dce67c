//! Which target is meant, and what its contract is.

use serde_yaml::{Mapping, Value};

use super::layers::{laid_over, without_password};
use super::{Config, Origin};
use crate::document::{Path, Problem, nearest_hint};
use crate::domain::RunRecord;
use crate::target::{Contract, ContractError, PRESET_NAMES, preset, preset_text};

impl Config {
    /// The name of the target that holds.
    pub fn target_name(&self) -> &str {
        match (&self.settings.target, &self.settings.url) {
            (Some(name), _) => name,
            (None, Some(_)) => "ash-v5",
            (None, None) => "demo",
        }
    }

    /// Whether the embedded demo detector has to be started for this target.
    pub fn wants_demo(&self) -> bool {
        self.target_name() == "demo"
            && self.settings.url.is_none()
            && !self.settings.targets.contains_key("demo")
    }

    /// The names of every target: presets and the user's own.
    pub fn target_names(&self) -> Vec<String> {
        let own = self.settings.targets.keys().cloned();
        let mut names: Vec<String> = PRESET_NAMES.map(str::to_owned).into_iter().chain(own).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The targets that a service may be asked to run against: the one that holds, and the user's own. A preset that
    /// nobody configured points at a place that nobody chose.
    pub fn served_targets(&self) -> Vec<String> {
        let mut names: Vec<String> = self.settings.targets.keys().cloned().collect();
        names.push(self.target_name().to_owned());
        names.sort();
        names.dedup();
        names
    }

    /// Where each of those targets is, as records have it. The embedded demo and one whose contract cannot be used are
    /// nowhere.
    pub fn target_places(&self) -> Vec<(String, String)> {
        let place = |name: String| self.target_place(&name).map(|place| (name, place));
        self.served_targets().into_iter().filter_map(place).collect()
    }

    fn target_place(&self, name: &str) -> Option<String> {
        let is_demo = name == self.target_name() && self.wants_demo();
        let contract = if is_demo { None } else { self.contract_here(name).ok() };
        contract.map(|contract| contract.shown_url())
    }

    /// Whether a run asked another place than the one that its target's name stands for here: it says nothing of that.
    /// The embedded demo has no place, and of a name that is not used here nobody expects one.
    pub fn is_elsewhere(&self, record: &RunRecord) -> bool {
        let RunRecord { target, .. } = record;
        !target.demo
            && self.served_targets().contains(&target.name)
            && self.target_place(&target.name).is_some_and(|place| place != target.url)
    }

    /// The same settings for another target. The URL that holds is the URL of the target that holds.
    #[must_use]
    pub fn for_target(&self, name: &str) -> Self {
        let mut config = self.clone();
        if name == self.target_name() {
            return config;
        }
        config.settings.target = Some(name.to_owned());
        config.settings.url = None;
        for value in &mut config.effective {
            let shown = match value.key.as_str() {
                "target" => name,
                "url" => "–",
                _ => continue,
            };
            (value.value, value.origin) = (shown.to_owned(), Origin::Flag);
        }
        config
    }

    /// The contract of a target, where its contract says that it is.
    ///
    /// # Errors
    /// There is no such target, or its contract cannot be used.
    pub fn contract(&self, name: &str) -> Result<Contract, ContractError> {
        match self.settings.targets.get(name) {
            Some(value) => {
                let path = Path::root().join("targets").join(name);
                Contract::configured(name, &self.document, &path, value)
            }
            None => preset(name).map_err(|_| self.no_such_target(name)),
        }
    }

    /// The contract of a target, where the target is for us: the URL that holds is the URL of the target that holds.
    ///
    /// # Errors
    /// There is no such target, or its contract or its URL cannot be used.
    pub fn contract_here(&self, name: &str) -> Result<Contract, ContractError> {
        let contract = self.contract(name)?;
        match self.settings.url.as_ref().filter(|_| name == self.target_name()) {
            // Without the line that it stands in: what is no URL may hold a password anywhere.
            Some(url) => contract.with_base_url(url).map_err(|why| {
                let message = format!("the target's URL cannot be used: {why}");
                ContractError { problems: Problem::with_file("", message).into() }
            }),
            None => Ok(contract),
        }
    }

    /// A target's contract as YAML: a preset as it is written, a configured target laid over what it extends.
    ///
    /// # Errors
    /// There is no such target, or its contract cannot be used.
    pub fn contract_text(&self, name: &str) -> Result<String, ContractError> {
        self.contract(name)?;
        let Some(own) = self.settings.targets.get(name) else {
            return Ok(preset_text(name).unwrap_or_default().to_owned());
        };
        let mut value = own.clone();
        while let Some(base) = value.as_mapping_mut().and_then(|mapping| mapping.shift_remove("extends")) {
            let text = base.as_str().and_then(preset_text).unwrap_or_default();
            value = laid_over(serde_yaml::from_str(text).unwrap_or_default(), &value, &mut |_| {});
        }
        mask(&mut value);
        Ok(serde_yaml::to_string(&value).unwrap_or_default())
    }

    fn no_such_target(&self, name: &str) -> ContractError {
        let names = self.target_names();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let message = format!("there is no target `{name}`");
        let problem = match self.origin("target") {
            Origin::File => self.document.problem(&Path::root().join("target"), message),
            Origin::Environment(variable) => Problem::with_file("", format!("{message} (from {variable})")),
            // As an argument, or where a flag names it.
            Origin::Default | Origin::Flag => Problem::with_file("", message),
        };
        ContractError { problems: problem.with_hint(nearest_hint(name, &known)).into() }
    }
}

/// Takes secrets out of a contract that is shown: passwords in its URL, and headers whose value stands in the file.
fn mask(contract: &mut Value) {
    if let Some(Value::String(url)) = contract.get_mut("base_url") {
        *url = without_password(url);
    }
    mask_headers(contract);
}

fn mask_headers(value: &mut Value) {
    const SECRET: [&str; 5] = ["key", "token", "secret", "authorization", "cookie"];
    match value {
        Value::Mapping(mapping) => {
            if let Some(Value::Mapping(headers)) = mapping.get_mut("headers") {
                mask_secrets(headers, &SECRET);
            }
            mapping.values_mut().for_each(mask_headers);
        }
        Value::Sequence(items) => items.iter_mut().for_each(mask_headers),
        _ => {}
    }
}

fn mask_secrets(headers: &mut Mapping, secret: &[&str]) {
    for (name, value) in headers.iter_mut() {
        let name = name.as_str().unwrap_or_default().to_ascii_lowercase();
        if let Value::String(text) = value
            && secret.iter().any(|word| name.contains(word))
        {
            "•••".clone_into(text);
        }
    }
}
