//! What a label means in levels.

use std::collections::HashMap;
use std::str::FromStr;

use crate::domain::{Level, LevelSet};

/// Labels of a source with the levels they stand for. The five levels and `safe` stand for themselves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LabelMap(HashMap<String, LevelSet>);

impl LabelMap {
    /// Adds the labels of another map; where both know one, the other's meaning holds.
    pub fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// The levels that a label stands for; none for a label that is not known.
    ///
    /// A label may also be several, as in `high|critical`, `low, medium` and `["none", "low"]`.
    pub fn read(&self, label: &str) -> Option<LevelSet> {
        if let Some(levels) = self.one(label) {
            return Some(levels);
        }
        let inner = label.trim().trim_start_matches('[').trim_end_matches(']');
        let mut levels = Vec::new();
        for part in inner.split(['|', ',', ';', '/']) {
            levels.extend(self.one(part.trim().trim_matches(['"', '\'']))?.iter());
        }
        LevelSet::new(levels)
    }

    fn one(&self, label: &str) -> Option<LevelSet> {
        let label = label.trim().to_lowercase();
        if let Some(levels) = self.0.get(&label) {
            return Some(*levels);
        }
        let level = if label == "safe" { Level::None } else { label.parse().ok()? };
        Some(LevelSet::only(level))
    }
}

impl FromStr for LabelMap {
    type Err = String;

    /// Reads `hateful=high,non-hateful=none`; several levels are written `low|medium`.
    fn from_str(text: &str) -> Result<Self, String> {
        let plain = Self::default();
        let mut map = HashMap::new();
        for part in text.split(',') {
            let (label, levels) = part
                .rsplit_once('=')
                .ok_or_else(|| format!("`{part}` is not LABEL=LEVEL, such as `hateful=high`"))?;
            let read = plain.read(levels).ok_or_else(|| {
                format!(
                    "`{levels}` is not one of none, low, medium, high, critical, or several as `low|medium`"
                )
            })?;
            map.insert(label.trim().to_lowercase(), read);
        }
        Ok(Self(map))
    }
}
