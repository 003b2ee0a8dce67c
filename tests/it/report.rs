//! Reports: what people read, what machines read, and how the files come to be.

mod annotations;
mod browser;
mod extras;
mod figures;
mod html;
mod html_hostile;
mod json;
mod junit;
mod markdown;
mod observations;
mod sarif;
mod sink;
mod terminal;
mod terminal_laws;
