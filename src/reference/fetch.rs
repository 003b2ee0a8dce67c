//! Getting the ONNX Runtime library from an index of Python packages.

use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use reqwest::Url;
use sha2::{Digest, Sha256};
use zip::result::ZipError;

use super::download::{DownloadError, Downloads};
use super::folder::hex;
use super::wheel::{Wheel, unpack};

/// Why there is no library. Addresses are shown without the passwords in them.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It did not come.
    #[error(transparent)]
    Get(#[from] DownloadError),
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
            Self::Get(_) | Self::Absent { .. } => Some(
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
    let downloads = Downloads::new(None, &page_url)?;
    let page = downloads.page(&page_url).await?;
    let absent = || FetchError::Absent { url: page.shown(), file: wheel.file() };
    let link = wheel.link(&String::from_utf8_lossy(&page.bytes)).ok_or_else(absent)?;
    let url = with_login(page.url.join(&link).map_err(|_| absent())?, &page_url);

    let mut download = downloads.get(url.as_str(), 0).await?;
    let mut hash = Sha256::new();
    while let Some(piece) = download.piece().await? {
        hash.update(piece.as_ref());
        into.write_all(piece.as_ref()).map_err(&write)?;
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
