//! Pulling a model from a hub: a pinned revision, file by file, each checked against its hash.
//!
//! A file is written beside its place and takes it when it is whole and right, the ONNX file last. What was cut off
//! goes on where it stopped, also in a later pull.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, LINK};
use serde::Deserialize;

use super::download::{DownloadError, Downloads, shown};
use super::hub_listing::{Entry, Expected, HubModel, Wanted, wanted};
use crate::domain::Secret;

/// A file that does not come is asked for so many times.
const TRIES: u32 = 5;
/// The first wait between them; each is twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// A list has no more pages.
const MOST_PAGES: usize = 50;
/// No model is larger.
const LARGEST: u64 = 64 << 30;

/// A server that speaks like huggingface.co.
#[derive(Debug, Clone)]
pub struct Hub {
    /// Its address.
    pub url: String,
    /// For what is not open to everybody.
    pub token: Option<Secret>,
}

/// What was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The model's folder.
    pub folder: PathBuf,
    /// The ONNX file below it.
    pub model: String,
    /// Bytes that came over the network.
    pub fetched: u64,
    /// Bytes of all its files.
    pub bytes: u64,
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The address would be no protection.
    #[error("the hub `{0}` has no https address")]
    Insecure(String),
    /// The revision can come to mean another commit.
    #[error("`{}` of `{}` is no commit: tomorrow it may be another model", .model.revision, .model.repository)]
    Floating {
        /// What was asked for.
        model: HubModel,
        /// The commit that it is now, where the hub tells.
        now: Option<String>,
    },
    /// Something did not come.
    #[error(transparent)]
    Get(#[from] DownloadError),
    /// It is no list of files.
    #[error("`{url}` gives no list of files: {reason}")]
    Listing {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A name leads out of the folder.
    #[error("the repository lists `{name}`, which is no name for a file: nothing was pulled")]
    Name {
        /// The name.
        name: String,
    },
    /// A file cannot be checked.
    #[error("the repository lists `{name}` without a hash")]
    NoHash {
        /// The file.
        name: String,
    },
    /// There is no ONNX file.
    #[error("the repository has no `{wanted}`")]
    NoModel {
        /// What was looked for.
        wanted: String,
        /// The ONNX files that there are.
        there: Vec<String>,
    },
    /// It is too large to be one.
    #[error("the model would be {0} bytes large")]
    TooLarge(u64),
    /// A page came instead of a file.
    #[error("a web page came instead of `{0}`")]
    WebPage(String),
    /// It is another file.
    #[error("`{name}` should have {expected} and has {found}: it was not kept")]
    Checksum {
        /// The file.
        name: String,
        /// Its hash.
        expected: String,
        /// The hash of what came.
        found: String,
    },
    /// It is longer than it should be.
    #[error("`{name}` should have {expected} bytes and has more: it was not kept")]
    Longer {
        /// The file.
        name: String,
        /// Its length.
        expected: u64,
    },
    /// Somebody else pulls it.
    #[error("another pull writes into `{0}`")]
    Busy(PathBuf),
    /// It cannot be kept.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl PullError {
    /// Whether the trouble is here and not there.
    pub const fn is_of_disk(&self) -> bool {
        matches!(self, Self::Write { .. } | Self::Busy(_))
    }

    /// Whether something else has to be asked for.
    pub const fn is_of_request(&self) -> bool {
        matches!(self, Self::Insecure(_) | Self::Floating { .. } | Self::NoModel { .. })
    }

    /// How to mend it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Floating { model, now: Some(now) } => {
                Some(format!("now it is `thrash model pull {}@{now}`", model.repository))
            }
            Self::Floating { .. } => Some("name the 40 digits of a commit".to_owned()),
            Self::NoModel { there, .. } if there.is_empty() => {
                Some("`optimum-cli export onnx --model ID DIR` makes a folder with one".to_owned())
            }
            Self::NoModel { there, .. } => Some(format!("`--file` names one of: {}", there.join(", "))),
            Self::Get(DownloadError { status: Some(401 | 403), .. }) | Self::WebPage(_) => {
                Some("HF_TOKEN holds the key to what is not open to everybody".to_owned())
            }
            Self::Get(DownloadError { status: Some(404), .. }) => {
                Some("is the name right, and the commit one of this repository?".to_owned())
            }
            Self::Get(_) => Some(
                "what has come is kept: pull again to go on; `--hub URL` or HF_ENDPOINT names another hub"
                    .to_owned(),
            ),
            Self::Insecure(_) => {
                Some("hashes come the same way as the files; only this machine may do without".to_owned())
            }
            _ => None,
        }
    }
}

