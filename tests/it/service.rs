//! `thrash serve`: the real binary on real sockets.

mod access;
mod alone;
mod api;
mod dashboard;
mod document;
mod events;
mod full_disk;
mod limits;
mod process;
mod queue;
mod shared;
