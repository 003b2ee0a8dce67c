//! Tells people when something broke and when it is well again: over Discord, Slack or a webhook of their own.
//!
//! Three steps, of which the first two are pure. A [`Finding`] is what a run means for its series; [`AlertState::after`]
//! decides what there is to say, once and not at every run; a [`Notifier`] writes that into the store's outbox and sends
//! what is due from there. What is in the outbox outlives this process, and is sent by one instance.
//!
//! A message holds no phrase's text and no secret. The URLs of channels are secrets: whoever has one can write there.

mod channel;
mod decide;
mod discord;
mod finding;
mod message;
mod notifier;
mod outgoing;
mod quiet;
mod retry;
mod send;
mod slack;
mod webhook;

pub use channel::{Channel, ChannelError, ChannelKind};
pub use decide::{AlertState, Event, Saying, Told};
pub use finding::{AlertSeries, Finding, Outcome, Severity};
pub use message::Message;
pub use notifier::{Delivered, Notifier, NotifyOptions};
pub use quiet::QuietHours;
pub use send::SendError;
