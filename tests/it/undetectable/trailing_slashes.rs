//! Paths with trailing slashes.

use reqwest::Method;

use super::{start_frozen, start_frozen_with};
use crate::support::TestServer;

/// Returns the paths of all operations except those under `/_s3`, with `x` for each parameter.
fn paths() -> Vec<String> {
    let all = stuntdouble::app::operations().into_iter();
    let own = all.filter(|it| it.name.starts_with("undetectable.") && !it.path.starts_with("/_s3"));
    own.map(|operation| {
        let parts = operation.path.split('/');
        let filled = parts.map(|part| if part.starts_with('{') { "x" } else { part });
        filled.collect::<Vec<_>>().join("/")
    })
    .collect()
}

/// Returns the status and the `Location` of a response.
async fn send_and_read_location(server: &TestServer, method: Method, path: &str) -> (u16, String) {
    let response = server.send(method, path, &[], "").await;
    let location = response.header("location").to_owned();
    if response.status == 307 {
        assert!(response.bytes.is_empty());
        assert_ne!(response.header("x-mock-request"), "");
    }
    (response.status, location)
}

#[tokio::test]
async fn request_with_trailing_slash_is_redirected_for_any_method() {
    let server = start_frozen().await;
    let paths = paths();
    assert!(paths.len() > 9, "{paths:?}");
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
            let method: Method = method.parse().expect("a method");
            let redirected = send_and_read_location(&server, method, &format!("{path}/")).await;
            assert_eq!(redirected, (307, format!("{}{path}", server.origin)));
        }
    }
}

#[tokio::test]
async fn redirect_has_query_and_no_trailing_slashes() {
    let server = start_frozen().await;
    for (path, expected) in [
        (
            "/get-presigned-url/?file_name=a%20b.jpg&x=/",
            "/get-presigned-url?file_name=a%20b.jpg&x=/",
        ),
        ("/health//", "/health"),
        ("/health///?a=b", "/health?a=b"),
        ("/health/?", "/health"),
        ("/preview/a%20b/", "/preview/a%20b"),
    ] {
        let redirected = send_and_read_location(&server, Method::GET, path).await;
        assert_eq!(redirected, (307, format!("{}{expected}", server.origin)));
    }
}

#[tokio::test]
async fn unknown_path_with_trailing_slash_is_not_redirected() {
    let server = start_frozen().await;
    for path in [
        "/nothing/",
        "/preview/x/y/",
        "/detect/x/",
        "//",
        "/health/x/",
        "/api/v2/orders/",
        "/api/",
        "/_mock/health/",
        "/_mock/",
        "/_s3/",
        "/_s3/bizmori/",
        "/_s3/ai-image-detector-prod/results/x/y/",
    ] {
        for method in [Method::GET, Method::POST] {
            let (status, location) = send_and_read_location(&server, method, path).await;
            assert!(
                status != 307 && location.is_empty(),
                "{path}: {status} {location}"
            );
        }
    }
}

#[tokio::test]
async fn path_without_its_parameter_is_not_redirected() {
    let server = start_frozen().await;
    for path in ["/preview/", "/heatmap/", "/preview//"] {
        let redirected = send_and_read_location(&server, Method::GET, path).await;
        assert_eq!(redirected, (404, String::new()), "{path}");
    }
}

#[tokio::test]
async fn redirect_has_host_that_the_client_called() {
    let server = start_frozen_with(|config| {
        config.trust_forwarded = true;
        config.public_url = Some("https://elsewhere.test".to_owned());
    })
    .await;
    let forwarded = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "mock.test:8443"),
    ];
    for (headers, expected) in [
        (
            &[("host", "detect-image.truthscan.com")][..],
            "http://detect-image.truthscan.com/query",
        ),
        (&forwarded, "https://mock.test:8443/query"),
    ] {
        let response = server.send(Method::POST, "/query/", headers, "{}").await;
        assert_eq!(
            (response.status, response.header("location")),
            (307, expected)
        );
    }
}
