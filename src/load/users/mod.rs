//! Users: each waits for the answer, thinks, and asks again (a closed model), driven by goose.
//!
//! goose owns things that a process has once: the Ctrl-C handler, a kill switch, the `log` logger, tables on stdout. So it
//! runs in a process of its own, the same program started again with a hidden command. [`UsersEngine`] is the side that
//! starts and watches it; [`send`] is what happens in there. Both speak in lines of JSON: [`UsersOrder`] goes in, then
//! `drain` if somebody asks for it; [`Report`]s come out. The end of its stdin ends the process at once, so it never
//! outlives who started it.
//!
//! goose decides when a user begins and loops its requests. What a load run is measured by is ours: the [`plan`] decides
//! who may ask at a moment, the [`crowd`] sends, judges and counts.

mod attack;
mod child;
mod crowd;
mod message;
mod pace;
mod plan;

pub use attack::{alive, send};
pub use child::UsersEngine;
pub use message::{DRAIN, Report, UsersOrder};
