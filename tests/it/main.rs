//! Everything that is tested through the front door.

mod annotations;
mod architecture;
mod audit;
mod ci;
mod cli;
mod comparison;
mod config;
mod demo;
mod disjoint;
mod families;
mod gate;
mod held;
mod history;
mod import;
mod judge;
mod load;
mod pairs;
mod perturb;
mod phrases_io;
mod reference;
mod report;
mod statistics;
mod store;
mod suite;
mod support;
mod traps;
