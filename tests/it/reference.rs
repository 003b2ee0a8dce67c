//! The local reference model through its front door.

mod characters;
mod engines;
mod fetch;
mod folder;
mod models;
mod pull;
mod runs;
mod shadow;
mod support;
mod tasks;
