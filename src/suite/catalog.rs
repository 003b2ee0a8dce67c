//! Where suites come from: the shipped files inside the program, or a folder.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path as FilePath, PathBuf};

use include_dir::{Dir, include_dir};
use schemars::JsonSchema;
use serde::Deserialize;

use super::category_file;
use super::select::stratified;
use super::{Category, Suite, SuiteError, content_hash};
use crate::document::{Document, Path, Position, Problem, Problems, nearest, without_quotations};
use crate::domain::{Phrase, Selection, SuiteRecord};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/phrases");

/// Largest phrase file that is read, in bytes.
const LARGEST_FILE: u64 = 16 << 20;

/// `suites.yaml`, as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SuitesFile {
    suites: BTreeMap<String, SuiteEntry>,
}

/// What a suite is made of.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SuiteEntry {
    /// One line about it.
    #[serde(default)]
    title: String,
    /// Phrase files, or folders of them, beside this file.
    files: Vec<PathBuf>,
    /// The phrases it takes from them; all of them if there is none.
    #[serde(default)]
    ids: Vec<String>,
}

/// The suites that can be asked for by name.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The folder with `suites.yaml`; the shipped one without.
    folder: Option<PathBuf>,
}

/// A file's name in messages and its text.
type NamedText = (String, String);

impl Catalog {
    /// The suites inside the program.
    pub const fn shipped() -> Self {
        Self { folder: None }
    }

    /// The suites of a folder that has a `suites.yaml`.
    pub const fn in_folder(folder: PathBuf) -> Self {
        Self { folder: Some(folder) }
    }

    /// The names and titles of the suites.
    pub fn names(&self) -> Result<Vec<(String, String)>, SuiteError> {
        let (_, file) = self.suites_file()?;
        Ok(file.suites.into_iter().map(|(name, entry)| (name, entry.title)).collect())
    }

    /// Loads what was asked for: suite names, files and folders, joined into one suite.
    ///
    /// `size` asks for another number of phrases than a suite lists by `ids`: fewer are drawn evenly from those, more
    /// are added evenly from its files.
    pub fn load(&self, names: &[String], size: Option<usize>) -> Result<Suite, SuiteError> {
        let mut parts = Vec::new();
        for name in names {
            parts.push(self.load_one(name, size)?);
        }
        join(parts)
    }

    fn load_one(&self, name: &str, size: Option<usize>) -> Result<Suite, SuiteError> {
        let (document, file) = self.suites_file()?;
        if let Some(entry) = file.suites.get(name) {
            return self.load_entry(name, entry, &document, size);
        }
        let path = FilePath::new(name);
        if path.exists() {
            let texts = if path.is_dir() { read_folder(path)? } else { vec![read_file(path)?] };
            return build(name, "", &texts);
        }
        let known: Vec<&str> = file.suites.keys().map(String::as_str).collect();
        let hint = match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("suites: {}; or name a phrase file or a folder of them", known.join(", ")),
        };
        Err(SuiteError::Unknown { name: name.to_owned(), hint })
    }

    fn suites_file(&self) -> Result<(Document, SuitesFile), SuiteError> {
        let (name, text) = match &self.folder {
            Some(folder) => read_file(&folder.join("suites.yaml"))?,
            None => (
                "phrases/suites.yaml".to_owned(),
                SHIPPED
                    .get_file("suites.yaml")
                    .and_then(|file| file.contents_utf8())
                    .unwrap_or_default()
                    .to_owned(),
            ),
        };
        let read = || {
            let document = Document::parse(&name, &text)?;
            let file = document.decode()?;
            Ok((document, file))
        };
        read().map_err(|problems| SuiteError::Invalid { problems })
    }

    fn load_entry(
        &self,
        name: &str,
        entry: &SuiteEntry,
        document: &Document,
        size: Option<usize>,
    ) -> Result<Suite, SuiteError> {
        let mut texts = Vec::new();
        for file in &entry.files {
            texts.extend(self.texts(file)?);
        }
        let mut suite = build(name, &entry.title, &texts)?;
        if !entry.ids.is_empty() {
            let mut problems = Problems::default();
            let known: Vec<&str> = suite.phrases.iter().map(|phrase| phrase.id.as_str()).collect();
            for (i, id) in entry.ids.iter().enumerate() {
                let path = Path::root().join("suites").join(name).join("ids").join(i);
                if entry.ids[..i].contains(id) {
                    problems.push(document.problem(&path, format!("phrase `{id}` is listed twice")));
                } else if !known.contains(&id.as_str()) {
                    let problem = document.problem(&path, format!("no phrase has the id `{id}`"));
                    problems.push(match nearest(id, &known) {
                        Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
                        None => problem,
                    });
                }
            }
            if !problems.is_empty() {
                return Err(SuiteError::Invalid { problems });
            }
            suite.phrases = take(suite.phrases, &entry.ids, size);
        }
        // What is recorded of the suite is the whole of it, so that a smaller one does not look whole.
        suite.seal();
        if let Some(size) = size {
            suite.phrases = stratified(suite.phrases, size, 0);
        }
        Ok(suite)
    }

    fn texts(&self, file: &FilePath) -> Result<Vec<NamedText>, SuiteError> {
        let Some(folder) = &self.folder else {
            return Ok(shipped_texts(file));
        };
        let path = folder.join(file);
        if path.is_dir() { read_folder(&path) } else { Ok(vec![read_file(&path)?]) }
    }
}

