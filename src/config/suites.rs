//! The suites that can be asked for, broken ones too.

use super::Config;
use crate::suite::SuiteError;

/// A suite that can be asked for.
#[derive(Debug)]
pub struct ListedSuite {
    /// Its name.
    pub name: String,
    /// One line about it.
    pub title: String,
    /// How many phrases it has, or why it cannot be read.
    pub phrases: Result<usize, SuiteError>,
}

impl ListedSuite {
    /// Why it cannot be run, on one line.
    pub fn broken(&self) -> Option<String> {
        self.phrases.as_ref().err().map(SuiteError::in_a_line)
    }
}

impl Config {
    /// Every suite, read.
    ///
    /// # Errors
    /// Nobody knows which there are.
    pub fn suites(&self) -> Result<Vec<ListedSuite>, SuiteError> {
        let catalog = self.catalog();
        let read = |(name, title): (String, String)| {
            let suite = catalog.load(std::slice::from_ref(&name), self.suite_size(&name));
            ListedSuite { name, title, phrases: suite.map(|suite| suite.phrases.len()) }
        };
        Ok(catalog.names()?.into_iter().map(read).collect())
    }
}
