//! Text as people type it → words as the rules know them.
//!
//! Case, width, accents, look-alike letters, zero-width characters, leet, stretched and spaced-out spellings, emoji and
//! contractions are folded here, once, so that the rules need one spelling of everything.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::spelling::{CENSORED, CONTRACTIONS, EMOJI, LOOK_ALIKES};
use super::vocabulary::{Entry, UNKNOWN, Vocabulary, Word};

/// A message as the rules see it.
pub(super) struct Normalised {
    pub(super) words: Vec<Word>,
    /// How many words of emphasis (`really`, `so`, …) were taken out.
    pub(super) emphasis: u32,
}

/// Reads `text` into words of the vocabulary.
pub(super) fn normalise(text: &str, vocabulary: &Vocabulary) -> Normalised {
    let folded = fold(text);
    let mut reader =
        Reader { vocabulary, words: Vec::new(), emphasis: 0, sentence: 0, clause: 0, quoted: None };
    for line in folded.lines() {
        reader.line(line);
        reader.end_sentence();
    }
    reader.close_quote(false);
    Normalised { words: reader.words, emphasis: reader.emphasis }
}

/// Lower-case NFKC without accents, invisible characters and look-alikes; emoji as words.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 16);
    for c in text.nfkd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c)) {
        if c.is_ascii() {
            folded.push(c.to_ascii_lowercase());
        } else if let Some((_, word)) = EMOJI.iter().find(|(emoji, _)| *emoji == c) {
            folded.push(' ');
            folded.push_str(word);
            folded.push(' ');
        } else if let Some((_, plain)) = LOOK_ALIKES.iter().find(|(look_alike, _)| *look_alike == c) {
            folded.push(*plain);
        } else {
            folded.extend(c.to_lowercase());
        }
    }
    folded
}

/// Characters that change what a machine reads and nothing that a person sees.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e01ef}')
        || (c.is_control() && !c.is_whitespace())
}

struct Reader<'a> {
    vocabulary: &'a Vocabulary,
    words: Vec<Word>,
    emphasis: u32,
    sentence: u32,
    clause: u32,
    /// Where the quotation that is open began.
    quoted: Option<usize>,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) {
        let (line, is_quote) = match line.trim_start().strip_prefix('>') {
            Some(quote) => (quote, true),
            None => (line, false),
        };
        let from = self.words.len();
        let mut spaced = String::new(); // letters of a word that was written with spaces between them
        for chunk in line.split_whitespace() {
            if is_single_letter(chunk) {
                spaced.push_str(chunk);
                continue;
            }
            self.spaced(&mut spaced);
            self.chunk(chunk);
        }
        self.spaced(&mut spaced);
        if is_quote {
            self.words[from..].iter_mut().for_each(|word| word.quoted = true);
        }
    }

    /// `k i l l m y s e l f` as words; a few single letters as what they are.
    fn spaced(&mut self, letters: &mut String) {
        let word = std::mem::take(letters);
        match (word.len() >= 3).then(|| self.segment(&word)).flatten() {
            Some(parts) => self.entries(parts),
            None => {
                for (at, letter) in word.char_indices() {
                    self.word(&word[at..at + letter.len_utf8()]);
                }
            }
        }
    }

    /// What stands between two spaces: a word with its punctuation, or several words joined by hyphens, dots and the like.
    fn chunk(&mut self, chunk: &str) {
        if let Some(tag) = chunk.strip_prefix('#')
            && let Some(parts) = self.segment(tag)
        {
            self.entries(parts);
            return;
        }
        let core = chunk.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '@' | '$'));
        if core.is_empty() {
            self.punctuation(chunk);
            return;
        }
        let start = chunk.find(core).unwrap_or(0);
        self.punctuation(&chunk[..start]);
        self.core(core);
        self.punctuation(&chunk[start + core.len()..]);
    }

    fn core(&mut self, core: &str) {
        if self.repair(core).is_some() || core.chars().all(|c| c.is_alphanumeric() || is_apostrophe(c)) {
            self.word(core);
            return;
        }
        let is_joint =
            |c: char| !c.is_alphanumeric() && !is_apostrophe(c) && !matches!(c, '@' | '$' | '|' | '*' | '!');
        let letters: String = core.chars().filter(|c| c.is_alphanumeric()).collect();
        if core.split(is_joint).all(|part| part.chars().count() <= 1)
            && let Some(parts) = self.segment(&letters)
        {
            self.entries(parts);
            return;
        }
        let mut rest = core;
        while let Some(at) = rest.find(is_joint) {
            self.word(&rest[..at]);
            let joint = rest[at..].chars().take_while(|c| is_joint(*c)).map(char::len_utf8).sum::<usize>();
            self.punctuation(&rest[at..at + joint]);
            rest = &rest[at + joint..];
        }
        self.word(rest);
    }

    /// Ends of sentences and clauses, opening and closing of quotations.
    fn punctuation(&mut self, marks: &str) {
        for mark in marks.chars() {
            match mark {
                '.' | '!' | '?' | '…' => self.end_sentence(),
                ',' | ';' | ':' | '(' | ')' | '–' | '—' => self.clause += 1,
                '"' if self.quoted.is_some() => self.close_quote(true),
                '"' | '“' | '„' | '«' => self.quoted = Some(self.words.len()),
                '”' | '»' => self.close_quote(true),
                _ => {}
            }
        }
    }

    fn end_sentence(&mut self) {
        self.sentence += 1;
        self.clause += 1;
    }

    /// A quotation that is never closed was an inch mark or a slip: its words count as the writer's.
    fn close_quote(&mut self, closed: bool) {
        if let Some(from) = self.quoted.take().filter(|_| closed) {
            self.words[from..].iter_mut().for_each(|word| word.quoted = true);
        }
    }

    fn word(&mut self, written: &str) {
        if written.is_empty() {
            return;
        }
        if let Some(entry) = self.repair(written) {
            self.entry(entry);
            return;
        }
        let contraction =
            CONTRACTIONS.iter().find_map(|(suffix, word)| Some((strip_contraction(written, suffix)?, *word)));
        match contraction {
            Some((stem, word)) => {
                self.word(stem);
                self.entry(Entry::Shorthand(word));
            }
            None => self.push(UNKNOWN),
        }
    }

    fn entries(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            self.entry(entry);
        }
    }

    fn entry(&mut self, entry: Entry) {
        match entry {
            Entry::Word(id) => self.push(id),
            Entry::ClauseStarter(id) => {
                self.clause += 1;
                self.push(id);
            }
            Entry::Filler => self.emphasis += 1,
            Entry::Shorthand(words) => words.split(' ').for_each(|word| match self.vocabulary.entry(word) {
                Some(Entry::Shorthand(_)) | None => self.push(UNKNOWN),
                Some(entry) => self.entry(entry),
            }),
        }
    }

    fn push(&mut self, id: u32) {
        self.words.push(Word { id, sentence: self.sentence, clause: self.clause, quoted: false });
    }

    /// What a spelling stands for: itself, or what remains when leet, stretching and censoring are undone.
    fn repair(&self, written: &str) -> Option<Entry> {
        if let Some(entry) = self.vocabulary.entry(written) {
            return Some(entry);
        }
        if written.contains(is_apostrophe) {
            // `can't` is `cant`; `we're` is not `were`.
            let bare: String = written.chars().filter(|c| !is_apostrophe(*c)).collect();
            return self.vocabulary.entry(&bare).filter(|entry| matches!(entry, Entry::Shorthand(_)));
        }
        if written.contains('*') {
            return CENSORED
                .iter()
                .find(|word| fits(written, word))
                .and_then(|word| self.vocabulary.entry(word));
        }
        let unleeted = [unleet(written, 'i'), unleet(written, 'l')];
        let spellings = std::iter::once(written).chain(unleeted.iter().filter_map(Option::as_deref));
        spellings.into_iter().find_map(|spelling| {
            self.vocabulary.entry(spelling).or_else(|| {
                let stretched = is_stretched(spelling);
                [2, 1]
                    .into_iter()
                    .filter(|_| stretched)
                    .find_map(|run| self.vocabulary.entry(&squeeze(spelling, run)))
            })
        })
    }

    /// Letters without spaces as known words, the longest first; nothing if a letter is left over.
    fn segment(&self, letters: &str) -> Option<Vec<Entry>> {
        const LONGEST: usize = 14;
        let letters: Vec<char> = letters.chars().collect();
        if letters.len() > 64 {
            return None;
        }
        // For each length of prefix that can be read: its last word, and where that starts.
        let mut readings: Vec<Option<(usize, Entry)>> = vec![None; letters.len() + 1];
        for end in 1..=letters.len() {
            readings[end] = (end.saturating_sub(LONGEST)..end).find_map(|start| {
                let word: String = letters[start..end].iter().collect();
                let is_word = end - start > 1 || matches!(word.as_str(), "i" | "a");
                let is_reachable = start == 0 || readings[start].is_some();
                if is_word && is_reachable { Some((start, self.vocabulary.entry(&word)?)) } else { None }
            });
        }
        let mut parts = Vec::new();
        let mut end = letters.len();
        while end > 0 {
            let (start, entry) = readings[end]?;
            parts.push(entry);
            end = start;
        }
        parts.reverse();
        Some(parts)
    }
}