impl Suite {
    /// What is asked of each category: its accuracy, and whether it is critical.
    pub fn category_targets(&self) -> BTreeMap<String, (Option<f64>, bool)> {
        let target =
            |category: &Category| (category.name.clone(), (category.target_accuracy, category.critical));
        self.categories.iter().map(target).collect()
    }

    /// Brings the record in line with the phrases.
    fn seal(&mut self) {
        self.categories.retain(|category| self.phrases.iter().any(|phrase| phrase.category == category.name));
        let hash = content_hash(self.phrases.iter());
        self.record = SuiteRecord {
            name: self.name.clone(),
            hash: hash.clone(),
            selection_hash: hash,
            available: self.phrases.len(),
            selected: self.phrases.len(),
            left_out: 0,
            left_out_must_pass: 0,
            selection: Selection::default(),
        };
    }
}

/// The listed phrases, and as many others as it takes if more are asked for.
fn take(phrases: Vec<Phrase>, ids: &[String], size: Option<usize>) -> Vec<Phrase> {
    let is_listed = |phrase: &Phrase| ids.contains(&phrase.id);
    let more = size.map_or(0, |size| size.saturating_sub(ids.len()));
    let others = phrases.iter().filter(|phrase| !is_listed(phrase)).cloned().collect();
    let added: Vec<String> = stratified(others, more, 0).into_iter().map(|phrase| phrase.id).collect();
    phrases.into_iter().filter(|phrase| is_listed(phrase) || added.contains(&phrase.id)).collect()
}

fn build(name: &str, title: &str, texts: &[NamedText]) -> Result<Suite, SuiteError> {
    let mut problems = Problems::default();
    let mut categories: Vec<Category> = Vec::new();
    let mut phrases: Vec<Phrase> = Vec::new();
    for (file, text) in texts {
        let read = category_file::parse(file, text);
        problems.extend(read.problems);
        phrases.extend(read.phrases);
        if let Some(category) = read.category {
            merge_category(&mut categories, category, file, &mut problems);
        }
    }
    check_unique(&phrases, &mut problems);
    // A partner may be missing only because its own file could not be read.
    if problems.is_empty() {
        check_partners(&phrases, &mut problems);
    }
    problems.sort();
    if !problems.is_empty() {
        return Err(SuiteError::Invalid { problems });
    }
    if phrases.is_empty() {
        return Err(SuiteError::Nothing {
            message: format!("suite `{name}` has no phrases"),
            hint: "a suite is a phrase file or a folder of them (`*.yaml`)".to_owned(),
        });
    }
    let record = SuiteRecord {
        name: String::new(),
        hash: String::new(),
        selection_hash: String::new(),
        available: 0,
        selected: 0,
        left_out: 0,
        left_out_must_pass: 0,
        selection: Selection::default(),
    };
    let mut suite = Suite { name: name.to_owned(), title: title.to_owned(), categories, phrases, record };
    suite.seal();
    Ok(suite)
}

fn merge_category(categories: &mut Vec<Category>, category: Category, file: &str, problems: &mut Problems) {
    match categories.iter().find(|known| known.name == category.name) {
        None => categories.push(category),
        Some(known)
            if known.target_accuracy == category.target_accuracy && known.critical == category.critical => {}
        Some(_) => problems.push(
            Problem::with_file(file, format!("category `{}` stands in another file too", category.name))
                .with_hint("two files of one category must agree on `target_accuracy` and `critical`"),
        ),
    }
}

/// Ids are unique over all files, and a text stands once, under one label.
fn check_unique(phrases: &[Phrase], problems: &mut Problems) {
    let mut by_id: HashMap<&str, &Phrase> = HashMap::new();
    let mut by_text: HashMap<(&str, &[String]), &Phrase> = HashMap::new();
    let place = |phrase: &Phrase| format!("{}:{}", phrase.source.file, phrase.source.line);
    for phrase in phrases {
        if let Some(first) = by_id.insert(&phrase.id, phrase) {
            problems.push(at(phrase, &format!("the id `{}` is taken at {}", phrase.id, place(first))));
        }
        if let Some(first) = by_text.insert((phrase.text.trim(), &phrase.history), phrase) {
            let what = if first.expected == phrase.expected {
                "the same text"
            } else {
                "the same text, labelled otherwise,"
            };
            problems.push(at(phrase, &format!("phrase `{}`: {what} stands at {}", phrase.id, place(first))));
        }
    }
}

