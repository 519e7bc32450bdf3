//! The one table of what the API does. The routes, the scopes that the gate asks for, and the
//! OpenAPI description all come from it, so that none of them can know of an operation more.

use std::collections::HashMap;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::api::{
    Console, alerts, apis, audit, decisions, described, events, exceptions, explain, incidents,
    modes, page, readiness, report, session, status, tokens,
};
use crate::conditional::{self, Target};
use crate::extract::Meant;
use crate::gate::permit;
use crate::scope::Scope;
use crate::wire;

/// The schema of a type, with what it refers to put beside it.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What an operation answers with.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// A document.
    Json(SchemaOf),
    /// Server-sent events, each with a document.
    Events(SchemaOf),
}

/// One operation.
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    /// Below `/api/v1`.
    pub(crate) path: &'static str,
    pub(crate) scope: Scope,
    pub(crate) summary: &'static str,
    pub(crate) query: Option<SchemaOf>,
    pub(crate) body: Option<SchemaOf>,
    pub(crate) answer: Answer,
    /// Besides those that every operation may answer with.
    pub(crate) refusals: &'static [u16],
    route: MethodRouter<Console>,
}

/// All operations.
pub(crate) fn all() -> Vec<Operation> {
    let mut all = looking();
    all.extend(changing());
    all.extend(for_administrators());
    all
}

/// The routes of all operations, each behind the scope that it needs and the caller's conditions.
pub(crate) fn routes(console: &Console) -> Router<Console> {
    let all = all();
    let read: HashMap<&str, MethodRouter<Console>> = all
        .iter()
        .filter(|operation| operation.has_tag())
        .map(|operation| (operation.path, operation.route.clone()))
        .collect();
    let behind = |router: Router<Console>, operation: Operation| {
        let needed = from_fn_with_state(operation.scope, permit);
        let route = match operation.method {
            Method::GET if operation.has_tag() => {
                operation.route.route_layer(from_fn(conditional::read))
            }
            Method::GET => operation.route,
            _ => {
                let read = read.get(operation.path).cloned();
                let target = Target { console: console.clone(), read };
                operation.route.route_layer(from_fn_with_state(target, conditional::change))
            }
        };
        router.route(operation.path, route.route_layer(needed))
    };
    all.into_iter().fold(Router::new(), behind)
}

fn looking() -> Vec<Operation> {
    use Scope::Read;
    vec![
        get("getStatus", "/status", Read, "Health, modes and settings", status::status)
            .gives::<wire::Status>(),
        get("listLayers", "/layers", Read, "How far each layer goes, on each site", status::layers)
            .gives::<wire::LayerList>(),
        get("getReadiness", "/readiness", Read, "Which layers may enforce, and why", readiness::of)
            .asks::<readiness::ReadinessQuery>()
            .gives::<wire::Readiness>(),
        get("explain", "/explain", Read, "What would apply to a request", explain::explain)
            .asks::<explain::ExplainQuery>()
            .gives::<wire::Explained>(),
        get("listEndpoints", "/apis", Read, "The endpoints as they were learnt", apis::list)
            .asks::<apis::ListQuery>()
            .gives::<wire::EndpointList>()
            .may(&[404]),
        get("exportOpenapi", "/apis/export", Read, "The learnt API as OpenAPI", apis::export)
            .asks::<apis::ExportQuery>()
            .gives::<serde_json::Value>(),
        get("getEndpoint", "/apis/{endpoint}", Read, "One endpoint, with its baselines", apis::one)
            .gives::<wire::Endpoint>()
            .may(&[404]),
        get("listEvents", "/events", Read, "Past events, the newest first", events::list)
            .asks::<events::EventQuery>()
            .gives::<wire::EventList>()
            .may(&[404]),
        get("followEvents", "/events/stream", Read, "Events as they happen", events::stream)
            .asks::<events::FollowQuery>()
            .streams::<wire::Event>(),
        get("getEvent", "/events/{id}", Read, "The full decision behind an event", events::one)
            .gives::<wire::EventDetail>()
            .may(&[404]),
        get("listIncidents", "/incidents", Read, "Incidents, the newest first", incidents::list)
            .asks::<incidents::IncidentQuery>()
            .gives::<wire::IncidentList>()
            .may(&[404]),
        get("getIncident", "/incidents/{id}", Read, "An incident and its findings", incidents::one)
            .gives::<wire::IncidentDetail>()
            .may(&[404]),
        get("listDecisions", "/decisions", Read, "Standing blocks and allows", decisions::list)
            .asks::<page::PageQuery>()
            .gives::<wire::DecisionList>()
            .may(&[404]),
        get("getDecision", "/decisions/{id}", Read, "One decision", decisions::one)
            .gives::<wire::Decision>()
            .may(&[404]),
        get("listExceptions", "/exceptions", Read, "Exceptions in force", exceptions::list)
            .asks::<page::PageQuery>()
            .gives::<wire::ExceptionList>()
            .may(&[404]),
        get("getException", "/exceptions/{id}", Read, "One exception", exceptions::one)
            .gives::<wire::Exception>()
            .may(&[404]),
        get("makeReport", "/report", Read, "The state of the API's security", report::make)
            .asks::<report::ReportQuery>()
            .gives::<::report::Report>(),
        get("listAudit", "/audit", Read, "Who changed what, the newest first", audit::list)
            .asks::<page::PageQuery>()
            .gives::<wire::AuditList>()
            .may(&[404]),
        get("checkAudit", "/audit/check", Read, "Is the log what was written", audit::check)
            .asks::<audit::CheckQuery>()
            .gives::<wire::AuditCheck>(),
        get("getSession", "/session", Read, "Who is calling", session::show)
            .gives::<wire::Session>(),
        get("getOpenapi", "/openapi.json", Read, "This description", described::openapi)
            .gives::<serde_json::Value>(),
    ]
}

