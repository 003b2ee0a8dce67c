//! The local reference model through its front door.

mod characters;
