//! A length of time, as people write it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest time that can be asked for, 1000 years: every clock can still add it to now.
const LONGEST: Duration = Duration::from_hours(1000 * 8766);

/// A duration written `300ms`, `30s`, `5m` or `1h 30m`; a bare number is refused, because it has no unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wait(pub Duration);

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", humantime::format_duration(self.0))
    }
}

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        use humantime::DurationError::NumberOverflow;
        match humantime::parse_duration(text) {
            Ok(time) if time <= LONGEST => Ok(Self(time)),
            Ok(_) | Err(NumberOverflow) => {
                Err(format!("`{text}` is beyond every clock: the longest time is {}", Self(LONGEST)))
            }
            Err(_) => Err(format!("`{text}` is not a length of time: write `300ms`, `30s` or `5m`")),
        }
    }
}

impl Serialize for Wait {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Wait;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as `300ms`, `30s` or `5m`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Wait, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Wait {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Wait".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]+ ?[a-z]+( [0-9]+ ?[a-z]+)*$"})
    }
}
