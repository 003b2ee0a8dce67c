//! The local reference model: a second opinion beside the target.

mod characters;

pub use characters::{CharacterScheme, PADDING, SchemeName, fold};
