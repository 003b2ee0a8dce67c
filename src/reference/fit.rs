//! Whether a side file fits its model: labels in the outputs' order.

use super::ReferenceError;
use super::folder::ModelFolder;
use super::side_file::{SideFile, Task};
use crate::document::{Document, Path, Problem, Problems};

/// Looks for what would be taken another way than it was meant; `outputs` are the names in `config.json`.
///
/// # Errors
/// Everything that was found, with its place.
pub(super) fn check(folder: &ModelFolder, task: Task, outputs: &[String]) -> Result<(), ReferenceError> {
    let Some(written) = &folder.written else { return Ok(()) };
    let mut found = Problems::default();
    let fit = Fit { side: &folder.side, task, outputs, written };
    fit.labels().into_iter().chain(fit.places()).for_each(|problem| found.push(problem));
    if found.is_empty() { Ok(()) } else { Err(ReferenceError::SideFile(found)) }
}

struct Fit<'a> {
    side: &'a SideFile,
    task: Task,
    outputs: &'a [String],
    written: &'a Document,
}

impl Fit<'_> {
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
