//! Page that shows an OpenAPI document in the browser (Swagger UI), and the files that the page loads.
//!
//! The page works offline: its content security policy allows no other host.

use std::sync::LazyLock;

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::response::{Html, IntoResponse, Response};

use super::embedded::EmbeddedFiles;

/// Content security policy of the page. Swagger UI sets inline styles and has `data:` images in its CSS.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

static FILES: LazyLock<EmbeddedFiles> = LazyLock::new(|| {
    EmbeddedFiles::new(&[
        ("start.js", include_bytes!("docs/start.js")),
        (
            "swagger-ui-bundle.js.gz",
            include_bytes!("docs/swagger-ui-bundle.js.gz"),
        ),
        (
            "swagger-ui.css.gz",
            include_bytes!("docs/swagger-ui.css.gz"),
        ),
    ])
});

/// Returns the page that shows the OpenAPI document at `url`. Its files are below `/docs/`.
#[must_use]
pub fn page(title: &str, url: &str) -> Response {
    let page = include_str!("docs/page.html")
        .replace("{title}", title)
        .replace("{url}", url);
    let headers = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, CSP),
    ];
    (headers, Html(page)).into_response()
}

/// Returns the file `name` below `/docs/` that the page loads. `None` if there is no such file.
#[must_use]
pub fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    FILES.respond(name, headers)
}