fn changing() -> Vec<Operation> {
    use Scope::{Enforce, Tune};
    vec![
        patch("changeIncident", "/incidents/{id}", Tune, "Close or reopen", incidents::change)
            .takes::<incidents::IncidentOrder>()
            .gives::<wire::Incident>()
            .may(&[404]),
        post("makeException", "/exceptions", Tune, "An event was no attack", exceptions::make)
            .takes::<wire::ExceptionOrder>()
            .gives::<wire::Exception>()
            .may(&[404, 409]),
        delete("removeException", "/exceptions/{id}", Tune, "End one", exceptions::remove)
            .gives::<wire::Removed>()
            .may(&[404]),
        post("makeDecision", "/decisions", Enforce, "Block or allow a caller", decisions::make)
            .takes::<wire::DecisionOrder>()
            .gives::<wire::Decision>(),
        delete("removeDecision", "/decisions/{id}", Enforce, "End one", decisions::remove)
            .gives::<wire::Removed>()
            .may(&[404]),
        patch("changeLayers", "/layers", Enforce, "Switch layers", modes::change)
            .takes::<wire::ModeChange>()
            .gives::<wire::Changed>()
            .may(&[404, 409, 422]),
        post("testAlerts", "/alerts/test", Enforce, "Does what is told arrive", alerts::test)
            .gives::<wire::SinkTests>(),
        post("openSession", "/session", Scope::Read, "Log a browser in", session::open)
            .gives::<wire::Session>()
            .may(&[409]),
        delete("closeSession", "/session", Scope::Read, "Log it out", session::close)
            .gives::<wire::Session>()
            .may(&[404]),
        post("reload", "/reload", Enforce, "Read the configuration again", modes::reload)
            .gives::<wire::Reloaded>()
            .may(&[422]),
    ]
}

fn for_administrators() -> Vec<Operation> {
    use Scope::Admin;
    vec![
        get("listTokens", "/tokens", Admin, "Tokens, the newest first", tokens::list)
            .asks::<page::PageQuery>()
            .gives::<wire::TokenList>()
            .may(&[404]),
        get("getToken", "/tokens/{id}", Admin, "One token", tokens::one)
            .gives::<wire::Token>()
            .may(&[404]),
        post("makeToken", "/tokens", Admin, "Make one; it is shown this once", tokens::make)
            .takes::<wire::TokenOrder>()
            .gives::<wire::TokenMade>()
            .may(&[409]),
        delete("revokeToken", "/tokens/{id}", Admin, "Revoke one", tokens::revoke)
            .gives::<wire::Token>()
            .may(&[404]),
    ]
}

fn get<H, T>(
    id: &'static str,
    path: &'static str,
    scope: Scope,
    summary: &'static str,
    handler: H,
) -> Operation
where
    H: Handler<T, Console>,
    T: 'static,
{
    operation(Method::GET, MethodFilter::GET, (id, path, scope, summary), handler)
}

fn post<H, T>(
    id: &'static str,
    path: &'static str,
    scope: Scope,
    summary: &'static str,
    handler: H,
) -> Operation
where
    H: Handler<T, Console>,
    T: 'static,
{
    operation(Method::POST, MethodFilter::POST, (id, path, scope, summary), handler).asks::<Meant>()
}

fn patch<H, T>(
    id: &'static str,
    path: &'static str,
    scope: Scope,
    summary: &'static str,
    handler: H,
) -> Operation
where
    H: Handler<T, Console>,
    T: 'static,
{
    operation(Method::PATCH, MethodFilter::PATCH, (id, path, scope, summary), handler)
        .asks::<Meant>()
}

fn delete<H, T>(
    id: &'static str,
    path: &'static str,
    scope: Scope,
    summary: &'static str,
    handler: H,
) -> Operation
where
    H: Handler<T, Console>,
    T: 'static,
{
    operation(Method::DELETE, MethodFilter::DELETE, (id, path, scope, summary), handler)
        .asks::<Meant>()
}

fn operation<H, T>(
    method: Method,
    filter: MethodFilter,
    (id, path, scope, summary): (&'static str, &'static str, Scope, &'static str),
    handler: H,
) -> Operation
where
    H: Handler<T, Console>,
    T: 'static,
{
    Operation {
        id,
        method,
        path,
        scope,
        summary,
        query: None,
        body: None,
        answer: Answer::Json(SchemaGenerator::subschema_for::<serde_json::Value>),
        refusals: &[],
        route: on(filter, handler),
    }
}

impl Operation {
    /// Whether its answer carries an entity tag: a stream has no end to take one of.
    pub(crate) fn has_tag(&self) -> bool {
        self.method == Method::GET && matches!(self.answer, Answer::Json(_))
    }

    /// The name in its path, when it has one.
    pub(crate) fn named(&self) -> Option<&'static str> {
        let (_, rest) = self.path.split_once('{')?;
        rest.split_once('}').map(|(name, _)| name)
    }

    fn asks<T: JsonSchema>(self) -> Self {
        Self { query: Some(SchemaGenerator::subschema_for::<T>), ..self }
    }

    fn takes<T: JsonSchema>(self) -> Self {
        Self { body: Some(SchemaGenerator::subschema_for::<T>), ..self }
    }

    fn gives<T: JsonSchema>(self) -> Self {
        Self { answer: Answer::Json(SchemaGenerator::subschema_for::<T>), ..self }
    }

    fn streams<T: JsonSchema>(self) -> Self {
        Self { answer: Answer::Events(SchemaGenerator::subschema_for::<T>), ..self }
    }

    fn may(self, refusals: &'static [u16]) -> Self {
        Self { refusals, ..self }
    }
}
