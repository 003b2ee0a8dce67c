//! A model that is loaded, and its opinions.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::ReferenceError;
use super::batch::{as_they_come, by_length, padded};
use super::characters::{CharacterScheme, PADDING};
use super::engine::{Array, Batch, Device, Engine, EngineError};
use super::head::{Head, embedding};
use super::opinion::Opinion;
use super::placement::Placement;
use super::recipe::Recipe;
use super::side_file::{Pooling, Task};
use super::tokens::{Row, Tokens};

/// Lengths of character windows are multiples of this: few shapes, little padding.
const CHARACTER_STEP: usize = 16;

/// What is known of a loaded model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFacts {
    /// Its name.
    pub name: String,
    /// Its version, where it tells one.
    pub revision: Option<String>,
    /// The file of its weights.
    pub file: String,
    /// SHA-256 over the hashes of its files.
    pub hash: String,
    /// SHA-256 of each file that decides what it answers.
    pub files: BTreeMap<String, String>,
    /// What it was made for.
    pub task: Task,
    /// Its labels.
    pub labels: Vec<String>,
    /// The engine with its version.
    pub engine: String,
    /// Where it really runs.
    pub device: Device,
    /// Nodes that ran, by provider; empty where the engine has but one.
    pub placement: Placement,
    /// Those of them that are about shapes and were left to the processor, by operator.
    pub about_shapes: BTreeMap<String, u64>,
    /// Threads that compute.
    pub threads: usize,
    /// Rows that are computed together.
    pub batch: usize,
    /// What was tried before and did not do, and what could not be checked.
    pub notes: Vec<String>,
    /// How long loading and checking took.
    pub loaded_in: Duration,
    /// Golden phrases that came out as they should.
    pub golden: usize,
}

/// What a model reads.
pub(super) enum Input {
    Characters(CharacterScheme),
    Tokens(Box<Tokens>),
}

/// A model, loaded and checked.
pub struct Model {
    pub(super) recipe: Recipe,
    pub(super) input: Input,
    pub(super) head: Option<(Head, Pooling, bool)>,
    /// One for each batch that is read at the same time.
    pub(super) engines: Vec<Box<dyn Engine>>,
    pub(super) output: String,
    /// Whether batches are of rows as they come.
    pub(super) is_unsorted: bool,
    pub(super) facts: ModelFacts,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// Which part of which text a row is.
struct Place {
    text: usize,
    window: usize,
    /// The label whose hypothesis it holds; 0 where there are none.
    slot: usize,
}

/// The windows of a text, filled as batches come back.
struct Pending {
    windows: Vec<Vec<f32>>,
    missing: usize,
}

/// What came out of a batch.
struct Answered {
    /// Its rows.
    members: Vec<usize>,
    batch: Batch,
    array: Array,
    took: Duration,
}

impl Model {
    /// What is known of it.
    pub const fn facts(&self) -> &ModelFacts {
        &self.facts
    }

    /// Its opinion on each text.
    ///
    /// # Errors
    /// The engine fails, or what comes out does not fit.
    pub fn opinions(&mut self, texts: &[&str]) -> Result<Vec<Opinion>, ReferenceError> {
        let mut opinions: Vec<Option<Opinion>> = vec![None; texts.len()];
        self.answer(texts, &|| false, &mut |index, opinion, _| opinions[index] = Some(opinion))?;
        let all: Option<Vec<Opinion>> = opinions.into_iter().collect();
        all.ok_or_else(|| {
            ReferenceError::Engine(EngineError::Failed {
                engine: "the engine",
                doing: "answer",
                reason: "a text was left out".to_owned(),
            })
        })
    }

