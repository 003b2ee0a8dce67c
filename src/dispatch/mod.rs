//! One path starts work, whoever asked: prepare, run, store.
//!
//! [`Prepared::new`] refuses everything that can be refused before a phrase is sent; [`Prepared::execute`] runs and
//! stores, and never loses what was measured: a record that the database does not take goes to the spool.

mod connect;
mod error;
mod execute;
mod keep;
mod waivers;

pub use connect::Connected;
pub use error::DispatchError;
pub use execute::{Executed, Prepared};
pub use keep::{Keeper, Kept, deliver_spool, open_store, spool};
pub use waivers::waivers;
