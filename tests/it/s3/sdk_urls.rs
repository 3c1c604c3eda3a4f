//! URLs that an S3 library presigns with the mock's own key pair.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use sha2::{Digest, Sha256};

use super::frozen;

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The path and query of a URL as the AWS libraries presign it, written down anew from the
/// standard: in a region of the client's, with a signed header, parameters in any order.
fn presign(method: &str, host: &str, path: &str, extra: &str) -> String {
    let scope = "20260312/eu-north-1/s3/aws4_request";
    let query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=STUNTDOUBLEACCESSKEY%2F{}&X-Amz-Date=20260312T095500Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=content-type%3Bhost{extra}",
        scope.replace('/', "%2F")
    );
    let canonical = format!(
        "{method}\n{path}\n{query}\ncontent-type:image/png\nhost:{host}\n\ncontent-type;host\nUNSIGNED-PAYLOAD"
    );
    let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n20260312T095500Z\n{scope}\n{digest}");
    let mut key = b"AWS4stuntdouble/secret/access/key/for/tests".to_vec();
    for part in scope.split('/') {
        key = hmac(&key, part);
    }
    let signature = hex::encode(hmac(&key, &text));
    format!("{path}?X-Amz-Signature={signature}&{query}")
}

#[tokio::test]
async fn an_s3_library_puts_and_gets_under_a_key_of_its_own() {
    let server = frozen().await;
    let host = server.origin.trim_start_matches("http://").to_owned();
    let typed = [("content-type", "image/png")];
    for bucket in ["bizmori", "ai-image-detector-dev"] {
        let path = format!("/_s3/{bucket}/my%20own/%C3%BC.png");
        let put = presign("PUT", &host, &path, "&x-id=PutObject");
        let done = server.send(Method::PUT, &put, &typed, "hello").await;
        assert_eq!((done.status, done.text()), (200, String::new()));
        let get = presign("GET", &host, &path, "&x-id=GetObject");
        let got = server.send(Method::GET, &get, &typed, "").await;
        assert_eq!((got.status, got.text()), (200, "hello".to_owned()));
        assert_eq!(got.header("content-type"), "image/png");
    }
    let path = "/_s3/ai-image-detector-prod/my%20own/%C3%BC.png";
    let other_name = presign("GET", &host, path, "&x-id=GetObject");
    let got = server.send(Method::GET, &other_name, &typed, "").await;
    assert_eq!(got.text(), "hello", "one store behind both names");
}
