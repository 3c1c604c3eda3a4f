//! Operations: each method and path of a front door has a name, under which it is routed,
//! numbered in the journal, and found by rules.

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

/// Carries a request's number.
pub(super) const X_MOCK_REQUEST: HeaderName = HeaderName::from_static("x-mock-request");

/// Adds an API's middleware to one of its routes. It runs within [`operation_middleware`], so that requests that it
/// refuses are numbered and logged.
pub type AddMiddleware = fn(&AppState, MethodRouter<AppState>) -> MethodRouter<AppState>;

/// The operations of a front door, and who answers them.
pub struct Routes {
    state: Option<AppState>,
    account_resolver: AccountResolver,
    add_middleware: AddMiddleware,
    operations: Vec<Operation>,
    routers: Vec<(&'static str, MethodRouter<AppState>)>,
    fallthrough_under: Option<(&'static str, Router)>,
    /// Paths where a HEAD is not answered as a GET would be.
    reject_head_paths: Vec<&'static str>,
}

impl Routes {
    /// No routes yet. Without a context they can be listed and not served.
    #[must_use]
    pub fn new(context: Option<AppState>) -> Self {
        Self {
            state: context,
            account_resolver: no_account,
            add_middleware: |_, route| route,
            operations: Vec::new(),
            routers: Vec::new(),
            fallthrough_under: None,
            reject_head_paths: Vec::new(),
        }
    }

    /// Has rules that name an account know whose the requests are that are added from here on.
    #[must_use]
    pub fn account_resolver(self, filter: AccountResolver) -> Self {
        Self {
            account_resolver: filter,
            ..self
        }
    }

    /// Sets the middleware of the operations that are added from here on.
    #[must_use]
    pub fn with_middleware(self, add_middleware: AddMiddleware) -> Self {
        Self {
            add_middleware,
            ..self
        }
    }

    /// Leaves the methods that its paths below `prefix` have not to another front door, whose paths
    /// those are otherwise.
    #[must_use]
    pub fn fallthrough_under(self, prefix: &'static str, others: Router) -> Self {
        let among = Some((prefix, others));
        Self {
            fallthrough_under: among,
            ..self
        }
    }

    /// Says what the orders come to that the operation added last makes.
    #[must_use]
    pub fn produces(mut self, makes: ResultKind) -> Self {
        if let Some(operation) = self.operations.last_mut() {
            operation.result_kind = Some(makes);
        }
        self
    }

    /// Says who drafts the orders that the operation added last makes, where they are told in a
    /// document.
    #[must_use]
    pub fn fixture_builder(mut self, draft: FixtureBuilder) -> Self {
        if let Some(operation) = self.operations.last_mut() {
            operation.fixture_builder = Some(draft);
        }
        self
    }

    /// Describes the operation added last.
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
    /// If the method is one that axum does not route, which is a mistake in the program.
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
        if let Some(context) = &self.state {
            let filter = MethodFilter::try_from(method.clone()).expect("a method that axum routes");
            let observed = OperationLayerState::for_operation(context, name, self.account_resolver);
            let observed = from_fn_with_state(observed, operation_middleware);
            let route = (self.add_middleware)(context, on(filter, handler));
            self.routers.push((path, route.layer(observed)));
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

    /// Has a HEAD be another method than the GET that was added last, and refused, as `FastAPI` has
    /// it; axum would answer it.
    #[must_use]
    pub fn reject_head(mut self) -> Self {
        self.reject_head_paths
            .extend(self.operations.last().map(|it| it.path));
        self
    }

    /// The operations, in the order they were added.
    #[must_use]
    pub fn operations(self) -> Vec<Operation> {
        self.operations
    }

    /// The router that serves them; methods that a path has not are `rest`'s.
    pub fn into_router<H, T>(self, rest: H) -> Router<AppState>
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        let mut router = Router::new();
        for (path, mut methods) in self.routers {
            if self.reject_head_paths.contains(&path) {
                methods = methods.on(MethodFilter::HEAD, rest.clone());
            }
            let others = self.fallthrough_under.as_ref();
            let others = others.filter(|(prefix, _)| path.starts_with(prefix));
            router = router.route(
                path,
                match others {
                    Some((_, others)) => any_service(others.clone()).merge(methods),
                    None => methods,
                },
            );
        }
        router.method_not_allowed_fallback(rest)
    }
}

/// What [`operation_middleware`] knows of an operation.
#[derive(Clone)]
pub struct OperationLayerState {
    state: AppState,
    name: &'static str,
    metrics_index: OperationIndex,
    account_resolver: AccountResolver,
}

impl OperationLayerState {
    /// The operation of that name, whose requests are whose that says.
    #[must_use]
    pub fn for_operation(context: &AppState, name: &'static str, filter: AccountResolver) -> Self {
        Self {
            state: context.clone(),
            name,
            metrics_index: context.metrics.operation_index(name),
            account_resolver: filter,
        }
    }
}

/// Around every operation: the place where requests are counted and numbered, and rules apply.
pub async fn operation_middleware(
    State(observed): State<OperationLayerState>,
    mut request: Request,
    next: Next,
) -> Response {
    let OperationLayerState {
        state: context,
        name,
        metrics_index: place,
        account_resolver: filter,
    } = observed;
    let counted = context.metrics.start_request(place);
    let area = Area::for_path(request.uri().path());
    let entry = start_journal_entry(&context, name, &request);
    let log = RequestLog::new(&entry, name, &request);
    let connection = request
        .extensions()
        .get::<ConnectInfo<ConnectionHandle>>()
        .map(|info| info.0.clone());
    let cors = request.extensions().get::<CorsVerdict>().cloned();
    request.extensions_mut().insert(entry.clone());
    let request = request.map(|body| record_body(body, || entry.record_request()));
    let (mut request, leftover) = UnreadBody::capture(request);
    let method = request.method().clone();
    let ruling = apply_rules(&context, name, filter, &entry, &mut request).await;
    let mut response = match ruling.stub_response {
        Some(response) => {
            drop(request);
            response
        }
        None => next.run(request).await,
    };
    leftover.drain().await;
    area.protect(response.headers_mut());
    if let Some(verdict) = cors {
        verdict.write(response.headers_mut());
    }
    let took = counted.elapsed();
    let seq = entry.ensure_seq();
    response
        .headers_mut()
        .insert(X_MOCK_REQUEST, HeaderValue::from(seq));
    counted.finish(response.status().as_u16(), took);
    log.log_response(&response, took);
    let response = response.map(|body| record_body(body, || entry.record_response()));
    let connection = connection.unwrap_or_default();
    let response = connection.attach_to_body(response);
    connection.wait_until_written().await;
    match ruling.fault {
        Some(fault) => inject_fault(&connection, fault, &method, response),
        None => response,
    }
}

/// A request is written down, but for the control plane's: who looks at the journal is not in it.
pub(super) fn start_journal_entry(
    context: &AppState,
    operation: &'static str,
    request: &Request,
) -> JournalEntry {
    let (uri, is_kept) = (request.uri(), !is_control(request.uri().path()));
    let input_of = || RequestHead {
        method: request.method().as_str(),
        path: uri.path(),
        query: uri.query(),
        head: packed_headers(request.headers()),
    };
    context.journal.start_entry(operation, is_kept, input_of)
}
