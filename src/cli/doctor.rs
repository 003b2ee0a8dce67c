//! `thrash doctor`: what holds, where from, and what can be reached.

use std::fmt::Write;
use std::path::Path;

use super::exit::Exit;
use super::failure::{Failure, chain};
use super::output::Output;
use crate::config::{Config, ListedSuite, Meaning, Origin, variables};
use crate::dispatch::{Connected, Keeper, open_store, spool, store_to_look};
use crate::reference::Model;
use crate::report::figures;
use crate::service::schedule::check;
use crate::service::{ServeError, check_settings};
use crate::store::{ScheduleState, StoreError, StoreLocation};
use crate::suite::SuiteError;

/// Shows everything; what cannot be reached makes the exit code, what is only unset does not.
pub(super) async fn doctor(config: &Config, output: Output) -> Result<Exit, Failure> {
    let mut text = String::from("settings\n");
    let widest = config.effective.iter().map(|value| value.key.len()).max().unwrap_or_default();
    for value in &config.effective {
        let from = match value.origin {
            Origin::Default => String::new(),
            origin => format!("({origin})"),
        };
        let shown = if value.value.is_empty() { figures::NOTHING } else { &value.value };
        let _ = writeln!(text, "{}", format!("  {:<widest$} {shown:<24} {from}", value.key).trim_end());
    }
    let file = config.file.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    let _ = writeln!(text, "\nconfiguration file   {file}");
    let _ = writeln!(text, "data folder          {}", config.data_folder().display());
    for variable in variables().iter().filter(|variable| variable.meaning == Meaning::Channel) {
        if config.variable(variable.name).is_some() {
            let _ = writeln!(text, "{:<20} ••• (messages go there)", variable.name);
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
    if !config.settings.targets.is_empty() {
        line("targets", targets(config));
    }
    if let Some(found) = reference(config) {
        line("reference", found);
    }
    line("database", database(config).await);
    line("spool", waiting(config));
    let usage = |error: Failure| (Exit::Usage, error.to_string());
    line("service", service(config));
    let (on, off) = schedules(config).await;
    if let Some(found) = on {
        line("schedules", found);
    }
    if let Some(found) = channels(config).map_err(usage).transpose() {
        line("messages", found);
    }
    for note in off {
        let _ = writeln!(text, "--  {:<9} {note}", "schedules");
    }
    for (name, meant) in config.misspelt_variables() {
        let _ = writeln!(text, "--  {:<9} `{name}` means nothing here: is {meant} meant?", "variable");
    }
    Ok(exit.after(output.show(&text), output))
}

fn suites(config: &Config) -> Result<String, (Exit, String)> {
    let usage = |error: SuiteError| (Exit::Usage, chain(&error));
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for ListedSuite { name, phrases, .. } in config.suites().map_err(usage)? {
        match phrases {
            Ok(phrases) => found.push(format!("{name} ({phrases})")),
            Err(error) => wrong.push(format!("`{name}` cannot be read: {}", chain(&error))),
        }
    }
    let found = found.join(", ");
    if wrong.is_empty() {
        Ok(found)
    } else {
        Err((Exit::Usage, format!("{}\n    besides: {found}", wrong.join("\n"))))
    }
}

/// Whether the configured targets, used or not, are contracts.
fn targets(config: &Config) -> Result<String, (Exit, String)> {
    let names: Vec<&str> = config.settings.targets.keys().map(String::as_str).collect();
    let wrong: Vec<String> =
        names.iter().filter_map(|name| config.contract(name).err()).map(|error| error.to_string()).collect();
    if wrong.is_empty() { Ok(names.join(", ")) } else { Err((Exit::Usage, wrong.join("\n"))) }
}

/// Whether the schedules that are on can be run, if any are; and what is wrong with those that are off.
async fn schedules(config: &Config) -> (Option<Result<String, (Exit, String)>>, Vec<String>) {
    let states = switched(config).await;
    let (mut on, mut wrong, mut off) = (Vec::new(), Vec::new(), Vec::new());
    for job in config.planned_jobs() {
        let name = &job.plan.name;
        let switch = states.iter().find(|state| state.name == *name).and_then(|state| state.enabled);
        let is_on = switch.unwrap_or(job.enabled) && !config.schedules_are_off();
        match check(config, &job) {
            Ok(()) if is_on => on.push(name.clone()),
            Err(error) if is_on => wrong.push(Failure::from(error).to_string()),
            // One that nobody ever wanted is no news.
            Err(error) if job.enabled || switch.is_some() => {
                off.push(format!("`{name}` is off, and cannot be run: {}", error.in_a_line()));
            }
            Ok(()) | Err(_) => {}
        }
    }
    let found = match (on.is_empty(), wrong.is_empty()) {
        (_, false) => Some(Err((Exit::Usage, wrong.join("\n")))),
        (false, true) => Some(Ok(on.join(", "))),
        (true, true) => None,
    };
    (found, off)
}

/// Which schedules somebody has switched at run time. Where the store cannot tell, the configuration holds: what is wrong
/// with the store is said elsewhere.
async fn switched(config: &Config) -> Vec<ScheduleState> {
    let Some(store) = store_to_look(config).await else { return Vec::new() };
    let states = store.schedule_states().await.unwrap_or_default();
    store.close().await;
    states
}

/// Where messages go; none where they go nowhere.
fn channels(config: &Config) -> Result<Option<String>, Failure> {
    let channels = config.notify()?.channels;
    let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
    Ok((!names.is_empty()).then(|| format!("{}; `thrash notify test` tries them", names.join(", "))))
}

async fn target(config: &Config) -> Result<String, (Exit, String)> {
    if config.wants_demo() {
        return Ok("demo, embedded: started with each run".to_owned());
    }
    let connected = Connected::to_look(config).await.map_err(|error| {
        let failure = Failure::from(error);
        (failure.exit, failure.to_string())
    })?;
    let version =
        connected.health.version.as_ref().map_or_else(String::new, |version| format!(", version {version}"));
    let found = format!("{} at {}{version}", config.target_name(), connected.target.contract().shown_url());
    connected.close().await;
    Ok(found)
}

/// The second opinion, if one is wanted: what runs it, and what was tried before that.
fn reference(config: &Config) -> Option<Result<String, (Exit, String)>> {
    let loaded = match Model::load(&config.reference()?) {
        Ok(model) => model,
        Err(error) => return Some(Err((Exit::Usage, error.explained()))),
    };
    let facts = loaded.facts();
    let notes = facts.notes.iter().map(|note| format!("\n              {note}"));
    Some(Ok(format!(
        "{} in {} on {}{}",
        facts.name,
        facts.engine,
        facts.device.as_str(),
        notes.collect::<String>()
    )))
}

/// Whether `thrash serve` would begin with these settings.
fn service(config: &Config) -> Result<String, (Exit, String)> {
    let (listen, metrics) = (config.listen(), config.metrics_listen());
    match check_settings(config) {
        Ok(_) => Ok(format!("`thrash serve` would listen on {listen}, metrics on {metrics}")),
        // Who keeps nothing serves nothing.
        Err(ServeError::NoStore) => Ok("none: `thrash serve` needs a database".to_owned()),
        Err(error) => {
            let failure = Failure::from(error);
            Err((failure.exit, format!("`thrash serve` does not begin: {failure}")))
        }
    }
}

async fn database(config: &Config) -> Result<String, (Exit, String)> {
    let location = Keeper::location(config).map_err(|error| (Exit::Usage, chain(&error)))?;
    let Some(location) = location else { return Ok("none, as asked".to_owned()) };
    if let StoreLocation::Sqlite(path) = &location
        && !path.is_file()
    {
        if path.exists() {
            return Err((Exit::Storage, format!("{}: that is no file", location.redacted())));
        }
        return match unwritable(path) {
            None => Ok(format!("{}: will be made by the first run", location.redacted())),
            Some(why) => Err((Exit::Storage, format!("{} cannot be made: {why}", location.redacted()))),
        };
    }
    let storage = |error: StoreError| (Exit::Storage, chain(&error));
    // Looking changes nothing.
    let store = open_store(config, &location, false).await.map_err(storage)?;
    store.ping().await.map_err(storage)?;
    let status = store.migrations().await.map_err(storage)?;
    store.close().await;
    let pending = match status.pending.len() {
        0 => String::new(),
        n => format!(", {n} migrations pending"),
    };
    Ok(format!("{}, tables at version {}{pending}", location.redacted(), status.schema_version()))
}

/// Why a file cannot be made; nothing where it can be, as far as one can tell without trying.
fn unwritable(path: &Path) -> Option<String> {
    let folder = path
        .ancestors()
        .skip(1)
        .find(|folder| folder.symlink_metadata().is_ok() || folder.as_os_str().is_empty());
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Some(format!("`{}` is no folder", folder.display()));
    }
    #[cfg(target_os = "linux")]
    if let Err(refused) =
        rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
    {
        return Some(format!("the folder `{}`: {refused}", folder.display()));
    }
    None
}

fn waiting(config: &Config) -> Result<String, (Exit, String)> {
    let spool = spool(config);
    let waiting = spool.pending().map_err(|error| (Exit::Storage, chain(&error)))?;
    match waiting.len() {
        0 => Ok("empty".to_owned()),
        n => Ok(format!("{n} records wait in {}", spool.folder().display())),
    }
}