/// Pulls a model into a folder of its own below `folder`. `file` names another ONNX file than the usual one; `tell` hears
/// of each file.
///
/// # Errors
/// The request, the hub, the network or the disk. What was whole and right stays.
pub async fn pull(
    hub: &Hub,
    model: &HubModel,
    file: Option<&str>,
    folder: &Path,
    tell: &(dyn Fn(String) + Sync),
) -> Result<Pulled, PullError> {
    let base = hub.url.trim_end_matches('/');
    if !is_safe(base) {
        return Err(PullError::Insecure(shown(base)));
    }
    let downloads = Downloads::new(hub.token.clone(), base)?;
    if !model.is_pinned() {
        let now = commit(&downloads, base, model).await?;
        return Err(PullError::Floating { model: model.clone(), now });
    }
    let files = wanted(&listing(&downloads, base, model).await?, file)?;
    let bytes = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
    if bytes > LARGEST {
        return Err(PullError::TooLarge(bytes));
    }
    let into = folder.join(model.folder());
    let write = |source| PullError::Write { path: into.clone(), source };
    fs::create_dir_all(&into).map_err(write)?;
    let lock = File::create(into.join(".pull")).map_err(write)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(PullError::Busy(into)),
        Err(TryLockError::Error(source)) => return Err(write(source)),
    }
    let mut fetched = 0;
    for file in &files {
        let url = format!("{base}/{}/resolve/{}/{}", model.repository, model.revision, encoded(&file.name));
        fetched += Pull { downloads: &downloads, url, file, path: into.join(&file.name), tell }.run().await?;
    }
    let model = files.last().map_or_else(String::new, |file| file.name.clone());
    Ok(Pulled { folder: into, model, fetched, bytes })
}

/// The hashes come the same way as the files, so the way has to be a safe one.
fn is_safe(base: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(base) else { return false };
    let is_here = crate::domain::is_this_machine(url.host_str().unwrap_or_default());
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}

/// The commit that a branch or tag is at.
async fn commit(downloads: &Downloads, base: &str, model: &HubModel) -> Result<Option<String>, PullError> {
    #[derive(Deserialize)]
    struct Revision {
        sha: Option<String>,
    }
    let url = format!("{base}/api/models/{}/revision/{}", model.repository, encoded(&model.revision));
    let page = downloads.page(&url).await?;
    let found: Option<Revision> = serde_json::from_slice(&page.bytes).ok();
    let pinned = |sha: &String| HubModel { revision: sha.clone(), ..model.clone() }.is_pinned();
    Ok(found.and_then(|found| found.sha).filter(pinned))
}

/// Every entry of the repository, page by page.
async fn listing(downloads: &Downloads, base: &str, model: &HubModel) -> Result<Vec<Entry>, PullError> {
    let first = format!("{base}/api/models/{}/tree/{}?recursive=true", model.repository, model.revision);
    let mut url = first.clone();
    let mut entries = Vec::new();
    for _ in 0..MOST_PAGES {
        let page = downloads.page(&url).await?;
        let wrong = |reason: String| PullError::Listing { url: page.shown(), reason };
        let found: Vec<Entry> =
            serde_json::from_slice(&page.bytes).map_err(|error| wrong(error.to_string()))?;
        entries.extend(found);
        let next = page.headers.get(LINK).and_then(|link| next(link.to_str().ok()?));
        let Some(next) = next else { return Ok(entries) };
        let next = page.url.join(&next).map_err(|error| wrong(error.to_string()))?;
        // The token goes to nobody else.
        if reqwest::Url::parse(base).is_ok_and(|base| base.origin() != next.origin()) {
            return Err(wrong("it goes on at another server".to_owned()));
        }
        url = next.into();
    }
    Err(PullError::Listing { url: first, reason: format!("it has more than {MOST_PAGES} pages") })
}

/// The address of the next page (RFC 8288).
fn next(link: &str) -> Option<String> {
    let links = link.split(',').filter_map(|link| link.trim().strip_prefix('<')?.split_once('>'));
    links.filter(|(_, about)| about.contains("rel=\"next\"")).map(|(url, _)| url.to_owned()).next()
}

/// A name as a part of a path.
fn encoded(name: &str) -> String {
    let mut path = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.~-/".contains(&byte) {
            path.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

/// One file on its way to its place.
struct Pull<'a> {
    downloads: &'a Downloads,
    url: String,
    file: &'a Wanted,
    path: PathBuf,
    tell: &'a (dyn Fn(String) + Sync),
}

