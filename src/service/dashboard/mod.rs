//! The pages for people: what runs, what came out, and how it went over time.
//!
//! Every page is whole without a script; where there is one, it follows the events of what runs. Pages have the look of
//! the report, and a run's page is the report, with the way back above it. A `Visit` knows who looks, and draws the frame.
//!
//! Whoever needs a key signs in with it, and from then on a cookie names the session (`session`). A form says a word that
//! only a page from here knows (`form`), besides what `guard` asks of every change. What goes wrong is a page, too
//! (`error`).

mod compare;
mod error;
mod form;
mod health;
mod history;
mod list;
mod now;
mod row;
mod run;
mod runs;
mod schedules;
mod session;
mod sign_in;
mod start;
mod trends;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

pub(super) use error::as_pages;
pub(super) use session::Sessions;

use super::Service;
use crate::config::Scope;

/// Largest form, in bytes.
const LARGEST_FORM: usize = 16 << 10;

/// Every page.
pub(super) fn router(service: &Arc<Service>) -> Router {
    let needs = |scope| from_fn_with_state((Arc::clone(service), scope), visit::check);
    let looking = Router::new()
        .route("/", get(now::show))
        .route("/runs", get(runs::show))
        .route("/runs/{id}", get(run::show))
        .route("/compare", get(compare::show))
        .route("/history", get(history::show))
        .route_layer(needs(Scope::Read));
    let running = Router::new()
        .route("/start", get(start::show).post(start::start))
        .route("/runs/{id}/cancel", post(run::cancel))
        .route("/schedules/{id}/run", post(schedules::run))
        .route_layer(needs(Scope::Run));
    let switching = Router::new()
        .route("/schedules/{id}/enable", post(schedules::enable))
        .route("/schedules/{id}/disable", post(schedules::disable))
        .route_layer(needs(Scope::Admin));
    let open = Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out));
    let all = looking.merge(running).merge(switching).merge(open);
    all.layer(DefaultBodyLimit::max(LARGEST_FORM)).with_state(Arc::clone(service))
}
