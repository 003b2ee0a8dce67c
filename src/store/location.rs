//! Where a store is: the text that people write, parsed once.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// The parameters that a PostgreSQL location may carry after `?`.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// Where runs are kept.
#[derive(Debug, Clone)]
pub enum StoreLocation {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(PostgresLocation),
}

/// How a PostgreSQL database is reached. It cannot be printed with its password.
#[derive(Clone)]
pub struct PostgresLocation(Box<PgConnectOptions>);

/// A text that names no store. It never repeats the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// There is no text.
    #[error("the database location is empty")]
    Empty,
    /// A scheme that belongs to another database.
    #[error("the database location's scheme `{0}` is not one of postgres, postgresql, sqlite")]
    Scheme(String),
    /// A host and a password, and nothing that says which database it is.
    #[error("the database location looks like a connection string, but does not start with `postgres://`")]
    NoScheme,
    /// A SQLite location without a file.
    #[error("the SQLite location names no file")]
    NoFile,
    /// A SQLite database that is gone with the process.
    #[error("the SQLite location is in memory, where every run would be forgotten")]
    InMemory,
    /// A SQLite location with parameters.
    #[error("the SQLite location has parameters after `?`")]
    SqliteParameters,
    /// A PostgreSQL location that is no URL.
    #[error("the PostgreSQL location is no valid URL: {0}")]
    Url(String),
    /// A sign that ends a part of the URL early, most likely inside the password.
    #[error("the PostgreSQL location holds an unescaped `{0}`")]
    Unescaped(char),
    /// A parameter that means nothing here.
    #[error("the PostgreSQL location has the unknown parameter {}", quoted(.0.as_deref()))]
    Parameter(Option<String>),
}

impl LocationError {
    /// How to mend it.
    pub fn hint(&self) -> String {
        match self {
            Self::Empty | Self::Scheme(_) | Self::NoScheme | Self::NoFile => {
                "write `postgres://user:password@host:5432/database`, `sqlite:runs.db` or the path of a file"
                    .into()
            }
            Self::InMemory => "name a file, or write `none` to keep nothing".into(),
            Self::SqliteParameters => "leave them out; the file is created when it is missing".into(),
            Self::Url(_) => "write `postgres://user:password@host:5432/database`".into(),
            Self::Unescaped(sign) => {
                format!("write `%{:02X}` for a `{sign}` in a name or password", u32::from(*sign))
            }
            Self::Parameter(_) => format!("known are {}", PARAMETERS.join(", ")),
        }
    }
}

fn quoted(name: Option<&str>) -> String {
    name.map_or_else(|| "(not shown: it may be part of a password)".into(), |name| format!("`{name}`"))
}

impl StoreLocation {
    /// Reads `postgres://…`, `postgresql://…`, `sqlite:path`, `sqlite://path` or a plain path.
    ///
    /// A driver in the scheme (`postgresql+asyncpg://`, as Python programs write it) is passed over.
    ///
    /// ```
    /// use thrash::store::StoreLocation;
    ///
    /// let location = StoreLocation::parse("postgres://ash:secret@db:5432/ash").unwrap();
    /// assert_eq!(location.redacted(), "postgres://ash@db:5432/ash");
    /// ```
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        let name = scheme.to_ascii_lowercase();
        let (database, _python_driver) = name.split_once('+').unwrap_or((&name, ""));
        match (database, rest.strip_prefix("//")) {
            ("sqlite", after) => sqlite(after.unwrap_or(rest)),
            ("postgres" | "postgresql", Some(after)) => postgres(after).map(Self::Postgres),
            ("file", _) => Err(LocationError::Scheme(name)),
            _ if text.contains("://") => {
                Err(LocationError::Scheme(text.split("://").next().unwrap_or_default().into()))
            }
            _ if looks_like_credentials(text) => Err(LocationError::NoScheme),
            _ => Ok(Self::Sqlite(text.into())),
        }
    }

    /// The location as errors and reports may show it: without a password.
    pub fn redacted(&self) -> String {
        self.to_string()
    }
}

/// `user:password@host/database` and `host=… password=…`, which would otherwise become file names with a secret in them.
fn looks_like_credentials(text: &str) -> bool {
    let userinfo = text.split_once('@').is_some_and(|(before, _)| before.contains(':'));
    userinfo || text.contains("password=") || text.starts_with("host=") || text.starts_with("postgres")
}

fn sqlite(path: &str) -> Result<StoreLocation, LocationError> {
    match path {
        "" => Err(LocationError::NoFile),
        ":memory:" => Err(LocationError::InMemory),
        path if path.contains('?') => Err(LocationError::SqliteParameters),
        path => Ok(StoreLocation::Sqlite(path.into())),
    }
}

fn postgres(after_scheme: &str) -> Result<PostgresLocation, LocationError> {
    if after_scheme.contains('#') {
        return Err(LocationError::Unescaped('#'));
    }
    let (address, query) = after_scheme.split_once('?').unwrap_or((after_scheme, ""));
    if query.contains('@') {
        return Err(LocationError::Unescaped('?'));
    }
    if address.split_once('/').is_some_and(|(_, database)| database.contains(['@', '/'])) {
        return Err(LocationError::Unescaped('/'));
    }
    let mut parameters = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
        // sqlx logs a parameter that it does not know together with its value, so none may reach it.
        if PARAMETERS.contains(&name) || name.starts_with("options[") {
            parameters.push(parameter);
        } else if name != "connect_timeout" {
            let is_word = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            return Err(LocationError::Parameter(is_word.then(|| name.into())));
        }
    }
    let options = PgConnectOptions::from_str(&format!("postgres://{address}?{}", parameters.join("&")))
        .map_err(|error| LocationError::Url(reason(&error)))?;
    let options = match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("thrash"),
    };
    Ok(PostgresLocation(Box::new(options)))
}

/// What is wrong with a URL, without its text.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(cause) => cause.to_string(),
        _ => "a part of it cannot be read".into(),
    }
}

impl PostgresLocation {
    /// What the driver connects with.
    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.0
    }
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(location) => location.fmt(f),
        }
    }
}

impl fmt::Display for PostgresLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.0;
        write!(f, "postgres://{}@", options.get_username())?;
        match options.get_socket() {
            Some(socket) => write!(f, "{}", socket.display())?,
            None => f.write_str(options.get_host())?,
        }
        write!(f, ":{}", options.get_port())?;
        options.get_database().map_or(Ok(()), |database| write!(f, "/{database}"))
    }
}

impl fmt::Debug for PostgresLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresLocation({self})")
    }
}

impl FromStr for StoreLocation {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        Self::parse(text)
    }
}
