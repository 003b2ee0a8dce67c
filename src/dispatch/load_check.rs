//! What a load is refused for before anything is sent.

use super::DispatchError;
use super::load::{deck, phrases};
use crate::config::Config;
use crate::domain::{BaselineWish, Job, LoadModel};
use crate::gate::Gate;
use crate::load::Scenario;

/// Looks for everything that a run of a scenario needs: its target, the suite, the categories that it names. Nothing is
/// sent.
///
/// # Errors
/// What is missing.
pub fn check_scenario(config: &Config, scenario: &Scenario) -> Result<(), DispatchError> {
    let contract = config.contract(config.target_name())?;
    scenario.fits(&contract)?;
    deck(&phrases(config, &contract, scenario)?, scenario).map(|_| ())
}

/// Refuses what a load of a fixed body cannot have.
pub(super) fn fits_body(config: &Config, scenario: &Scenario) -> Result<(), DispatchError> {
    let refuse = |message: &str, hint: &str| {
        Err(DispatchError::Options { message: message.to_owned(), hint: hint.to_owned() })
    };
    let baseline = &config.settings.baseline;
    if scenario.body.is_none() {
        Ok(())
    } else if scenario.idle_pass {
        refuse("a fixed body has no phrases that could be asked before the load", "leave `--idle-pass` out")
    } else if baseline.as_ref().is_some_and(|wish| *wish != BaselineWish::Nothing) {
        refuse(
            "a load of a fixed body has no baseline: runs are held against each other by their phrases",
            "leave `--baseline` out; `--baseline none` where the configuration asks for one",
        )
    } else {
        Ok(())
    }
}

/// Refuses gates that this scenario can never answer.
pub(super) fn can_be_asked(scenario: &Scenario, gates: &[Gate]) -> Result<(), DispatchError> {
    let names: Vec<&str> = scenario.checks.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(gate) = gates.iter().find(|gate| scenario.body.is_some() && gate.needs_judging()) {
        return Err(DispatchError::Options {
            message: format!("`{gate}` cannot be asked: no answer to a fixed body is right or wrong"),
            hint: "ask for rates, latencies and `check_failures`".to_owned(),
        });
    }
    if let Some(gate) = gates.iter().find(|gate| !scenario.is_search && gate.needs_search()) {
        return Err(DispatchError::Options {
            message: format!("`{gate}` cannot be asked: it is about what a search found"),
            hint: "run a scenario with a `search`, such as `breakpoint`".to_owned(),
        });
    }
    let by_users = scenario.model == LoadModel::Users;
    if let Some(gate) = gates.iter().find(|gate| by_users && gate.needs_schedule()) {
        return Err(DispatchError::Options {
            message: format!("`{gate}` cannot be asked: users ask when they are answered, never late"),
            hint: "leave it out; a run says how long its users waited for `max_rate`".to_owned(),
        });
    }
    if let Some(gate) = gates.iter().find(|gate| scenario.is_search && gate.mode.is_against_baseline()) {
        return Err(DispatchError::Options {
            message: format!("`{gate}` cannot be asked of a search, which sends another load each time"),
            hint: "ask `sustained_rate >= …`, or hold a constant load against its baseline".to_owned(),
        });
    }
    for gate in gates {
        gate.fits_checks(&names).map_err(|message| DispatchError::Options {
            message: format!("`{gate}` cannot be asked: {message}"),
            hint: "name it under `checks` of the scenario".to_owned(),
        })?;
    }
    Ok(())
}

/// Another load is before this one.
pub(super) fn busy(other: &Job) -> DispatchError {
    DispatchError::Busy {
        message: format!("{}; nothing was sent", before_it(other)),
        hint: "leave `--no-wait` out to wait for its end; `thrash runs queue` shows what else waits"
            .to_owned(),
    }
}

/// What a load waits for, in words.
pub fn before_it(other: &Job) -> String {
    let Job { id, name, target, requester, .. } = other;
    let instance = other.instance.as_deref().unwrap_or("somewhere");
    let (state, since) = match other.started_at {
        Some(since) => ("runs", since),
        None => ("waits", other.submitted_at),
    };
    let since = since.format("%Y-%m-%d %H:%M:%S UTC");
    format!(
        "the load `{name}` against `{target}` (run {id} of {requester}) {state} on {instance} since {since}"
    )
}
