//! A scenario that can be run: read, checked, its time scaled.

use std::time::Duration;

use serde_yaml::Value;
use sha2::{Digest, Sha256};

use super::scenario_file::{AbortEntry, Beyond, Rate, ScenarioFile, Spacing, StageEntry, ThinkTime};
use super::schedule::Ramp;
use crate::document::{Document, Path, Problem, Problems};
use crate::domain::{LoadModel, Selection};
use crate::gate::Gate;

/// Requests on their way at once where a scenario names no limit.
const IN_FLIGHT: usize = 200;
/// More than one machine has ports for.
const MOST_IN_FLIGHT: usize = 20_000;
/// No run is longer than this.
const LONGEST: Duration = Duration::from_hours(24 * 7);
/// No run sends more than this.
const MOST_REQUESTS: u64 = 1_000_000_000;
/// A search tries at most so many loads.
const MOST_LOADS: usize = 200;
/// A ramp is cut into so many steps, for the numbers of each.
const STEPS_OF_A_RAMP: u32 = 4;
/// Headers that the program sets itself.
const OURS: [&str; 6] =
    ["connection", "content-length", "host", "transfer-encoding", "user-agent", "x-thrash-run"];

/// A scenario that can be run.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name: of a shipped one, or the file.
    pub name: String,
    /// One line about it.
    pub title: String,
    /// Content hash of all that decides what is sent.
    pub hash: String,
    /// The target that it names.
    pub target: Option<String>,
    /// The suite that its phrases are from.
    pub suite: String,
    /// Which of them.
    pub selection: Selection,
    /// How often a category is sent beside the others; empty where phrases weigh the same.
    pub weights: Vec<(String, f64)>,
    /// Who decides when a request starts.
    pub model: LoadModel,
    /// The load over time, in steps that have numbers of their own, each with its stage.
    pub steps: Vec<(usize, Ramp)>,
    /// Whether the steps are tried one after the other until a gate breaks.
    pub is_search: bool,
    /// How starts are spaced.
    pub spacing: Spacing,
    /// Requests on their way at once, at most.
    pub max_in_flight: usize,
    /// What becomes of a start beyond that.
    pub beyond: Beyond,
    /// A user's pause between an answer and the next request.
    pub think_time: ThinkTime,
    /// Requests of a user, at most.
    pub iterations: Option<u64>,
    /// What starts in this time at the beginning is in no number.
    pub warm_up: Duration,
    /// Whether a connection is used again.
    pub keep_alive: bool,
    /// Further headers of every request.
    pub headers: Vec<(String, String)>,
    /// Deadline of a request; the target's if there is none.
    pub timeout: Option<Duration>,
    /// Whether every phrase is asked once before the load.
    pub idle_pass: bool,
    /// What the run has to hold.
    pub gates: Vec<Gate>,
    /// When the run ends at once.
    pub abort_when: AbortEntry,
    /// Requests a second, at most.
    pub max_rate: Option<f64>,
    /// The run ends after this time, whatever the rest says.
    pub max_duration: Duration,
    /// And after so many requests.
    pub max_requests: u64,
    /// The seed of the schedule and of the phrases' order.
    pub seed: u64,
    /// What its lengths of time were multiplied by.
    pub time_scale: f64,
    /// It, as it is written.
    pub text: String,
}

impl Scenario {
    /// Reads a scenario; `name` is how it is called, `file` how the file is called in messages. Lengths of time are
    /// multiplied by `time_scale`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(name: &str, file: &str, text: &str, time_scale: f64) -> Result<Self, Problems> {
        let document = Document::parse(file, text)?;
        if document.value().is_null() {
            let empty = Problem::with_file(file, "the file is empty")
                .with_hint("`thrash scenarios show smoke` prints a scenario to begin with");
            return Err(empty.into());
        }
        let file: ScenarioFile = document.decode()?;
        let mut reader = Reader { document: &document, problems: Problems::default() };
        reader.check(&file);
        let steps = reader.steps(&file, time_scale);
        if !reader.problems.is_empty() {
            reader.problems.sort();
            return Err(reader.problems);
        }
        let length: Duration = steps.iter().map(|(_, ramp)| ramp.duration).sum();
        let scaled = |wait: Option<crate::domain::Wait>| wait.map(|wait| wait.0.mul_f64(time_scale));
        let users = steps.iter().map(|(_, ramp)| ramp.from.max(ramp.to)).fold(0.0, f64::max);
        let scenario = Self {
            name: name.to_owned(),
            hash: hash(document.value()),
            title: file.title,
            target: file.target,
            suite: file.phrases.suite,
            selection: Selection {
                categories: file.phrases.categories,
                tags: file.phrases.tags,
                limit: file.phrases.limit,
                seed: file.seed,
                split: None,
            },
            weights: file.phrases.weights.into_iter().collect(),
            model: file.model,
            is_search: file.search.is_some(),
            spacing: file.spacing.unwrap_or_default(),
            max_in_flight: match file.model {
                LoadModel::Arrivals => file.max_in_flight.unwrap_or(IN_FLIGHT),
                LoadModel::Users => whole(users),
            },
            beyond: file.beyond.unwrap_or_default(),
            think_time: file.think_time.unwrap_or(ThinkTime {
                from: crate::domain::Wait(Duration::ZERO),
                to: crate::domain::Wait(Duration::ZERO),
            }),
            iterations: file.iterations,
            warm_up: scaled(file.warm_up).unwrap_or_default(),
            keep_alive: file.connections.keep_alive,
            headers: file.headers.into_iter().collect(),
            timeout: file.timeout.map(|wait| wait.0),
            idle_pass: file.idle_pass || file.gates.iter().any(Gate::needs_idle),
            gates: file.gates,
            abort_when: file.abort_when,
            max_rate: file.max_rate.map(|rate| rate.0),
            max_duration: file.max_duration.map_or(length, |wait| wait.0.min(length)),
            max_requests: file.max_requests.unwrap_or(MOST_REQUESTS),
            seed: file.seed,
            time_scale,
            text: text.to_owned(),
            steps,
        };
        Ok(scenario)
    }

    /// The length of its stages.
    pub fn length(&self) -> Duration {
        self.steps.iter().map(|(_, ramp)| ramp.duration).sum()
    }

    /// The highest load of its stages.
    pub fn peak(&self) -> f64 {
        self.steps.iter().map(|(_, ramp)| ramp.from.max(ramp.to)).fold(0.0, f64::max)
    }

    /// Requests that it starts: by its schedule where it has one, else at most.
    pub fn planned(&self) -> Option<f64> {
        match self.model {
            LoadModel::Arrivals => Some(
                self.steps.iter().map(|(_, ramp)| ramp.requests()).sum::<f64>().min(self.max_requests as f64),
            ),
            LoadModel::Users => self.iterations.map(|each| each as f64 * self.peak()),
        }
    }
}