impl Pull<'_> {
    /// Brings the file to its place, and tells how many bytes came for it.
    async fn run(&self) -> Result<u64, PullError> {
        let Wanted { name, bytes, hash } = self.file;
        if self.path.is_file() {
            if self.hash_of(&self.path)? == *hash {
                return Ok(0);
            }
            // What somebody has written for this model is not replaced.
            if name == "thrash.yaml" {
                (self.tell)(format!("{name} was changed here, and is left as it is"));
                return Ok(0);
            }
        }
        if let Some(above) = self.path.parent() {
            fs::create_dir_all(above).map_err(|source| self.write(source))?;
        }
        let part = self.part();
        let mut fetched = 0;
        let mut begun_here = false;
        loop {
            let before = self.there();
            begun_here |= before == 0;
            if before > 0 {
                (self.tell)(format!("{name}: goes on at {before} of {bytes} bytes"));
            } else {
                (self.tell)(format!("{name}: {bytes} bytes"));
            }
            fetched += self.whole().await?;
            let found = self.hash_of(&part)?;
            if found == *hash {
                fs::rename(&part, &self.path).map_err(|source| self.write(source))?;
                return Ok(fetched);
            }
            fs::remove_file(&part).map_err(|source| self.write(source))?;
            // What an earlier pull had left may have been something else.
            if begun_here {
                return Err(PullError::Checksum {
                    name: name.clone(),
                    expected: hash.to_string(),
                    found: found.to_string(),
                });
            }
        }
    }

    /// Fetches until all of it is there, over as many connections as that takes, within reason.
    async fn whole(&self) -> Result<u64, PullError> {
        let (mut fetched, mut failed, mut most) = (0, 0, self.there());
        loop {
            let before = self.there();
            let ended = self.append(before).await;
            let now = self.there();
            fetched += now.saturating_sub(before);
            match ended {
                Ok(()) if now == self.file.bytes => return Ok(fetched),
                Ok(()) => {}
                Err(PullError::Get(error)) if is_passing(&error) => {
                    if failed + 1 == TRIES {
                        return Err(error.into());
                    }
                }
                Err(error) => return Err(error),
            }
            // One that brings something may be cut off any number of times.
            // More than ever before: a hub that begins again each time brings nothing.
            failed = if now > most { 0 } else { failed + 1 };
            most = most.max(now);
            if failed == TRIES {
                return Err(DownloadError::new(&self.url, "the answer ends too early").into());
            }
            tokio::time::sleep(FIRST_WAIT * 2_u32.pow(failed)).await;
        }
    }

    /// Asks for what is missing and adds it.
    async fn append(&self, from: u64) -> Result<(), PullError> {
        let Wanted { name, bytes, .. } = self.file;
        if from == *bytes && from > 0 {
            return Ok(());
        }
        let mut download = self.downloads.get(&self.url, from).await?;
        let header = |name| download.answer.headers().get(name).and_then(|value| value.to_str().ok());
        if header(CONTENT_TYPE).is_some_and(|kind| kind.trim_start().starts_with("text/html")) {
            return Err(PullError::WebPage(name.clone()));
        }
        let goes_on = from > 0
            && download.answer.status() == StatusCode::PARTIAL_CONTENT
            && header(CONTENT_RANGE).is_some_and(|range| range.starts_with(&format!("bytes {from}-")));
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(goes_on).truncate(!goes_on);
        let part = self.part();
        let mut file = options.open(&part).map_err(|source| self.write(source))?;
        if download.answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            // The hub's file is shorter than what is here: from the start, with the next try.
            return Ok(());
        }
        let mut length = if goes_on { from } else { 0 };
        while let Some(piece) = download.piece().await? {
            let piece = piece.as_ref();
            length += piece.len() as u64;
            if length > *bytes {
                drop(file);
                fs::remove_file(&part).map_err(|source| self.write(source))?;
                return Err(PullError::Longer { name: name.clone(), expected: *bytes });
            }
            file.write_all(piece).map_err(|source| self.write(source))?;
        }
        file.sync_all().map_err(|source| self.write(source))
    }

    fn part(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        self.path.with_file_name(name)
    }

    /// Bytes that are there; what is longer than the file can be is thrown away.
    fn there(&self) -> u64 {
        let length = fs::metadata(self.part()).map_or(0, |found| found.len());
        if length > self.file.bytes {
            let _ = fs::remove_file(self.part());
            return 0;
        }
        length
    }

    fn hash_of(&self, path: &Path) -> Result<Expected, PullError> {
        let mut file = File::open(path).map_err(|source| self.write(source))?;
        let length = file.metadata().map_err(|source| self.write(source))?.len();
        let mut hash = self.file.hash.begin(length);
        let mut buffer = vec![0; 1 << 20];
        loop {
            match file.read(&mut buffer).map_err(|source| self.write(source))? {
                0 => return Ok(hash.end()),
                count => hash.update(&buffer[..count]),
            }
        }
    }

    fn write(&self, source: io::Error) -> PullError {
        PullError::Write { path: self.path.clone(), source }
    }
}

/// Whether trying again may help.
const fn is_passing(error: &DownloadError) -> bool {
    matches!(error.status, None | Some(408 | 429 | 500..=599))
}
