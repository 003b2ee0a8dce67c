//! The environment: which variables are read, and what they set.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::ConfigError;
use crate::domain::Share;

/// The environment as it was when the program started.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// A variable that means something to this program.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is good for.
    pub meaning: Meaning,
    /// Whether its value must not be shown.
    pub secret: bool,
    read: fn(&str) -> Result<Value, String>,
}

/// What a variable is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It sets the setting of this key.
    Sets(&'static str),
    /// The program looks at it without there being a setting.
    LookedAt,
    /// It holds the address of a channel for messages.
    Channel,
}

#[expect(clippy::unnecessary_wraps, reason = "one signature for every reader")]
fn text(value: &str) -> Result<Value, String> {
    Ok(Value::from(value))
}

#[expect(clippy::unnecessary_wraps, reason = "one signature for every reader")]
fn lower(value: &str) -> Result<Value, String> {
    Ok(Value::from(match value.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "critical" | "fatal" => "error".to_owned(),
        other => other.to_owned(),
    }))
}

fn count(value: &str) -> Result<Value, String> {
    value.trim().parse::<u64>().map(Value::from).map_err(|_| format!("`{value}` is no whole number"))
}

fn percent(value: &str) -> Result<Value, String> {
    let (number, sign) = match value.trim().strip_suffix('%') {
        Some(number) => (number.trim(), true),
        None => (value.trim(), false),
    };
    match number.parse::<f64>() {
        // 0.92 asked as an accuracy of 0.92 % would let everything pass.
        Ok(percent) if percent > 0.0 && percent <= 1.0 && !sign => {
            let as_share = Share::new(percent).map_or_else(String::new, |share| share.to_string());
            Err(format!("it is not clear whether `{value}` means {percent}% or {as_share}: write the `%`"))
        }
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Value::from(format!("{percent}%"))),
        _ => Err(format!("`{value}` is no percentage from 0 to 100")),
    }
}

fn switch(value: &str) -> Result<Value, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(Value::from(true)),
        "false" | "no" | "off" | "0" => Ok(Value::from(false)),
        _ => Err(format!("`{value}` is neither `true` nor `false`")),
    }
}

fn milliseconds(value: &str) -> Result<Value, String> {
    match value.parse::<u64>() {
        Ok(number) if number > 0 => Ok(Value::from(format!("{number}ms"))),
        _ => Err(format!("`{value}` is no number of milliseconds above 0")),
    }
}

const fn sets(name: &'static str, key: &'static str, read: fn(&str) -> Result<Value, String>) -> Variable {
    Variable { name, meaning: Meaning::Sets(key), secret: false, read }
}

const fn looked_at(name: &'static str) -> Variable {
    Variable { name, meaning: Meaning::LookedAt, secret: false, read: text }
}

const fn channel(name: &'static str) -> Variable {
    Variable { name, meaning: Meaning::Channel, secret: true, read: text }
}

/// Every variable that is read, those of existing installations under the names they have there.
pub const fn variables() -> &'static [Variable] {
    const VARIABLES: [Variable; 44] = [
        sets("NLP_SERVER_URL", "url", text),
        Variable {
            name: "DATABASE_URL",
            meaning: Meaning::Sets("store.database_url"),
            secret: true,
            read: text,
        },
        sets("TEST_ENVIRONMENT", "environment", text),
        sets("TEST_PHRASES_COUNT", "suites.comprehensive.phrases", count),
        sets("QUICK_TEST_PHRASES", "suites.quick.phrases", count),
        sets("TARGET_ACCURACY", "thresholds.accuracy", percent),
        sets("MAX_FALSE_POSITIVE_RATE", "thresholds.false_positive_rate", percent),
        sets("LOG_LEVEL", "log", lower),
        sets("THRASH_TARGET", "target", text),
        sets("THRASH_PHRASES", "phrases", text),
        sets("THRASH_DATA", "data", text),
        sets("ORT_DYLIB_PATH", "reference.runtime", text),
        looked_at("THRASH_CONFIG"),
        Variable { name: "PIP_INDEX_URL", meaning: Meaning::LookedAt, secret: true, read: text },
        Variable { name: "HF_ENDPOINT", meaning: Meaning::LookedAt, secret: true, read: text },
        Variable { name: "HF_TOKEN", meaning: Meaning::LookedAt, secret: true, read: text },
        looked_at("HF_HUB_OFFLINE"),
        looked_at("VIRTUAL_ENV"),
        looked_at("CONDA_PREFIX"),
        sets("COMPREHENSIVE_TEST_ENABLED", "schedules.jobs.comprehensive.enabled", switch),
        sets("QUICK_TEST_ENABLED", "schedules.jobs.quick.enabled", switch),
        sets("CONTINUOUS_TESTING_ENABLED", "schedules.enabled", switch),
        sets("COMPREHENSIVE_TEST_SCHEDULE", "schedules.jobs.comprehensive.cron", text),
        sets("QUICK_TEST_SCHEDULE", "schedules.jobs.quick.cron", text),
        sets("METRICS_PORT_TESTING", "service.metrics_port", count),
        sets("ENABLE_API_AUTHENTICATION", "service.authentication", switch),
        sets("API_KEY_HEADER", "service.key_header", text),
        Variable {
            name: "INTERNAL_API_KEY",
            meaning: Meaning::Sets("service.internal_key"),
            secret: true,
            read: text,
        },
        sets("ENABLE_RATE_LIMITING", "service.rate_limit.enabled", switch),
        sets("RATE_LIMIT_WINDOW", "service.rate_limit.window", milliseconds),
        sets("RATE_LIMIT_MAX", "service.rate_limit.max", count),
        sets("THRASH_LISTEN", "service.listen", text),
        sets("THRASH_METRICS_LISTEN", "service.metrics_listen", text),
        channel("DISCORD_WEBHOOK_URL"),
        channel("SLACK_WEBHOOK"),
        looked_at("THRASH_LOAD_JOB"),
        looked_at("THRASH_SHARDS"),
        looked_at("JOB_COMPLETION_INDEX"),
        looked_at("GITHUB_ACTIONS"),
        looked_at("GITHUB_STEP_SUMMARY"),
        looked_at("USER"),
        looked_at("LOGNAME"),
        looked_at("NO_COLOR"),
        looked_at("TERM"),
    ];
    &VARIABLES
}

