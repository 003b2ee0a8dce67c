//! The configured waivers, read against what they can name.

use chrono::Utc;

use super::DispatchError;
use crate::config::Config;
use crate::suite::{Nameable, Waivers};

/// The waivers for runs of these suites; none where no file of them is configured.
///
/// # Errors
/// The file cannot be read, or something in it is wrong.
pub fn waivers(config: &Config, suites: &[String]) -> Result<Option<Waivers>, DispatchError> {
    let settings = &config.settings.waivers;
    let Some(file) = &settings.file else { return Ok(None) };
    // As large as can be: a phrase that a suite leaves out of its files is not selected, but it is no mistake.
    let whole = config.catalog().load(suites, Some(usize::MAX))?;
    let nameable = Nameable {
        running: suites.to_vec(),
        phrases: whole.phrases,
        suites: config.catalog().names()?.into_iter().map(|(name, _)| name).collect(),
        target: config.target_name().to_owned(),
        targets: config.target_names(),
        today: Utc::now().date_naive(),
    };
    Ok(Some(Waivers::load(file, settings.most, &nameable)?))
}
