//! Digests and checksums of uploaded bodies, in headers and in the signed query.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Method;
use serde_json::json;

use super::signed_url::put_with;
use super::{assert_s3_error, get, put, put_raw, start_frozen, status_and_code};
use crate::support::{TestServer, picture};

const BODY: &str = "123456789";
/// Hex digests of [`BODY`]: the check values of the CRC catalogue, RFC 1321 and FIPS 180-4.
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

fn base64_from_hex(hex: &str) -> String {
    BASE64.encode(hex::decode(hex).expect("hex"))
}

/// Returns a digest of the same length as `hex`, but of another body.
fn other_digest(hex: &str) -> String {
    base64_from_hex(&"7".repeat(hex.len()))
}

async fn assert_stored(server: &TestServer, expected: Option<&str>, case: &str) {
    let object = get(server, "k", &[]).await;
    let stored = (object.status == 200).then(|| object.text());
    assert_eq!(stored.as_deref(), expected, "{case}");
}

#[tokio::test]
async fn put_with_digest_of_its_body_stores_it() {
    let server = start_frozen().await;
    for (name, hex) in DIGESTS {
        let digest = base64_from_hex(hex);
        let response = put(&server, "k", &[(name, &digest)], BODY).await;
        assert_eq!(
            (response.status, response.text()),
            (200, String::new()),
            "{name}"
        );
        let response = put_with(&server, &[(name, &digest)], BODY).await;
        assert_eq!(
            (response.status, response.text()),
            (200, String::new()),
            "{name}"
        );
    }
    let md5 = base64_from_hex(DIGESTS[0].1);
    let sha256 = base64_from_hex(DIGESTS[5].1);
    let headers = [
        ("content-md5", md5.as_str()),
        ("x-amz-checksum-sha256", &sha256),
    ];
    assert_eq!(put(&server, "k", &headers, BODY).await.status, 200);
    assert_stored(&server, Some(BODY), "MD5 and a checksum").await;
}

#[tokio::test]
async fn put_with_digest_of_another_body_answers_bad_digest_and_stores_nothing() {
    let server = start_frozen().await;
    for stored in [None, Some("first")] {
        if let Some(body) = stored {
            assert_eq!(put(&server, "k", &[], body).await.status, 200);
        }
        for (name, hex) in DIGESTS {
            let digest = other_digest(hex);
            let refused = put(&server, "k", &[(name, &digest)], BODY).await;
            assert_eq!(
                status_and_code(&refused),
                (400, "BadDigest".to_owned()),
                "{name}"
            );
            assert_stored(&server, stored, name).await;
            let refused = put_with(&server, &[(name, &digest)], BODY).await;
            assert_eq!(
                status_and_code(&refused),
                (400, "BadDigest".to_owned()),
                "{name}"
            );
            assert_stored(&server, stored, name).await;
        }
    }
    let expected = other_digest(DIGESTS[0].1);
    let actual = base64_from_hex(DIGESTS[0].1);
    let refused = put(&server, "k", &[("content-md5", &expected)], BODY).await;
    let elements = format!(
        "<Message>The Content-MD5 you specified did not match what we received.</Message><Key>k</Key><ExpectedDigest>{expected}</ExpectedDigest><CalculatedDigest>{actual}</CalculatedDigest>"
    );
    let reason = format!("Content-MD5: {expected}, but the body has {actual}");
    assert_s3_error(&refused, 400, "BadDigest", &elements, &reason);
    for (index, algorithm) in [
        (1, "CRC32"),
        (2, "CRC32C"),
        (3, "CRC64NVME"),
        (4, "SHA1"),
        (5, "SHA256"),
    ] {
        let (name, hex) = DIGESTS[index];
        let expected = other_digest(hex);
        let actual = base64_from_hex(hex);
        let refused = put(&server, "k", &[(name, &expected)], BODY).await;
        let elements = format!(
            "<Message>The {algorithm} you specified did not match the calculated checksum.</Message><Key>k</Key>"
        );
        let reason = format!("{name}: {expected}, but the body has {actual}");
        assert_s3_error(&refused, 400, "BadDigest", &elements, &reason);
    }
}

#[tokio::test]
async fn put_with_malformed_digest_is_refused_and_stores_nothing() {
    let server = start_frozen().await;
    let short = base64_from_hex("0102");
    for value in ["nonsense", "", "====", &short, DIGESTS[0].1] {
        let refused = put(&server, "k", &[("content-md5", value)], BODY).await;
        let elements = format!(
            "<Message>The Content-MD5 you specified was invalid.</Message><Key>k</Key><Content-MD5>{value}</Content-MD5>"
        );
        let reason = format!("Content-MD5: {value:?} is not 16 bytes in Base64");
        assert_s3_error(&refused, 400, "InvalidDigest", &elements, &reason);
        let refused = put_with(&server, &[("content-md5", value)], BODY).await;
        assert_eq!(status_and_code(&refused), (400, "InvalidDigest".to_owned()));
        for (name, _) in &DIGESTS[1..] {
            let refused = put(&server, "k", &[(name, value)], BODY).await;
            assert_eq!(
                status_and_code(&refused),
                (400, "InvalidRequest".to_owned()),
                "{name}"
            );
            let message = format!("<Message>Value for {name} header is invalid.</Message>");
            assert!(refused.text().contains(&message), "{}", refused.text());
        }
    }
    assert_stored(&server, None, "malformed").await;
}

