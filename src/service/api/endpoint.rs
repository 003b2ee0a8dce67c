//! What a resource is, who may ask for it, and who answers: one value, from which both the router and the document come.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::config::Scope;
use crate::service::{Caller, Service};

/// Makes a type's schema.
pub(super) type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

/// An answer that an endpoint may give.
#[derive(Clone, Copy)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) says: &'static str,
    pub(super) media: &'static str,
    pub(super) schema: Option<MakeSchema>,
    /// Whether the header `Location` comes with it.
    pub(super) located: bool,
    /// Where it leads: to the requests below this path that name a thing, and where in it that name stands.
    pub(super) leads: Option<(&'static str, &'static str)>,
}

/// A method of a path.
pub(super) struct Endpoint {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// What a caller needs; none for everybody.
    pub(super) scope: Option<Scope>,
    pub(super) summary: &'static str,
    /// Headers that it reads: how their values look, and what they are for.
    pub(super) headers: Vec<(&'static str, &'static str, &'static str)>,
    /// The query's members.
    pub(super) query: Option<MakeSchema>,
    /// The JSON that it takes.
    pub(super) body: Option<MakeSchema>,
    pub(super) answers: Vec<Answer>,
    /// Statuses of its problems, besides those that every endpoint may have.
    pub(super) problems: Vec<u16>,
    route: MethodRouter<Arc<Service>>,
}

pub(super) fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Endpoint {
    fn new<H, T>(method: &'static str, filter: MethodFilter, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Service>>,
        T: 'static,
    {
        Self {
            method,
            path,
            scope: Some(Scope::Read),
            summary: "",
            headers: Vec::new(),
            query: None,
            body: None,
            answers: Vec::new(),
            problems: Vec::new(),
            route: on(filter, handler),
        }
    }

    pub(super) fn get<H: Handler<T, Arc<Service>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new("get", MethodFilter::GET, path, handler)
    }

    pub(super) fn post<H: Handler<T, Arc<Service>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new("post", MethodFilter::POST, path, handler)
    }

    pub(super) fn put<H: Handler<T, Arc<Service>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new("put", MethodFilter::PUT, path, handler)
    }

    pub(super) fn delete<H: Handler<T, Arc<Service>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new("delete", MethodFilter::DELETE, path, handler)
    }

    /// What it does, in a line.
    pub(super) fn says(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// Anybody may ask.
    pub(super) fn open(self) -> Self {
        Self { scope: None, ..self }
    }

    /// Who may ask, if looking is not enough.
    pub(super) fn needs(self, scope: Scope) -> Self {
        Self { scope: Some(scope), ..self }
    }

    pub(super) fn header(mut self, name: &'static str, pattern: &'static str, says: &'static str) -> Self {
        self.headers.push((name, pattern, says));
        self
    }

    pub(super) fn query<T: JsonSchema>(self) -> Self {
        Self { query: Some(schema_of::<T>), ..self }
    }

    pub(super) fn body<T: JsonSchema>(self) -> Self {
        Self { body: Some(schema_of::<T>), ..self }
    }

    /// It answers with JSON.
    pub(super) fn gives<T: JsonSchema>(self, status: u16, says: &'static str) -> Self {
        let schema: Option<MakeSchema> = Some(schema_of::<T>);
        self.answer(Answer { status, says, media: "application/json", schema, located: false, leads: None })
    }

    /// It answers with something else than JSON.
    pub(super) fn gives_media(self, status: u16, media: &'static str, says: &'static str) -> Self {
        self.answer(Answer { status, says, media, schema: None, located: false, leads: None })
    }

    fn answer(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// The newest answer says where to look next: it is about a run.
    pub(super) fn located(mut self) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.located = true;
        }
        self.leads("/api/test/", "$response.body#/id")
    }

    /// The newest answer holds, in this place, the name of what the requests below this path are about.
    pub(super) fn leads(mut self, below: &'static str, place: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.leads = Some((below, place));
        }
        self
    }

    pub(super) fn fails(mut self, statuses: &[u16]) -> Self {
        self.problems.extend(statuses);
        self
    }

    /// Its place in the router, behind the check of who asks.
    pub(super) fn mount(self, router: Router<Arc<Service>>, service: &Arc<Service>) -> Router<Arc<Service>> {
        let Self { path, scope, route, .. } = self;
        let route = match scope {
            None => route,
            Some(scope) => route.route_layer(from_fn_with_state((Arc::clone(service), scope), check)),
        };
        router.route(path, route)
    }
}

async fn check(
    State((service, scope)): State<(Arc<Service>, Scope)>,
    request: Request,
    next: Next,
) -> Response {
    let header = &service.config.settings.service.key_header;
    match request.extensions().get::<Caller>() {
        Some(caller) => match caller.check(scope, header) {
            Ok(()) => next.run(request).await,
            Err(problem) => problem.into_response(),
        },
        // Nobody found out who asks: that must not let anybody in.
        None => Caller { name: "nobody".to_owned(), scope: None }
            .check(scope, header)
            .map_or_else(IntoResponse::into_response, IntoResponse::into_response),
    }
}
