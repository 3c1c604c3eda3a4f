//! Digests that a request has of its body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Method;
use serde_json::json;

use super::signed_url::put_with;
use super::{assert_refused, frozen, get, put, put_raw};
use crate::support::{TestResponse, TestServer, picture};

const BODY: &str = "123456789";
/// Digests of [`BODY`] in hex: the check values of the CRC catalogue, and those of RFC 1321 and
/// FIPS 180-4.
const DIGESTS: [(&str, &str); 6] = [
    ("content-md5", "25f9e794323b453885f5181f1b624d0b"),
    ("x-amz-checksum-crc32", "cbf43926"),
    ("x-amz-checksum-crc32c", "e3069283"),
    ("x-amz-checksum-crc64nvme", "ae8b14860a799888"),
    (
        "x-amz-checksum-sha1",
        "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    ),
    (
        "x-amz-checksum-sha256",
        "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
    ),
];
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn base64_of(hex: &str) -> String {
    BASE64.encode(hex::decode(hex).expect("hex"))
}

/// The same number of bytes, and other ones.
fn other(hex: &str) -> String {
    base64_of(&"7".repeat(hex.len()))
}

fn code(response: &TestResponse) -> (u16, String) {
    let text = response.text();
    let (_, rest) = text.split_once("<Code>").unwrap_or_default();
    let (code, _) = rest.split_once("</Code>").unwrap_or_default();
    (response.status, code.to_owned())
}

async fn assert_stored(server: &TestServer, expected: Option<&str>, what: &str) {
    let got = get(server, "k", &[]).await;
    let found = (got.status == 200).then(|| got.text());
    assert_eq!(found.as_deref(), expected, "{what}");
}

#[tokio::test]
async fn put_with_the_digest_of_its_body_stores_it() {
    let server = frozen().await;
    for (name, hex) in DIGESTS {
        let digest = base64_of(hex);
        let done = put(&server, "k", &[(name, &digest)], BODY).await;
        assert_eq!((done.status, done.text()), (200, String::new()), "{name}");
        let done = put_with(&server, &[(name, &digest)], BODY).await;
        assert_eq!((done.status, done.text()), (200, String::new()), "{name}");
    }
    let all = [
        ("content-md5", base64_of(DIGESTS[0].1)),
        ("x-amz-checksum-sha256", base64_of(DIGESTS[5].1)),
    ];
    let all = all.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(put(&server, "k", &all, BODY).await.status, 200);
    assert_stored(&server, Some(BODY), "MD5 and a checksum").await;
}

#[tokio::test]
async fn put_with_the_digest_of_another_body_answers_bad_digest_and_stores_nothing() {
    let server = frozen().await;
    for stored in [None, Some("first")] {
        if let Some(body) = stored {
            assert_eq!(put(&server, "k", &[], body).await.status, 200);
        }
        for (name, hex) in DIGESTS {
            let digest = other(hex);
            let refused = put(&server, "k", &[(name, &digest)], BODY).await;
            assert_eq!(code(&refused), (400, "BadDigest".to_owned()), "{name}");
            assert_stored(&server, stored, name).await;
            let refused = put_with(&server, &[(name, &digest)], BODY).await;
            assert_eq!(code(&refused), (400, "BadDigest".to_owned()), "{name}");
            assert_stored(&server, stored, name).await;
        }
    }
    let (expected, actual) = (other(DIGESTS[0].1), base64_of(DIGESTS[0].1));
    let refused = put(&server, "k", &[("content-md5", &expected)], BODY).await;
    let elements = format!(
        "<Message>The Content-MD5 you specified did not match what we received.</Message><Key>k</Key><ExpectedDigest>{expected}</ExpectedDigest><CalculatedDigest>{actual}</CalculatedDigest>"
    );
    let reason = format!("Content-MD5: {expected}, but the body has {actual}");
    assert_refused(&refused, 400, "BadDigest", &elements, &reason);
    for (index, algorithm) in [
        (1, "CRC32"),
        (2, "CRC32C"),
        (3, "CRC64NVME"),
        (4, "SHA1"),
        (5, "SHA256"),
    ] {
        let (name, hex) = DIGESTS[index];
        let (expected, actual) = (other(hex), base64_of(hex));
        let refused = put(&server, "k", &[(name, &expected)], BODY).await;
        let elements = format!(
            "<Message>The {algorithm} you specified did not match the calculated checksum.</Message><Key>k</Key>"
        );
        let reason = format!("{name}: {expected}, but the body has {actual}");
        assert_refused(&refused, 400, "BadDigest", &elements, &reason);
    }
}

#[tokio::test]
async fn put_with_a_malformed_digest_is_refused_and_stores_nothing() {
    let server = frozen().await;
    let short = base64_of("0102");
    for value in ["nonsense", "", "====", &short, DIGESTS[0].1] {
        let refused = put(&server, "k", &[("content-md5", value)], BODY).await;
        let elements = format!(
            "<Message>The Content-MD5 you specified was invalid.</Message><Key>k</Key><Content-MD5>{value}</Content-MD5>"
        );
        let reason = format!("Content-MD5: {value:?} is not 16 bytes in Base64");
        assert_refused(&refused, 400, "InvalidDigest", &elements, &reason);
        let refused = put_with(&server, &[("content-md5", value)], BODY).await;
        assert_eq!(code(&refused), (400, "InvalidDigest".to_owned()));
        for (name, _) in &DIGESTS[1..] {
            let refused = put(&server, "k", &[(name, value)], BODY).await;
            assert_eq!(code(&refused), (400, "InvalidRequest".to_owned()), "{name}");
            let message = format!("<Message>Value for {name} header is invalid.</Message>");
            assert!(refused.text().contains(&message), "{}", refused.text());
        }
    }
    assert_stored(&server, None, "malformed").await;
}

#[tokio::test]
async fn put_with_checksums_of_several_algorithms_answers_invalid_request() {
    let server = frozen().await;
    let (crc32, sha1) = (base64_of(DIGESTS[1].1), base64_of(DIGESTS[4].1));
    let headers = [
        ("x-amz-checksum-crc32", crc32.as_str()),
        ("x-amz-checksum-sha1", &sha1),
    ];
    let refused = put(&server, "k", &headers, BODY).await;
    let elements = "<Message>Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.</Message><Key>k</Key>";
    let reason = "checksums: expected one, got x-amz-checksum-crc32, x-amz-checksum-sha1";
    assert_refused(&refused, 400, "InvalidRequest", elements, reason);
    let refused = put_with(&server, &headers, BODY).await;
    assert_refused(&refused, 400, "InvalidRequest", elements, reason);
    assert_stored(&server, None, "several").await;
}

#[tokio::test]
async fn sdk_checksum_algorithm_has_to_be_that_of_the_checksum() {
    let server = frozen().await;
    let named = "x-amz-sdk-checksum-algorithm";
    let crc32 = base64_of(DIGESTS[1].1);
    let with = |algorithm| [(named, algorithm), ("x-amz-checksum-crc32", crc32.as_str())];
    for (headers, expected) in [
        (&with("CRC32")[..], 200),
        (&with("crc32"), 200),
        (&with("SHA256"), 400),
        (&with("MD4"), 400),
        (&[(named, "CRC32")], 400),
        (&[(named, "")], 400),
    ] {
        for response in [
            put(&server, "k", headers, BODY).await,
            put_with(&server, headers, BODY).await,
        ] {
            assert_eq!(
                response.status,
                expected,
                "{headers:?}: {}",
                response.text()
            );
            let is_invalid = response.text().contains("<Code>InvalidRequest</Code>");
            assert_eq!(is_invalid, expected == 400, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn digest_of_an_empty_body_in_the_query_is_ignored() {
    let server = frozen().await;
    for (algorithm, value) in [
        ("CRC32", "AAAAAA==".to_owned()),
        ("CRC32C", "AAAAAA==".to_owned()),
        ("CRC64NVME", "AAAAAAAAAAA=".to_owned()),
        (
            "SHA1",
            base64_of("da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ),
        ("SHA256", base64_of(EMPTY_SHA256)),
    ] {
        let lower = format!("x-amz-checksum-{}", algorithm.to_lowercase());
        // As the JavaScript SDK and the Go SDK spell them.
        for (named, checksum) in [
            ("x-amz-sdk-checksum-algorithm", lower.clone()),
            (
                "X-Amz-Sdk-Checksum-Algorithm",
                lower.replace("x-amz-checksum-", "X-Amz-Checksum-"),
            ),
        ] {
            let parameters = [
                (checksum.as_str(), value.as_str()),
                (named, algorithm),
                ("x-id", "PutObject"),
            ];
            let done = put_with(&server, &parameters, BODY).await;
            assert_eq!(done.status, 200, "{checksum}: {}", done.text());
        }
        // In a header it is of the body.
        let refused = put(&server, "k", &[(&lower, &value)], BODY).await;
        assert_eq!(code(&refused), (400, "BadDigest".to_owned()), "{lower}");
        let headers = format!("Content-Length: 0\r\n{lower}: {value}\r\n");
        let done = put_raw(&server, "k", &headers, b"").await;
        assert_eq!(done.status, 200, "{lower}: {}", done.text());
    }
}

#[tokio::test]
async fn content_sha256_of_another_body_is_refused() {
    let server = frozen().await;
    let name = "x-amz-content-sha256";
    let sha256 = DIGESTS[5].1;
    for value in [sha256, &sha256.to_uppercase(), "UNSIGNED-PAYLOAD"] {
        let done = put(&server, "k", &[(name, value)], BODY).await;
        assert_eq!(done.status, 200, "{value}: {}", done.text());
    }
    let refused = put(&server, "k", &[(name, EMPTY_SHA256)], BODY).await;
    let elements = format!(
        "<Message>The provided &apos;x-amz-content-sha256&apos; header does not match what was computed.</Message><Key>k</Key><ClientComputedContentSHA256>{EMPTY_SHA256}</ClientComputedContentSHA256><S3ComputedContentSHA256>{sha256}</S3ComputedContentSHA256>"
    );
    let reason = format!("x-amz-content-sha256: {EMPTY_SHA256}, but the body has {sha256}");
    assert_refused(
        &refused,
        400,
        "XAmzContentSHA256Mismatch",
        &elements,
        &reason,
    );
}

#[tokio::test]
async fn digest_of_a_body_in_many_pieces_is_of_all_of_them() {
    let server = frozen().await;
    // A million bytes, over and over: the body spills to disk and comes in many pieces.
    let body = BODY.repeat(111_111);
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let right = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(body.as_bytes());
    for (checksum, expected) in [(right, 200), (right ^ 1, 400)] {
        let header = format!(
            "Transfer-Encoding: chunked\r\nx-amz-checksum-crc32c: {}\r\n",
            BASE64.encode(checksum.to_be_bytes())
        );
        let response = put_raw(&server, "k", &header, chunk.as_bytes()).await;
        assert_eq!(response.status, expected, "{}", response.text());
        let got = get(&server, "k", &[]).await;
        assert_eq!((got.status, got.bytes.len()), (200, body.len()));
    }
}

#[tokio::test]
async fn order_whose_upload_has_a_bad_digest_still_waits() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, url) = server.create_detection("live", &body).await;
    let wrong = [("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")];
    let refused = server.send(Method::PUT, &url, &wrong, picture()).await;
    assert_eq!(code(&refused), (400, "BadDigest".to_owned()));
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let path = "/api/v2/orders/ai-detection/confirm";
    let refused = server.post("live", path, &confirm).await;
    let reason = format!("order {id} is pending: 0 of 1 files uploaded");
    refused.assert_refused(400, "ORDER_FILE_NOT_UPLOADED", &reason);
    server.put(&url, picture()).await;
    server.confirm("live", &id).await;
}
