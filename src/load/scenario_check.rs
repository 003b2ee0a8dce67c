//! What is wrong with a scenario that could be decoded, and its load over time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::scenario_file::{Rate, ScenarioFile, SearchEntry, Spacing, StageEntry};
use super::schedule::{Ramp, Schedule};
use crate::document::{Document, Path, Problems};
use crate::domain::{HttpVersion, LoadModel, Wait};
use crate::target::{MOST_CHECKS, check_rule};

/// More than one machine has ports for.
const MOST_IN_FLIGHT: usize = 20_000;
/// No run is longer than this.
const LONGEST: Duration = Duration::from_hours(24 * 7);
/// Nor has it more stages.
const MOST_STAGES: usize = 1000;
/// A search tries at most so many loads.
const MOST_LOADS: usize = 60;
/// A ramp is cut into so many steps, for the numbers of each.
const STEPS_OF_A_RAMP: u32 = 4;
/// Of more requests than this some come after the warm-up.
const FEW: f64 = 1e4;
/// More phrases than any target takes at once.
const MOST_PHRASES: usize = 10_000;
/// A rule that needs more requests than this to tell something tells it too late.
const MOST_TO_TELL: u64 = 10_000;
/// A target that is silent for longer is down, whatever anybody thinks.
const LONGEST_SILENCE: Duration = Duration::from_hours(1);
/// No answer is faster.
const SHORTEST: Duration = Duration::from_millis(1);
/// Headers that the program sets itself.
const OURS: [&str; 6] =
    ["connection", "content-length", "host", "transfer-encoding", "user-agent", "x-thrash-run"];

/// Finds what is wrong with a scenario that could be decoded.
pub(super) struct Reader<'a> {
    pub(super) document: &'a Document,
    pub(super) problems: Problems,
}