/// Finds what is wrong with a scenario that could be decoded.
struct Reader<'a> {
    document: &'a Document,
    problems: Problems,
}

impl Reader<'_> {
    fn wrong(&mut self, path: &Path, message: impl Into<String>, hint: &str) {
        self.problems.push(self.document.problem(path, message).with_hint(hint));
    }

    fn key(&mut self, key: &str, message: impl Into<String>, hint: &str) {
        self.wrong(&Path::root().join(key), message, hint);
    }

    fn check(&mut self, file: &ScenarioFile) {
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
        for (i, weight) in file.phrases.weights.values().enumerate() {
            if !(weight.is_finite() && *weight >= 0.0 && *weight <= 1e6) {
                let name = file.phrases.weights.keys().nth(i).cloned().unwrap_or_default();
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
        if file.abort_when.over.0 < Duration::from_millis(250)
            || file.abort_when.over.0 > Duration::from_mins(1)
        {
            let path = Path::root().join("abort_when").join("over");
            self.wrong(&path, "`over` is 250ms to 1m", "1s ends a run soon enough to do no harm");
        }
        if file.timeout.is_some_and(|wait| wait.0.is_zero() || wait.0 > Duration::from_mins(10)) {
            self.key("timeout", "a deadline is above 0 and up to 10m", "such as 10s");
        }
        if file.max_requests == Some(0) {
            self.key("max_requests", "a run sends at least one request", "such as 100000");
        }
    }

    /// The load over time. Hints are given where there is none.
    fn steps(&mut self, file: &ScenarioFile, scale: f64) -> Vec<(usize, Ramp)> {
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
        if file.warm_up.is_some_and(|warm_up| !length.is_zero() && warm_up.0.mul_f64(scale) >= length) {
            self.key("warm_up", "nothing is left after the warm-up", "make it shorter than the stages");
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
            return vec![Ramp { from: rate.0, to: rate.0, duration: duration.0.mul_f64(scale) }];
        }
        self.ramps(&file.stages, file.rate.map_or(0.0, |rate| rate.0), scale)
    }

    fn search(
        &mut self,
        file: &ScenarioFile,
        search: super::scenario_file::SearchEntry,
        scale: f64,
    ) -> Vec<Ramp> {
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
        if search.hold.0.mul_f64(scale) < Duration::from_millis(500) {
            self.wrong(&path("hold"), "a load has to be held for half a second at least", "such as 20s");
            return Vec::new();
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
        let hold = search.hold.0.mul_f64(scale);
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
            let duration = duration.0.mul_f64(scale);
            let hatching = file
                .hatch_rate
                .map_or(Duration::ZERO, |rate| Duration::from_secs_f64(users / rate.0).mul_f64(scale));
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
            ramps.push(Ramp { from, to: stage.target, duration: stage.duration.0.mul_f64(scale) });
            from = stage.target;
        }
        ramps
    }
}

fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a small number from 0 on"
)]
fn whole(users: f64) -> usize {
    users.ceil() as usize
}

/// Hash of what the file says; comments and the order of keys do not matter.
fn hash(value: &Value) -> String {
    use std::fmt::Write;
    fn sorted(value: &Value, text: &mut String) {
        match value {
            Value::Mapping(entries) => {
                let mut entries: Vec<(String, &Value)> =
                    entries.iter().map(|(key, value)| (format!("{key:?}"), value)).collect();
                entries.sort_by(|(one, _), (other, _)| one.cmp(other));
                for (key, value) in entries {
                    let _ = write!(text, "{{{key}:");
                    sorted(value, text);
                    text.push('}');
                }
            }
            Value::Sequence(items) => {
                text.push('[');
                for item in items {
                    sorted(item, text);
                    text.push(',');
                }
                text.push(']');
            }
            other => {
                let _ = write!(text, "{other:?}");
            }
        }
    }
    let mut text = String::new();
    sorted(value, &mut text);
    Sha256::digest(text).iter().take(8).fold(String::with_capacity(16), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
