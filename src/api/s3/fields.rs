//! Headers of a request, and the query parameters that replace headers.
//!
//! SDKs that presign a URL move headers such as `x-amz-meta-owner` into its query. S3 reads such a
//! parameter as the header. Names of parameters are case-insensitive.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

use crate::platform::presign;

/// Headers and query parameters of a request.
#[derive(Debug)]
pub(super) struct RequestFields<'a> {
    headers: &'a HeaderMap,
    /// Decoded parameters in their order, with names in lower case.
    query: Vec<(String, String)>,
}

impl<'a> RequestFields<'a> {
    pub fn new(parts: &'a Parts) -> Self {
        let query = presign::parameters(parts.uri.query().unwrap_or_default());
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let lower = |name: Vec<u8>| text(name).to_ascii_lowercase();
        Self {
            headers: &parts.headers,
            query: query
                .into_iter()
                .map(|(name, value)| (lower(name), text(value)))
                .collect(),
        }
    }

    pub fn headers(&self) -> &HeaderMap {
        self.headers
    }

    /// Returns the lines of a header joined by commas. `None` if there are none. `name` is in lower case.
    pub fn header(&self, name: &str) -> Option<String> {
        header(self.headers, name)
    }

    /// Returns the first query parameter with a name. `name` is in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let parameter = self.query.iter().find(|(other, _)| other == name);
        parameter.map(|(_, value)| value.as_str())
    }

    /// Returns the value of the header, else of the query parameter.
    pub fn get(&self, name: &str) -> Option<String> {
        self.header(name)
            .or_else(|| self.parameter(name).map(str::to_owned))
    }

    /// Returns the values of the header and of the query parameter.
    pub fn all(&self, name: &str) -> impl Iterator<Item = String> {
        let parameter = self.parameter(name).map(str::to_owned);
        self.header(name).into_iter().chain(parameter)
    }

    /// Returns the names of headers and query parameters that begin with `prefix`, each once.
    pub fn names_with(&self, prefix: &str) -> Vec<String> {
        let headers = self.headers.keys().map(HeaderName::as_str);
        let parameters = self.query.iter().map(|(name, _)| name.as_str());
        let all = headers.chain(parameters);
        let mut names: Vec<String> = all
            .filter(|name| name.starts_with(prefix))
            .map(str::to_owned)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Returns the lines of a header joined by commas, with U+FFFD in place of bytes that are not UTF-8. `None`
/// if there are none.
pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    (!lines.is_empty()).then(|| lines.join(","))
}