impl Reader<'_> {
    fn wrong(&mut self, path: &Path, message: impl Into<String>, hint: &str) {
        self.problems.push(self.document.problem(path, message).with_hint(hint));
    }

    pub(super) fn key(&mut self, key: &str, message: impl Into<String>, hint: &str) {
        self.wrong(&Path::root().join(key), message, hint);
    }

    pub(super) fn check(&mut self, file: &ScenarioFile) {
        if file.title.trim().is_empty() {
            self.key("title", "a scenario has a title", "one line: what it is for");
        }
        let arrivals = [
            ("rate", file.rate.is_some()),
            ("search", file.search.is_some()),
            ("spacing", file.spacing.is_some()),
            ("max_in_flight", file.max_in_flight.is_some()),
            ("beyond", file.beyond.is_some()),
        ];
        let users = [
            ("users", file.users.is_some()),
            ("hatch_rate", file.hatch_rate.is_some()),
            ("think_time", file.think_time.is_some()),
            ("iterations", file.iterations.is_some()),
        ];
        let (others, name) = match file.model {
            LoadModel::Arrivals => (&users[..], "arrivals"),
            LoadModel::Users => (&arrivals[..], "users"),
        };
        for (key, _) in others.iter().filter(|(_, there)| *there) {
            let message = format!("`{key}` has no meaning with `model: {name}`");
            self.key(key, message, "leave it out, or take the other model");
        }
        self.content(file);
        if file.batch.is_some_and(|batch| !(1..=MOST_PHRASES).contains(&batch)) {
            self.key("batch", format!("a request holds 1 to {MOST_PHRASES} phrases"), "such as 16");
        }
        let weights = file.phrases.as_ref().map(|phrases| &phrases.weights);
        for (i, weight) in weights.into_iter().flat_map(BTreeMap::values).enumerate() {
            if !(weight.is_finite() && *weight >= 0.0 && *weight <= 1e6) {
                let name = weights.and_then(|weights| weights.keys().nth(i)).cloned().unwrap_or_default();
                let path = Path::root().join("phrases").join("weights").join(name.as_str());
                self.wrong(
                    &path,
                    "a weight is 0 or more, up to 1000000",
                    "2 sends the category twice as often",
                );
            }
        }
        if file.max_in_flight.is_some_and(|most| !(1..=MOST_IN_FLIGHT).contains(&most)) {
            self.key(
                "max_in_flight",
                format!("1 to {MOST_IN_FLIGHT} requests can be on their way"),
                "such as 200",
            );
        }
        if file.users.is_some_and(|users| users == 0 || users as usize > MOST_IN_FLIGHT) {
            self.key("users", format!("there can be 1 to {MOST_IN_FLIGHT} users"), "such as 100");
        }
        if file.iterations == Some(0) {
            self.key("iterations", "a user asks at least once", "such as 10");
        }
        for name in file.headers.keys() {
            let path = Path::root().join("headers").join(name.as_str());
            if OURS.contains(&name.to_ascii_lowercase().as_str()) {
                self.wrong(&path, format!("`{name}` is set by this program"), "leave it out");
            } else if !is_token(name)
                || !file.headers[name].chars().all(|c| c == '\t' || (' '..='~').contains(&c))
            {
                self.wrong(
                    &path,
                    "this is no header",
                    "a name without blanks, and a value of printable ASCII",
                );
            }
        }
        self.connections(file);
        self.checks(file);
        self.rails(file);
        if file.timeout.is_some_and(|wait| wait.0 < SHORTEST || wait.0 > Duration::from_mins(10)) {
            self.key("timeout", "a deadline is 1ms to 10m", "such as 10s");
        }
        if file.max_duration.is_some_and(|wait| wait.0.is_zero()) {
            self.key("max_duration", "a run takes some time", "such as 10m");
        }
        if file.model == LoadModel::Users
            && let Some(i) = file.stages.iter().position(|stage| stage.target > MOST_IN_FLIGHT as f64)
        {
            let path = Path::root().join("stages").join(i).join("target");
            self.wrong(&path, format!("there can be up to {MOST_IN_FLIGHT} users"), "such as 100");
        }
        if file.stages.len() > MOST_STAGES {
            self.key("stages", format!("there can be {MOST_STAGES} stages"), "a ramp takes one");
        }
        if file.max_requests == Some(0) {
            self.key("max_requests", "a run sends at least one request", "such as 100000");
        }
    }

    /// How many connections there are is for HTTP/2 to say: over another one goes one request at a time.
    fn connections(&mut self, file: &ScenarioFile) {
        let connections = file.connections;
        let Some(count) = connections.count else { return };
        let path = Path::root().join("connections").join("count");
        if !(1..=MOST_IN_FLIGHT).contains(&count) {
            self.wrong(&path, format!("there can be 1 to {MOST_IN_FLIGHT} connections"), "such as 10");
        } else if !connections.keep_alive {
            self.wrong(&path, "`keep_alive: false` opens one for each request", "leave out one of the two");
        } else if connections.http == Some(HttpVersion::Http1) {
            let hint = "leave it out, and set `max_in_flight` or `users`";
            self.wrong(&path, "over HTTP/1.1 there are as many as requests on their way", hint);
        }
    }

    /// What ends a run at once.
    fn rails(&mut self, file: &ScenarioFile) {
        let rules = file.abort_when;
        let silent = Duration::from_millis(500)..=LONGEST_SILENCE;
        for (key, is_wrong, message, hint) in [
            (
                "over",
                !(Duration::from_millis(250)..=Duration::from_mins(1)).contains(&rules.over.0),
                "`over` is 250ms to 1m".to_owned(),
                "1s ends a run soon enough to do no harm",
            ),
            (
                "silent",
                rules.silent.is_some_and(|wait| !silent.contains(&wait.0)),
                "`silent` is 500ms to 1h".to_owned(),
                "longer than any answer should take",
            ),
            (
                "latency_p95",
                rules.latency_p95.is_some_and(|wait| wait.0 < SHORTEST),
                "no answer is faster than 1ms".to_owned(),
                "10s ends a run before it does harm",
            ),
            (
                "at_least",
                !(1..=MOST_TO_TELL).contains(&rules.at_least),
                format!("`at_least` is 1 to {MOST_TO_TELL} requests"),
                "of 10 a share can be told, and more are told of later",
            ),
        ] {
            if is_wrong {
                self.wrong(&Path::root().join("abort_when").join(key), message, hint);
            }
        }
    }

    /// Rules that every answer is held against, and the gates that name one.
    fn checks(&mut self, file: &ScenarioFile) {
        for (name, rule) in &file.checks {
            let path = Path::root().join("checks").join(name.as_str());
            if !is_word(name) {
                let hint = "such as `has_reasons`: a gate names it, `check_failures[has_reasons] <= 1%`";
                self.wrong(&path, "the name of a check is letters, digits and `_`", hint);
            }
            if let Err(problem) = check_rule(rule) {
                self.wrong(&path, problem, "such as `status == 200 && has(body.reasons)`");
            }
        }
        if file.checks.len() > MOST_CHECKS {
            self.key("checks", format!("there can be {MOST_CHECKS} checks"), "join some with `&&`");
        }
        let by_users = file.gates.iter().enumerate().filter(|(_, gate)| gate.needs_schedule());
        for (i, gate) in by_users.filter(|_| file.model == LoadModel::Users) {
            let path = Path::root().join("gates").join(i);
            let message =
                format!("`{gate}` says nothing of users: they ask when they are answered, never late");
            self.wrong(&path, message, "leave it out; a run says how long its users waited for `max_rate`");
        }
        let about_a_search = file.gates.iter().enumerate().filter(|(_, gate)| gate.needs_search());
        for (i, gate) in about_a_search.filter(|_| file.search.is_none()) {
            let message = format!("`{gate}` asks what a search found, and there is no `search`");
            let hint = "such as `search: {from: 5/s, to: 500/s, factor: 1.5, hold: 20s}`";
            self.wrong(&Path::root().join("gates").join(i), message, hint);
        }
        let names: Vec<&str> = file.checks.keys().map(String::as_str).collect();
        for (i, gate) in file.gates.iter().enumerate() {
            if let Err(problem) = gate.fits_checks(&names) {
                self.wrong(&Path::root().join("gates").join(i), problem, "name it under `checks`");
            }
        }
    }

    /// What is sent: phrases, or one and the same body, whose answers are neither right nor wrong.
    fn content(&mut self, file: &ScenarioFile) {
        match (&file.phrases, &file.body) {
            (Some(_), None) => {}
            (None, Some(body)) => {
                if serde_json::to_string(body).is_err() {
                    self.key("body", "this is no JSON", "keys are texts, and numbers are finite");
                }
                for (key, is_there) in [("idle_pass", file.idle_pass), ("batch", file.batch.is_some())] {
                    if is_there {
                        self.key(
                            key,
                            format!("there are no phrases, so `{key}` has no meaning"),
                            "leave it out",
                        );
                    }
                }
                for (i, gate) in file.gates.iter().enumerate().filter(|(_, gate)| gate.needs_judging()) {
                    let path = Path::root().join("gates").join(i);
                    let (message, hint) = if gate.mode.is_against_baseline() {
                        let message = format!("`{gate}` needs a baseline, and a fixed body has none");
                        (message, "runs are held against each other by their phrases: send `phrases`")
                    } else {
                        let metric = gate.metric;
                        let message =
                            format!("no answer to a fixed body is right or wrong, so `{metric}` is nothing");
                        (message, "send `phrases`, or ask for rates, latencies and `check_failures`")
                    };
                    self.wrong(&path, message, hint);
                }
            }
            (None, None) => {
                self.key("phrases", "nothing says what is sent", "such as `phrases: {suite: quick}`");
            }
            (Some(_), Some(_)) => {
                self.key("body", "there are phrases, too", "leave out one of the two");
            }
        }
    }

    /// The load over time. Hints are given where there is none.
    pub(super) fn steps(&mut self, file: &ScenarioFile, scale: f64) -> Vec<(usize, Ramp)> {
        let stages = match file.model {
            LoadModel::Arrivals => self.arrivals(file, scale),
            LoadModel::Users => self.users(file, scale),
        };
        let length: Duration = stages.iter().map(|ramp| ramp.duration).sum();
        if !stages.is_empty() && length.is_zero() {
            self.key("stages", "the stages take no time at all", "give one of them a `duration` such as 30s");
        }
        if length > LONGEST {
            self.key("stages", "the run would take longer than a week", "shorten it, or use --scale-time");
        }
        if file.warm_up.is_some_and(|warm_up| !length.is_zero() && scaled(warm_up.0, scale) >= length) {
            self.key("warm_up", "nothing is left after the warm-up", "make it shorter than the stages");
        }
        if let Some(warm_up) = file.warm_up.map(|wait| scaled(wait.0, scale)).filter(|wait| *wait < length)
            && file.model == LoadModel::Arrivals
            && file.search.is_none()
            && stages.iter().map(Ramp::requests).sum::<f64>() < FEW
            && !Schedule::new(stages.clone(), file.spacing.unwrap_or_default(), file.seed)
                .any(|start| start >= warm_up)
        {
            self.key("warm_up", "every request starts in the warm-up", "shorten it, or raise the load");
        }
        let peak = stages.iter().map(|ramp| ramp.from.max(ramp.to)).fold(0.0, f64::max);
        if file.model == LoadModel::Arrivals {
            if let Some(most) = file.max_rate.filter(|most| peak > most.0) {
                let message = format!("the load goes up to {}, more than `max_rate`: {most}", Rate(peak));
                self.key("max_rate", message, "raise `max_rate`, or lower the load");
            } else if file.spacing == Some(Spacing::Poisson)
                && file.max_rate.is_some_and(|most| peak * 1.5 > most.0)
            {
                let hint = "give it twice the load, or leave it out";
                self.key(
                    "max_rate",
                    "random starts come in bursts, and `max_rate` leaves no room for them",
                    hint,
                );
            }
        }
        if !stages.is_empty() && peak <= 0.0 {
            self.key("stages", "nothing would ever be sent", "give a stage a `target` above 0");
        }
        if file.search.is_some() {
            return stages.into_iter().enumerate().collect();
        }
        let cut = |(stage, ramp): (usize, Ramp)| {
            let parts = if ramp.from.to_bits() == ramp.to.to_bits() || ramp.duration < Duration::from_secs(1)
            {
                1
            } else {
                STEPS_OF_A_RAMP
            };
            let duration = ramp.duration / parts;
            (0..parts).map(move |part| {
                let (from, to) = (ramp.at(duration * part), ramp.at(duration * (part + 1)));
                let to = if part + 1 == parts { ramp.to } else { to };
                (stage, Ramp { from, to, duration })
            })
        };
        stages.into_iter().enumerate().flat_map(cut).filter(|(_, ramp)| !ramp.duration.is_zero()).collect()
    }

    fn arrivals(&mut self, file: &ScenarioFile, scale: f64) -> Vec<Ramp> {
        let kinds = [file.search.is_some(), !file.stages.is_empty(), file.duration.is_some()];
        if kinds.iter().filter(|there| **there).count() != 1 {
            let hint =
                "`rate: 50/s` with `duration: 1m`; or `stages: [{duration: 1m, target: 50}]`; or `search`";
            self.key("model", "`arrivals` needs one of `duration`, `stages` and `search`", hint);
            return Vec::new();
        }
        if let Some(search) = file.search {
            return self.search(file, search, scale);
        }
        if file.stages.is_empty() {
            let (Some(rate), Some(duration)) = (file.rate, file.duration) else {
                self.key("model", "a constant load needs its `rate`", "such as `rate: 50/s`");
                return Vec::new();
            };
            return vec![Ramp { from: rate.0, to: rate.0, duration: scaled(duration.0, scale) }];
        }
        self.ramps(&file.stages, file.rate.map_or(0.0, |rate| rate.0), scale)
    }

    fn search(&mut self, file: &ScenarioFile, search: SearchEntry, scale: f64) -> Vec<Ramp> {
        let path = |key: &str| Path::root().join("search").join(key);
        if !(search.factor.is_finite() && search.factor >= 1.01 && search.factor <= 10.0) {
            self.wrong(&path("factor"), "a factor is 1.01 to 10", "1.5 raises the load by half each time");
            return Vec::new();
        }
        if search.to.0 < search.from.0 {
            self.wrong(
                &path("to"),
                "it ends below where it begins",
                "`to` is the highest load that is tried",
            );
            return Vec::new();
        }
        let hold = scaled(search.hold.0, scale);
        if hold < Duration::from_millis(500) {
            let shortest = "a load has to be held for half a second at least";
            if scale < 1.0 {
                let message = format!("{shortest}, and `--scale-time {scale}` makes {} of this", Wait(hold));
                self.wrong(&path("hold"), message, "give a larger `--scale-time`");
            } else {
                self.wrong(&path("hold"), shortest, "such as 20s");
            }
            return Vec::new();
        }
        for (i, gate) in file.gates.iter().enumerate().filter(|(_, gate)| gate.mode.is_against_baseline()) {
            let path = Path::root().join("gates").join(i);
            let message = format!("`{gate}` cannot be asked of a search, which sends another load each time");
            self.wrong(&path, message, "hold a constant load against its baseline");
        }
        if file.gates.is_empty() {
            self.key(
                "search",
                "a search needs gates that can break",
                "such as `gates: [latency_p95 <= 500ms]`",
            );
        }
        let mut loads = Vec::new();
        let mut load = search.from.0;
        while load < search.to.0 && loads.len() < MOST_LOADS {
            loads.push(load);
            load *= search.factor;
        }
        loads.push(search.to.0);
        loads.into_iter().map(|load| Ramp { from: load, to: load, duration: hold }).collect()
    }

    fn users(&mut self, file: &ScenarioFile, scale: f64) -> Vec<Ramp> {
        let users = f64::from(file.users.unwrap_or(0));
        if file.stages.is_empty() {
            let (Some(_), Some(duration)) = (file.users, file.duration) else {
                let hint = "`users: 10` with `duration: 1m`; or `stages: [{duration: 1m, target: 10}]`";
                self.key("model", "`users` needs `users` and `duration`, or `stages`", hint);
                return Vec::new();
            };
            let duration = scaled(duration.0, scale);
            let hatching = file
                .hatch_rate
                .map_or(Duration::ZERO, |rate| scaled(Duration::from_secs_f64(users / rate.0), scale));
            if hatching >= duration {
                self.key(
                    "hatch_rate",
                    "the run is over before every user has begun",
                    "raise it, or the duration",
                );
                return Vec::new();
            }
            return vec![
                Ramp { from: if hatching.is_zero() { users } else { 0.0 }, to: users, duration: hatching },
                Ramp { from: users, to: users, duration: duration.saturating_sub(hatching) },
            ];
        }
        if file.duration.is_some() || file.hatch_rate.is_some() {
            let message = "`duration` and `hatch_rate` have no meaning beside `stages`";
            self.key("stages", message, "leave them out: the stages say when users begin");
        }
        self.ramps(&file.stages, users, scale)
    }

    fn ramps(&mut self, stages: &[StageEntry], first: f64, scale: f64) -> Vec<Ramp> {
        let mut from = first;
        let mut ramps = Vec::with_capacity(stages.len());
        for (i, stage) in stages.iter().enumerate() {
            if !(stage.target.is_finite() && (0.0..=1e6).contains(&stage.target)) {
                let path = Path::root().join("stages").join(i).join("target");
                self.wrong(&path, "a target is 0 or more", "requests a second, or users");
                return Vec::new();
            }
            ramps.push(Ramp { from, to: stage.target, duration: scaled(stage.duration.0, scale) });
            from = stage.target;
        }
        ramps
    }
}

/// The length of time at a scale; what is too long for any run is as long as no run may be.
pub(super) fn scaled(wait: Duration, scale: f64) -> Duration {
    let most = LONGEST * 2;
    Duration::try_from_secs_f64(wait.min(most).as_secs_f64() * scale).unwrap_or(most).min(most)
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
