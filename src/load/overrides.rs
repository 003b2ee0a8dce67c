//! What is said in place of what a scenario says: for a rehearsal, without a file of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_yaml::{Mapping, Value};

use super::scenario_check::Reader;
use super::scenario_file::{Rate, ScenarioFile};
use crate::domain::{LoadModel, Wait};

/// What is said in place of what a scenario says. The load is that of a file that says so.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Overrides {
    /// Requests a second, all the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// Users, all the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u32>,
    /// How long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<Wait>,
    /// Requests a second, at most; no more than the scenario allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rate: Option<Rate>,
}

impl Overrides {
    /// As a scenario would say it.
    pub(super) fn entries(&self) -> Mapping {
        match serde_yaml::to_value(self) {
            Ok(Value::Mapping(entries)) => entries,
            _ => Mapping::new(),
        }
    }

    /// The same as text, by key.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let text = |value: Value| match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let entries = self.entries().into_iter();
        entries.filter_map(|(key, value)| Some((text(key)?, text(value)?))).collect()
    }
}

impl Reader<'_> {
    /// Puts it in the place of what the file says.
    pub(super) fn overridden(&mut self, mut file: ScenarioFile, overrides: Overrides) -> ScenarioFile {
        let Overrides { mut rate, mut users, mut duration, max_rate } = overrides;
        let search = file.search.is_some().then_some("search");
        let many = search.or((!file.stages.is_empty()).then_some("stages"));
        let other_model = match file.model {
            LoadModel::Arrivals => users.take().map(|_| ("users", "arrivals")),
            LoadModel::Users => rate.take().map(|_| ("rate", "users")),
        };
        if let Some((flag, model)) = other_model {
            let message = format!("`--{flag}` has no meaning with `model: {model}`");
            self.key("model", message, "`--rate` is for `arrivals`, and `--users` for `users`");
        }
        if let Some(key) = many {
            let one_load = [
                ("rate", rate.take().is_some()),
                ("users", users.take().is_some()),
                ("duration", duration.take().is_some()),
            ];
            for (flag, _) in one_load.iter().filter(|(_, is_said)| *is_said) {
                let message =
                    format!("`--{flag}` has no meaning beside `{key}`, which is more than one load");
                self.key(key, message, "`--scale-time 0.1` rehearses it: every length of time a tenth");
            }
        }
        if let (Some(wanted), Some(most)) = (max_rate, file.max_rate.filter(|most| max_rate > Some(*most))) {
            let message = format!("`--max-rate {wanted}` is more than the scenario allows: {most}");
            self.key("max_rate", message, "for one run it can only be lowered");
        }
        file.rate = rate.or(file.rate);
        file.users = users.or(file.users);
        file.duration = duration.or(file.duration);
        file.max_rate = max_rate.or(file.max_rate);
        file
    }
}