#[tokio::test]
async fn put_with_checksums_of_several_algorithms_answers_invalid_request() {
    let server = start_frozen().await;
    let crc32 = base64_from_hex(DIGESTS[1].1);
    let sha1 = base64_from_hex(DIGESTS[4].1);
    let headers = [
        ("x-amz-checksum-crc32", crc32.as_str()),
        ("x-amz-checksum-sha1", &sha1),
    ];
    let refused = put(&server, "k", &headers, BODY).await;
    let elements = "<Message>Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.</Message><Key>k</Key>";
    let reason = "checksums: expected one, got x-amz-checksum-crc32, x-amz-checksum-sha1";
    assert_s3_error(&refused, 400, "InvalidRequest", elements, reason);
    let refused = put_with(&server, &headers, BODY).await;
    assert_s3_error(&refused, 400, "InvalidRequest", elements, reason);
    assert_stored(&server, None, "several").await;
}

#[tokio::test]
async fn put_with_sdk_checksum_algorithm_other_than_its_checksum_answers_invalid_request() {
    let server = start_frozen().await;
    let algorithm_header = "x-amz-sdk-checksum-algorithm";
    let crc32 = base64_from_hex(DIGESTS[1].1);
    let with = |algorithm| {
        [
            (algorithm_header, algorithm),
            ("x-amz-checksum-crc32", crc32.as_str()),
        ]
    };
    for (headers, expected) in [
        (&with("CRC32")[..], 200),
        (&with("crc32"), 200),
        (&with("SHA256"), 400),
        (&with("MD4"), 400),
        (&[(algorithm_header, "CRC32")], 400),
        (&[(algorithm_header, "")], 400),
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
async fn put_with_checksum_of_empty_body_in_query_ignores_it() {
    let server = start_frozen().await;
    for (algorithm, value) in [
        ("CRC32", "AAAAAA==".to_owned()),
        ("CRC32C", "AAAAAA==".to_owned()),
        ("CRC64NVME", "AAAAAAAAAAA=".to_owned()),
        (
            "SHA1",
            base64_from_hex("da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ),
        ("SHA256", base64_from_hex(EMPTY_SHA256)),
    ] {
        let lower = format!("x-amz-checksum-{}", algorithm.to_lowercase());
        // Spellings of the JavaScript SDK and the Go SDK.
        for (algorithm_parameter, checksum) in [
            ("x-amz-sdk-checksum-algorithm", lower.clone()),
            (
                "X-Amz-Sdk-Checksum-Algorithm",
                lower.replace("x-amz-checksum-", "X-Amz-Checksum-"),
            ),
        ] {
            let parameters = [
                (checksum.as_str(), value.as_str()),
                (algorithm_parameter, algorithm),
                ("x-id", "PutObject"),
            ];
            let response = put_with(&server, &parameters, BODY).await;
            assert_eq!(response.status, 200, "{checksum}: {}", response.text());
        }
        // The same checksum in a header is compared with the body.
        let refused = put(&server, "k", &[(&lower, &value)], BODY).await;
        assert_eq!(
            status_and_code(&refused),
            (400, "BadDigest".to_owned()),
            "{lower}"
        );
        let headers = format!("Content-Length: 0\r\n{lower}: {value}\r\n");
        let response = put_raw(&server, "k", &headers, b"").await;
        assert_eq!(response.status, 200, "{lower}: {}", response.text());
    }
}

#[tokio::test]
async fn put_with_content_sha256_of_another_body_answers_mismatch() {
    let server = start_frozen().await;
    let name = "x-amz-content-sha256";
    let sha256 = DIGESTS[5].1;
    for value in [sha256, &sha256.to_uppercase(), "UNSIGNED-PAYLOAD"] {
        let response = put(&server, "k", &[(name, value)], BODY).await;
        assert_eq!(response.status, 200, "{value}: {}", response.text());
    }
    let refused = put(&server, "k", &[(name, EMPTY_SHA256)], BODY).await;
    let elements = format!(
        "<Message>The provided &apos;x-amz-content-sha256&apos; header does not match what was computed.</Message><Key>k</Key><ClientComputedContentSHA256>{EMPTY_SHA256}</ClientComputedContentSHA256><S3ComputedContentSHA256>{sha256}</S3ComputedContentSHA256>"
    );
    let reason = format!("x-amz-content-sha256: {EMPTY_SHA256}, but the body has {sha256}");
    assert_s3_error(
        &refused,
        400,
        "XAmzContentSHA256Mismatch",
        &elements,
        &reason,
    );
}

#[tokio::test]
async fn put_in_chunks_with_checksum_compares_it_with_the_whole_body() {
    let server = start_frozen().await;
    // About 1 MB: the body is written to disk and arrives in many chunks.
    let body = BODY.repeat(111_111);
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let crc32c = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(body.as_bytes());
    for (checksum, expected) in [(crc32c, 200), (crc32c ^ 1, 400)] {
        let header = format!(
            "Transfer-Encoding: chunked\r\nx-amz-checksum-crc32c: {}\r\n",
            BASE64.encode(checksum.to_be_bytes())
        );
        let response = put_raw(&server, "k", &header, chunk.as_bytes()).await;
        assert_eq!(response.status, expected, "{}", response.text());
        let object = get(&server, "k", &[]).await;
        assert_eq!((object.status, object.bytes.len()), (200, body.len()));
    }
}

#[tokio::test]
async fn put_order_file_with_bad_digest_leaves_order_waiting_for_upload() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, url) = server.create_detection("live", &body).await;
    let wrong_digest = [("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")];
    let bad_digest = server
        .send(Method::PUT, &url, &wrong_digest, picture())
        .await;
    assert_eq!(status_and_code(&bad_digest), (400, "BadDigest".to_owned()));
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let path = "/api/v2/orders/ai-detection/confirm";
    let unconfirmed = server.post("live", path, &confirm).await;
    let reason = format!("order {id} is pending: 0 of 1 files uploaded");
    unconfirmed.assert_refused(400, "ORDER_FILE_NOT_UPLOADED", &reason);
    server.put(&url, picture()).await;
    server.confirm("live", &id).await;
}
