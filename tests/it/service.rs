//! `thrash serve`: the real binary on real sockets.

mod access;
mod alone;
mod api;
mod broken;
mod cut;
mod dashboard;
mod document;
mod events;
mod full_disk;
mod given_up;
mod limits;
mod memory;
mod process;
mod queue;
mod removed;
mod scraped;
mod shared;
mod typed;
