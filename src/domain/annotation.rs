//! What people called a phrase, before somebody settled on what is expected of it.

use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Level, LevelSet};

/// The level that each annotator gave, by annotator.
///
/// Written as a map, or as a list in which every annotator keeps a place: `[high, high, null, medium]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Annotations(BTreeMap<String, Level>);

impl Annotations {
    /// Whether nobody said anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many people said something.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Who said what.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Level)> {
        self.0.iter().map(|(annotator, level)| (annotator.as_str(), *level))
    }

    /// How many of them stay within the levels.
    pub fn within(&self, levels: LevelSet) -> usize {
        self.0.values().filter(|level| levels.contains(**level)).count()
    }
}

impl FromIterator<(String, Level)> for Annotations {
    fn from_iter<I: IntoIterator<Item = (String, Level)>>(annotations: I) -> Self {
        Self(annotations.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Annotations;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of levels, or levels by annotator")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Annotations, A::Error> {
                let mut levels = BTreeMap::new();
                let mut place = 0;
                while let Some(level) = seq.next_element::<Option<Level>>()? {
                    place += 1;
                    levels.extend(level.map(|level| (place.to_string(), level)));
                }
                Ok(Annotations(levels))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Annotations, A::Error> {
                let mut levels = BTreeMap::new();
                while let Some((annotator, level)) = map.next_entry::<String, Level>()? {
                    levels.insert(annotator, level);
                }
                Ok(Annotations(levels))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Annotations {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Annotations".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let level = generator.subschema_for::<Level>();
        json_schema!({"anyOf": [
            {"type": "array", "items": {"anyOf": [level.clone(), {"type": "null"}]}},
            {"type": "object", "additionalProperties": level},
        ]})
    }
}
