//! Headers that are stored with an object come back with it.

use reqwest::Method;
use serde_json::json;

use super::signed_url::put_with;
use super::{KEY, assert_refused, frozen, get, plan, put, signer};
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

async fn head(server: &TestServer, key: &str) -> TestResponse {
    let url = signer().presign(&plan(server, "HEAD", key));
    server.send(Method::HEAD, &url, &[], "").await
}

/// The headers of [`STORED`] that the answer has.
fn stored(response: &TestResponse) -> Vec<(&'static str, String)> {
    let sent = STORED
        .iter()
        .filter(|(name, _)| response.headers.contains_key(*name));
    sent.map(|(name, _)| (*name, response.header(name).to_owned()))
        .collect()
}

fn all() -> Vec<(&'static str, String)> {
    STORED
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

#[tokio::test]
async fn headers_of_a_put_come_back_with_every_read() {
    let server = frozen().await;
    assert_eq!(put(&server, KEY, &STORED, "body").await.status, 200);
    let got = get(&server, KEY, &[]).await;
    assert_eq!((got.status, stored(&got)), (200, all()));
    let head_answer = head(&server, KEY).await;
    assert_eq!((head_answer.status, stored(&head_answer)), (200, all()));
    let part = get(&server, KEY, &[("range", "bytes=1-2")]).await;
    assert_eq!((part.status, stored(&part)), (206, all()));
    // RFC 9110 §15.4.5: what a cache has to know.
    let known = get(&server, KEY, &[("if-none-match", "*")]).await;
    let cached = all();
    let cached = [cached[0].clone(), cached[4].clone()];
    assert_eq!((known.status, stored(&known)), (304, cached.to_vec()));
}

#[tokio::test]
async fn headers_go_with_the_object_that_they_were_put_with() {
    let server = frozen().await;
    put(&server, KEY, &STORED, "first").await;
    put(&server, KEY, &[("x-amz-meta-x", "2")], "second").await;
    let got = get(&server, KEY, &[]).await;
    assert_eq!(stored(&got), [("x-amz-meta-x", "2".to_owned())]);
    let empty = STORED.map(|(name, _)| (name, ""));
    put(&server, KEY, &empty[..5], "third").await;
    assert_eq!(stored(&get(&server, KEY, &[]).await), []);
}

#[tokio::test]
async fn headers_in_the_signed_query_are_stored_as_well() {
    let server = frozen().await;
    assert_eq!(put_with(&server, &STORED, "body").await.status, 200);
    assert_eq!(stored(&get(&server, "k", &[]).await), all());
    // As the Go SDK spells it.
    let parameters = [("X-Amz-Meta-Owner", "\u{fc}"), ("X-Amz-Acl", "private")];
    assert_eq!(put_with(&server, &parameters, "body").await.status, 200);
    let got = get(&server, "k", &[]).await;
    let owner = got.headers.get("x-amz-meta-owner").expect("a header");
    assert_eq!(owner.as_bytes(), "\u{fc}".as_bytes());
    let refused = put_with(&server, &[("x-amz-meta-owner", "a\r\nb: c")], "body").await;
    let elements = "<Message>Header or query parameter value is not valid</Message><Key>k</Key><ArgumentName>x-amz-meta-owner</ArgumentName><ArgumentValue>a&#13;\nb: c</ArgumentValue>";
    let reason = r#"x-amz-meta-owner: "a\r\nb: c" cannot be sent as a header"#;
    assert_refused(&refused, 400, "InvalidArgument", elements, reason);
    let refused = put_with(&server, &[("x-amz-meta-a b", "c")], "body").await;
    assert_eq!(refused.status, 400, "{}", refused.text());
}

#[tokio::test]
async fn metadata_over_the_limit_is_refused_and_stores_nothing() {
    let server = frozen().await;
    // The prefix does not count: 2 + 4 names and the values.
    let fits = [
        ("x-amz-meta-ab", "x".repeat(1_000)),
        ("x-amz-meta-cdef", "y".repeat(1_042)),
    ];
    let fits = fits.each_ref().map(|(name, value)| (*name, value.as_str()));
    let more = format!("{}y", fits[1].1);
    let over = [fits[0], (fits[1].0, more.as_str())];
    let elements = "<Message>Your metadata headers exceed the maximum allowed metadata size</Message><Key>k</Key><Size>2049</Size><MaxSizeAllowed>2048</MaxSizeAllowed>";
    let reason = "x-amz-meta-*: too large: 2049 bytes, maximum 2048";
    for refused in [
        put(&server, "k", &over, "x").await,
        put_with(&server, &over, "x").await,
    ] {
        assert_refused(&refused, 400, "MetadataTooLarge", elements, reason);
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
async fn response_parameters_override_what_is_stored_unless_they_are_empty() {
    let server = frozen().await;
    let typed = [
        ("content-type", "image/svg+xml"),
        ("content-disposition", "inline"),
    ];
    put(&server, "k", &typed, "x").await;
    let get_with = async |parameters: &[(&str, &str)]| {
        let request = super::signed_url::SignedUrl {
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
    let got = get_with(&empty).await;
    for (_, header, stored) in names {
        assert_eq!(got.header(header), stored, "{header}");
        let is_there = got.headers.contains_key(header);
        assert_eq!(is_there, !stored.is_empty(), "{header}");
    }
    let set = names.map(|(parameter, _, _)| (parameter, "other"));
    let got = get_with(&set).await;
    for (_, header, _) in names {
        let values: Vec<_> = got.headers.get_all(header).iter().collect();
        assert_eq!(values, ["other"], "{header}");
    }
}

#[tokio::test]
async fn metadata_outlives_restarts_and_comes_back_with_a_snapshot() {
    let data = tempfile::tempdir().expect("a directory");
    let on = async || {
        let server =
            TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned())).await;
        server.freeze("live").await;
        server
    };
    let server = on().await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, upload) = server.create_detection("live", &body).await;
    let put = server.send(Method::PUT, &upload, &STORED, "first").await;
    assert_eq!(put.status, 200, "{}", put.text());
    let account = json!({"account": "live"});
    let path = "/_mock/snapshots/s";
    server.control(Method::PUT, path, &account).await;
    let put = server.send(Method::PUT, &upload, &[], "second").await;
    assert_eq!(put.status, 200, "{}", put.text());

    let read = async |server: &TestServer| {
        let url = server.get_order("live", &id).await["originalImageUrl"].take();
        let url = url.as_str().expect("a URL").to_owned();
        let got = server.send(Method::GET, &url, &[], "").await;
        (got.text(), stored(&got))
    };
    assert_eq!(read(&server).await, ("second".to_owned(), vec![]));
    let restore = format!("{path}/restore");
    server.control(Method::POST, &restore, &account).await;
    assert_eq!(read(&server).await, ("first".to_owned(), all()));
    server.stop().await;
    let server = on().await;
    assert_eq!(read(&server).await, ("first".to_owned(), all()));
}

#[tokio::test]
async fn stored_headers_do_not_undo_what_protects_browsers() {
    let server = frozen().await;
    let headers = [
        ("content-type", "text/html"),
        ("content-disposition", "inline"),
        ("x-amz-meta-content-security-policy", "none"),
        ("content-security-policy", "script-src *"),
        ("x-content-type-options", "sniff"),
    ];
    put(&server, "k", &headers, "<script>").await;
    let got = get(&server, "k", &[]).await;
    assert_eq!(got.header("content-security-policy"), "sandbox");
    assert_eq!(got.header("x-content-type-options"), "nosniff");
    let policies = got.headers.get_all("content-security-policy");
    assert_eq!(policies.iter().count(), 1);
}
