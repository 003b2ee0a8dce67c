//! The same message from, or about, somebody else.
//!
//! Two ways: one identity for another of its list, everywhere in the message; or the other gender throughout, family
//! and pronouns together, so that `my sister said she` does not become `my sister said he`. The lists are short and
//! hold words that people use for themselves. Where a swap would not be English, or would not be the same message,
//! there is none.

use std::ops::Range;

use super::words::{Word, is_apostrophe, replace, words};

/// Identities that stand for each other, as adjectives. A word that does not fit everywhere, such as `lesbian`, or that
/// can be meant badly, such as `queer`, is replaced but never put in.
const IDENTITIES: &[Identities] = &[
    Identities {
        named: &["gay", "lesbian", "bi", "bisexual", "pansexual", "asexual", "queer"],
        offered: &["gay", "bisexual", "pansexual", "asexual"],
    },
    Identities {
        named: &["trans", "transgender", "nonbinary", "non-binary", "genderfluid", "agender"],
        offered: &["trans", "nonbinary", "genderfluid", "agender"],
    },
    Identities {
        named: &["muslim", "christian", "catholic", "jewish", "hindu", "buddhist", "sikh"],
        offered: &["muslim", "christian", "jewish", "hindu", "buddhist", "sikh"],
    },
    Identities {
        named: &["mexican", "indian", "nigerian", "brazilian", "korean", "italian", "irish", "filipino"],
        offered: &["mexican", "indian", "nigerian", "brazilian", "korean", "italian", "irish"],
    },
];

/// Words next to which a faith cannot be swapped: they belong to one.
const OF_ONE_FAITH: &[&str] = &[
    "bible",
    "church",
    "communion",
    "eid",
    "hijab",
    "imam",
    "jesus",
    "mass",
    "mosque",
    "pastor",
    "priest",
    "quran",
    "rabbi",
    "ramadan",
    "shabbat",
    "synagogue",
    "temple",
    "torah",
    "vicar",
];

/// Words after which `gay` and `queer` are meant badly, or are no identity.
const NOT_AN_IDENTITY_AFTER: &[&str] = &["how", "so", "that's", "thats", "too"];

/// Words before which `trans` and its like are about one gender.
const GENDERED: &[&str] = &[
    "boy", "boys", "femme", "girl", "girls", "guy", "guys", "male", "man", "masc", "men", "female", "woman",
    "women",
];

/// The other gender, both ways. `her` is told apart by its place.
const MIRROR: &[(&str, &str)] = &[
    ("he", "she"),
    ("himself", "herself"),
    ("dad", "mom"),
    ("daddy", "mommy"),
    ("father", "mother"),
    ("brother", "sister"),
    ("brothers", "sisters"),
    ("son", "daughter"),
    ("sons", "daughters"),
    ("husband", "wife"),
    ("boyfriend", "girlfriend"),
    ("bf", "gf"),
    ("uncle", "aunt"),
    ("grandpa", "grandma"),
    ("grandfather", "grandmother"),
    ("nephew", "niece"),
    ("man", "woman"),
    ("men", "women"),
    ("boy", "girl"),
    ("boys", "girls"),
];

/// Words that hold for one gender only; a message with one of them has no mirror.
const OF_ONE_GENDER: &[&str] = &[
    "beard",
    "binder",
    "birth",
    "estrogen",
    "guy",
    "guys",
    "king",
    "lady",
    "lesbian",
    "lesbians",
    "ma'am",
    "miscarriage",
    "mr",
    "mrs",
    "ms",
    "oestrogen",
    "period",
    "periods",
    "pregnancy",
    "pregnant",
    "prince",
    "princess",
    "queen",
    "sir",
    "testosterone",
];

/// Words before which `man`, `girl` and their like are people, not calls (`man, i am tired`).
const BEFORE_A_PERSON: &[&str] = &[
    "a", "another", "cis", "gay", "little", "my", "old", "that", "the", "these", "this", "those", "trans",
    "young",
];

