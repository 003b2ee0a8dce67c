//! Whether a side file fits its model: labels in the outputs' order, and no key that would be ignored.

use super::ReferenceError;
use super::folder::ModelFolder;
use super::side_file::{Golden, InputKind, Scores, SideFile, Task};
use crate::document::{Document, Path, Problem, Problems, nearest_hint};

/// Keys that only some tasks read.
const OF_TASKS: [(&str, &[Task]); 9] = [
    ("activation", &[Task::Score]),
    ("hypothesis", &[Task::ZeroShot]),
    ("independent", &[Task::ZeroShot]),
    ("entailment", &[Task::ZeroShot]),
    ("contradiction", &[Task::ZeroShot]),
    ("pooling", &[Task::Embedding]),
    ("normalize", &[Task::Embedding]),
    ("head", &[Task::Embedding]),
    ("levels", &[Task::Classify, Task::MultiLabel, Task::ZeroShot, Task::Embedding]),
];

/// Looks for what would be ignored, or taken another way than it was meant. `outputs` are the names in `config.json`,
/// `longest` the tokens that the model takes at once.
///
/// # Errors
/// Everything that was found, with its place.
pub(super) fn check(
    folder: &ModelFolder,
    task: Task,
    outputs: &[String],
    longest: usize,
) -> Result<(), ReferenceError> {
    let Some(written) = &folder.written else { return Ok(()) };
    let mut found = Problems::default();
    let fit = Fit { side: &folder.side, task, outputs, written };
    let all = fit.ignored(longest).into_iter().chain(fit.unknown()).chain(fit.labels()).chain(fit.places());
    all.chain(fit.golden()).for_each(|problem| found.push(problem));
    found.sort();
    if found.is_empty() { Ok(()) } else { Err(ReferenceError::SideFile(found)) }
}

struct Fit<'a> {
    side: &'a SideFile,
    task: Task,
    outputs: &'a [String],
    written: &'a Document,
}