fn is_single_letter(chunk: &str) -> bool {
    let mut chars = chunk.chars();
    chars.next().is_some_and(char::is_alphanumeric) && chars.next().is_none()
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´')
}

/// `they're` without `re`; the apostrophe must be there.
fn strip_contraction<'a>(written: &'a str, suffix: &str) -> Option<&'a str> {
    let stem = written.strip_suffix(suffix)?;
    let stem = stem.strip_suffix(is_apostrophe)?;
    (!stem.is_empty()).then_some(stem)
}

/// `k1ll` → `kill`, if the word has letters as well as signs; `one` says what `1` stands for.
fn unleet(written: &str, one: char) -> Option<String> {
    let is_leet = |c: char| matches!(c, '0'..='9' | '@' | '$' | '!' | '|' | '+');
    if !written.contains(is_leet) || !written.contains(char::is_alphabetic) {
        return None;
    }
    let plain = |c: char| match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        other => other,
    };
    Some(written.chars().map(plain).collect())
}

/// Whether a letter comes three times in a row, as in no English word.
fn is_stretched(word: &str) -> bool {
    let mut run = 0;
    let mut previous = None;
    word.chars().any(|c| {
        run = if previous == Some(c) { run + 1 } else { 1 };
        previous = Some(c);
        run == 3
    })
}

/// `diiiie` with its runs of three and more cut to `run`.
fn squeeze(word: &str, run: usize) -> String {
    let chars: Vec<char> = word.chars().collect();
    chars
        .chunk_by(|a, b| a == b)
        .flat_map(|same| &same[..if same.len() > 2 { run } else { same.len() }])
        .collect()
}

/// Whether `su*cide` is `suicide`: stars stand for one letter each.
fn fits(censored: &str, word: &str) -> bool {
    censored.chars().count() == word.chars().count()
        && censored.chars().filter(|c| *c != '*').count() >= 2
        && censored.chars().zip(word.chars()).all(|(c, letter)| c == '*' || c == letter)
}
