//! Who is not let in, and what they are told.

use reqwest::Method;
use serde_json::json;
use stuntdouble::platform::presign::PresignParams;

use super::{KEY, assert_refused, freeze, frozen, get, plan, put, put_raw, signer};
use crate::support::{TestResponse, TestServer};

const DENIED: &str = "<Message>Access Denied</Message><Key>k</Key>";

fn code(response: &TestResponse) -> (u16, String) {
    let text = response.text();
    let (_, rest) = text.split_once("<Code>").unwrap_or_default();
    let (code, _) = rest.split_once("</Code>").unwrap_or_default();
    assert!(!response.header("x-mock-reason").is_empty(), "{text}");
    (response.status, code.to_owned())
}

#[tokio::test]
async fn a_request_without_a_signature_is_access_denied() {
    let server = frozen().await;
    let path = "/_s3/bizmori/k";
    let response = server.send(Method::GET, path, &[], "").await;
    let why = "signature: missing in the query; use the presigned URL with all its parameters";
    assert_refused(&response, 403, "AccessDenied", DENIED, why);
    let signed = [("authorization", "AWS4-HMAC-SHA256 Credential=x")];
    let response = server.send(Method::GET, path, &signed, "").await;
    let why = "signature: in the Authorization header, which is not supported; use a presigned URL";
    assert_refused(&response, 403, "AccessDenied", DENIED, why);
}

#[tokio::test]
async fn an_expired_url_tells_when_by_the_clock() {
    let server = frozen().await;
    let url = signer().presign(&plan(&server, "GET", KEY));
    let set = async |now: &str| {
        let set = json!({"mode": "frozen", "now": now});
        server.control(Method::PUT, "/_mock/clock", &set).await;
    };
    set("2026-03-12T10:10:34.500Z").await;
    let response = server.send(Method::GET, &url, &[], "").await;
    let elements = format!(
        "<Message>Request has expired</Message><Key>{KEY}</Key><X-Amz-Expires>600</X-Amz-Expires><Expires>2026-03-12T10:10:00Z</Expires><ServerTime>2026-03-12T10:10:34Z</ServerTime>"
    );
    let why = "expired 35 s ago by the account's clock";
    assert_refused(&response, 403, "AccessDenied", &elements, why);
    set("2026-03-12T09:44:59.000Z").await;
    let response = server.send(Method::GET, &url, &[], "").await;
    let elements = format!(
        "<Message>Request is not yet valid</Message><Key>{KEY}</Key><X-Amz-Date>1773309600000</X-Amz-Date><Expires>2026-03-12T10:10:00Z</Expires><ServerTime>2026-03-12T09:44:59Z</ServerTime>"
    );
    let why = "signed 901 s ahead of the account's clock";
    assert_refused(&response, 403, "AccessDenied", &elements, why);
}

#[tokio::test]
async fn a_signature_of_something_else_shows_what_we_signed() {
    let server = frozen().await;
    let url = signer().presign(&PresignParams {
        content_type: Some("image/png"),
        ..plan(&server, "PUT", "k")
    });
    let jpeg = [("content-type", "image/jpeg")];
    let response = server.send(Method::PUT, &url, &jpeg, "x").await;
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
    let why = "signature: Content-Type was signed as image/png, sent image/jpeg";
    assert_refused(&response, 403, "SignatureDoesNotMatch", &elements, why);
    let png = [("content-type", "image/png")];
    assert_eq!(server.send(Method::PUT, &url, &png, "x").await.status, 200);
}

#[tokio::test]
async fn what_is_not_there_is_told_after_the_signature() {
    let server = frozen().await;
    let response = get(&server, "k", &[]).await;
    let why = "key: no such object in bucket bizmori: not uploaded, or deleted";
    let elements = "<Message>The specified key does not exist.</Message><Key>k</Key>";
    assert_refused(&response, 404, "NoSuchKey", elements, why);
    let url = signer().presign(&PresignParams {
        bucket: "other",
        ..plan(&server, "GET", "k")
    });
    let response = server.send(Method::GET, &url, &[], "").await;
    let elements = "<Message>The specified bucket does not exist</Message><Key>k</Key><BucketName>other</BucketName>";
    assert_refused(
        &response,
        404,
        "NoSuchBucket",
        elements,
        "bucket: other does not exist",
    );
    let url = signer().presign(&plan(&server, "HEAD", "k"));
    let head = server.send(Method::HEAD, &url, &[], "").await;
    assert_eq!(head.error_of(), (404, String::new(), why.to_owned()));
}

#[tokio::test]
async fn an_upload_over_the_limit_is_too_large_told_or_not() {
    let server =
        TestServer::with_config(|config| config.storage.object_bytes_max = 1_000_000).await;
    freeze(&server).await;
    let large = vec![0; 1_000_001];
    let response = put(&server, "k", &[], large.clone()).await;
    let elements = "<Message>Your proposed upload exceeds the maximum allowed size</Message><Key>k</Key><ProposedSize>1000001</ProposedSize><MaxSizeAllowed>1000000</MaxSizeAllowed>";
    let why = "body: too large: 1000001 bytes or more, maximum 1000000";
    assert_refused(&response, 400, "EntityTooLarge", elements, why);
    let chunked = [b"f4241\r\n", large.as_slice(), b"\r\n0\r\n\r\n"].concat();
    let response = put_raw(&server, "k", "Transfer-Encoding: chunked\r\n", &chunked).await;
    assert_eq!(code(&response), (400, "EntityTooLarge".to_owned()));
    assert_eq!(get(&server, "k", &[]).await.status, 404);
    assert_eq!(put(&server, "k", &[], &large[1..]).await.status, 200);
}

#[tokio::test]
async fn a_bucket_is_not_served() {
    let server = frozen().await;
    for path in ["/_s3", "/_s3/", "/_s3/bizmori", "/_s3/bizmori/"] {
        let response = server.send(Method::GET, path, &[], "").await;
        let elements = "<Message>The specified method is not allowed against this resource.</Message><Method>GET</Method><ResourceType>BUCKET</ResourceType>";
        let why = "path: GET on a bucket is not supported; name an object";
        assert_refused(&response, 405, "MethodNotAllowed", elements, why);
    }
}

#[tokio::test]
async fn presigned_url_with_an_authorization_header_is_refused() {
    let server = frozen().await;
    let done = put(&server, "k", &[], "first").await;
    assert_eq!(done.status, 200);
    let reason = "Authorization: a presigned URL has its signature in the query; send it without this header";
    for value in ["Bearer live", "AWS4-HMAC-SHA256 Credential=x", "Basic YTpi"] {
        let two = [("authorization", value)];
        let elements = format!(
            "<Message>Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified</Message><Key>k</Key><ArgumentName>Authorization</ArgumentName><ArgumentValue>{value}</ArgumentValue>"
        );
        for refused in [
            put(&server, "k", &two, "x").await,
            get(&server, "k", &two).await,
        ] {
            assert_refused(&refused, 400, "InvalidArgument", &elements, reason);
        }
    }
    assert_eq!(get(&server, "k", &[]).await.text(), "first");
    // Of a signature that is not whole, too.
    let path = "/_s3/bizmori/k?X-Amz-Algorithm=AWS4-HMAC-SHA256";
    let bearer = [("authorization", "Bearer live")];
    let refused = server.send(Method::GET, path, &bearer, "").await;
    assert_eq!(code(&refused), (400, "InvalidArgument".to_owned()));
    let refused = server
        .send(Method::GET, "/_s3/bizmori/k", &bearer, "")
        .await;
    assert_eq!(code(&refused), (403, "AccessDenied".to_owned()));
}
