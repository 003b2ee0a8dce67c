//! Bringing the tables up to date.
//!
//! The scripts of `migrations/` are inside the binary. sqlx applies them and keeps its usual table of what was applied,
//! but its lock does nothing on SQLite and outlives a failure on PostgreSQL; so each database wraps
//! [`Migrations::apply`] in one transaction that begins with a lock of our own.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{AppliedMigration, Migrate, Migration, MigrationType};

use super::error::StoreError;

/// A migration, as it is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaMigration {
    /// Its number.
    pub version: i64,
    /// What it is for; empty for one that this program does not know.
    pub name: String,
}

/// Where a database stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MigrationStatus {
    /// Migrations that the database has had, oldest first.
    pub applied: Vec<SchemaMigration>,
    /// Migrations still to come, in their order.
    pub pending: Vec<SchemaMigration>,
}

impl MigrationStatus {
    /// The number of the last migration that was applied; 0 for an empty database.
    pub fn schema_version(&self) -> i64 {
        self.applied.last().map_or(0, |migration| migration.version)
    }
}

/// The migrations of one kind of database.
#[derive(Debug)]
pub(super) struct Migrations {
    known: Vec<Migration>,
    table: &'static str,
}

impl Migrations {
    /// Takes the scripts in their order, with their names; `table` keeps what was applied.
    pub(super) fn new(table: &'static str, scripts: &[(&'static str, &'static str)]) -> Self {
        let migration = |version, (name, sql): (&'static str, &'static str)| {
            Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
        };
        Self {
            known: (1..).zip(scripts.iter().copied()).map(|(n, script)| migration(n, script)).collect(),
            table,
        }
    }

    fn newest(&self) -> i64 {
        self.known.last().map_or(0, |migration| migration.version)
    }

    /// What the database had and what it lacks.
    pub(super) fn status(&self, applied: &[AppliedMigration]) -> MigrationStatus {
        let name = |version| self.known.iter().find(|known| known.version == version).map(describe);
        MigrationStatus {
            applied: applied
                .iter()
                .map(|had| {
                    name(had.version)
                        .unwrap_or_else(|| SchemaMigration { version: had.version, name: String::new() })
                })
                .collect(),
            pending: self.missing(applied).map(describe).collect(),
        }
    }

    fn missing<'a>(&'a self, applied: &'a [AppliedMigration]) -> impl Iterator<Item = &'a Migration> {
        self.known.iter().filter(|known| applied.iter().all(|had| had.version != known.version))
    }

    /// Whether anything is missing; an error if the database is not one that this program may write to.
    pub(super) fn check(&self, database: &str, applied: &[AppliedMigration]) -> Result<bool, StoreError> {
        for had in applied {
            let Some(known) = self.known.iter().find(|known| known.version == had.version) else {
                return Err(StoreError::NewerSchema {
                    database: database.into(),
                    found: had.version,
                    known: self.newest(),
                });
            };
            if known.checksum != had.checksum {
                return Err(StoreError::ForeignMigration { database: database.into(), version: had.version });
            }
        }
        Ok(self.missing(applied).next().is_some())
    }

    /// Applies what is missing. The caller holds the lock and the transaction; what another process applied while we
    /// waited for them is seen here and passed over.
    pub(super) async fn apply<C: Migrate>(&self, connection: &mut C) -> sqlx::Result<()> {
        connection.ensure_migrations_table(self.table).await?;
        let applied = connection.list_applied_migrations(self.table).await?;
        for migration in self.missing(&applied) {
            connection.apply(self.table, migration).await?;
        }
        Ok(())
    }

    /// What was applied, read without a lock.
    pub(super) async fn applied<C: Migrate>(
        &self,
        connection: &mut C,
    ) -> sqlx::Result<Vec<AppliedMigration>> {
        Ok(connection.list_applied_migrations(self.table).await?)
    }
}

fn describe(migration: &Migration) -> SchemaMigration {
    SchemaMigration { version: migration.version, name: migration.description.to_string() }
}
