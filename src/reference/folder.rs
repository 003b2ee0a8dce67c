//! The files of a model: a folder in the layout of Hugging Face's Optimum, one file of it, or the program itself.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use include_dir::{Dir, include_dir};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::ReferenceError;
use super::engine::Weights;
use super::graph::Graph;
use super::side_file::{InputKind, SideFile, Task};
use crate::document::Document;

static BUILTIN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/reference/builtin");

/// The names under which models are exported; the first that is there is taken.
pub(super) const USUAL: [&str; 2] = ["model.onnx", "onnx/model.onnx"];

/// What stands in place of a large file in a repository that was cloned without Git LFS.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Larger files than this are no texts.
const LARGEST_TEXT: u64 = 64 << 20;

/// Which model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// The one inside the program.
    Builtin,
    /// A folder, or the ONNX file of one of its variants.
    Path(PathBuf),
    /// A name that nothing has.
    Absent {
        /// The name, also looked for as a path.
        name: String,
        /// Where a model that was got would be.
        kept: PathBuf,
    },
}

impl ModelSource {
    /// Whether a model is inside this program.
    pub fn has_builtin() -> bool {
        BUILTIN.get_file("model.onnx").is_some()
    }
}

impl std::fmt::Display for ModelSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Builtin => f.write_str("builtin"),
            Self::Path(path) => path.display().fmt(f),
            Self::Absent { name, .. } => f.write_str(name),
        }
    }
}

/// What `config.json` says, as far as it is needed here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct HubConfig {
    pub(super) id2label: BTreeMap<String, String>,
    pub(super) problem_type: Option<String>,
    pub(super) model_type: Option<String>,
    pub(super) max_position_embeddings: Option<usize>,
    pub(super) pad_token_id: Option<i64>,
}

/// What `tokenizer_config.json` says, as far as it is needed here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenizerConfig {
    /// A huge number where there is no limit.
    pub(super) model_max_length: Option<f64>,
}

/// A model's files, found and read, the weights not yet.
#[derive(Debug)]
pub(super) struct ModelFolder {
    /// How the model is called in messages.
    pub(super) shown: String,
    /// The folder's name.
    pub(super) name: String,
    folder: Option<PathBuf>,
    /// The ONNX file, below the folder.
    pub(super) model_file: String,
    pub(super) graph: Graph,
    pub(super) side: SideFile,
    /// The side file as it is written, for the places of what is wrong with it.
    pub(super) written: Option<Document>,
    pub(super) config: Option<HubConfig>,
    pub(super) tokenizer_config: TokenizerConfig,
    pub(super) tokenizer: Option<Cow<'static, [u8]>>,
    /// The file that the tokenizer was read from.
    tokenizer_file: &'static str,
}

impl ModelFolder {
    /// Finds and reads everything but the weights.
    pub(super) fn open(source: &ModelSource) -> Result<Self, ReferenceError> {
        let (folder, wanted) = match source {
            ModelSource::Builtin if !ModelSource::has_builtin() => return Err(ReferenceError::NoBuiltin),
            ModelSource::Builtin => (None, None),
            ModelSource::Path(path) => split(path)?,
            ModelSource::Absent { name, kept } => {
                return Err(ReferenceError::Absent { name: name.clone(), kept: kept.clone() });
            }
        };
        let shown = source.to_string();
        let mut found = Self {
            name: folder.as_deref().map_or_else(|| "builtin".to_owned(), last_name),
            shown,
            folder,
            model_file: String::new(),
            graph: Graph::default(),
            side: SideFile::default(),
            written: None,
            config: None,
            tokenizer_config: TokenizerConfig::default(),
            tokenizer: None,
            tokenizer_file: "tokenizer.json",
        };
        if let Some(text) = found.text("thrash.yaml")? {
            let name = found.path("thrash.yaml");
            // Messages quote no text of it: golden phrases are phrases.
            let document =
                Document::parse_private_below(&name, &text, "golden").map_err(ReferenceError::SideFile)?;
            found.side = SideFile::read(&document).map_err(ReferenceError::SideFile)?;
            found.written = Some(document);
        }
        found.config = found.json("config.json")?;
        found.tokenizer_config = found.json("tokenizer_config.json")?.unwrap_or_default();
        for file in ["tokenizer.json", "onnx/tokenizer.json"] {
            if found.tokenizer.is_none() && found.side.input == InputKind::Tokens {
                found.tokenizer = found.read(file)?;
                found.tokenizer_file = file;
            }
        }
        found.model_file = found.find_model(wanted)?;
        // What is no ONNX is refused by the engines; whatever else they take is held to the strict bars.
        found.graph = Graph::scan(found.weights(&mut PathBuf::new())).unwrap_or_default();
        found.check_beside()?;
        Ok(found)
    }

