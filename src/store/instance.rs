//! One service at a time on a SQLite file: a lock that dies with the process.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::error::StoreError;
use super::location::StoreLocation;
use super::private;

/// Longest word about the holder that is read.
const LONGEST: u64 = 500;

/// Held as long as this service is the only one on its database.
#[derive(Debug)]
pub struct InstanceLock {
    /// The system lets go of the lock when it closes the file, however the process ends.
    _file: Option<File>,
}

impl InstanceLock {
    /// Makes this process the only service on the database; `who` is what a second one is told. PostgreSQL takes
    /// several.
    ///
    /// # Errors
    /// Another process is the service there, or the file beside the database cannot be written.
    pub fn take(location: &StoreLocation, who: &str) -> Result<Self, StoreError> {
        let StoreLocation::Sqlite(database) = location else { return Ok(Self { _file: None }) };
        let mut name = OsString::from(database);
        name.push(".serve");
        let path = PathBuf::from(name);
        let failed = |doing, source: io::Error| StoreError::Io { doing, path: path.clone(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private::create_folder(folder).map_err(|source| failed("create the folder of", source))?;
        }
        private::create_file(&path).map_err(|source| failed("create the lock", source))?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|source| failed("open the lock", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut by = String::new();
                // Whoever holds it may not have written its word yet.
                let _ = file.take(LONGEST).read_to_string(&mut by);
                return Err(StoreError::Held {
                    database: database.display().to_string(),
                    by: by.trim().to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock", source)),
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            writeln!(file, "{who}")
        };
        write(&mut file).map_err(|source| failed("write the lock", source))?;
        Ok(Self { _file: Some(file) })
    }
}
