//! S3 errors: signature, expiry, missing objects, methods, keys.

use reqwest::Method;
use serde_json::json;
use stuntdouble::platform::presign::PresignParams;

use super::{
    KEY, PendingOrder, assert_s3_error, get, head, presign, presign_params, put, send_head, signer,
    start_frozen, status_and_code,
};
use crate::support::raw;

const ACCESS_DENIED: &str = "<Message>Access Denied</Message><Key>k</Key>";

#[tokio::test]
async fn get_without_signature_in_query_answers_access_denied() {
    let server = start_frozen().await;
    let path = "/_s3/bizmori/k";
    let unsigned = server.send(Method::GET, path, &[], "").await;
    let reason = "signature: none in the query; use the URL as it was given, with its parameters";
    assert_s3_error(&unsigned, 403, "AccessDenied", ACCESS_DENIED, reason);
    let authorization = [("authorization", "AWS4-HMAC-SHA256 Credential=x")];
    let signed_in_header = server.send(Method::GET, path, &authorization, "").await;
    let reason = "signature: in the Authorization header; only presigned URLs are served";
    assert_s3_error(
        &signed_in_header,
        403,
        "AccessDenied",
        ACCESS_DENIED,
        reason,
    );
}

#[tokio::test]
async fn get_outside_validity_by_default_clock_answers_access_denied() {
    let server = start_frozen().await;
    let url = presign(&server, "GET", KEY);
    let set_clock = async |now: &str| {
        let clock = json!({"mode": "frozen", "now": now});
        server.control(Method::PUT, "/_mock/clock", &clock).await;
    };
    set_clock("2026-03-12T10:10:34.500Z").await;
    let expired = server.send(Method::GET, &url, &[], "").await;
    let elements = format!(
        "<Message>Request has expired</Message><Key>{KEY}</Key><X-Amz-Expires>600</X-Amz-Expires><Expires>2026-03-12T10:10:00Z</Expires><ServerTime>2026-03-12T10:10:34Z</ServerTime>"
    );
    let reason = "expired 35 s ago by the account's clock";
    assert_s3_error(&expired, 403, "AccessDenied", &elements, reason);
    set_clock("2026-03-12T09:44:59.000Z").await;
    let early = server.send(Method::GET, &url, &[], "").await;
    let elements = format!(
        "<Message>Request is not yet valid</Message><Key>{KEY}</Key><X-Amz-Date>1773309600000</X-Amz-Date><Expires>2026-03-12T10:10:00Z</Expires><ServerTime>2026-03-12T09:44:59Z</ServerTime>"
    );
    let reason = "signed 901 s ahead of the account's clock";
    assert_s3_error(&early, 403, "AccessDenied", &elements, reason);
}

#[tokio::test]
async fn get_after_expiry_by_account_clock_answers_access_denied() {
    let order = PendingOrder::create().await;
    let key = order.file_key.as_str();
    let url = presign(&order.server, "GET", key);
    order.server.advance("live", "PT634.5S").await;
    let expired = order.server.send(Method::GET, &url, &[], "").await;
    let elements = format!(
        "<Message>Request has expired</Message><Key>{key}</Key><X-Amz-Expires>600</X-Amz-Expires><Expires>2026-03-12T10:10:00Z</Expires><ServerTime>2026-03-12T10:10:34Z</ServerTime>"
    );
    let reason = "expired 35 s ago by the account's clock";
    assert_s3_error(&expired, 403, "AccessDenied", &elements, reason);
}

#[tokio::test]
async fn get_before_signing_time_by_account_clock_answers_access_denied() {
    let order = PendingOrder::create().await;
    let params = presign_params(&order.server, "GET", &order.file_key);
    let url = signer().presign(&PresignParams {
        now: params.now.plus_ms(901_000),
        ..params
    });
    let early = order.server.send(Method::GET, &url, &[], "").await;
    assert_eq!(status_and_code(&early), (403, "AccessDenied".to_owned()));
    let reason = "signed 901 s ahead of the account's clock";
    assert_eq!(early.header("x-mock-reason"), reason);
    assert!(early.text().contains("Request is not yet valid"));
}

#[tokio::test]
async fn put_with_other_content_type_than_signed_answers_signature_does_not_match() {
    let server = start_frozen().await;
    let url = signer().presign(&PresignParams {
        content_type: Some("image/png"),
        ..presign_params(&server, "PUT", "k")
    });
    let jpeg = [("content-type", "image/jpeg")];
    let refused = server.send(Method::PUT, &url, &jpeg, "x").await;
    let (_, query) = url.split_once('?').expect("a query");
    let (query, signature) = query.split_once("&X-Amz-Signature=").expect("a signature");
    let host = server.origin.trim_start_matches("http://");
    let canonical = format!(
        "PUT\n/_s3/bizmori/k\n{query}\ncontent-type:image/jpeg\nhost:{host}\n\ncontent-type;host\nUNSIGNED-PAYLOAD"
    );
    let digest = {
        use sha2::{Digest, Sha256};
        hex::encode(Sha256::digest(canonical.as_bytes()))
    };
    let elements = format!(
        "<Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message><Key>k</Key><AWSAccessKeyId>STUNTDOUBLEACCESSKEY</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256\n20260312T100000Z\n20260312/us-east-1/s3/aws4_request\n{digest}</StringToSign><SignatureProvided>{signature}</SignatureProvided><CanonicalRequest>{}</CanonicalRequest>",
        canonical.replace('&', "&amp;")
    );
    let reason = "signature: Content-Type was signed as image/png, sent image/jpeg";
    assert_s3_error(&refused, 403, "SignatureDoesNotMatch", &elements, reason);
    let png = [("content-type", "image/png")];
    assert_eq!(server.send(Method::PUT, &url, &png, "x").await.status, 200);
}

