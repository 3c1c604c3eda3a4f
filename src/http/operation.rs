//! Routes of an API and the middleware around them. Each operation (a method and a path) has a name,
//! under which its requests are counted, journaled and matched by rules.

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, any_service, on};

use super::browser::Area;
use super::cors::CorsVerdict;
use super::drain_body::UnreadBody;
use super::explain_error::explain_error;
use super::fault::inject_fault;
use super::openapi::{Describe, Operation};
use super::record_body::{packed_headers, record_body};
use super::request_log::RequestLog;
use super::rule_middleware::{AccountResolver, apply_rules, is_control, no_account};
use super::{AppState, ConnectionHandle};
use crate::model::rule::ResultKind;
use crate::platform::metrics::OperationIndex;
use crate::services::fixtures::FixtureBuilder;
use crate::services::journal::{JournalEntry, RequestHead};

/// Header of every response: the number of the request in its account's journal.
pub(super) const X_MOCK_REQUEST: HeaderName = HeaderName::from_static("x-mock-request");

/// Adds an API's own middleware to one of its routes. Runs inside [`operation_middleware`], so requests
/// that it refuses are numbered and logged too.
pub type AddMiddleware = fn(&AppState, MethodRouter<AppState>) -> MethodRouter<AppState>;

/// Builder for the operations of an API and their handlers.
pub struct Routes {
    state: Option<AppState>,
    account_resolver: AccountResolver,
    add_middleware: AddMiddleware,
    operations: Vec<Operation>,
    routers: Vec<(&'static str, MethodRouter<AppState>)>,
    fallthrough_under: Option<(&'static str, Router)>,
    /// Paths whose GET handler must not answer HEAD.
    reject_head_paths: Vec<&'static str>,
}

impl Routes {
    /// Creates a builder without routes. Without a `state`, its operations can be listed but not served.
    #[must_use]
    pub fn new(state: Option<AppState>) -> Self {
        Self {
            state,
            account_resolver: no_account,
            add_middleware: |_, route| route,
            operations: Vec::new(),
            routers: Vec::new(),
            fallthrough_under: None,
            reject_head_paths: Vec::new(),
        }
    }

    /// Sets the resolver by which rules learn the account of a request, for the operations added from
    /// here on.
    #[must_use]
    pub fn account_resolver(self, account_resolver: AccountResolver) -> Self {
        Self {
            account_resolver,
            ..self
        }
    }

    /// Sets the middleware of the operations added from here on.
    #[must_use]
    pub fn with_middleware(self, add_middleware: AddMiddleware) -> Self {
        Self {
            add_middleware,
            ..self
        }
    }

    /// Forwards requests for paths below `prefix` to `router`, the router of another API, if this API
    /// has the path but not the method.
    #[must_use]
    pub fn fallthrough_under(self, prefix: &'static str, router: Router) -> Self {
        Self {
            fallthrough_under: Some((prefix, router)),
            ..self
        }
    }

    /// Sets the kind of result that orders of the operation added last have.
    #[must_use]
    pub fn produces(mut self, result_kind: ResultKind) -> Self {
        if let Some(operation) = self.operations.last_mut() {
            operation.result_kind = Some(result_kind);
        }
        self
    }

    /// Sets the builder that creates orders of the operation added last from fixtures.
    #[must_use]
    pub fn fixture_builder(mut self, fixture_builder: FixtureBuilder) -> Self {
        if let Some(operation) = self.operations.last_mut() {
            operation.fixture_builder = Some(fixture_builder);
        }
        self
    }

    /// Sets the OpenAPI documentation of the operation added last.
    #[must_use]
    pub fn docs(mut self, describe: Describe) -> Self {
        if let Some(operation) = self.operations.last_mut() {
            operation.describe = Some(describe);
        }
        self
    }

    /// Adds an operation.
    ///
    /// # Panics
    /// Panics if axum cannot route the method, which is a programming error.
    #[must_use]
    pub fn on<H, T>(
        mut self,
        name: &'static str,
        method: Method,
        path: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        if let Some(state) = &self.state {
            let filter = MethodFilter::try_from(method.clone()).expect("a method that axum routes");
            let layer_state =
                OperationLayerState::for_operation(state, name, self.account_resolver);
            let layer = from_fn_with_state(layer_state, operation_middleware);
            let route = (self.add_middleware)(state, on(filter, handler));
            self.routers.push((path, route.layer(layer)));
        }
        self.operations.push(Operation {
            name,
            method,
            path,
            result_kind: None,
            fixture_builder: None,
            describe: None,
        });
        self
    }

    /// Rejects HEAD for the GET operation added last, as `FastAPI` does. axum would answer HEAD with the
    /// GET handler.
    #[must_use]
    pub fn reject_head(mut self) -> Self {
        self.reject_head_paths
            .extend(self.operations.last().map(|operation| operation.path));
        self
    }

    /// Returns the operations in the order in which they were added.
    #[must_use]
    pub fn operations(self) -> Vec<Operation> {
        self.operations
    }

    /// Returns the router of the operations. Requests with a method that their path does not have go to
    /// `fallback`.
    pub fn into_router<H, T>(self, fallback: H) -> Router<AppState>
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        let mut router = Router::new();
        for (path, mut methods) in self.routers {
            if self.reject_head_paths.contains(&path) {
                methods = methods.on(MethodFilter::HEAD, fallback.clone());
            }
            let fallthrough = self
                .fallthrough_under
                .as_ref()
                .filter(|(prefix, _)| path.starts_with(prefix));
            router = router.route(
                path,
                match fallthrough {
                    Some((_, other_api)) => any_service(other_api.clone()).merge(methods),
                    None => methods,
                },
            );
        }
        router.method_not_allowed_fallback(fallback)
    }
}

/// State of [`operation_middleware`] for one operation.
#[derive(Clone)]
pub struct OperationLayerState {
    state: AppState,
    name: &'static str,
    metrics_index: OperationIndex,
    account_resolver: AccountResolver,
}

impl OperationLayerState {
    /// Creates the state for the operation `name`, whose accounts `account_resolver` finds.
    #[must_use]
    pub fn for_operation(
        state: &AppState,
        name: &'static str,
        account_resolver: AccountResolver,
    ) -> Self {
        Self {
            state: state.clone(),
            name,
            metrics_index: state.metrics.operation_index(name),
            account_resolver,
        }
    }
}

/// Middleware around every operation: counts and journals the request, and applies rules to it.
pub async fn operation_middleware(
    State(layer_state): State<OperationLayerState>,
    mut request: Request,
    next: Next,
) -> Response {
    let OperationLayerState {
        state,
        name,
        metrics_index,
        account_resolver,
    } = layer_state;
    let in_flight = state.metrics.start_request(metrics_index);
    let area = Area::for_path(request.uri().path());
    let entry = start_journal_entry(&state, name, &request);
    let log = RequestLog::new(&entry, name, &request, state.request_links.get());
    let connection = request
        .extensions()
        .get::<ConnectInfo<ConnectionHandle>>()
        .map(|info| info.0.clone());
    let cors = request.extensions().get::<CorsVerdict>().cloned();
    request.extensions_mut().insert(entry.clone());
    let request = request.map(|body| record_body(body, || entry.record_request()));
    let (mut request, unread_body) = UnreadBody::capture(request);
    let method = request.method().clone();
    let effect = apply_rules(&state, name, account_resolver, &entry, &mut request).await;
    let is_stub = effect.stub_response.is_some();
    let mut response = match effect.stub_response {
        Some(response) => {
            drop(request);
            response
        }
        None => next.run(request).await,
    };
    unread_body.drain().await;
    area.protect(response.headers_mut());
    if let Some(verdict) = cors {
        verdict.write(response.headers_mut());
    }
    // A rule's response is sent as the rule has it.
    if !is_stub {
        response = explain_error(&state, area, response).await;
    }
    let elapsed = in_flight.elapsed();
    let seq = entry.ensure_seq();
    response
        .headers_mut()
        .insert(X_MOCK_REQUEST, HeaderValue::from(seq));
    in_flight.finish(response.status().as_u16(), elapsed);
    log.log_response(&response, elapsed);
    let response = response.map(|body| record_body(body, || entry.record_response()));
    let connection = connection.unwrap_or_default();
    let response = connection.attach_to_body(response);
    connection.wait_until_written().await;
    match effect.fault {
        Some(fault) => inject_fault(&connection, fault, &method, response),
        None => response,
    }
}

/// Starts the journal entry of a request. Requests for the control plane get a number but are not
/// recorded, so that reading the journal does not add to it.
pub(super) fn start_journal_entry(
    state: &AppState,
    operation: &'static str,
    request: &Request,
) -> JournalEntry {
    let uri = request.uri();
    let is_recorded = !is_control(uri.path());
    let head = || RequestHead {
        method: request.method().as_str(),
        path: uri.path(),
        query: uri.query(),
        head: packed_headers(request.headers()),
    };
    state.journal.start_entry(operation, is_recorded, head)
}
