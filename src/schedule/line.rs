//! A cron line.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::field::{FIELDS, Field};

/// When something runs. Five fields (minute, hour, day of the month, month, day of the week) mean what cron(5) says;
/// six begin with the second, and number the days of the week from 1, Sunday, as the crate `cron` does.
#[derive(Debug, Clone)]
pub struct CronLine {
    text: String,
    /// One of them has to match: two where cron(5) takes either kind of day.
    pub(super) schedules: Vec<cron::Schedule>,
    /// Whether it follows the clock on the wall where that is changed.
    pub(super) follows_clock: bool,
}

/// Why a text is no cron line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{line}` is no cron line: {message}")]
pub struct CronError {
    line: String,
    message: String,
}

/// The names for whole lines, as cron(5) has them.
const NAMED: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

impl CronLine {
    /// The line as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for CronLine {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let text = text.trim();
        let wrong = |message: String| CronError { line: text.to_owned(), message };
        let named = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        let line = named.map_or(text, |(_, line)| line);
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (lines, clock) = match fields.as_slice() {
            [minute, hour, ..] if fields.len() == 5 => (five(&fields).map_err(wrong)?, [minute, hour]),
            [_, minute, hour, ..] if fields.len() == 6 => (vec![line.to_owned()], [minute, hour]),
            [name] if name.starts_with('@') => {
                let known = NAMED.map(|(name, _)| name).join(", ");
                return Err(wrong(format!(
                    "a schedule goes by the clock, and the names for that are {known}; or write five fields, such as \
                     `*/30 * * * *`"
                )));
            }
            _ => {
                let found = fields.len();
                return Err(wrong(format!(
                    "it has {found} field{}: write five (minute, hour, day of the month, month, day of the week), or \
                     six with the second before them",
                    if found == 1 { "" } else { "s" }
                )));
            }
        };
        let follows_clock = clock.iter().any(|field| field.starts_with('*'));
        let parse = |line: &String| {
            // The crate draws a picture of several lines; what it says stands in the last one.
            cron::Schedule::from_str(line).map_err(|error| {
                let text = error.to_string();
                wrong(text.lines().last().unwrap_or_default().trim_end_matches('.').to_owned())
            })
        };
        let schedules = lines.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let line = Self { text: text.to_owned(), schedules, follows_clock };
        if line.next_local(chrono::DateTime::UNIX_EPOCH.naive_utc()).is_none() {
            return Err(wrong("no day is like that".to_owned()));
        }
        Ok(line)
    }
}

/// A line of five as lines of six for the crate.
fn five(fields: &[&str]) -> Result<Vec<String>, String> {
    let values = |(field, text): (&Field, &&str)| -> Result<BTreeSet<u32>, String> {
        field.values(text).map_err(|message| format!("{}: {message}", field.name))
    };
    let sets = FIELDS.iter().zip(fields).map(values).collect::<Result<Vec<_>, _>>()?;
    let list = |set: &BTreeSet<u32>| set.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let [minute, hour, day, month, weekday] = sets.as_slice() else { return Err(String::new()) };
    // Sunday is 0 or 7 there, and 1 here.
    let weekday: BTreeSet<u32> = weekday.iter().map(|day| day % 7 + 1).collect();
    let (minute, hour, day, month) = (list(minute), list(hour), list(day), list(month));
    let line = |day: &str, weekday: &str| format!("0 {minute} {hour} {day} {month} {weekday}");
    let weekday = list(&weekday);
    let any_day = fields[2].starts_with('*');
    let any_weekday = fields[4].starts_with('*');
    Ok(if any_day || any_weekday {
        vec![line(&day, &weekday)]
    } else {
        // Where both are named, either will do.
        vec![line(&day, "*"), line("*", &weekday)]
    })
}

impl fmt::Display for CronLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl PartialEq for CronLine {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for CronLine {}

impl<'de> Deserialize<'de> for CronLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for CronLine {
    fn schema_name() -> Cow<'static, str> {
        "CronLine".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "examples": ["*/30 * * * *", "0 6 * * mon-fri"]})
    }
}
