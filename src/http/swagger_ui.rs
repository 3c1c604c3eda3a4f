//! A description shown in the browser: a page, and the files it needs, all from here.
//!
//! The page is Swagger UI, which asks for nothing but these files and the description, and is
//! forbidden to: its policy names no other host.

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

/// Its styles are partly written into elements, its pictures into styles.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
const START: &[u8] = include_bytes!("docs/start.js");
const BUNDLE: &[u8] = include_bytes!("docs/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("docs/swagger-ui.css.gz");

/// Inflated once, when first asked for so.
static BUNDLE_PLAIN: LazyLock<Bytes> = LazyLock::new(|| gunzip(BUNDLE));
static STYLE_PLAIN: LazyLock<Bytes> = LazyLock::new(|| gunzip(STYLE));

/// Nothing of the page is taken for what it does not say it is.
const NO_SNIFFING: [(HeaderName, &str); 1] = [(X_CONTENT_TYPE_OPTIONS, "nosniff")];

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// The page that shows the description at `url`; its files are below `/docs/`.
#[must_use]
pub fn page(title: &str, url: &str) -> Response {
    let page = include_str!("docs/page.html");
    let page = page.replace("{title}", title).replace("{url}", url);
    let policy = [(CONTENT_SECURITY_POLICY, CSP)];
    (NO_SNIFFING, policy, Html(page)).into_response()
}

/// A file that the page needs, by its name below `/docs/`.
#[must_use]
pub fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let (media_type, compressed, plain) = match name {
        "start.js" => {
            let about = [(CONTENT_TYPE, JAVASCRIPT)];
            return Some((NO_SNIFFING, about, START).into_response());
        }
        "swagger-ui-bundle.js" => (JAVASCRIPT, BUNDLE, &BUNDLE_PLAIN),
        "swagger-ui.css" => (CSS, STYLE, &STYLE_PLAIN),
        _ => return None,
    };
    let about = [(CONTENT_TYPE, media_type), (VARY, "accept-encoding")];
    let response = if accepts_gzip(headers) {
        let encoding = [(CONTENT_ENCODING, "gzip")];
        (NO_SNIFFING, about, encoding, compressed).into_response()
    } else {
        (NO_SNIFFING, about, Bytes::clone(plain)).into_response()
    };
    Some(response)
}

/// Who says nothing of encodings is given none, as clients without a browser expect.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let mut items = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    items.any(|item| {
        let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
        let none = parameters.trim().trim_end_matches(['0', '.']) == "q=";
        coding.trim().eq_ignore_ascii_case("gzip") && !none
    })
}

fn gunzip(compressed: &[u8]) -> Bytes {
    let mut bytes = Vec::new();
    // What is built in inflates; a test reads all of it.
    let _ = GzDecoder::new(compressed).read_to_end(&mut bytes);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_those_who_take_it() {
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
    fn what_is_built_in_inflates() {
        let describe = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        assert!(describe(&BUNDLE_PLAIN).contains("SwaggerUIBundle"));
        assert!(describe(&STYLE_PLAIN).contains(".swagger-ui"));
    }
}
