//! Whether a run would come to its end now, without waiting for it.

use std::sync::Arc;
use std::time::Duration;

use maud::{Markup, html};

use super::visit::Visit;
use crate::report::html::clean;
use crate::report::html::section::{Section, Tone, mark};
use crate::service::Service;
use crate::service::readiness::{Look, Looks, State};

/// How long a page waits. A target that is down takes much longer to be called that; the script asks again.
const PATIENCE: Duration = Duration::from_millis(300);

/// What is known now; none if it takes too long to find out.
pub(super) async fn look(service: &Arc<Service>) -> Option<Looks> {
    if let Some(looks) = service.seen() {
        return Some(looks);
    }
    let service = Arc::clone(service);
    // A task of its own: it goes on, and the next who asks has the answer.
    let looking = tokio::spawn(async move { service.look().await });
    tokio::time::timeout(PATIENCE, looking).await.ok()?.ok()
}

pub(super) fn section(visit: &Visit, looks: Option<&Looks>) -> Section {
    let body = html! {
        ul.findings data-ready=[looks.is_none().then(|| visit.path("/ready"))] {
            (item("target", "Target", looks.map(|looks| &looks.target)))
            (item("database", "Database", looks.map(|looks| &looks.database)))
            (item("model", "Reference model", looks.map(|looks| &looks.model)))
        }
    };
    Section { id: "health", title: "Health", summary: String::new(), body }
}

/// The same on a page that something kept from being shown. If that was the database, what was seen of it before no
/// longer holds, so it is left out.
pub(super) fn section_without_database(looks: Option<&Looks>) -> Section {
    let body = html! {
        ul.findings {
            (item("target", "Target", looks.map(|looks| &looks.target)))
            (item("model", "Reference model", looks.map(|looks| &looks.model)))
        }
    };
    Section { id: "health", title: "Health", summary: String::new(), body }
}

fn item(id: &str, name: &str, look: Option<&Look>) -> Markup {
    let (tone, said) = match look {
        None => (Tone::Unsure, "not known yet, it is being asked".to_owned()),
        Some(Look { state: State::None, .. }) => (Tone::Plain, "none is wanted".to_owned()),
        Some(Look { state, detail }) => (
            match state {
                State::Ok => Tone::Good,
                State::Failed | State::None => Tone::Bad,
            },
            clean::sentence(detail.as_deref().unwrap_or_default()),
        ),
    };
    html! { li { (mark(tone)) span { b { (name) } ": " span data-look=(id) { (said) } } } }
}
