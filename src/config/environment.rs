//! The environment: which variables are read, and what they set.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::ConfigError;

/// The environment as it was when the program started.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// A variable that means something to this program.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The setting it sets; none for one that only the service (`thrash serve`, a later version) reads.
    pub key: Option<&'static str>,
    /// Whether its value must not be shown.
    pub secret: bool,
    read: fn(&str) -> Result<Value, String>,
}

fn text(value: &str) -> Result<Value, String> {
    Ok(Value::from(value))
}

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
    let number = value.trim().trim_end_matches('%').trim();
    match number.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Value::from(format!("{percent}%"))),
        _ => Err(format!("`{value}` is no percentage from 0 to 100")),
    }
}

const fn sets(name: &'static str, key: &'static str, read: fn(&str) -> Result<Value, String>) -> Variable {
    Variable { name, key: Some(key), secret: false, read }
}

const fn for_the_service(name: &'static str, secret: bool) -> Variable {
    Variable { name, key: None, secret, read: text }
}

/// Every variable that is read, those of existing installations under the names they have there.
pub const fn variables() -> &'static [Variable] {
    const VARIABLES: [Variable; 27] = [
        sets("NLP_SERVER_URL", "url", text),
        Variable { name: "DATABASE_URL", key: Some("store.database_url"), secret: true, read: text },
        sets("TEST_ENVIRONMENT", "environment", text),
        sets("TEST_PHRASES_COUNT", "suites.comprehensive.phrases", count),
        sets("QUICK_TEST_PHRASES", "suites.quick.phrases", count),
        sets("TARGET_ACCURACY", "thresholds.accuracy", percent),
        sets("MAX_FALSE_POSITIVE_RATE", "thresholds.false_positive_rate", percent),
        sets("LOG_LEVEL", "log", lower),
        sets("THRASH_TARGET", "target", text),
        sets("THRASH_PHRASES", "phrases", text),
        sets("THRASH_DATA", "data", text),
        Variable { name: "THRASH_CONFIG", key: None, secret: false, read: text },
        for_the_service("COMPREHENSIVE_TEST_ENABLED", false),
        for_the_service("QUICK_TEST_ENABLED", false),
        for_the_service("CONTINUOUS_TESTING_ENABLED", false),
        for_the_service("COMPREHENSIVE_TEST_SCHEDULE", false),
        for_the_service("QUICK_TEST_SCHEDULE", false),
        for_the_service("METRICS_PORT_TESTING", false),
        for_the_service("ENABLE_API_AUTHENTICATION", false),
        for_the_service("API_KEY_HEADER", false),
        for_the_service("INTERNAL_API_KEY", true),
        for_the_service("ENABLE_RATE_LIMITING", false),
        for_the_service("RATE_LIMIT_WINDOW", false),
        for_the_service("RATE_LIMIT_MAX", false),
        for_the_service("DISCORD_WEBHOOK_URL", true),
        for_the_service("SLACK_WEBHOOK", true),
        Variable { name: "NO_COLOR", key: None, secret: false, read: text },
    ];
    &VARIABLES
}

impl Environment {
    /// The process's environment. A value that is not UTF-8 counts as not set.
    pub fn of_process() -> Self {
        let pairs = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
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

    /// The settings that the environment makes: key, value and the variable it came from.
    pub(super) fn settings(&self) -> Result<Vec<(&'static str, Value, &'static str)>, ConfigError> {
        let mut settings = Vec::new();
        for variable in variables() {
            let (Some(key), Some(text)) = (variable.key, self.get(variable.name)) else { continue };
            let value = (variable.read)(text.trim())
                .map_err(|message| ConfigError::Variable { name: variable.name.to_owned(), message })?;
            settings.push((key, value, variable.name));
        }
        Ok(settings)
    }
}
