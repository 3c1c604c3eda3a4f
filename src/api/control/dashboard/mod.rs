//! The dashboard: a page at `/_mock/` for people beside a test, and the files that the page loads.
//!
//! The page calls only documented operations of the control plane. It is served without the control
//! token; its calls need the token.

use std::sync::LazyLock;

use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::http::{DASHBOARD, EmbeddedFiles, PathParam, Routes};

/// Adds the routes of the page and its files.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.getDashboard", Method::GET, DASHBOARD, get_page)
        .on(
            "control.getDashboardFile",
            Method::GET,
            "/_mock/ui/{*file}",
            get_file,
        )
}

/// Content security policy of the page. File names, bodies and headers that the page shows are
/// hostile: without Trusted Types policies no text can become markup.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                   connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                   require-trusted-types-for 'script'; trusted-types 'none'";

const PAGE: &str = "index.html";

/// Lists files of `ui/` with their bytes.
macro_rules! embed {
    ($($name:literal,)*) => {
        &[$(($name, include_bytes!(concat!("ui/", $name)).as_slice()),)*]
    };
}

/// Files of the page. A test fails if a file of `ui/` is missing here.
static FILES: LazyLock<EmbeddedFiles> = LazyLock::new(|| {
    EmbeddedFiles::new(embed! {
        "accounts.js",
        "api.js",
        "app.js",
        "clock.js",
        "events.js",
        "filter.js",
        "first-steps.js",
        "format.js",
        "icon.svg",
        "inbox.js",
        "index.html",
        "order-actions.js",
        "orders.css",
        "orders.js",
        "overview.js",
        "pages.css",
        "parts.js",
        "pictures.js",
        "request.js",
        "router.js",
        "rule.js",
        "rules.js",
        "signature.js",
        "snippets.js",
        "store.js",
        "style.css",
        "timeline.js",
        "traffic.js",
        "vendor/preact.js",
        "virtual-list.js",
        "webhooks.css",
        "webhooks.js",
    })
});

async fn get_page(headers: HeaderMap, method: Method, uri: Uri) -> Response {
    respond(PAGE, &headers, &method, &uri)
}

async fn get_file(
    PathParam(name): PathParam,
    headers: HeaderMap,
    method: Method,
    uri: Uri,
) -> Response {
    respond(&name, &headers, &method, &uri)
}

fn respond(name: &str, headers: &HeaderMap, method: &Method, uri: &Uri) -> Response {
    let Some(mut response) = FILES.respond(name, headers) else {
        return super::unknown_route(method, uri);
    };
    let policies = [
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP)),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    response.headers_mut().extend(policies);
    response
}

/// Returns a redirect to the page for a browser that opens `/` or `/_mock`. `None` for all other
/// requests: the server's address is what people type, and only they accept HTML.
#[must_use]
pub fn redirect_to_dashboard(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    let is_browser = headers.get_all(ACCEPT).iter().any(accepts_html);
    if !method.is_safe() || !["/", "/_mock"].contains(&uri.path()) || !is_browser {
        return None;
    }
    let headers = [(LOCATION, DASHBOARD), (VARY, "accept")];
    Some((StatusCode::TEMPORARY_REDIRECT, headers).into_response())
}

/// `true` if the value names `text/html` itself. `*/*` is what clients of APIs send.
fn accepts_html(accept: &HeaderValue) -> bool {
    let ranges = accept.to_str().unwrap_or_default().split(',');
    let media_types = ranges.filter_map(|range| range.split(';').next());
    media_types
        .map(str::trim)
        .any(|media_type| media_type.eq_ignore_ascii_case("text/html"))
}