    /// Tells its opinion on each text as soon as it is made, with the time that its last batch took. Ends early, between
    /// batches, when `stop` says so; their order is drawn, so that what was answered until then is like the rest.
    ///
    /// # Errors
    /// An engine fails, or what comes out does not fit.
    pub fn answer(
        &mut self,
        texts: &[&str],
        stop: &(dyn Fn() -> bool + Sync),
        each: &mut dyn FnMut(usize, Opinion, Duration),
    ) -> Result<(), ReferenceError> {
        let (rows, places) = self.rows(texts)?;
        let width = self.recipe.reading.labels.len();
        let mut pending: Vec<Pending> =
            texts.iter().map(|_| Pending { windows: Vec::new(), missing: 0 }).collect();
        for place in &places {
            let pending = &mut pending[place.text];
            pending.missing += 1;
            if pending.windows.len() <= place.window {
                pending.windows.resize(place.window + 1, vec![0.0; width]);
            }
        }
        // Few rows are shared out, too.
        let size = self.facts.batch.min(rows.len().div_ceil(self.engines.len()));
        let mut batches = if self.is_unsorted {
            as_they_come(rows.len(), size)
        } else {
            by_length(&rows, size, self.step())
        };
        batches.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
        let batches = Mutex::new(batches.into_iter());
        let next = || batches.lock().unwrap_or_else(PoisonError::into_inner).next().filter(|_| !stop());
        let mut engines = std::mem::take(&mut self.engines);
        let model = &*self;
        let answered = std::thread::scope(|scope| {
            let (tell, read) = std::sync::mpsc::sync_channel(engines.len());
            for engine in &mut engines {
                let tell = tell.clone();
                let (next, rows) = (&next, &rows);
                scope.spawn(move || {
                    while let Some(members) = next() {
                        let is_last = tell.send(model.read(engine.as_mut(), rows, members)).is_err();
                        if is_last {
                            break;
                        }
                    }
                });
            }
            drop(tell);
            for answered in read {
                let Answered { members, batch, array, took } = answered?;
                for (line, &index) in members.iter().enumerate() {
                    let place = &places[index];
                    let values = model.values(&array, &batch, line, rows[index].ids.len())?;
                    let pending = &mut pending[place.text];
                    match model.recipe.zero_shot {
                        None => pending.windows[place.window] = values,
                        Some(_) => pending.windows[place.window][place.slot] = values[0],
                    }
                    pending.missing -= 1;
                    if pending.missing == 0 {
                        let opinion = model.worst(&pending.windows)?;
                        each(place.text, opinion, took);
                    }
                }
            }
            Ok(())
        });
        self.engines = engines;
        answered
    }

    /// Gives the first engine several copies of a text at once, so that whatever is made of texts is more than one number.
    pub(super) fn read_together(&mut self, text: &str) -> Result<(), ReferenceError> {
        let (rows, _) = self.rows(&[text, text])?;
        let mut engines = std::mem::take(&mut self.engines);
        let first =
            engines.first_mut().map(|engine| self.read(engine.as_mut(), &rows, (0..rows.len()).collect()));
        self.engines = engines;
        first.transpose().map(|_| ())
    }

    /// Runs those rows through one of the engines.
    fn read(
        &self,
        engine: &mut dyn Engine,
        rows: &[Row],
        members: Vec<usize>,
    ) -> Result<Answered, ReferenceError> {
        let started = Instant::now();
        let lines: Vec<&Row> = members.iter().map(|&index| &rows[index]).collect();
        let batch = self.padded(&lines);
        let array = engine.run(&batch, &self.output)?;
        Ok(Answered { members, batch, array, took: started.elapsed() })
    }

    /// Every row that the texts make.
    fn rows(&self, texts: &[&str]) -> Result<(Vec<Row>, Vec<Place>), ReferenceError> {
        let (mut rows, mut places) = (Vec::new(), Vec::new());
        for (text, words) in texts.iter().enumerate() {
            let mut add = |windows: Vec<Row>, slot: usize| {
                for (window, row) in windows.into_iter().enumerate() {
                    rows.push(row);
                    places.push(Place { text, window, slot });
                }
            };
            match (&self.input, &self.recipe.zero_shot) {
                (Input::Characters(scheme), _) => {
                    let windows = scheme.windows(words).into_iter();
                    add(windows.map(|ids| Row { ids, types: Vec::new() }).collect(), 0);
                }
                (Input::Tokens(tokens), None) => add(tokens.windows(words)?, 0),
                (Input::Tokens(tokens), Some(zero_shot)) => {
                    for (slot, pairs) in tokens.pairs(words, &zero_shot.hypotheses)?.into_iter().enumerate() {
                        add(pairs, slot);
                    }
                }
            }
        }
        Ok((rows, places))
    }

