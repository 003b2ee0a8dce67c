//! A run's reports, in every format.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::endpoint::Endpoint;
use super::extract::Id;
use crate::dispatch::earlier;
use crate::domain::RunId;
use crate::report::{Format, RenderOptions, TrendPoint, render};
use crate::service::Service;
use crate::service::problem::Problem;
use crate::service::render::cannot;
use crate::store::{RunSummary, StoreErrorKind};

/// What a page may do is said in the page itself, by hashes; it still belongs to nobody else's frame.
const PAGE_POLICY: &str = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'";

pub(super) fn endpoints() -> Vec<Endpoint> {
    /// An endpoint for one format.
    macro_rules! report {
        ($format:expr, $ending:literal, $media:literal, $says:literal) => {
            Endpoint::get(
                concat!("/api/test/runs/{id}/report.", $ending),
                |State(service): State<Arc<Service>>, Id(id): Id| async move {
                    report(&service, &id, $format, $media).await
                },
            )
            .says($says)
            .gives_media(200, $media, "The report")
            .fails(&[404, 409])
        };
    }
    vec![
        report!(Format::Html, "html", "text/html; charset=utf-8", "A run as a page"),
        report!(Format::Json, "json", "application/json", "A run as its whole record"),
        report!(Format::Markdown, "md", "text/markdown; charset=utf-8", "A run as Markdown"),
        report!(
            Format::Csv,
            "csv",
            "text/csv; charset=utf-8",
            "A run's observations or a load's seconds, a row each"
        )
        .fails(&[410]),
        report!(Format::Junit, "xml", "application/xml", "A run as JUnit XML"),
        report!(Format::Sarif, "sarif", "application/sarif+json", "A run as SARIF 2.1.0"),
    ]
}

async fn report(
    service: &Service,
    id: &RunId,
    format: Format,
    media: &'static str,
) -> Result<Response, Problem> {
    let none = |detail: String| Problem::new(StatusCode::CONFLICT, detail);
    let job = service.job_of(id).await?;
    if let Some(job) = job.as_ref().filter(|job| !job.state.is_over()) {
        return Err(none(format!("run `{id}` is not over: it is {}", job.state.as_str())));
    }
    let run = job.as_ref().and_then(|job| job.run.clone()).unwrap_or_else(|| id.clone());
    let turn = service.rendering.turn().await?;
    let record = service.store.load(&run).await.map_err(|error| match (error.kind(), job) {
        (StoreErrorKind::NotFound, Some(job)) => {
            none(format!("run `{id}` left no record: it is {}", job.state.as_str()))
        }
        _ => Problem::from(error),
    })?;
    format.check(&record).map_err(|gone| Problem::new(StatusCode::GONE, gone.to_string()))?;
    let trend = match format {
        Format::Html => trend(&earlier(service.store.as_ref(), &record).await),
        _ => Vec::new(),
    };
    let options = RenderOptions { trend, ..RenderOptions::default() };
    let rendered = turn.make("the report", move || render(format, &record, &options)).await?;
    let bytes = rendered.map_err(|error| cannot("the report", &error))?;
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    if format == Format::Html {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    }
    let name = format!("inline; filename=\"{run}.{}\"", format.ending());
    headers.extend(HeaderValue::from_str(&name).ok().map(|value| (CONTENT_DISPOSITION, value)));
    Ok(response)
}

/// Earlier runs, as a page draws them.
pub fn trend(runs: &[RunSummary]) -> Vec<TrendPoint> {
    let point = |run: &RunSummary| TrendPoint {
        id: run.id.clone(),
        started_at: run.started_at,
        conclusion: run.conclusion,
        accuracy: run.accuracy,
        false_positive_rate: run.false_positive_rate,
        p95_ms: run.p95_ms,
        phrases: run.phrases,
    };
    runs.iter().map(point).collect()
}
