//! Phrases that are no independent evidence, because they were made from one another.

use std::collections::HashMap;

use crate::domain::{PhraseResult, Rate};
use crate::stats::cluster::{rate_interval, worth};
use crate::stats::{Confidence, IntervalMethod, Proportion};

/// Families of phrases: whatever is joined by links, in any number of steps.
///
/// Two phrases that name the same seed are siblings, whether or not the seed itself is there.
#[derive(Debug, Default)]
pub struct Families<'a>(HashMap<&'a str, usize>);

impl<'a> Families<'a> {
    /// The families that these links make, each between two ids.
    pub fn of(links: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        // A forest: every member points to another of its family, the one that stands for it to itself.
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut up: Vec<usize> = Vec::new();
        for link in links {
            let ends = [link.0, link.1].map(|id| {
                let place = *places.entry(id).or_insert_with(|| {
                    up.push(up.len());
                    up.len() - 1
                });
                top(&mut up, place)
            });
            up[ends[0]] = ends[1];
        }
        Self(places.into_iter().map(|(id, place)| (id, top(&mut up, place))).collect())
    }

    /// The families of results that `seed_of` makes.
    pub fn of_results(results: impl IntoIterator<Item = &'a PhraseResult>) -> Self {
        let link = |result: &'a PhraseResult| Some((result.id.as_str(), result.seed_of.as_deref()?));
        Self::of(results.into_iter().filter_map(link))
    }

    /// The number of the phrase's family; none for a phrase without links.
    pub fn number(&self, id: &str) -> Option<usize> {
        self.0.get(id).copied()
    }
}

/// The member that stands for the family; the way there is halved for the next one who asks.
fn top(up: &mut [usize], mut place: usize) -> usize {
    while up[place] != place {
        up[place] = up[up[place]];
        place = up[place];
    }
    place
}

/// A share of cases, each with the number of its family, if it has one, and whether it counts.
///
/// Where two cases are of one family, both intervals are those of as many independent cases as all of them are worth.
pub(super) fn rate(cases: &[(Option<usize>, bool)]) -> Rate {
    let count = cases.iter().filter(|(_, counts)| *counts).count() as u64;
    let values: Vec<(Option<usize>, f64)> =
        cases.iter().map(|(family, counts)| (*family, f64::from(u8::from(*counts)))).collect();
    rate_of(count, cases.len() as u64, worth_of_families(&values))
}

/// A share of cases that each stand alone.
pub(super) fn plain_rate(count: u64, of: u64) -> Rate {
    rate_of(count, of, None)
}

/// A share of cases that are worth so many independent ones; each stands alone where nothing is said.
pub(super) fn rate_of(count: u64, of: u64, effective: Option<f64>) -> Rate {
    let proportion = Proportion::new(count, of).unwrap_or_default();
    let interval = |method| {
        let interval = match effective {
            None => proportion.interval(method, Confidence::PERCENT_95),
            Some(worth) => rate_interval(proportion.rate()?, worth, method, Confidence::PERCENT_95),
        };
        interval.map(|interval| [interval.lower, interval.upper])
    };
    Rate {
        count,
        of,
        value: proportion.rate(),
        wilson: interval(IntervalMethod::Wilson),
        exact: interval(IntervalMethod::ClopperPearson),
        effective,
    }
}

/// What cases are worth of which some are of one family; none where each stands alone.
pub(super) fn worth_of_families(cases: &[(Option<usize>, f64)]) -> Option<f64> {
    if cases.iter().all(|(family, _)| family.is_none()) {
        return None;
    }
    let mut clusters: HashMap<usize, usize> = HashMap::new();
    let mut alone = usize::MAX;
    let values: Vec<(usize, f64)> = cases
        .iter()
        .map(|(family, value)| {
            let next = clusters.len();
            // A case without a family is a cluster of its own, numbered from the other end.
            let cluster = family.map_or_else(
                || {
                    alone -= 1;
                    alone
                },
                |family| *clusters.entry(family).or_insert(next),
            );
            (cluster, *value)
        })
        .collect();
    let in_families = cases.iter().filter(|(family, _)| family.is_some()).count();
    if clusters.len() == in_families { None } else { worth(&values) }
}
