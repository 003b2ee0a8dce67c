//! What a run tells while it goes on, as server-sent events.
//!
//! Each event has an id, so that a reader who was away brings the last one back (`Last-Event-ID`) and reads on from
//! there. An instance that does not run the job itself looks into the queue and tells no more than its turns.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::extract::{Id, header};
use crate::dispatch::JobEvent;
use crate::domain::{Job, JobState, NoAnswerReason, RunEvent, RunId};
use crate::service::problem::Problem;
use crate::service::server::Busy;
use crate::service::{Caller, Service};
use crate::store::StoreError;

/// How often a comment says that the connection lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How often the queue is looked into for a job that does not run here.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What the id of a job's last event ends with.
const END: &str = "end";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/test/runs/{id}/events", events)
            .says("What a run tells while it goes on; `Last-Event-ID` reads on from there")
            .header(
                "last-event-id",
                "^[0-9]{1,9}\\.([0-9]{1,18}|end)$",
                "The id of the last event that was read",
            )
            .gives_media(200, "text/event-stream", "Events until it is over")
            .gives_media(204, "", "It is over, and its last event was read")
            .fails(&[400, 404, 503]),
    ]
}

async fn events(
    State(service): State<Arc<Service>>,
    Id(id): Id,
    Extension(busy): Extension<Busy>,
    headers: HeaderMap,
    _caller: Caller,
) -> Result<Response, Problem> {
    let job = service.store.job(&id).await?;
    let last = header(&headers, "last-event-id")?.map(|id| read_id(&id)).transpose()?;
    // A reader that comes again and again has to be told that there is no more.
    if job.state.is_over() && last.is_some_and(|last| last >= (job.attempt, u64::MAX)) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let Ok(place) = Arc::clone(&service.streams).try_acquire_owned() else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many read events already"));
    };
    let reader = Reader {
        service,
        id,
        last: last.unwrap_or_default(),
        told: None,
        waiting: VecDeque::new(),
        is_over: false,
        _place: (place, busy),
    };
    let stream = stream::unfold(reader, |mut reader| async {
        let event = reader.next().await?;
        Some((Ok::<Event, Infallible>(event), reader))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// The attempt and the number in it.
type Place = (i32, u64);

/// `2.17`, or `2.end`.
fn read_id(text: &str) -> Result<Place, Problem> {
    text.split_once('.')
        .and_then(|(attempt, number)| {
            let number = if number == END { u64::MAX } else { number.parse().ok()? };
            Some((attempt.parse().ok()?, number))
        })
        .ok_or_else(|| Problem::bad_request("`Last-Event-ID` is not the id of an event from here"))
}

/// Somebody who reads.
struct Reader {
    service: Arc<Service>,
    id: RunId,
    /// The last event that they have.
    last: Place,
    /// The state that was told last.
    told: Option<(JobState, i32)>,
    waiting: VecDeque<Event>,
    is_over: bool,
    /// Room for one reader, and a connection that is not closed to make some.
    _place: (tokio::sync::OwnedSemaphorePermit, Busy),
}

impl Reader {
    /// The next event; none when there will be no more.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            if !self.read_feed().await {
                match self.look().await {
                    Ok(()) if self.waiting.is_empty() && !self.is_over => {
                        tokio::time::sleep(LOOK_EVERY).await;
                    }
                    Ok(()) => {}
                    Err(error) => {
                        tracing::warn!(%error, "the queue cannot be read for a reader of events");
                        return None;
                    }
                }
            }
        }
    }

    /// Takes what the run here tells; false where it tells nothing more.
    async fn read_feed(&mut self) -> bool {
        let Some(feed) = self.service.queue.feed(&self.id) else { return false };
        let attempt = feed.attempt();
        let after = match self.last {
            (of, number) if of == attempt => number,
            (of, _) if of > attempt => return false,
            _ => 0,
        };
        let batch = feed.after(after).await;
        let Some((first, _)) = batch.events.first() else { return false };
        if *first > after + 1 {
            let missed = json!({"missed": first - after - 1});
            self.waiting.push_back(Event::default().event("missed").data(missed.to_string()));
        }
        for (number, event) in batch.events {
            self.last = (attempt, number);
            match event {
                JobEvent::Began(job) => self.tell_job("began", &job),
                JobEvent::Run(event) => {
                    let (name, data) = view(&event);
                    let id = format!("{attempt}.{number}");
                    self.waiting.push_back(Event::default().id(id).event(name).data(data.to_string()));
                }
                // What became of its run since, the queue knows, unless it has forgotten the job.
                JobEvent::Ended(job) if job.state.is_over() => match self.service.store.job(&self.id).await {
                    Ok(now) => self.end(&now),
                    Err(_) => self.end(&job),
                },
                // It waits again; another attempt will have a feed of its own.
                JobEvent::Ended(job) => self.tell_job("state", &job),
            }
        }
        true
    }

    /// Looks into the queue.
    async fn look(&mut self) -> Result<(), StoreError> {
        let job = self.service.store.job(&self.id).await?;
        if job.state.is_over() {
            self.end(&job);
        } else if self.told != Some((job.state, job.attempt)) {
            self.tell_job("state", &job);
        }
        Ok(())
    }

    fn tell_job(&mut self, name: &str, job: &Job) {
        self.told = Some((job.state, job.attempt));
        let id = if name == "began" { Some(format!("{}.1", job.attempt)) } else { None };
        let event = Event::default().event(name).data(json!(job).to_string());
        self.waiting.push_back(match id {
            Some(id) => event.id(id),
            None => event,
        });
    }

    fn end(&mut self, job: &Job) {
        self.is_over = true;
        self.last = (job.attempt, u64::MAX);
        let id = format!("{}.{END}", job.attempt);
        self.waiting.push_back(Event::default().id(id).event("ended").data(json!(job).to_string()));
    }
}

