//! Everything that is tested through the front door.

mod architecture;
mod audit;
mod ci;
mod cli;
mod config;
mod demo;
mod gate;
mod import;
mod judge;
mod perturb;
mod phrases_io;
mod report;
mod statistics;
mod store;
mod suite;
mod support;
mod traps;
