//! Operations: each method and path of a front door has a name, under which it is routed,
//! numbered in the journal, and found by rules.

use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::leftover::Leftover;
use super::{Context, Peer};
use crate::journal::Entry;

const REQUEST: HeaderName = HeaderName::from_static("x-mock-request");

/// One method and path of a front door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// `bizmori.createAiDetection`.
    pub name: &'static str,
    pub method: Method,
    /// As axum writes it: `/api/v2/orders/{orderId}`.
    pub path: &'static str,
}

/// The operations of a front door, and who answers them.
#[derive(Default)]
pub struct Routes {
    context: Option<Context>,
    operations: Vec<Operation>,
    routers: Vec<(&'static str, MethodRouter<Context>)>,
}

impl Routes {
    /// No routes yet. Without a context they can be listed and not served.
    #[must_use]
    pub fn new(context: Option<Context>) -> Self {
        Self {
            context,
            ..Self::default()
        }
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
        H: Handler<T, Context>,
        T: 'static,
    {
        if let Some(context) = &self.context {
            let filter = MethodFilter::try_from(method.clone()).expect("a method that axum routes");
            let observed = from_fn_with_state((context.clone(), name), observe);
            self.routers
                .push((path, on(filter, handler).layer(observed)));
        }
        self.operations.push(Operation { name, method, path });
        self
    }

    /// The operations, in the order they were added.
    #[must_use]
    pub fn operations(self) -> Vec<Operation> {
        self.operations
    }

    /// The router that serves them.
    pub fn router(self) -> Router<Context> {
        self.routers
            .into_iter()
            .fold(Router::new(), |router, (path, methods)| {
                router.route(path, methods)
            })
    }
}

/// Around every operation: the place where the journal counts and rules apply.
pub async fn observe(
    State((context, name)): State<(Context, &'static str)>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let entry = Entry::default();
    let peer = request
        .extensions()
        .get::<ConnectInfo<Peer>>()
        .map(|info| info.0.clone());
    request.extensions_mut().insert(entry.clone());
    let (request, leftover) = Leftover::of(request);
    let mut response = next.run(request).await;
    leftover.read_on().await;
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let seq = context
        .journal
        .answered(&entry, name, response.status().as_u16(), duration_ms);
    response
        .headers_mut()
        .insert(REQUEST, HeaderValue::from(seq));
    peer.unwrap_or_default().tie(response)
}
