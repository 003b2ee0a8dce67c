//! One path starts work, whoever asked: prepare, run, store.
//!
//! [`Prepared::new`] refuses everything that can be refused before a phrase is sent; [`Prepared::execute`] runs and
//! stores, and never loses what was measured: a record that the database does not take goes to the spool, and where a
//! worker ran it, one that the spool does not take either waits in memory.

mod attempt;
mod baseline;
mod connect;
mod delivery;
mod entry;
mod error;
mod execute;
mod feed;
mod held;
mod history;
mod hold;
mod in_memory;
mod keep;
mod load;
mod load_check;
mod load_users;
mod load_workers;
mod queue;
mod record_file;
mod retention;
mod shadow;
mod waivers;
mod worker;

pub use baseline::set_baseline;
pub use connect::Connected;
pub use entry::{Entry, NoEntry, Tell, instance_name, typist};
pub use error::{BaselineError, DispatchError, chain};
pub use execute::{Executed, Prepared};
pub use feed::{Batch, Feed, JobEvent, Progress};
pub use held::{Held, Others};
pub use history::{FoundHistory, HistoryQuery, history};
pub use keep::{Keeper, Kept, deliver_spool, earlier, open_store, spool, store_to_look};
pub use load::{LoadPlan, PreparedLoad, SEND_USERS};
pub use load_check::{before_it, check_scenario};
pub use load_users::PreparedUsers;
pub use load_workers::{PreparedWorker, Waiting, Worked, WorkersWish};
pub use queue::{Ask, AskError, News, Queue, Turn, Watcher, Work, asked_target, check_ask, look_up, takers};
pub use record_file::read_record_file;
pub use retention::{Removed, RetentionPolicy, retain};
pub use shadow::{PreparedShadow, Shown};
pub use waivers::waivers;
pub use worker::{Stopping, Worker};
