//! Reports: what people read, what machines read, and how the files come to be.

mod figures;
mod json;
mod junit;
mod sink;
mod terminal;
mod terminal_laws;