    fn padded(&self, rows: &[&Row]) -> Batch {
        let padding = match &self.input {
            Input::Characters(_) => PADDING,
            Input::Tokens(tokens) => tokens.padding,
        };
        padded(rows, padding, self.step())
    }

    /// Lengths of batches are multiples of this.
    const fn step(&self) -> usize {
        match self.input {
            Input::Characters(_) => CHARACTER_STEP,
            Input::Tokens(_) => 1,
        }
    }

    /// The numbers of one row of a batch: one a label, or for a hypothesis how far it is entailed.
    fn values(
        &self,
        array: &Array,
        batch: &Batch,
        line: usize,
        length: usize,
    ) -> Result<Vec<f32>, ReferenceError> {
        let labels = self.recipe.reading.labels.len();
        let row = |width: usize| match *array.shape.as_slice() {
            [rows, found] if rows == batch.rows && found == width => {
                array.values.get(line * width..(line + 1) * width)
            }
            // One number a row may come without an axis of its own.
            [rows] if rows == batch.rows && width == 1 => array.values.get(line..=line),
            _ => None,
        };
        if let Some((head, pooling, normalize)) = &self.head {
            let width = head.width();
            return match embedding(array, line, length, *pooling, *normalize) {
                Some(values) if array.shape.first() == Some(&batch.rows) && values.len() == width => {
                    Ok(head.apply(values))
                }
                _ => Err(self.misfit(&format!("{} × {width}, or tokens between", batch.rows), array)),
            };
        }
        match &self.recipe.zero_shot {
            None => row(labels)
                .map(<[f32]>::to_vec)
                .ok_or_else(|| self.misfit(&format!("{} × {labels}, a number a label", batch.rows), array)),
            Some(zero_shot) => {
                let width = zero_shot.outputs;
                let values =
                    row(width).ok_or_else(|| self.misfit(&format!("{} × {width}", batch.rows), array))?;
                let entailed = values[zero_shot.entailment];
                Ok(vec![zero_shot.contradiction.map_or(entailed, |place| entailed - values[place])])
            }
        }
    }

    fn misfit(&self, expected: &str, array: &Array) -> ReferenceError {
        let found: Vec<String> = array.shape.iter().map(usize::to_string).collect();
        ReferenceError::Misfit {
            model: self.facts.name.clone(),
            expected: format!("`{}` of {expected}", self.output),
            found: found.join(" × "),
            hint: Some("`labels` in `thrash.yaml` name the outputs in their order".to_owned()),
        }
    }

    /// The opinion on a text: that on its worst window.
    fn worst(&self, windows: &[Vec<f32>]) -> Result<Opinion, ReferenceError> {
        let opinions = windows.iter().map(|values| {
            self.recipe.reading.opinion(values).map_err(|found| {
                ReferenceError::Engine(EngineError::Failed {
                    engine: "the engine",
                    doing: "give numbers",
                    reason: format!("`{}` holds {found}", self.output),
                })
            })
        });
        let mut worst: Option<Opinion> = None;
        for opinion in opinions {
            let opinion = opinion?;
            worst = Some(match worst {
                None => opinion,
                Some(worst) => worst.worse(opinion),
            });
        }
        worst.ok_or_else(|| ReferenceError::Folder {
            model: self.facts.name.clone(),
            message: "a phrase makes no window".to_owned(),
            hint: None,
        })
    }
}