/// Words that cannot be owned: `her` before one of them is `him`.
const NOT_OWNED: &[&str] = &[
    "a",
    "about",
    "after",
    "again",
    "all",
    "alone",
    "an",
    "and",
    "anymore",
    "as",
    "at",
    "away",
    "back",
    "bc",
    "because",
    "before",
    "but",
    "by",
    "cause",
    "down",
    "for",
    "from",
    "he",
    "i",
    "if",
    "in",
    "into",
    "is",
    "it",
    "like",
    "me",
    "more",
    "much",
    "not",
    "now",
    "off",
    "on",
    "or",
    "out",
    "over",
    "right",
    "she",
    "since",
    "so",
    "than",
    "that",
    "the",
    "they",
    "to",
    "today",
    "tonight",
    "too",
    "until",
    "up",
    "was",
    "we",
    "when",
    "where",
    "while",
    "who",
    "why",
    "with",
    "yesterday",
    "you",
];

/// Words after which `her` owns what follows.
const BEFORE_AN_OWNER: &[&str] = &[
    "about", "after", "and", "at", "before", "by", "for", "from", "in", "is", "of", "on", "that", "to",
    "was", "with",
];

struct Identities {
    /// What is replaced.
    named: &'static [&'static str],
    /// What it is replaced by.
    offered: &'static [&'static str],
}

/// Every way to say it of somebody else.
pub(super) fn swaps(text: &str) -> Vec<String> {
    let words = joined(text);
    let mut swaps: Vec<String> = IDENTITIES.iter().flat_map(|list| identities(text, &words, list)).collect();
    swaps.extend(mirror(text, &words));
    swaps
}

/// The words, with `non-binary` as one.
fn joined(text: &str) -> Vec<Word<'_>> {
    let mut joined: Vec<Word<'_>> = Vec::new();
    for word in words(text) {
        match joined.last_mut() {
            Some(last) if last.lower() == "non" && text[last.at.end..word.at.start] == *"-" => {
                let at = last.at.start..word.at.end;
                *last = Word { written: &text[at.clone()], at };
            }
            _ => joined.push(word),
        }
    }
    joined
}

