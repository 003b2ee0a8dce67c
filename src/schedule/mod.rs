//! When something runs by itself: cron lines, what they mean in a time zone, and what is due.
//!
//! [`CronLine`] is a line as people write it, [`CronLine::next`] the next instant that it means, [`Plan::due`] what a
//! service that was away for a while has to start now. All of it is pure: the time of day is given.
//!
//! Clocks that change: a line whose hour or minute begins with `*` follows the clock on the wall, so it runs in both
//! passes of an hour that comes twice, and not in one that is left out. Any other line runs once a day that it names: a
//! time that is left out is made up for at the first instant after the gap, and one that comes twice counts the first
//! time. That is what cron(8) does.

mod field;
mod line;
mod next;
mod plan;
mod zone;

pub use line::{CronError, CronLine};
pub use plan::{Due, Plan};
pub use zone::Zone;
