//! Reports: what people read, what machines read, and how the files come to be.

mod annotations;
mod extras;
mod figures;
mod json;
mod junit;
mod markdown;
mod observations;
mod sarif;
mod sink;
mod terminal;
mod terminal_laws;