/// The first identity of this list that is named, replaced by each other one.
fn identities(text: &str, words: &[Word<'_>], list: &Identities) -> Vec<String> {
    let lower: Vec<String> = words.iter().map(Word::lower).collect();
    let Some(named) = lower.iter().find(|word| list.named.contains(&word.as_str())) else {
        return Vec::new();
    };
    let is_faith = list.named.contains(&"muslim");
    if is_faith && lower.iter().any(|word| OF_ONE_FAITH.contains(&stem(word))) {
        return Vec::new();
    }
    let places: Vec<usize> = (0..words.len()).filter(|&i| lower[i] == *named).collect();
    let unfit = |i: &usize| {
        let before = i.checked_sub(1).map_or("", |before| lower[before].as_str());
        let after = lower.get(i + 1).map_or("", String::as_str);
        NOT_AN_IDENTITY_AFTER.contains(&before) && ["gay", "queer"].contains(&named.as_str())
            || GENDERED.contains(&after) && ["trans", "transgender"].contains(&named.as_str())
            // `bi-weekly`, and whatever else is only half a word.
            || is_hyphenated(text, &words[*i].at)
            // `a lesbian` is a noun, which the others are not.
            || named == "lesbian" && !is_adjective(text, words, *i)
    };
    if places.iter().any(unfit) {
        return Vec::new();
    }
    let means_the_same = |offered: &str| {
        offered == named
            || (named == "bi" && offered == "bisexual")
            || (["non-binary", "transgender"].contains(&named.as_str())
                && named.replace('-', "").starts_with(offered))
            || (named == "catholic" && offered == "christian")
    };
    list.offered
        .iter()
        .filter(|offered| !means_the_same(offered))
        .map(|offered| {
            let mut changes = Vec::new();
            for &i in &places {
                changes.push((words[i].at.clone(), like(words[i].written, offered)));
                changes.extend(
                    i.checked_sub(1)
                        .and_then(|article| fitted_article(text, &words[article], &words[i], offered)),
                );
            }
            replace(text, changes)
        })
        .collect()
}

/// `a` or `an` before the new word, if one of them stood before the old one and no longer fits.
fn fitted_article(
    text: &str,
    article: &Word<'_>,
    word: &Word<'_>,
    offered: &str,
) -> Option<(Range<usize>, String)> {
    let lower = article.lower();
    let fits = if offered.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    let stands_before = text[article.at.end..word.at.start] == *" ";
    (stands_before && ["a", "an"].contains(&lower.as_str()) && lower != fits).then(|| {
        let capital = article.written.starts_with('A');
        (article.at.clone(), if capital { fits.replacen('a', "A", 1) } else { fits.to_owned() })
    })
}

/// Whether what follows is a word of the same phrase: `a lesbian couple`.
fn is_adjective(text: &str, words: &[Word<'_>], i: usize) -> bool {
    words.get(i + 1).is_some_and(|next| {
        text[words[i].at.end..next.at.start] == *" " && !NOT_OWNED.contains(&next.lower().as_str())
    })
}

fn is_hyphenated(text: &str, at: &Range<usize>) -> bool {
    text[..at.start].ends_with('-') || text[at.end..].starts_with('-')
}

/// The other gender throughout; `None` where nobody has one, or where it cannot be told what a word stands for.
fn mirror(text: &str, words: &[Word<'_>]) -> Option<String> {
    let lower: Vec<String> = words.iter().map(Word::lower).collect();
    if lower.iter().any(|word| OF_ONE_GENDER.contains(&word.as_str()) || OF_ONE_GENDER.contains(&stem(word)))
    {
        return None;
    }
    let mut changes = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let stem = stem(&lower[i]);
        let next = words.get(i + 1).filter(|next| text[word.at.end..next.at.start] == *" ").map(Word::lower);
        let before = i
            .checked_sub(1)
            .filter(|&before| text[words[before].at.end..word.at.start] == *" ")
            .map(|before| lower[before].as_str());
        let other = match stem {
            "him" => "her",
            "his" if next.as_deref().is_some_and(|next| !NOT_OWNED.contains(&next)) => "her",
            "his" => "hers",
            "hers" => "his",
            "her" => hers(before, next.as_deref())?,
            "man" | "men" | "boy" | "boys" | "woman" | "women" | "girl" | "girls"
                if !before.is_some_and(|before| BEFORE_A_PERSON.contains(&before)) =>
            {
                continue;
            }
            // `son of a …` is nobody's son.
            "son" if text[word.at.end..].to_lowercase().starts_with(" of a ") => continue,
            "mum" => "dad",
            _ => match MIRROR.iter().find(|(he, she)| *he == stem || *she == stem) {
                Some((he, she)) => {
                    if *he == stem {
                        she
                    } else {
                        he
                    }
                }
                None => continue,
            },
        };
        let at = word.at.start..word.at.start + stem.len();
        changes.push((at.clone(), like(&text[at], other)));
    }
    (!changes.is_empty()).then(|| replace(text, changes))
}

/// What `her` is for him: `his` or `him`, `None` where either could be.
fn hers(before: Option<&str>, next: Option<&str>) -> Option<&'static str> {
    match (before, next) {
        (_, None) => Some("him"),
        (_, Some(next)) if NOT_OWNED.contains(&next) => Some("him"),
        // Nothing stands before it, so it is no object.
        (None, Some(_)) => Some("his"),
        (Some(before), Some(_)) if BEFORE_AN_OWNER.contains(&before) => Some("his"),
        (Some(_), Some(next)) => {
            let is_owned = MIRROR.iter().any(|(he, she)| *he == stem(next) || *she == stem(next));
            is_owned.then_some("his")
        }
    }
}

/// `mom's` without `'s`, `he'll` without `'ll`.
fn stem(word: &str) -> &str {
    word.split(is_apostrophe).next().unwrap_or(word)
}

/// The new word in the old one's case.
fn like(old: &str, new: &str) -> String {
    let is_upper = |c: char| c.is_uppercase();
    let mut letters = new.chars();
    match letters.next() {
        Some(_) if old.chars().count() > 1 && old.chars().filter(|c| c.is_alphabetic()).all(is_upper) => {
            new.to_uppercase()
        }
        Some(first) if old.starts_with(is_upper) => first.to_uppercase().chain(letters).collect(),
        _ => new.to_owned(),
    }
}
