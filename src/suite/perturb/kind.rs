//! Kinds by name, as people ask for them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::document::nearest_hint;
use crate::domain::{PerturbationGroup, PerturbationKind};

/// Kinds of perturbation; written as a comma list of kinds, groups (`typing`, `unicode`, `wording`, `direction`), `case`,
/// `space` and `all`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kinds(BTreeSet<PerturbationKind>);

/// A name that no kind and no group has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no kind of perturbation; {hint}")]
pub struct UnknownKind {
    /// What was written.
    pub name: String,
    /// The nearest name, else all of them.
    pub hint: String,
}

impl Kinds {
    /// Every kind.
    pub fn all() -> Self {
        PerturbationKind::ALL.into_iter().collect()
    }

    /// The kinds, group by group.
    pub fn iter(&self) -> impl Iterator<Item = PerturbationKind> {
        self.0.iter().copied()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every name that can be written: groups and short names first.
    pub fn names() -> Vec<&'static str> {
        let mut names = vec!["all", "case", "space"];
        names.splice(1..1, PerturbationGroup::ALL.map(PerturbationGroup::as_str));
        names.extend(PerturbationKind::ALL.map(PerturbationKind::as_str));
        names
    }

    /// What one name stands for; nothing if it is none.
    fn named(name: &str) -> Vec<PerturbationKind> {
        use PerturbationKind as Kind;
        match name {
            "all" => Kind::ALL.to_vec(),
            "case" => vec![Kind::CaseUpper, Kind::CaseLower],
            "space" => vec![Kind::SpaceAdd, Kind::SpaceDrop],
            _ => Kind::ALL
                .into_iter()
                .filter(|kind| kind.as_str() == name || kind.group().as_str() == name)
                .collect(),
        }
    }
}

impl FromIterator<PerturbationKind> for Kinds {
    fn from_iter<I: IntoIterator<Item = PerturbationKind>>(kinds: I) -> Self {
        Self(kinds.into_iter().collect())
    }
}

impl FromStr for Kinds {
    type Err = UnknownKind;

    fn from_str(list: &str) -> Result<Self, UnknownKind> {
        let mut kinds = BTreeSet::new();
        for name in list.split(',') {
            let name = name.trim();
            let named = Self::named(&name.to_ascii_lowercase().replace('-', "_"));
            if named.is_empty() {
                return Err(UnknownKind { name: name.to_owned(), hint: nearest_hint(name, &Self::names()) });
            }
            kinds.extend(named);
        }
        Ok(Self(kinds))
    }
}

impl FromStr for PerturbationKind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        let known = Self::ALL.map(Self::as_str);
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| UnknownKind { name: name.to_owned(), hint: nearest_hint(name, &known) })
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(PerturbationKind::as_str).collect();
        f.pad(&names.join(","))
    }
}

impl Serialize for Kinds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl<'de> Deserialize<'de> for Kinds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Kinds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("kinds of perturbation, such as `typing,emoji` or `[typing, emoji]`")
            }

            fn visit_str<E: de::Error>(self, list: &str) -> Result<Kinds, E> {
                list.parse().map_err(E::custom)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut names: A) -> Result<Kinds, A::Error> {
                let mut kinds = BTreeSet::new();
                while let Some(name) = names.next_element::<String>()? {
                    kinds.extend(name.parse::<Kinds>().map_err(de::Error::custom)?.0);
                }
                Ok(Kinds(kinds))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
