//! Targets as they really are: broken, slow, limited, dishonest, dead. None of them may ever look green.

mod answers;
mod batches;
mod commands;
mod connections;
mod contracts;
mod deadlines;
mod honesty;
mod http2;
mod idle;
mod limits;
mod polling;
mod repeats;
mod requests;
mod retries;
mod runs;
mod scripted;
mod secrets;
mod tls;
