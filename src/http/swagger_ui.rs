//! Page that shows OpenAPI documents in the browser (Swagger UI), and the files that the page loads.
//!
//! The page works offline: its content security policy allows no other host.

use std::io::Read;
use std::sync::LazyLock;

use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use flate2::read::GzDecoder;

/// Content security policy of the page. Swagger UI sets inline styles and has `data:` images in its CSS.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
const START: &[u8] = include_bytes!("docs/start.js");
const BUNDLE: &[u8] = include_bytes!("docs/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("docs/swagger-ui.css.gz");

/// Uncompressed bundle for clients without gzip. Unpacked at the first use.
static BUNDLE_PLAIN: LazyLock<Bytes> = LazyLock::new(|| gunzip(BUNDLE));
static STYLE_PLAIN: LazyLock<Bytes> = LazyLock::new(|| gunzip(STYLE));

const NO_SNIFFING: [(HeaderName, &str); 1] = [(X_CONTENT_TYPE_OPTIONS, "nosniff")];

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// Media type of the page.
pub const PAGE_MEDIA_TYPE: &str = "text/html; charset=utf-8";
/// Media types of the page's files.
pub const FILE_MEDIA_TYPES: [&str; 2] = [CSS, JAVASCRIPT];

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
        let policy = [(CONTENT_SECURITY_POLICY, CSP)];
        (NO_SNIFFING, policy, Html(page)).into_response()
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
    let (media_type, compressed, plain) = match name {
        "start.js" => {
            let content_type = [(CONTENT_TYPE, JAVASCRIPT)];
            return Some((NO_SNIFFING, content_type, START).into_response());
        }
        "swagger-ui-bundle.js" => (JAVASCRIPT, BUNDLE, &BUNDLE_PLAIN),
        "swagger-ui.css" => (CSS, STYLE, &STYLE_PLAIN),
        _ => return None,
    };
    let common = [(CONTENT_TYPE, media_type), (VARY, "accept-encoding")];
    let response = if accepts_gzip(headers) {
        let encoding = [(CONTENT_ENCODING, "gzip")];
        (NO_SNIFFING, common, encoding, compressed).into_response()
    } else {
        (NO_SNIFFING, common, Bytes::clone(plain)).into_response()
    };
    Some(response)
}

/// `true` if the client names gzip in `Accept-Encoding`. Without that header the file is sent
/// uncompressed, as clients other than browsers expect.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let mut items = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    items.any(|item| {
        let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
        let is_refused = parameters.trim().trim_end_matches(['0', '.']) == "q=";
        coding.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

fn gunzip(compressed: &[u8]) -> Bytes {
    let mut bytes = Vec::new();
    // The built-in files are valid gzip, which a test checks.
    let _ = GzDecoder::new(compressed).read_to_end(&mut bytes);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_gzip_requires_gzip_with_nonzero_quality() {
        let is_accepted = |accept: &str| {
            let accept = accept.parse().expect("a value");
            accepts_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, accept)]))
        };
        for accept in ["gzip", "br, GZIP;q=0.5", "deflate,gzip", "gzip;q=1.0"] {
            assert!(is_accepted(accept), "{accept}");
        }
        for accept in ["", "br", "gzip;q=0", "gzip; q=0.0, identity", "x-gzip"] {
            assert!(!is_accepted(accept), "{accept}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn gunzip_of_built_in_files_returns_their_text() {
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        assert!(text(&BUNDLE_PLAIN).contains("SwaggerUIBundle"));
        assert!(text(&STYLE_PLAIN).contains(".swagger-ui"));
    }
}
