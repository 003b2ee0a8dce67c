//! The store: one conformance suite for both databases, and what is particular to each.

#![allow(clippy::doc_markdown, reason = "PostgreSQL and SQLite are names")]

mod conformance;
mod jobs;
mod load_board;
mod location;
mod many_jobs;
mod outbox;
pub(crate) mod place;
mod postgres;
mod processes;
mod record;
mod retention;
mod sample;
mod schedules;
mod spool;
mod sqlite;
mod upgrade;