impl Fit<'_> {
    /// Keys that nothing would read.
    fn ignored(&self, longest: usize) -> Vec<Problem> {
        let is_there = |key: &str| self.written.value().get(key).is_some();
        let say = |key: &str, message: String| self.written.key_problem(&Path::of(key), message);
        let mut found = Vec::new();
        for (key, tasks) in OF_TASKS {
            if is_there(key) && !tasks.contains(&self.task) {
                let tasks: Vec<String> = tasks.iter().map(|task| format!("`{task}`")).collect();
                let message = format!("nothing reads `{key}` for `task: {}`", self.task);
                found.push(say(key, message).with_hint(format!("it is for {}", tasks.join(", "))));
            }
        }
        let other = match self.side.input {
            InputKind::Characters => ("max_length", "`characters: {length: …}` is the length of windows"),
            InputKind::Tokens => ("characters", "it is for `input: characters`"),
        };
        if is_there(other.0) {
            found.push(
                say(other.0, format!("nothing reads `{}` for this `input`", other.0)).with_hint(other.1),
            );
        } else if self.side.max_length.is_some_and(|length| length > longest) {
            found.push(say("max_length", format!("windows have at most {longest} tokens here")));
        }
        found
    }

    /// The labels.
    fn known(&self) -> Vec<&str> {
        match (&self.side.labels, self.task) {
            (Some(labels), _) => labels.iter().map(String::as_str).collect(),
            (None, Task::Score) => vec!["score"],
            (None, _) => self.outputs.iter().map(String::as_str).collect(),
        }
    }

    /// Names in mappings that are no labels.
    fn unknown(&self) -> Vec<Problem> {
        let known = self.known();
        let levels = self.side.levels.keys().map(|name| ("levels", name));
        let weights = self.side.weights.keys().map(|name| ("weights", name));
        // Where there are no names at all, that is what is said.
        let unknown =
            levels.chain(weights).filter(|(_, name)| !known.is_empty() && !known.contains(&name.as_str()));
        let say = |(key, name): (&str, &String)| {
            let place = Path::of(key).join(name.as_str());
            self.written
                .key_problem(&place, format!("there is no label `{name}`"))
                .with_hint(nearest_hint(name, &known))
        };
        unknown.map(say).collect()
    }

    /// The first label that stands twice, or at another place than the model's own files have it: such a model would
    /// answer the wrong way round, and nothing else would show it.
    fn labels(&self) -> Option<Problem> {
        let labels = self.side.labels.as_deref().unwrap_or_default();
        // The others' labels are not the names of the model's outputs.
        let is_named = matches!(self.task, Task::Classify | Task::MultiLabel | Task::Score);
        let outputs = if is_named { self.outputs } else { &[] };
        labels.iter().enumerate().find_map(|(index, label)| {
            let place = Path::of("labels").join(index);
            if labels[..index].iter().any(|other| other.eq_ignore_ascii_case(label)) {
                return Some(self.written.problem(&place, format!("the label `{label}` stands here twice")));
            }
            let own = outputs.iter().position(|output| output.eq_ignore_ascii_case(label))?;
            let message = format!("`{label}` is output {own} in `config.json`, and output {index} here");
            let hint = "`labels` name the outputs in their order: leave them out, or mend `config.json`";
            (own != index).then(|| self.written.problem(&place, message).with_hint(hint))
        })
    }

    /// Golden scores that are not of these labels, and those that would come out right with the labels in any order.
    fn golden(&self) -> Vec<Problem> {
        let known = self.known();
        // Else the names are the model's own, or what a hypothesis is made of.
        let is_claimed = self.side.labels.is_some() && self.task != Task::ZeroShot && known.len() > 1;
        let is_proven = known.len() == self.outputs.len()
            && known.iter().zip(self.outputs).all(|(label, output)| label.eq_ignore_ascii_case(output));
        let wrong = |scores: &Scores| match scores {
            Scores::Placed(_) if is_claimed && !is_proven => {
                let example = known.iter().map(|label| format!("{label}: …")).collect::<Vec<_>>().join(", ");
                let message = "without names they would fit labels in a wrong order, too".to_owned();
                Some((message, format!("as `scores: {{{example}}}`")))
            }
            Scores::Placed(_) => None,
            Scores::Named(scores) => {
                let unknown = scores.keys().find(|name| !known.contains(&name.as_str()));
                let missing = known.iter().find(|name| !scores.contains_key(**name));
                // It stands beside a phrase, so the name is not quoted.
                unknown
                    .map(|name| ("a score is of no label".to_owned(), nearest_hint(name, &known)))
                    .or_else(|| Some((format!("there is no score of `{}`", missing?), String::new())))
            }
        };
        let golden = self.side.golden.iter().enumerate();
        let problem = |(index, golden): (usize, &Golden)| {
            let (message, hint) = wrong(&golden.scores)?;
            let problem = self.written.problem(&Path::of("golden").join(index).join("scores"), message);
            Some(if hint.is_empty() { problem } else { problem.with_hint(hint) })
        };
        golden.filter_map(problem).collect()
    }

    /// Places of entailment and contradiction that cannot be right.
    fn places(&self) -> Vec<Problem> {
        let own = |word: &str| self.outputs.iter().position(|label| label.to_lowercase().starts_with(word));
        let say = |key: &str, message: String| self.written.problem(&Path::of(key), message);
        let (entailment, contradiction) = (self.side.entailment, self.side.contradiction);
        let mut found = Vec::new();
        for (key, given, word) in
            [("entailment", entailment, "entail"), ("contradiction", contradiction, "contra")]
        {
            match (given, own(word)) {
                (Some(given), Some(own)) if given != own => {
                    let label = &self.outputs[own];
                    found.push(say(key, format!("`{label}` is output {own} in `config.json`, not {given}")));
                }
                (Some(given), None) if !self.outputs.is_empty() && given >= self.outputs.len() => {
                    let count = self.outputs.len();
                    found.push(say(key, format!("the model has {count} outputs, counted from 0")));
                }
                _ => {}
            }
        }
        let given = entailment.is_some() || contradiction.is_some();
        let place = |given: Option<usize>, word| given.or_else(|| own(word));
        if given && found.is_empty() && place(entailment, "entail") == place(contradiction, "contra") {
            let key = if contradiction.is_some() { "contradiction" } else { "entailment" };
            found.push(say(key, "entailment and contradiction cannot be the same output".to_owned()));
        }
        found
    }
}
