//! Everything that is tested through the front door.

mod demo;
mod statistics;
