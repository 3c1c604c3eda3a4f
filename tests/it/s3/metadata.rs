//! Headers that are stored with an object and answered with it.

use reqwest::Method;
use serde_json::json;

use super::signed_url::{SignedUrl, put_with};
use super::{KEY, assert_s3_error, get, head, put, start_frozen};
use crate::support::{TestResponse, TestServer};

const STORED: [(&str, &str); 8] = [
    ("cache-control", "max-age=9, private"),
    ("content-disposition", "inline; filename=\"a.svg\""),
    ("content-encoding", "gzip"),
    ("content-language", "de, en"),
    ("expires", "Thu, 12 Mar 2026 11:00:00 GMT"),
    ("x-amz-meta-empty", ""),
    ("x-amz-meta-owner", "me and you"),
    ("x-amz-meta-x", "1"),
];

/// Returns those headers of `response` that [`STORED`] names.
fn stored_headers(response: &TestResponse) -> Vec<(&'static str, String)> {
    STORED
        .iter()
        .filter(|(name, _)| response.headers.contains_key(*name))
        .map(|(name, _)| (*name, response.header(name).to_owned()))
        .collect()
}

fn all_headers() -> Vec<(&'static str, String)> {
    STORED
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

#[tokio::test]
async fn get_and_head_answer_headers_of_the_put() {
    let server = start_frozen().await;
    assert_eq!(put(&server, KEY, &STORED, "body").await.status, 200);
    let object = get(&server, KEY, &[]).await;
    assert_eq!(
        (object.status, stored_headers(&object)),
        (200, all_headers())
    );
    let no_body = head(&server, KEY, &[]).await;
    assert_eq!(
        (no_body.status, stored_headers(&no_body)),
        (200, all_headers())
    );
    let part = get(&server, KEY, &[("range", "bytes=1-2")]).await;
    assert_eq!((part.status, stored_headers(&part)), (206, all_headers()));
    // RFC 9110 §15.4.5: a 304 has the headers that update a cached response.
    let unchanged = get(&server, KEY, &[("if-none-match", "*")]).await;
    let all = all_headers();
    let expected = vec![all[0].clone(), all[4].clone()];
    assert_eq!(
        (unchanged.status, stored_headers(&unchanged)),
        (304, expected)
    );
}

#[tokio::test]
async fn put_again_replaces_all_stored_headers() {
    let server = start_frozen().await;
    put(&server, KEY, &STORED, "first").await;
    put(&server, KEY, &[("x-amz-meta-x", "2")], "second").await;
    let object = get(&server, KEY, &[]).await;
    assert_eq!(stored_headers(&object), [("x-amz-meta-x", "2".to_owned())]);
    let empty = STORED.map(|(name, _)| (name, ""));
    put(&server, KEY, &empty[..5], "third").await;
    assert_eq!(stored_headers(&get(&server, KEY, &[]).await), []);
}

#[tokio::test]
async fn put_with_headers_in_signed_query_stores_them() {
    let server = start_frozen().await;
    assert_eq!(put_with(&server, &STORED, "body").await.status, 200);
    assert_eq!(stored_headers(&get(&server, "k", &[]).await), all_headers());
    // Spelling of the Go SDK.
    let parameters = [("X-Amz-Meta-Owner", "\u{fc}"), ("X-Amz-Acl", "private")];
    assert_eq!(put_with(&server, &parameters, "body").await.status, 200);
    let object = get(&server, "k", &[]).await;
    let owner = object.headers.get("x-amz-meta-owner").expect("a header");
    assert_eq!(owner.as_bytes(), "\u{fc}".as_bytes());
    let refused = put_with(&server, &[("x-amz-meta-owner", "a\r\nb: c")], "body").await;
    let elements = "<Message>Header or query parameter value is not valid</Message><Key>k</Key><ArgumentName>x-amz-meta-owner</ArgumentName><ArgumentValue>a&#13;\nb: c</ArgumentValue>";
    let reason = r#"x-amz-meta-owner: "a\r\nb: c" cannot be sent as a header"#;
    assert_s3_error(&refused, 400, "InvalidArgument", elements, reason);
    let refused = put_with(&server, &[("x-amz-meta-a b", "c")], "body").await;
    assert_eq!(refused.status, 400, "{}", refused.text());
}

#[tokio::test]
async fn put_with_metadata_over_limit_is_refused_and_stores_nothing() {
    let server = start_frozen().await;
    // The prefix does not count: names of 2 and 4 bytes, and the values.
    let first = "x".repeat(1_000);
    let second = "y".repeat(1_042);
    let fits = [
        ("x-amz-meta-ab", first.as_str()),
        ("x-amz-meta-cdef", &second),
    ];
    let longer = format!("{second}y");
    let over = [fits[0], (fits[1].0, longer.as_str())];
    let elements = "<Message>Your metadata headers exceed the maximum allowed metadata size</Message><Key>k</Key><Size>2049</Size><MaxSizeAllowed>2048</MaxSizeAllowed>";
    let reason = "x-amz-meta-*: 2049 bytes, at most 2048 are allowed";
    for refused in [
        put(&server, "k", &over, "x").await,
        put_with(&server, &over, "x").await,
    ] {
        assert_s3_error(&refused, 400, "MetadataTooLarge", elements, reason);
    }
    assert_eq!(get(&server, "k", &[]).await.status, 404);
    assert_eq!(put(&server, "k", &fits, "x").await.status, 200);

    let long = "x".repeat(8_200);
    let refused = put(&server, "k", &[("cache-control", &long)], "y").await;
    assert!(
        refused
            .text()
            .contains("<Code>RequestHeaderSectionTooLarge</Code>"),
        "{}",
        refused.text()
    );
    assert_eq!(get(&server, "k", &[]).await.text(), "x");
}

#[tokio::test]
async fn get_with_response_parameters_overrides_stored_headers_unless_empty() {
    let server = start_frozen().await;
    let typed = [
        ("content-type", "image/svg+xml"),
        ("content-disposition", "inline"),
    ];
    put(&server, "k", &typed, "x").await;
    let get_with = async |parameters: &[(&str, &str)]| {
        let request = SignedUrl {
            method: "GET",
            host: server.origin.trim_start_matches("http://"),
            path: "/_s3/bizmori/k",
            parameters,
            headers: "",
            body: b"",
        };
        request.send(&server).await
    };
    let names = [
        ("response-content-type", "content-type", "image/svg+xml"),
        (
            "response-content-disposition",
            "content-disposition",
            "inline",
        ),
        ("response-content-language", "content-language", ""),
        ("response-content-encoding", "content-encoding", ""),
        ("response-cache-control", "cache-control", ""),
        ("response-expires", "expires", ""),
    ];
    let empty = names.map(|(parameter, _, _)| (parameter, ""));
    let unchanged = get_with(&empty).await;
    for (_, header, stored) in names {
        assert_eq!(unchanged.header(header), stored, "{header}");
        let has_header = unchanged.headers.contains_key(header);
        assert_eq!(has_header, !stored.is_empty(), "{header}");
    }
    let overrides = names.map(|(parameter, _, _)| (parameter, "other"));
    let overridden = get_with(&overrides).await;
    for (_, header, _) in names {
        let values: Vec<_> = overridden.headers.get_all(header).iter().collect();
        assert_eq!(values, ["other"], "{header}");
    }
}

#[tokio::test]
async fn metadata_survives_restart_and_snapshot_restore() {
    let data = tempfile::tempdir().expect("a directory");
    let start = async || {
        let server =
            TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned())).await;
        server.freeze("live").await;
        server
    };
    let server = start().await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, upload) = server.create_detection("live", &body).await;
    let first = server.send(Method::PUT, &upload, &STORED, "first").await;
    assert_eq!(first.status, 200, "{}", first.text());
    let account = json!({"account": "live"});
    let path = "/_mock/snapshots/s";
    server.control(Method::PUT, path, &account).await;
    let second = server.send(Method::PUT, &upload, &[], "second").await;
    assert_eq!(second.status, 200, "{}", second.text());

    let read = async |server: &TestServer| {
        let order = server.get_order("live", &id).await;
        let url = order["originalImageUrl"].as_str().expect("a URL");
        let object = server.send(Method::GET, url, &[], "").await;
        (object.text(), stored_headers(&object))
    };
    assert_eq!(read(&server).await, ("second".to_owned(), vec![]));
    let restore = format!("{path}/restore");
    server.control(Method::POST, &restore, &account).await;
    assert_eq!(read(&server).await, ("first".to_owned(), all_headers()));
    server.stop().await;
    let restarted = start().await;
    assert_eq!(read(&restarted).await, ("first".to_owned(), all_headers()));
}

#[tokio::test]
async fn get_object_with_stored_security_headers_answers_those_of_the_server() {
    let server = start_frozen().await;
    let headers = [
        ("content-type", "text/html"),
        ("content-disposition", "inline"),
        ("x-amz-meta-content-security-policy", "none"),
        ("content-security-policy", "script-src *"),
        ("x-content-type-options", "sniff"),
    ];
    put(&server, "k", &headers, "<script>").await;
    let object = get(&server, "k", &[]).await;
    assert_eq!(object.header("content-security-policy"), "sandbox");
    assert_eq!(object.header("x-content-type-options"), "nosniff");
    let policies = object.headers.get_all("content-security-policy");
    assert_eq!(policies.iter().count(), 1);
}
