//! `thrash doctor`: what holds, where from, and what can be reached.

use std::fmt::Write;

use chrono::Utc;

use super::exit::Exit;
use super::failure::{Failure, chain};
use super::output::Output;
use crate::config::{Config, Origin, variables};
use crate::dispatch::{Keeper, spool};
use crate::domain::RunId;
use crate::store::{self, StoreOptions};
use crate::target::{AskOptions, Target};

/// Shows everything; what cannot be reached makes the exit code, what is only unset does not.
pub(super) async fn doctor(config: &Config, output: &Output) -> Result<Exit, Failure> {
    let mut text = String::from("settings\n");
    for value in &config.effective {
        let from = match value.origin {
            Origin::Default => String::new(),
            origin => format!("({origin})"),
        };
        let _ = writeln!(text, "{}", format!("  {:<34} {:<24} {from}", value.key, value.value).trim_end());
    }
    let file = config.file.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    let _ = writeln!(text, "\nconfiguration file   {file}");
    let _ = writeln!(text, "data folder          {}", config.data_folder().display());
    for variable in variables().iter().filter(|variable| variable.key.is_none()) {
        if let Some(value) = config.variable(variable.name).filter(|_| !matches!(variable.name, "THRASH_CONFIG" | "NO_COLOR")) {
            let shown = if variable.secret { "•••" } else { &value };
            let _ = writeln!(text, "{:<20} {shown} (read by the service only; no command of this version uses it)", variable.name);
        }
    }
    text.push('\n');
    let mut exit = Exit::Passed;
    let mut line = |what: &str, found: Result<String, (Exit, String)>| {
        let (sign, detail) = match found {
            Ok(detail) => ("ok", detail),
            Err((worse, detail)) => {
                exit = exit.or(worse);
                ("NO", detail)
            }
        };
        let _ = writeln!(text, "{sign}  {what:<9} {detail}");
    };
    line("suites", suites(config));
    line("target", target(config).await);
    line("database", database(config).await);
    line("spool", waiting(config));
    output.print(&text)?;
    Ok(exit)
}

fn suites(config: &Config) -> Result<String, (Exit, String)> {
    let usage = |error: crate::suite::SuiteError| (Exit::Usage, chain(&error));
    let catalog = config.catalog();
    let mut found = Vec::new();
    for (name, _) in catalog.names().map_err(usage)? {
        let suite = catalog.load(std::slice::from_ref(&name), config.suite_size(&name)).map_err(usage)?;
        found.push(format!("{name} ({})", suite.phrases.len()));
    }
    Ok(found.join(", "))
}

async fn target(config: &Config) -> Result<String, (Exit, String)> {
    let name = config.target_name();
    let mut contract = config.contract(name).map_err(|error| (Exit::Usage, chain(&error)))?;
    if config.wants_demo() {
        return Ok("demo, embedded: started with each run".to_owned());
    }
    if let Some(url) = &config.settings.url {
        contract = contract.with_base_url(url).map_err(|message| (Exit::Usage, message))?;
    }
    let ask = AskOptions {
        concurrency: 1,
        rate: None,
        timeout: config.settings.run.timeout.0,
        retries: 0,
        patience: config.settings.run.patience.0,
        run: RunId::new(Utc::now(), rand::random()).to_string(),
    };
    let target = Target::connect(contract, ask, &|name| config.variable(name))
        .map_err(|error| (Exit::Usage, chain(&error)))?;
    let health = target.look().await.map_err(|error| (Exit::TargetFailed, chain(&error)))?;
    let version = health.version.map_or_else(String::new, |version| format!(", version {version}"));
    Ok(format!("{name} at {}{version}", target.contract().shown_url()))
}

async fn database(config: &Config) -> Result<String, (Exit, String)> {
    let location = Keeper::location(config).map_err(|error| (Exit::Usage, chain(&error)))?;
    let Some(location) = location else { return Ok("none, as asked".to_owned()) };
    if let crate::store::StoreLocation::Sqlite(path) = &location
        && !path.exists()
    {
        return Ok(format!("{}: will be made by the first run", location.redacted()));
    }
    let options = StoreOptions {
        connect_timeout: config.settings.store.connect_timeout.0,
        // Looking changes nothing.
        migrate: false,
        ..StoreOptions::default()
    };
    let storage = |error: crate::store::StoreError| (Exit::Storage, chain(&error));
    let store = store::open(&location, &options).await.map_err(storage)?;
    store.ping().await.map_err(storage)?;
    let status = store.migrations().await.map_err(storage)?;
    store.close().await;
    let pending = match status.pending.len() {
        0 => String::new(),
        n => format!(", {n} migrations pending"),
    };
    Ok(format!("{}, tables at version {}{pending}", location.redacted(), status.schema_version()))
}

fn waiting(config: &Config) -> Result<String, (Exit, String)> {
    let spool = spool(config);
    let waiting = spool.pending().map_err(|error| (Exit::Storage, chain(&error)))?;
    match waiting.len() {
        0 => Ok("empty".to_owned()),
        n => Ok(format!("{n} records wait in {}", spool.folder().display())),
    }
}