impl Environment {
    /// The process's environment. A value that is not UTF-8 counts as not set.
    pub fn of_process() -> Self {
        let pairs = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self(pairs.collect())
    }

    /// An environment made up for a test.
    pub fn of_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// A variable's value; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.trim().is_empty()).cloned()
    }

    /// Whether the environment lets text be coloured (<https://no-color.org>).
    pub fn allows_color(&self) -> bool {
        self.get("NO_COLOR").is_none() && self.get("TERM").as_deref() != Some("dumb")
    }

    /// The settings that the environment makes: key, value and the variable it came from.
    pub(super) fn settings(&self) -> Result<Vec<(&'static str, Value, &'static str)>, ConfigError> {
        let (mut settings, mut wrong) = (Vec::new(), Vec::new());
        for variable in variables() {
            // A secret that is not there comes as an empty text, and a run against the demo instead would be a lie.
            let is_blank = self.0.get(variable.name).is_some_and(|value| value.trim().is_empty());
            if is_blank && matches!(variable.name, "NLP_SERVER_URL" | "THRASH_TARGET") {
                let message = "it is set and empty: name the target, or unset it to use the demo".to_owned();
                wrong.push(ConfigError::Variable { name: variable.name.to_owned(), message });
            }
            let (Meaning::Sets(key), Some(text)) = (variable.meaning, self.get(variable.name)) else {
                continue;
            };
            match (variable.read)(unquoted(text.trim())) {
                Ok(value) => settings.push((key, value, variable.name)),
                Err(message) => {
                    wrong.push(ConfigError::Variable { name: variable.name.to_owned(), message });
                }
            }
        }
        ConfigError::all(wrong).map(|()| settings)
    }

    /// Variables that mean nothing here and are one slip of the finger away from one that does, each with that one: a
    /// limit that somebody set and that holds nowhere.
    pub(super) fn misspelt(&self) -> Vec<(String, &'static str)> {
        let meant = |name: &String| {
            let is_known = variables().iter().any(|variable| variable.name == name);
            let of_ours = variables().iter().filter(|variable| {
                variable.name.starts_with("THRASH_") || !matches!(variable.meaning, Meaning::LookedAt)
            });
            let near = of_ours.map(|variable| variable.name).find(|known| is_slip(name, known));
            near.filter(|_| !is_known).map(|near| (name.clone(), near))
        };
        self.0.keys().filter_map(meant).collect()
    }
}

/// A value without the quotes around it, which some readers of environment files take away and others keep.
fn unquoted(text: &str) -> &str {
    let within = |quote| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(text)
}

/// Whether a name differs from a long one by one letter: left out, too many, wrong, or swapped with its neighbour.
fn is_slip(name: &str, known: &str) -> bool {
    let name = name.to_ascii_uppercase();
    // Some of them have the program's name before them, and some have not.
    name.strip_prefix("THRASH_") == Some(known)
        || (known.len() >= 8 && strsim::damerau_levenshtein(&name, known) <= 1)
}