#[tokio::test]
async fn get_missing_object_or_bucket_with_valid_signature_answers_404() {
    let server = start_frozen().await;
    let no_key = get(&server, "k", &[]).await;
    let no_key_reason = "key: nothing was uploaded to bizmori under it, or it is removed";
    let elements = "<Message>The specified key does not exist.</Message><Key>k</Key>";
    assert_s3_error(&no_key, 404, "NoSuchKey", elements, no_key_reason);
    let url = signer().presign(&PresignParams {
        bucket: "other",
        ..presign_params(&server, "GET", "k")
    });
    let no_bucket = server.send(Method::GET, &url, &[], "").await;
    let elements = "<Message>The specified bucket does not exist</Message><Key>k</Key><BucketName>other</BucketName>";
    let reason = "bucket: no other here";
    assert_s3_error(&no_bucket, 404, "NoSuchBucket", elements, reason);
    let no_body = head(&server, "k", &[]).await;
    let expected = (404, String::new(), no_key_reason.to_owned());
    assert_eq!(no_body.error_of(), expected);
}

#[tokio::test]
async fn put_with_key_over_1024_bytes_answers_key_too_long() {
    let server = start_frozen().await;
    let refused = put(&server, &"ü".repeat(513), &[], "x").await;
    let expected = (400, "KeyTooLongError".to_owned());
    assert_eq!(status_and_code(&refused), expected);
    let reason = "key: 1026 bytes, at most 1024 are allowed";
    assert_eq!(refused.header("x-mock-reason"), reason);
    let stored = put(&server, &"ü".repeat(512), &[], "x").await;
    assert_eq!(stored.status, 200, "{}", stored.text());
}

#[tokio::test]
async fn get_path_with_invalid_percent_encoding_answers_invalid_uri() {
    let server = start_frozen().await;
    for path in ["/_s3/bizmori/%ff", "/_s3/bizmori/%zz", "/_s3/bizmori/a%4"] {
        let stream = send_head(&server, "GET", path, "").await;
        let refused = raw::read_response(stream).await;
        assert_eq!(status_and_code(&refused).1, "InvalidURI", "{path}");
    }
}

#[tokio::test]
async fn unsupported_method_answers_method_not_allowed() {
    let server = start_frozen().await;
    for method in [Method::POST, Method::DELETE, Method::PATCH] {
        let url = presign(&server, method.as_str(), KEY);
        let refused = server.send(method.clone(), &url, &[], "x").await;
        let expected = (405, "MethodNotAllowed".to_owned());
        assert_eq!(status_and_code(&refused), expected);
        assert_eq!(
            refused.header("x-mock-reason"),
            format!("method: {method} is not served, only GET, HEAD, PUT, OPTIONS")
        );
        assert_eq!(refused.header("allow"), "GET, HEAD, PUT, OPTIONS");
    }
}

#[tokio::test]
async fn get_of_bucket_answers_method_not_allowed() {
    let server = start_frozen().await;
    for path in ["/_s3", "/_s3/", "/_s3/bizmori", "/_s3/bizmori/"] {
        let refused = server.send(Method::GET, path, &[], "").await;
        let elements = "<Message>The specified method is not allowed against this resource.</Message><Method>GET</Method><ResourceType>BUCKET</ResourceType>";
        let reason = "path: GET of a bucket is not served, only objects are";
        assert_s3_error(&refused, 405, "MethodNotAllowed", elements, reason);
    }
}

#[tokio::test]
async fn put_with_copy_source_answers_not_implemented() {
    let server = start_frozen().await;
    let headers = [("x-amz-copy-source", "/bizmori/k")];
    let refused = put(&server, "k", &headers, "").await;
    let expected = (501, "NotImplemented".to_owned());
    assert_eq!(status_and_code(&refused), expected);
}

#[tokio::test]
async fn presigned_request_with_authorization_header_answers_invalid_argument() {
    let server = start_frozen().await;
    let stored = put(&server, "k", &[], "first").await;
    assert_eq!(stored.status, 200);
    let reason = "Authorization: a presigned URL has its signature in the query; send it without this header";
    for value in ["Bearer live", "AWS4-HMAC-SHA256 Credential=x", "Basic YTpi"] {
        let authorization = [("authorization", value)];
        let elements = format!(
            "<Message>Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified</Message><Key>k</Key><ArgumentName>Authorization</ArgumentName><ArgumentValue>{value}</ArgumentValue>"
        );
        for refused in [
            put(&server, "k", &authorization, "x").await,
            get(&server, "k", &authorization).await,
        ] {
            assert_s3_error(&refused, 400, "InvalidArgument", &elements, reason);
        }
    }
    assert_eq!(get(&server, "k", &[]).await.text(), "first");

    let bearer = [("authorization", "Bearer live")];
    let incomplete_signature = "/_s3/bizmori/k?X-Amz-Algorithm=AWS4-HMAC-SHA256";
    for (path, expected) in [
        (incomplete_signature, (400, "InvalidArgument".to_owned())),
        ("/_s3/bizmori/k", (403, "AccessDenied".to_owned())),
    ] {
        let refused = server.send(Method::GET, path, &bearer, "").await;
        assert_eq!(status_and_code(&refused), expected, "{path}");
    }
}