/// An event's name and what it says. Phrases are named by their ids.
fn view(event: &RunEvent) -> (&'static str, Value) {
    let ms = |wait: &Duration| wait.as_secs_f64() * 1e3;
    match event {
        RunEvent::Started { planned } => ("started", json!({"planned": planned})),
        RunEvent::Extended { more } => ("extended", json!({"more": more})),
        RunEvent::Observed { phrase, verdict, no_answer, latency, attempts } => (
            "observed",
            json!({
                "phrase": phrase,
                "verdict": verdict,
                "no_answer": no_answer.map(NoAnswerReason::as_str),
                "latency_ms": ms(latency),
                "attempts": attempts,
            }),
        ),
        RunEvent::Slowed { wait, concurrency } => {
            ("slowed", json!({"wait_ms": ms(wait), "concurrency": concurrency}))
        }
        RunEvent::ReferenceAwaited { at_most } => ("reference_awaited", json!({"at_most_ms": ms(at_most)})),
        RunEvent::WorkersAwaited { come, of } => ("workers_awaited", json!({"come": come, "of": of})),
        RunEvent::IdleStarted { planned, longest } => {
            ("idle_started", json!({"planned": planned, "longest_ms": ms(longest)}))
        }
        RunEvent::IdleObserved { answered } => ("idle_observed", json!({"answered": answered})),
        RunEvent::Noted { text } => ("noted", json!({"text": text})),
        RunEvent::LoadStarted { planned, judged } => {
            ("load_started", json!({"planned_ms": ms(planned), "judged": judged}))
        }
        RunEvent::LoadSecond { second, length_s, .. } => {
            let mut data = json!(second);
            data["length_s"] = json!(length_s);
            ("load_second", data)
        }
        RunEvent::GivenUp { reason } => ("given_up", json!({"reason": reason})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::LoadSecond;

    #[test]
    fn a_slice_of_a_load_is_told_with_its_length() {
        let second = Box::new(LoadSecond { at_s: 3600.0, started: 31, ..LoadSecond::default() });
        let (name, data) = view(&RunEvent::LoadSecond { second, length_s: 2.0, stage: None });
        assert_eq!((name, &data["at_s"], &data["length_s"]), ("load_second", &json!(3600.0), &json!(2.0)));
    }
}