    /// Whether the files with weights that the model names are what an engine may open.
    fn check_beside(&self) -> Result<(), ReferenceError> {
        for file in &self.graph.beside {
            let is_below = |part| matches!(part, Component::Normal(_) | Component::CurDir);
            if !Path::new(file).components().all(is_below) {
                let found = format!("`{file}`, which lies outside its folder");
                return Err(self.unfit(
                    &format!("the weights of `{}` beside it", self.model_file),
                    found,
                    None,
                ));
            }
            let Some(folder) = &self.folder else { continue };
            let path = folder.join(&self.model_file).with_file_name(file);
            if let Some(found) = kind(&path).or_else(|| (!path.exists()).then_some("none")) {
                let expected = format!("`{file}` beside `{}`, with its weights", self.model_file);
                return Err(self.unfit(&expected, found.to_owned(), None));
            }
        }
        Ok(())
    }

    fn unfit(&self, expected: &str, found: String, hint: Option<&str>) -> ReferenceError {
        ReferenceError::Misfit {
            model: self.shown.clone(),
            expected: expected.to_owned(),
            found,
            hint: hint.map(str::to_owned),
        }
    }

    fn find_model(&self, wanted: Option<String>) -> Result<String, ReferenceError> {
        let wanted = wanted.or_else(|| self.side.model.clone());
        let there = |file: &str| match &self.folder {
            None => BUILTIN.get_file(file).is_some(),
            Some(folder) => folder.join(file).is_file(),
        };
        if let Some(file) = &wanted
            && there(file)
        {
            return self.filled(file);
        }
        // What is there and no file is the reason, and not which file is meant.
        let names = wanted.iter().map(String::as_str).chain(USUAL.into_iter().filter(|_| wanted.is_none()));
        for file in names {
            let path = self.folder.as_ref().map(|folder| folder.join(file));
            if let Some(found) = path.and_then(|path| kind(&path)) {
                return Err(self.unfit(&format!("an ONNX model in `{file}`"), found.to_owned(), None));
            }
        }
        let found = self.onnx_files();
        let usual = USUAL.into_iter().find(|file| there(file)).map(str::to_owned);
        let only = || match found.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        match (&wanted, usual.or_else(only)) {
            (None, Some(file)) => self.filled(&file),
            _ => Err(ReferenceError::Folder {
                model: self.shown.clone(),
                message: match (&wanted, found.as_slice()) {
                    (_, []) => "there is no ONNX file in it".to_owned(),
                    (Some(file), files) => format!("there is no `{file}` in it, but {}", files.join(", ")),
                    (None, files) => format!("it is not clear which model is meant: {}", files.join(", ")),
                },
                hint: Some(match found.first() {
                    Some(file) => format!("name the file: `--reference {}/{file}`", self.shown),
                    None => "`optimum-cli export onnx --model ID DIR` makes such a folder".to_owned(),
                }),
            }),
        }
    }

