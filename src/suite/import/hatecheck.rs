//! What is special about `HateCheck`, in English and in its ten other languages.
//!
//! Its `ref_case_id` names two things: for a case that is not hateful the hateful case it contrasts with, and for a
//! hateful one the simpler case it was made from (Röttger et al., ACL 2021, and the data's README). The first is a
//! pair. The second joins the two templates to one family, as do the cases of one template, which differ only in the
//! group they name: they are no independent evidence, so all but the first are variants of it.

use std::collections::HashMap;

use super::entry::{Entry, Seed};
use crate::domain::LevelSet;

const LANGUAGES: [(&str, &str); 11] = [
    ("arabic", "ar"),
    ("dutch", "nl"),
    ("english", "en"),
    ("french", "fr"),
    ("german", "de"),
    ("hindi", "hi"),
    ("italian", "it"),
    ("mandarin", "zh"),
    ("polish", "pl"),
    ("portuguese", "pt"),
    ("spanish", "es"),
];

/// The templates of the cases of one file.
#[derive(Debug, Default)]
pub(super) struct Templates {
    /// The template that a template was made from, with the case that says so.
    made_from: HashMap<String, (String, String)>,
}

impl Templates {
    /// Takes a case in: its ids get a prefix, because a bare number is no id in a suite of many sources.
    pub(super) fn add(&mut self, entry: &mut Entry, [template, reference]: [Option<String>; 2]) {
        let prefixed = |id: &String| format!("hatecheck-{}", whole(id));
        entry.language = entry.language.take().or_else(|| language(entry.id.as_deref()?));
        entry.id = entry.id.as_ref().map(prefixed);
        // Multilingual HateCheck numbers the cases of its languages apart, and refers to the bare number.
        let prefix =
            entry.id.as_deref().and_then(|id| id.rsplit_once('-')).map_or("hatecheck", |(prefix, _)| prefix);
        let pair = entry.pair.as_deref().map(|id| {
            if id.contains('-') { format!("hatecheck-{id}") } else { format!("{prefix}-{}", whole(id)) }
        });
        entry.pair = pair;
        entry.tags = entry.tags.iter().map(|tag| tag.replace(' ', "_")).collect();
        if let Some(template) = template {
            let template = format!("{}/{}", entry.row.file, whole(&template));
            if let (Some(reference), Some(case)) = (reference, &entry.pair) {
                let reference = format!("{}/{}", entry.row.file, whole(&reference));
                self.made_from.insert(template.clone(), (reference, case.clone()));
            }
            entry.seed = Seed::Family(template);
        }
    }

    /// Tells pairs from variants, once every case is known.
    pub(super) fn settle(mut self, entries: &mut [Entry]) {
        if self.made_from.is_empty() {
            return;
        }
        let labels: HashMap<&str, LevelSet> =
            entries.iter().filter_map(|entry| Some((entry.id.as_deref()?, entry.expected))).collect();
        let of_template: HashMap<&str, LevelSet> = entries
            .iter()
            .filter_map(|entry| match &entry.seed {
                Seed::Family(template) => Some((template.as_str(), entry.expected)),
                Seed::None | Seed::Named(_) => None,
            })
            .collect();
        self.made_from
            .retain(|template, (_, case)| labels.get(case.as_str()) == of_template.get(template.as_str()));
        let same: Vec<bool> = entries
            .iter()
            .map(|entry| entry.pair.as_deref().and_then(|pair| labels.get(pair)) == Some(&entry.expected))
            .collect();
        for (entry, same) in entries.iter_mut().zip(same) {
            if same {
                entry.pair = None;
            }
            if let Seed::Family(template) = &entry.seed {
                entry.seed = Seed::Family(self.root(template).to_owned());
            }
        }
    }

    fn root<'a>(&'a self, template: &'a str) -> &'a str {
        let mut template = template;
        // As many steps as there are links: a circle of templates ends somewhere.
        for _ in 0..self.made_from.len() {
            match self.made_from.get(template) {
                Some((from, _)) => template = from,
                None => break,
            }
        }
        template
    }
}

/// Names each pair at both ends: `HateCheck` names it at the contrast alone. A case with several gets the first.
pub(super) fn pair_both_ways(entries: &mut [Entry]) {
    let labels: HashMap<&str, LevelSet> =
        entries.iter().filter_map(|entry| Some((entry.id.as_deref()?, entry.expected))).collect();
    let mut contrasts: HashMap<String, String> = HashMap::new();
    for entry in entries.iter() {
        let (Some(id), Some(pair)) = (&entry.id, &entry.pair) else { continue };
        if labels.get(pair.as_str()).is_some_and(|label| *label != entry.expected) {
            contrasts.entry(pair.clone()).or_insert_with(|| id.clone());
        }
    }
    for entry in entries.iter_mut().filter(|entry| entry.pair.is_none()) {
        entry.pair = entry.id.as_ref().and_then(|id| contrasts.get(id).cloned());
    }
}

/// A number as it was before a spreadsheet made `12.0` of it.
fn whole(id: &str) -> &str {
    id.strip_suffix(".0").unwrap_or(id)
}

fn language(id: &str) -> Option<String> {
    let (name, _) = id.split_once('-')?;
    let (_, tag) = LANGUAGES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    Some((*tag).to_owned())
}