/// Every partner that a phrase names is there. Asked of whole files: a selection may part them.
fn check_partners(phrases: &[Phrase], problems: &mut Problems) {
    let ids: HashSet<&str> = phrases.iter().map(|phrase| phrase.id.as_str()).collect();
    for phrase in phrases {
        for (key, partner) in [("pair", &phrase.pair), ("seed_of", &phrase.seed_of)] {
            let Some(partner) = partner else { continue };
            if !ids.contains(partner.as_str()) || *partner == phrase.id {
                problems.push(at(
                    phrase,
                    &format!("phrase `{}`: `{key}` names `{partner}`, which is no other phrase", phrase.id),
                ));
            }
        }
    }
}

/// What stands in the place of a name may be the text of a phrase.
fn at(phrase: &Phrase, message: &str) -> Problem {
    let mut problem = Problem::with_file(&phrase.source.file, without_quotations(message));
    problem.position.line = phrase.source.line as usize;
    problem.position.column = 1;
    problem
}

/// Joins suites that were asked for together; a phrase that two of them share counts once.
fn join(parts: Vec<Suite>) -> Result<Suite, SuiteError> {
    let mut parts = parts.into_iter();
    let Some(mut whole) = parts.next() else {
        return Err(SuiteError::Nothing {
            message: "no suite was named".to_owned(),
            hint: "name a suite, a phrase file or a folder of them".to_owned(),
        });
    };
    if parts.len() == 0 {
        return Ok(whole);
    }
    let mut problems = Problems::default();
    for part in parts {
        whole.name = format!("{}+{}", whole.name, part.name);
        for category in part.categories {
            merge_category(&mut whole.categories, category, &part.name, &mut problems);
        }
        let known: HashMap<String, Phrase> =
            whole.phrases.iter().map(|phrase| (phrase.id.clone(), phrase.clone())).collect();
        whole.phrases.extend(part.phrases.into_iter().filter(|phrase| known.get(&phrase.id) != Some(phrase)));
    }
    check_unique(&whole.phrases, &mut problems);
    if !problems.is_empty() {
        return Err(SuiteError::Invalid { problems });
    }
    whole.seal();
    Ok(whole)
}

fn shipped_texts(file: &FilePath) -> Vec<NamedText> {
    let mut files: Vec<_> = match SHIPPED.get_dir(file) {
        Some(dir) => dir.files().collect(),
        None => SHIPPED.get_file(file).into_iter().collect(),
    };
    files.sort_by_key(|file| file.path());
    files
        .into_iter()
        .filter(|file| is_yaml(file.path()))
        .filter_map(|file| {
            Some((format!("phrases/{}", file.path().display()), file.contents_utf8()?.to_owned()))
        })
        .collect()
}

fn is_yaml(path: &FilePath) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn read_folder(folder: &FilePath) -> Result<Vec<NamedText>, SuiteError> {
    let mut files = Vec::new();
    find_files(folder, &mut files, &is_yaml)?;
    files.sort();
    if files.is_empty() {
        return Err(SuiteError::Nothing {
            message: format!("there is no phrase file in `{}`", folder.display()),
            hint: "a phrase file ends in `.yaml`".to_owned(),
        });
    }
    files.iter().map(|path| read_file(path)).collect()
}

/// The wanted files of a folder and all that is in it, lists of suites aside. Links to folders are not followed: they
/// may lead in circles.
pub(super) fn find_files(
    folder: &FilePath,
    files: &mut Vec<PathBuf>,
    is_wanted: &dyn Fn(&FilePath) -> bool,
) -> Result<(), SuiteError> {
    let error = |source| SuiteError::Read { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(error)? {
        let entry = entry.map_err(error)?;
        let path = entry.path();
        if entry.file_type().map_err(error)?.is_dir() {
            find_files(&path, files, is_wanted)?;
        } else if is_wanted(&path) && path.file_stem().is_some_and(|stem| stem != "suites") {
            files.push(path);
        }
    }
    Ok(())
}

/// A file's name in messages and its text.
pub(crate) fn read_file(path: &FilePath) -> Result<(String, String), SuiteError> {
    let error = |source| SuiteError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    // A device has no end, and its size says nothing.
    File::open(path).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)).map_err(error)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(error(std::io::Error::other(format!("it is larger than {} MiB", LARGEST_FILE >> 20))));
    }
    let name = path.display().to_string();
    let text = String::from_utf8(bytes).map_err(|bad| {
        let line = bad.as_bytes()[..bad.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
        let mut problem = Problem::with_file(&name, "this is not UTF-8").with_hint("save the file as UTF-8");
        problem.position = Position { line, column: 1 };
        SuiteError::Invalid { problems: problem.into() }
    })?;
    Ok((name, text))
}