    /// The file, if a model may be in it: one engine takes an empty file for a model without inputs.
    fn filled(&self, file: &str) -> Result<String, ReferenceError> {
        let Some(folder) = &self.folder else { return Ok(file.to_owned()) };
        let path = folder.join(file);
        let mut start = Vec::new();
        std::fs::File::open(&path)
            .and_then(|opened| opened.take(POINTER.len() as u64).read_to_end(&mut start))
            .map_err(|source| ReferenceError::Read { path, source })?;
        let expected = format!("an ONNX model in `{file}`");
        if start.is_empty() {
            return Err(self.unfit(&expected, "an empty file".to_owned(), Some("fetch or export it again")));
        }
        if start == POINTER {
            let found = "a pointer of Git LFS to a model that was not fetched".to_owned();
            return Err(self.unfit(&expected, found, Some("`git lfs pull` in that folder fetches it")));
        }
        Ok(file.to_owned())
    }

    fn onnx_files(&self) -> Vec<String> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let mut files: Vec<String> = ["", "onnx"]
            .into_iter()
            .flat_map(|below| {
                let entries = std::fs::read_dir(folder.join(below)).into_iter().flatten();
                entries.filter_map(Result::ok).map(move |entry| (below, entry.path()))
            })
            .filter(|(_, path)| path.extension().is_some_and(|ending| ending == "onnx"))
            .map(|(below, path)| {
                Path::new(below).join(path.file_name().unwrap_or_default()).display().to_string()
            })
            .collect();
        files.sort();
        files
    }

    /// How a file of it is called in messages.
    pub(super) fn path(&self, file: &str) -> String {
        match &self.folder {
            Some(folder) => folder.join(file).display().to_string(),
            None => format!("builtin/{file}"),
        }
    }

    /// Where the weights are; the path lives as long as the caller's.
    pub(super) fn weights<'a>(&self, path: &'a mut PathBuf) -> Weights<'a> {
        match &self.folder {
            Some(folder) => {
                *path = folder.join(&self.model_file);
                Weights::File(path)
            }
            None => Weights::Inside(
                BUILTIN.get_file(&self.model_file).map(include_dir::File::contents).unwrap_or_default(),
            ),
        }
    }

    /// The bytes of a file; none where there is no such file.
    pub(super) fn read(&self, file: &str) -> Result<Option<Cow<'static, [u8]>>, ReferenceError> {
        let Some(folder) = &self.folder else {
            return Ok(BUILTIN.get_file(file).map(|file| Cow::Borrowed(file.contents())));
        };
        let path = folder.join(file);
        match path.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ReferenceError::Read { path, source }),
            // Of a pipe nobody knows when it ends.
            Ok(about) if !about.is_file() => Err(self.wrong(file, "it is no plain file")),
            Ok(about) if about.len() > LARGEST_TEXT => Err(ReferenceError::Folder {
                model: self.shown.clone(),
                message: format!("`{file}` is larger than {} MiB", LARGEST_TEXT >> 20),
                hint: None,
            }),
            Ok(_) => std::fs::read(&path)
                .map(|bytes| Some(Cow::Owned(bytes)))
                .map_err(|source| ReferenceError::Read { path, source }),
        }
    }

    fn text(&self, file: &str) -> Result<Option<String>, ReferenceError> {
        let Some(bytes) = self.read(file)? else { return Ok(None) };
        String::from_utf8(bytes.into_owned()).map(Some).map_err(|_| self.wrong(file, "it is not UTF-8"))
    }

    fn json<T: serde::de::DeserializeOwned>(&self, file: &str) -> Result<Option<T>, ReferenceError> {
        let Some(bytes) = self.read(file)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| self.wrong(file, &error.to_string()))
    }

    fn wrong(&self, file: &str, message: &str) -> ReferenceError {
        ReferenceError::Folder {
            model: self.shown.clone(),
            message: format!("`{file}` cannot be read: {message}"),
            hint: None,
        }
    }

    /// The file with the head of an embedding model.
    pub(super) fn head_file(&self) -> &str {
        self.side.head.as_deref().unwrap_or("head.json")
    }

    /// SHA-256 of every file that was read, and so decides what the model answers, by name.
    pub(super) fn hashes(&self, task: Task) -> Result<BTreeMap<String, String>, ReferenceError> {
        let onnx = Path::new(&self.model_file).parent().unwrap_or(Path::new(""));
        let beside = self.graph.beside.iter().map(|file| onnx.join(file).display().to_string());
        let beside: Vec<String> = beside.collect();
        let mut names: Vec<&str> =
            vec![&self.model_file, "thrash.yaml", "config.json", "tokenizer_config.json"];
        names.extend(beside.iter().map(String::as_str));
        names.extend(self.tokenizer.is_some().then_some(self.tokenizer_file));
        names.extend((task == Task::Embedding).then(|| self.head_file()));
        names.extend(self.side.sha256.keys().map(String::as_str));
        let mut hashes = BTreeMap::new();
        for name in names {
            let digest = match &self.folder {
                None => BUILTIN.get_file(name).map(|file| Sha256::digest(file.contents())),
                Some(folder) => digest(&folder.join(name))?,
            };
            if let Some(digest) = digest {
                hashes.insert(name.to_owned(), hex(&digest));
            }
        }
        Ok(hashes)
    }
}

