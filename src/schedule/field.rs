//! One field of a line of five, as cron(5) reads it.

use std::collections::BTreeSet;

/// A field: what it is called, which numbers it takes, and the words for them.
pub(super) struct Field {
    pub(super) name: &'static str,
    lowest: u32,
    highest: u32,
    /// The words for the numbers from the lowest on.
    words: &'static [&'static str],
}

/// The five fields in their order. Sunday is 0, and 7 as well.
pub(super) const FIELDS: [Field; 5] = [
    Field { name: "minute", lowest: 0, highest: 59, words: &[] },
    Field { name: "hour", lowest: 0, highest: 23, words: &[] },
    Field { name: "day of the month", lowest: 1, highest: 31, words: &[] },
    Field {
        name: "month",
        lowest: 1,
        highest: 12,
        words: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Field {
        name: "day of the week",
        lowest: 0,
        highest: 7,
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

impl Field {
    /// The numbers that a text names, or what is wrong with it.
    pub(super) fn values(&self, text: &str) -> Result<BTreeSet<u32>, String> {
        let mut values = BTreeSet::new();
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                None => (part, None),
                Some((range, step)) => (range, Some(self.step(step)?)),
            };
            let (first, last) = match range.split_once('-') {
                _ if range == "*" => (self.lowest, self.highest),
                Some((first, last)) => (self.value(first)?, self.value(last)?),
                // Crons do not agree on `5/15`, and some read it as `5`.
                None if step.is_some() => {
                    return Err(format!(
                        "`{part}` has a step and no range: write `{range}-{}/…`",
                        self.highest
                    ));
                }
                None => {
                    let value = self.value(range)?;
                    (value, value)
                }
            };
            if first > last {
                return Err(format!("`{range}` runs backwards: write it as two ranges with a comma between"));
            }
            values.extend((first..=last).step_by(step.unwrap_or(1)));
        }
        Ok(values)
    }

    fn step(&self, text: &str) -> Result<usize, String> {
        let step: Option<u32> = text.parse().ok().filter(|step| (1..=self.highest).contains(step));
        step.and_then(|step| usize::try_from(step).ok())
            .ok_or_else(|| format!("the step `{text}` is no number from 1 to {}", self.highest))
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let named = self.words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let named = named.and_then(|place| u32::try_from(place).ok()).map(|place| place + self.lowest);
        // `+5` is a number for Rust.
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        named.or(plain).filter(|value| (self.lowest..=self.highest).contains(value)).ok_or_else(|| {
            let words = match self.words {
                [first, .., last] => format!(", or from `{first}` to `{last}`"),
                _ => String::new(),
            };
            format!("`{text}` is no number from {} to {}{words}", self.lowest, self.highest)
        })
    }
}
