//! Where a store is.

use thrash::store::{LocationError, StoreLocation};

fn error(text: &str) -> LocationError {
    StoreLocation::parse(text).expect_err("no location")
}

fn redacted(text: &str) -> String {
    StoreLocation::parse(text).expect("a location").redacted()
}

#[test]
fn files_are_named_in_three_ways() {
    for text in ["sqlite:some/runs.db", "sqlite://some/runs.db", "some/runs.db", " SQLite:some/runs.db "] {
        assert!(matches!(StoreLocation::parse(text), Ok(StoreLocation::Sqlite(_))), "{text}");
        assert_eq!(redacted(text), "some/runs.db");
    }
    assert_eq!(redacted("sqlite:///var/runs.db"), "/var/runs.db");
    assert_eq!(redacted("C:\\runs.db"), "C:\\runs.db");
    assert_eq!(redacted("what? #1.db"), "what? #1.db");
}

#[test]
fn postgres_is_named_in_several_ways() {
    for scheme in ["postgres", "postgresql", "PostgreSQL", "postgresql+asyncpg", "postgresql+psycopg2"] {
        let text = format!("{scheme}://ash:s3cret@db:5433/ash");
        assert_eq!(redacted(&text), "postgres://ash@db:5433/ash");
    }
    assert_eq!(
        redacted("postgres://ash:x@db/ash?sslmode=require&connect_timeout=3"),
        "postgres://ash@db:5432/ash"
    );
    assert_eq!(redacted("postgres://ash@%2Frun%2Fpg/ash"), "postgres://ash@/run/pg:5432/ash");
}

#[test]
fn a_location_prints_without_its_password() {
    for text in ["postgres://ash:s3cret@db/ash", "postgres://db/ash?user=ash&password=s3cret"] {
        let location = StoreLocation::parse(text).unwrap();
        let printed = format!("{location} {location:?} {location:#?} {}", location.redacted());
        assert!(!printed.contains("s3cret"), "{printed}");
    }
}

#[test]
fn what_is_no_location_is_refused() {
    assert_eq!(error("  "), LocationError::Empty);
    assert_eq!(error("mysql://db/ash"), LocationError::Scheme("mysql".into()));
    assert_eq!(error("jdbc:postgresql://db/ash"), LocationError::Scheme("jdbc:postgresql".into()));
    assert_eq!(error("file:runs.db"), LocationError::Scheme("file".into()));
    assert_eq!(error("sqlite:"), LocationError::NoFile);
    assert_eq!(error("sqlite://"), LocationError::NoFile);
    assert_eq!(error("sqlite::memory:"), LocationError::InMemory);
    assert_eq!(error("sqlite://runs.db?mode=rwc"), LocationError::SqliteParameters);
    assert_eq!(error("postgres://db/ash?colour=red"), LocationError::Parameter(Some("colour".into())));
    assert!(matches!(error("postgres://db:port/ash"), LocationError::Url(_)));
    for text in ["ash:s3cret@db/ash", "host=db password=s3cret", "postgres:ash", "postgres"] {
        assert_eq!(error(text), LocationError::NoScheme, "{text}");
    }
}

#[test]
fn an_unescaped_password_is_refused_and_not_shown() {
    for text in [
        "postgres://ash:s3cret/12@db/ash",
        "postgres://ash:12/s3cret@db/ash",
        "postgres://ash:12?s3cret@db/ash",
        "postgres://ash:12#s3cret@db/ash",
        "postgres://ash:12?x&s3cret=1@db/ash",
        "postgres://db/ash?pass-s3cret=1",
        "postgres://ash:s3cret@db:port/ash",
        "mysql://ash:s3cret@db/ash",
    ] {
        let error = error(text);
        let printed = format!("{error} {error:?} {}", error.hint());
        assert!(!printed.contains("s3cret"), "{text}: {printed}");
    }
    assert_eq!(error("postgres://ash:12#34@db/ash").hint(), "write `%23` for a `#` in a name or password");
}