/// What something is that is there and no plain file. An engine that opened a pipe would wait for ever.
fn kind(path: &Path) -> Option<&'static str> {
    match path.metadata() {
        Ok(about) if about.is_file() => None,
        Ok(about) if about.is_dir() => Some("a folder"),
        Ok(about) if is_pipe(&about) => Some("a pipe"),
        Ok(_) => Some("a device or socket"),
        Err(_) => path.is_symlink().then_some("a link to a file that is not there"),
    }
}

#[cfg(unix)]
fn is_pipe(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    about.file_type().is_fifo()
}

#[cfg(not(unix))]
const fn is_pipe(_: &std::fs::Metadata) -> bool {
    false
}

/// SHA-256 of a file; none where there is none.
fn digest(path: &Path) -> Result<Option<sha2::digest::Output<Sha256>>, ReferenceError> {
    let read = |source| ReferenceError::Read { path: path.to_owned(), source };
    match path.metadata() {
        Ok(about) if about.is_file() => {}
        Ok(_) => return Err(read(std::io::Error::other("it is no plain file"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(read(error)),
    }
    let mut file = std::fs::File::open(path).map_err(read)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match std::io::Read::read(&mut file, &mut buffer).map_err(read)? {
            0 => return Ok(Some(hash.finalize())),
            length => hash.update(&buffer[..length]),
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A folder, and the file in it where one is named.
fn split(path: &Path) -> Result<(Option<PathBuf>, Option<String>), ReferenceError> {
    if path.is_dir() {
        return Ok((Some(path.to_owned()), None));
    }
    let found = kind(path);
    if found.is_none() {
        path.metadata().map_err(|source| ReferenceError::Read { path: path.to_owned(), source })?;
    }
    if found.is_some() || path.extension().is_none_or(|ending| ending != "onnx") {
        let found = found.map_or_else(String::new, |found| format!(", but {found}"));
        return Err(ReferenceError::Folder {
            model: path.display().to_string(),
            message: format!("it is neither a folder nor an ONNX file{found}"),
            hint: None,
        });
    }
    let file = last_name(path);
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(match folder.parent() {
        // The other files stand beside the folder `onnx`.
        Some(above) if folder.ends_with("onnx") && !folder.join("config.json").exists() => {
            (Some(above.to_owned()), Some(format!("onnx/{file}")))
        }
        _ => (Some(folder.to_owned()), Some(file)),
    })
}

fn last_name(path: &Path) -> String {
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    name(path)
        .or_else(|| path.canonicalize().ok().and_then(|path| name(&path)))
        .unwrap_or_else(|| path.display().to_string())
}
