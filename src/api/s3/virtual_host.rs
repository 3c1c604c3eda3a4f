//! Virtual-hosted style: the first label of the host names the bucket, and the path is the key alone.
//!
//! Such a request is rewritten to path style before anything reads its path. Routes, rules, the
//! journal and the browser guard then see an object like any other. The signature is verified over
//! the path as it was sent.

use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{Extensions, HeaderValue, Response, StatusCode, Uri};

use super::PREFIX;
use crate::http::{Host, Services, X_MOCK_REASON, header_line, origin_host};

/// First segment of the control plane, which is never an object.
const CONTROL: &str = "_mock";

/// Extension of a request that was sent in virtual-hosted style.
#[derive(Debug, Clone)]
pub(super) struct VirtualHostedRequest {
    /// Path as it was sent.
    path: String,
    host: String,
    bucket: &'static str,
}

/// Rewrites a request in virtual-hosted style to path style. Leaves other requests as they are.
#[must_use]
pub fn to_path_style(state: &Services, mut request: Request) -> Request {
    let Some(host) = origin_host(request.headers(), state.config.trust_forwarded) else {
        return request;
    };
    let Some(bucket) = bucket_of(state.vendors.buckets(), &host) else {
        return request;
    };
    let path = request.uri().path();
    let Some(key) = key_of(state.vendors.buckets(), path) else {
        return request;
    };
    let virtual_hosted = VirtualHostedRequest {
        path: path.to_owned(),
        bucket,
        host,
    };
    let query = match request.uri().query() {
        Some(query) => format!("?{query}"),
        None => String::new(),
    };
    let Ok(path_style) = PathAndQuery::try_from(format!("{PREFIX}/{bucket}/{key}{query}")) else {
        // Exceeds the length limit of URIs.
        return request;
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(path_style);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
        request.extensions_mut().insert(virtual_hosted);
    }
    request
}

/// Returns the bucket that the first label of the host names. `None` for a host of one label, which is
/// rather the name of a container.
fn bucket_of(mut buckets: impl Iterator<Item = &'static str>, host: &str) -> Option<&'static str> {
    let Some(Host::Name(name)) = Host::parse(host) else {
        return None;
    };
    let (label, _) = name.split_once('.')?;
    buckets.find(|bucket| bucket.eq_ignore_ascii_case(label))
}

/// Returns the key of a path in virtual-hosted style, still percent-encoded. `None` for path style and for
/// the control plane.
fn key_of(mut buckets: impl Iterator<Item = &'static str>, path: &str) -> Option<&str> {
    let relative = path.strip_prefix('/')?;
    let (first, rest) = relative.split_once('/').unwrap_or((relative, ""));
    if first == CONTROL {
        return None;
    }
    if PREFIX.strip_prefix('/') != Some(first) {
        return Some(relative);
    }
    // The endpoint of the client already has the prefix.
    let (bucket, _) = rest.split_once('/').unwrap_or((rest, ""));
    (!buckets.any(|it| it == bucket)).then_some(rest)
}

/// Returns the path as it was sent.
pub(super) fn sent_path<'a>(extensions: &'a Extensions, uri: &'a Uri) -> &'a str {
    let virtual_hosted = extensions.get::<VirtualHostedRequest>();
    virtual_hosted.map_or(uri.path(), |it| it.path.as_str())
}

/// Adds to `X-Mock-Reason` that the host names a bucket, for clients that meant another API.
pub(super) fn explain<B>(extensions: &Extensions, response: &mut Response<B>) {
    let explained_statuses = [StatusCode::FORBIDDEN, StatusCode::METHOD_NOT_ALLOWED];
    let Some(virtual_hosted) = extensions.get::<VirtualHostedRequest>() else {
        return;
    };
    let reason = response.headers().get(X_MOCK_REASON);
    if let Some(reason) = reason.and_then(|it: &HeaderValue| it.to_str().ok())
        && explained_statuses.contains(&response.status())
    {
        let VirtualHostedRequest { path, host, bucket } = virtual_hosted;
        let reason = format!("{reason}; the host {host} names the bucket {bucket}, {path} the key");
        let value = header_line(&reason);
        response.headers_mut().insert(X_MOCK_REASON, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKETS: [&str; 3] = ["bizmori", "ai-image-detector-dev", "ai-image-detector-prod"];

    #[test]
    fn bucket_of_takes_the_first_of_several_labels() {
        for (host, bucket) in [
            ("bizmori.localhost:8080", Some("bizmori")),
            ("BizMori.localhost.", Some("bizmori")),
            ("bizmori.mock.test", Some("bizmori")),
            (
                "ai-image-detector-prod.nyc3.digitaloceanspaces.com",
                Some("ai-image-detector-prod"),
            ),
            (
                "ai-image-detector-dev.s3.amazonaws.com:443",
                Some("ai-image-detector-dev"),
            ),
            ("bizmori", None),
            ("bizmori.", None),
            ("bizmori:8080", None),
            ("xbizmori.localhost", None),
            ("bizmori-x.localhost", None),
            ("api.bizmori.com", None),
            ("a.bizmori.localhost", None),
            ("localhost:8080", None),
            ("127.0.0.1:8080", None),
            ("[::1]:8080", None),
            ("bizmori.local host", None),
            ("", None),
        ] {
            assert_eq!(bucket_of(BUCKETS.into_iter(), host), bucket, "{host}");
        }
    }

    #[test]
    fn key_of_leaves_path_style_and_the_control_plane_alone() {
        for (path, key) in [
            ("/a.jpg", Some("a.jpg")),
            ("/", Some("")),
            ("//a", Some("/a")),
            ("/a%20b/c", Some("a%20b/c")),
            ("/api/v2/orders", Some("api/v2/orders")),
            ("/docs", Some("docs")),
            ("/_mocked/x", Some("_mocked/x")),
            ("//_mock/reset", Some("/_mock/reset")),
            ("/_s3/a.jpg", Some("a.jpg")),
            ("/_s3/a/b.jpg", Some("a/b.jpg")),
            ("/_s3/", Some("")),
            ("/_s3", Some("")),
            ("/_s3x/a", Some("_s3x/a")),
            ("/_s3/bizmori/a.jpg", None),
            ("/_s3/ai-image-detector-dev/a.jpg", None),
            ("/_mock", None),
            ("/_mock/", None),
            ("/_mock/reset", None),
            ("*", None),
        ] {
            assert_eq!(key_of(BUCKETS.into_iter(), path), key, "{path}");
        }
    }
}
