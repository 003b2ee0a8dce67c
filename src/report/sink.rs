//! Where a report goes: checked before the run, written whole after it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Format, SinkError, WriteError};

/// A place that a report will be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sink {
    format: Format,
    place: Place,
    private: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Stdout,
    /// A regular file, which need not exist yet; the path is absolute and no symbolic link.
    File(PathBuf),
    /// A device, a pipe or a terminal: there is nothing to replace, so it is written into.
    Device(PathBuf),
}

impl Sink {
    /// Looks whether a report could be written to `path`; `-` is standard output.
    ///
    /// A file that exists keeps its content until the report replaces it. The look itself leaves nothing behind.
    pub fn check(path: impl AsRef<Path>, format: Format) -> Result<Self, SinkError> {
        let path = path.as_ref();
        if path.as_os_str().is_empty() {
            return Err(SinkError::Empty { format });
        }
        // A rename over the file behind `/dev/stdout` would cut it off from everything else that is printed.
        if ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name)) {
            if stdout_is_closed() {
                return Err(SinkError::Closed { format });
            }
            return Ok(Self { format, place: Place::Stdout, private: false });
        }
        let refused = |source| SinkError::Refused { format, path: path.to_owned(), source };
        let place = match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(SinkError::Folder { format, path: path.to_owned() }),
            Ok(found) if found.is_file() => {
                // The file behind a symbolic link is replaced, not the link.
                let file = fs::canonicalize(path).map_err(refused)?;
                OpenOptions::new().write(true).open(&file).map_err(refused)?;
                Place::File(file)
            }
            Ok(_) => Place::Device(path.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => new_file(path, format)?,
            Err(error) => return Err(refused(error)),
        };
        if let Place::File(file) = &place {
            if let Some(what) = needed(file) {
                return Err(SinkError::Needed { format, path: path.to_owned(), what });
            }
            draft(file, None, true).map_err(refused)?;
        }
        Ok(Self { format, place, private: false })
    }

    /// The same place, whose file only its owner may read, whatever stood there before.
    #[must_use]
    pub fn private(self) -> Self {
        Self { private: true, ..self }
    }

    /// What will be written.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The file that it will be written to; none for standard output.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Stdout => None,
            Place::File(path) | Place::Device(path) => Some(path),
        }
    }

    /// Whether it is standard output.
    pub const fn is_stdout(&self) -> bool {
        matches!(self.place, Place::Stdout)
    }

    /// Writes the report.
    ///
    /// A file is replaced in one step or left as it was: the bytes go to a draft beside it, which then takes its name.
    /// A pipe that nobody reads is waited for, as with every program that writes to one.
    pub fn write(&self, bytes: &[u8]) -> Result<(), WriteError> {
        match &self.place {
            Place::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            Place::File(path) => replace(path, bytes, self.private),
            Place::Device(path) => OpenOptions::new().write(true).open(path).and_then(|mut device| {
                device.write_all(bytes)?;
                device.flush()
            }),
        }
        .map_err(|source| WriteError::new(self.format, self.name(), source))
    }

    /// The place, as it reads in a sentence.
    fn name(&self) -> String {
        self.path().map_or_else(|| "standard output".to_owned(), |path| format!("`{}`", path.display()))
    }
}

