//! Page that shows OpenAPI documents in the browser (Swagger UI), and the files that the page loads.
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

/// Media type of the page.
pub const PAGE_MEDIA_TYPE: &str = "text/html; charset=utf-8";
/// Media types of the page's files.
pub const FILE_MEDIA_TYPES: [&str; 2] =
    ["text/css; charset=utf-8", "text/javascript; charset=utf-8"];

/// Page that shows OpenAPI documents.
#[derive(Debug)]
pub struct DocsPage<'p> {
    pub title: &'p str,
    /// Path of the page. Its files are below.
    pub path: &'p str,
    /// Name and URL of each document. Two or more documents are chosen in a list.
    pub documents: &'p [(&'p str, String)],
    /// `true` if the documents require the control token. The page then has a field for it.
    pub requires_token: bool,
}

impl DocsPage<'_> {
    /// Returns the page.
    #[must_use]
    pub fn response(&self) -> Response {
        let first_url = self.documents.first().map_or("", |(_, url)| url);
        let page = include_str!("docs/page.html")
            .replace("{title}", self.title)
            .replace("{path}", self.path)
            .replace("{choices}", &self.choices())
            .replace("{url}", first_url);
        let headers = [
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (CONTENT_SECURITY_POLICY, CSP),
        ];
        (headers, Html(page)).into_response()
    }

    /// Returns the list of documents and the field for the token, in HTML.
    fn choices(&self) -> String {
        let mut html = String::new();
        if self.documents.len() > 1 {
            let options = self
                .documents
                .iter()
                .map(|(name, url)| format!("<option value=\"{url}\">{name}</option>"));
            let options: String = options.collect();
            for part in [
                r#"<label>API <select id="api">"#,
                &options,
                "</select></label>\n",
            ] {
                html += part;
            }
        }
        if self.requires_token {
            html += "<label>Control token, value of the setting <code>control-token</code> \
                     <input id=\"token\" type=\"password\" autocomplete=\"off\"></label>\n";
        }
        html
    }
}

/// Returns the file `name` below the path of a page. `None` if there is no such file.
#[must_use]
pub fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    FILES.respond(name, headers)
}
