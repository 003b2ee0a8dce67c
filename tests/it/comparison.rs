//! Two runs held against each other: what changed, whether it can be chance, and what the gates make of it.

mod gates;
mod golden;
mod laws;
mod pairing;
mod runs;
mod slices;
mod sound;
mod unpaired;
mod warnings;
mod written;