/// Whether nothing that is written to standard output arrives anywhere, though nobody said so with `> /dev/null`.
///
/// Where the program is started without one (`>&-`), the language's runtime opens `/dev/null` in its place, for reading and
/// writing, so that the next file that is opened does not become it; a shell opens it for writing alone.
pub fn stdout_is_closed() -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        const READ_AND_WRITE: u32 = 2;
        let device = |path: &str| fs::metadata(path).ok().map(|found| found.rdev());
        let flags = fs::read_to_string("/proc/self/fdinfo/1").unwrap_or_default();
        let flags = flags.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
        device("/proc/self/fd/1").is_some_and(|found| Some(found) == device("/dev/null") && found != 0)
            && flags.is_some_and(|flags| flags & 3 == READ_AND_WRITE)
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// Looks whether the reports get in each other's way: one place holds one of them, standard output too.
pub fn check_together(sinks: &[Sink]) -> Result<(), SinkError> {
    for (index, second) in sinks.iter().enumerate() {
        let same = |first: &&Sink| first.place == second.place && !matches!(first.place, Place::Device(_));
        if let Some(first) = sinks[..index].iter().find(same) {
            return Err(SinkError::Twice {
                first: first.format,
                second: second.format,
                place: second.name(),
            });
        }
    }
    Ok(())
}

/// Looks whether a report would replace one of these files, which are read; each with what it is.
pub fn check_apart(sinks: &[Sink], read: &[(&Path, &'static str)]) -> Result<(), SinkError> {
    for (path, what) in read {
        // What is not there, or no file, cannot be replaced.
        let Ok(path) = fs::canonicalize(path) else { continue };
        let same = |sink: &&Sink| matches!(&sink.place, Place::File(file) if *file == path);
        if let Some(sink) = sinks.iter().find(same) {
            return Err(SinkError::Needed { format: sink.format, path, what });
        }
    }
    Ok(())
}

/// What no report may replace, whoever names it: nothing that people write, and no database.
fn needed(file: &Path) -> Option<&'static str> {
    if file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
        return Some("a place for YAML: phrases, waivers or a configuration");
    }
    is_database(file).then_some("a database")
}

fn is_database(file: &Path) -> bool {
    let mut head = [0; 16];
    let read = File::open(file).and_then(|mut file| io::Read::read_exact(&mut file, &mut head));
    read.is_ok() && head == *b"SQLite format 3\0"
}

/// The place of a file that does not exist yet.
fn new_file(path: &Path, format: Format) -> Result<Place, SinkError> {
    // `Path` forgets a slash at the end, which says that a folder is meant.
    if path
        .as_os_str()
        .as_encoded_bytes()
        .last()
        .is_some_and(|byte| std::path::is_separator(char::from(*byte)))
    {
        return Err(SinkError::Folder { format, path: path.to_owned() });
    }
    let refused = |source| SinkError::Refused { format, path: path.to_owned(), source };
    // Where a link leads nowhere, the file that it names is the one to make.
    let target = fs::read_link(path).map_or_else(|_| path.to_owned(), |to| folder_of(path).join(to));
    let folder = folder_of(&target);
    let folder = fs::canonicalize(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            SinkError::NoFolder { format, path: path.to_owned(), folder: folder.to_owned() }
        }
        _ => refused(error),
    })?;
    match target.file_name() {
        Some(name) => Ok(Place::File(folder.join(name))),
        None => Err(SinkError::Folder { format, path: path.to_owned() }),
    }
}

/// The folder that a file stands in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// An empty file beside `path`; it is gone when it is dropped.
fn draft(path: &Path, old: Option<Metadata>, private: bool) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".thrash-").suffix(".tmp");
    #[cfg(unix)]
    if old.is_none() && !private {
        // Drafts are private by default; a report is as readable as any new file.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }
    let draft = builder.tempfile_in(folder_of(path))?;
    if let Some(old) = old.filter(|_| !private) {
        draft.as_file().set_permissions(old.permissions())?;
    }
    Ok(draft)
}

/// Puts a file with these bytes in the place of the one at `path`.
fn replace(path: &Path, bytes: &[u8], private: bool) -> io::Result<()> {
    // It may have been made by this run, after the look at the place.
    if is_database(path) {
        return Err(io::Error::other("a database stands there"));
    }
    let draft = draft(path, fs::metadata(path).ok(), private)?;
    write_out(draft.as_file(), bytes)?;
    draft.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

/// Writes the bytes and waits until the disk has them: some file systems say only then that they are full.
fn write_out(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}
