//! URLs that an S3 SDK presigns with the mock's key pair.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use sha2::{Digest, Sha256};

use super::start_frozen;

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Path and query of a URL as AWS's SDKs presign it: AWS SigV4 in a region of the client's choice, with a
/// signed header and the signature as the first parameter. Independent of the server's signer.
fn presign(method: &str, host: &str, path: &str, extra_parameters: &str) -> String {
    let scope = "20260312/eu-north-1/s3/aws4_request";
    let query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=STUNTDOUBLEACCESSKEY%2F{}&X-Amz-Date=20260312T095500Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=content-type%3Bhost{extra_parameters}",
        scope.replace('/', "%2F")
    );
    let canonical = format!(
        "{method}\n{path}\n{query}\ncontent-type:image/png\nhost:{host}\n\ncontent-type;host\nUNSIGNED-PAYLOAD"
    );
    let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
    let string_to_sign = format!("AWS4-HMAC-SHA256\n20260312T095500Z\n{scope}\n{digest}");
    let mut key = b"AWS4stuntdouble/secret/access/key/for/tests".to_vec();
    for part in scope.split('/') {
        key = hmac(&key, part);
    }
    let signature = hex::encode(hmac(&key, &string_to_sign));
    format!("{path}?X-Amz-Signature={signature}&{query}")
}

#[tokio::test]
async fn put_and_get_presigned_by_sdk_work_with_any_key_and_region() {
    let server = start_frozen().await;
    let host = server.origin.trim_start_matches("http://").to_owned();
    let content_type = [("content-type", "image/png")];
    for bucket in ["bizmori", "ai-image-detector-dev"] {
        let path = format!("/_s3/{bucket}/my%20own/%C3%BC.png");
        let put_url = presign("PUT", &host, &path, "&x-id=PutObject");
        let stored = server
            .send(Method::PUT, &put_url, &content_type, "hello")
            .await;
        assert_eq!((stored.status, stored.text()), (200, String::new()));
        let get_url = presign("GET", &host, &path, "&x-id=GetObject");
        let object = server.send(Method::GET, &get_url, &content_type, "").await;
        assert_eq!((object.status, object.text()), (200, "hello".to_owned()));
        assert_eq!(object.header("content-type"), "image/png");
    }
    let path = "/_s3/ai-image-detector-prod/my%20own/%C3%BC.png";
    let other_bucket_url = presign("GET", &host, path, "&x-id=GetObject");
    let object = server
        .send(Method::GET, &other_bucket_url, &content_type, "")
        .await;
    assert_eq!(
        object.text(),
        "hello",
        "both bucket names share their objects"
    );
}
