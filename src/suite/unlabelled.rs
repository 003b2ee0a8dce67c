//! Text without labels: a file or a pipe with a message on each line.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// Longest input, in bytes: all of it is looked at before anything is sent.
const LARGEST: u64 = 64 << 20;

/// Most lines.
const MOST: usize = 100_000;

/// A line with something in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLine {
    /// Its number, from 1.
    pub number: u64,
    /// What stands in it, without white space at its ends.
    pub text: String,
}

/// The lines of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLines {
    /// The file; `-` is standard input.
    pub name: String,
    /// SHA-256 of the whole input.
    pub sha256: String,
    /// Those with something in them.
    pub lines: Vec<TextLine>,
    /// How many have nothing in them.
    pub empty: u64,
}

/// Why there are no lines to send. None of them is quoted.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// It cannot be read.
    #[error("cannot read `{name}`")]
    Read {
        /// The input.
        name: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is not UTF-8.
    #[error("`{name}`: line {line} is not UTF-8")]
    NotUtf8 {
        /// The input.
        name: String,
        /// The first such line.
        line: usize,
    },
    /// It is too much.
    #[error("`{name}` has more than {MOST} lines or {} MiB", LARGEST >> 20)]
    TooMuch {
        /// The input.
        name: String,
    },
    /// There is nothing in it.
    #[error("`{0}` has no line with anything in it")]
    Nothing(String),
}

impl LinesError {
    /// How to mend it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "name a text file with a message on each line, or `-` for standard input",
            Self::NotUtf8 { .. } => "nothing was sent; `iconv -f LATIN1 -t UTF-8` may be what is wanted",
            Self::TooMuch { .. } => "nothing was sent; `split -l 100000`, or `shuf -n 100000` for a sample",
            Self::Nothing(_) => "write a message on each line",
        }
    }
}

impl TextLines {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// It cannot be read, is too much, is not UTF-8 all through, or has nothing in it.
    pub fn read(path: &Path) -> Result<Self, LinesError> {
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        let read = if name == "-" {
            io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
        } else {
            File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        };
        read.map_err(|source| LinesError::Read { name: name.clone(), source })?;
        Self::of(name, &bytes)
    }

    fn of(name: String, bytes: &[u8]) -> Result<Self, LinesError> {
        if bytes.len() as u64 > LARGEST {
            return Err(LinesError::TooMuch { name });
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            LinesError::NotUtf8 { name: name.clone(), line: before.split(|byte| *byte == b'\n').count() }
        })?;
        // The mark that Windows programs write.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (mut lines, mut empty) = (Vec::new(), 0);
        for (number, line) in (1..).zip(text.lines()) {
            match line.trim() {
                "" => empty += 1,
                text => lines.push(TextLine { number, text: text.to_owned() }),
            }
            if lines.len() > MOST {
                return Err(LinesError::TooMuch { name });
            }
        }
        if lines.is_empty() {
            return Err(LinesError::Nothing(name));
        }
        let sha256 = Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Ok(Self { name, sha256, lines, empty })
    }
}
