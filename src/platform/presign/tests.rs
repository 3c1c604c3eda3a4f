//! AWS's published vector, URLs of a real library, and properties of presigned URLs.

use proptest::prelude::*;

use super::*;

const AT: Timestamp = Timestamp::from_ms(1_773_309_600_000);
const HOST: &str = "localhost:8080";

fn signer() -> Signer {
    Signer::new("stuntdouble", "stuntdouble-secret", "us-east-1")
}

fn put(key: &str) -> PresignParams<'_> {
    PresignParams {
        method: "PUT",
        origin: "http://localhost:8080",
        bucket: "bizmori",
        key,
        expires_s: 600,
        now: AT,
        content_type: None,
        signed_headers: &[],
        response_content_disposition: None,
    }
}

/// Verifies a request for `url`.
fn verify(
    method: &str,
    url: &str,
    host: &str,
    headers: &[(&str, &str)],
    now: Timestamp,
    known: &KnownHosts,
) -> Result<(), VerifyError> {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let target = &after_scheme[after_scheme.find('/').unwrap_or(0)..];
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |name: &str| {
        let header = headers.iter().find(|(header, _)| *header == name);
        header.map(|(_, value)| (*value).to_owned())
    };
    let request = PresignedRequest {
        method,
        path,
        query,
        host,
        header: &header,
    };
    signer().verify(&request, now, known, false)
}

fn verify_put(url: &str, now: Timestamp) -> Result<(), VerifyError> {
    verify("PUT", url, HOST, &[], now, &KnownHosts::default())
}

fn mismatch(verdict: Result<(), VerifyError>) -> SignatureMismatch {
    match verdict {
        Err(VerifyError::Mismatch(mismatch)) => *mismatch,
        other => panic!("not a mismatch: {other:?}"),
    }
}

#[test]
fn sign_and_verify_reproduce_the_published_vector() {
    // "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)"
    let signer = Signer::new(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "us-east-1",
    );
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host";
    let host = "examplebucket.s3.amazonaws.com";
    let canonical = CanonicalRequest {
        method: "GET",
        path: "/test.txt",
        query,
        headers: &[("host", host)],
        payload: UNSIGNED_PAYLOAD,
    };
    let scope = "20130524/us-east-1/s3/aws4_request";
    let signature = signer.sign("20130524T000000Z", scope, &canonical.to_string());
    assert_eq!(
        signature,
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
    let request = PresignedRequest {
        method: "GET",
        path: "/test.txt",
        query: &format!("{query}&X-Amz-Signature={signature}"),
        host,
        header: &|_| None,
    };
    let noon = clock::parse_amz_date("20130524T120000Z").expect("an instant");
    let none = KnownHosts::default();
    assert_eq!(signer.verify(&request, noon, &none, true), Ok(()));
}

#[test]
fn verify_accepts_urls_of_botocore() {
    // boto3 1.44.5, signature_version s3v4, endpoint_url http://localhost:8080/_s3
    let now = clock::parse_amz_date("20261121T005700Z").expect("an instant");
    let none = KnownHosts::default();
    let put = "http://localhost:8080/_s3/bizmori/temp/1/0/a%20b%2B%C3%BC%25.jpg\
        ?X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=stuntdouble%2F20261121%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20261121T005628Z&X-Amz-Expires=600\
        &X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-acl\
        &X-Amz-Signature=a7a92e2639327ab3015589e3ecef9ab63a07b6711cfd34c9f1ae468e5074b6ce";
    let headers = [("content-type", "image/jpeg"), ("x-amz-acl", "private")];
    assert_eq!(verify("PUT", put, HOST, &headers, now, &none), Ok(()));
    let get = "http://localhost:8080/_s3/bizmori/temp/1/0/a%20b%2B%C3%BC%25.jpg\
        ?response-content-disposition=attachment%3B%20filename%3D%22a%20b.jpg%22\
        &X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=stuntdouble%2F20261121%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20261121T005628Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host\
        &X-Amz-Signature=30d0b44f49eb4767315df44001eb5f78d38dba0e1eecd4457d6b7616df6bba6d";
    assert_eq!(verify("GET", get, HOST, &[], now, &none), Ok(()));
}

#[test]
fn presign_writes_parameters_in_canonical_order() {
    let url = signer().presign(&PresignParams {
        content_type: Some("image/png"),
        signed_headers: &[("x-amz-acl", "private")],
        response_content_disposition: Some("attachment; filename=\"a b.png\""),
        ..put("temp/1/0/a b+ü%.png")
    });
    let (unsigned, signature) = url.rsplit_once('=').expect("a signature");
    assert_eq!(
        unsigned,
        "http://localhost:8080/_s3/bizmori/temp/1/0/a%20b%2B%C3%BC%25.png\
         ?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=stuntdouble%2F20260312%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20260312T100000Z&X-Amz-Expires=600\
         &X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-acl\
         &response-content-disposition=attachment%3B%20filename%3D%22a%20b.png%22\
         &X-Amz-Signature"
    );
    assert_eq!(signature.len(), 64);
    let headers = [("content-type", "image/png"), ("x-amz-acl", " private ")];
    let none = KnownHosts::default();
    assert_eq!(verify("PUT", &url, HOST, &headers, AT, &none), Ok(()));
    let decoded = url
        .replace("%3B", ";")
        .replace("%2F", "/")
        .replace("%20b", "+b")
        .replacen("a+b", "a%20b", 1);
    assert_eq!(verify("PUT", &decoded, HOST, &headers, AT, &none), Ok(()));
}

#[test]
fn verify_accepts_only_known_hosts() {
    let url = signer().presign(&put("k"));
    let known = KnownHosts::default();
    let verify_at_mock = |known| verify("PUT", &url, "mock:9000", &[], AT, known);
    let unknown_host = mismatch(verify_at_mock(&known));
    assert!(
        unknown_host
            .canonical_request
            .contains("\nhost:mock:9000\n")
    );
    known.remember("other:1");
    known.remember(&host_of("http://LOCALHOST:8080"));
    assert_eq!(verify_at_mock(&known), Ok(()));

    let header = |_: &str| None;
    let (_, target) = url.split_once("8080").expect("a port");
    let (path, query) = target.split_once('?').expect("a query");
    let request = PresignedRequest {
        method: "PUT",
        path,
        query,
        host: "mock:9000",
        header: &header,
    };
    let strict = signer().verify(&request, AT, &known, true);
    assert_eq!(
        mismatch(strict).diagnosis,
        "signature: signed for host localhost:8080, sent to mock:9000 (strict-host)"
    );
}

#[test]
fn verify_accepts_a_url_from_15_minutes_before_its_date_until_its_expiry() {
    let url = signer().presign(&put("k"));
    assert_eq!(verify_put(&url, AT.plus_ms(599_999)), Ok(()));
    assert_eq!(
        verify_put(&url, AT.plus_ms(600_000)),
        Err(VerifyError::Expired {
            expires_s: 600,
            expires: AT.plus_ms(600_000)
        })
    );
    assert_eq!(verify_put(&url, AT.plus_ms(-900_000)), Ok(()));
    assert_eq!(
        verify_put(&url, AT.plus_ms(-900_001)),
        Err(VerifyError::NotYetValid {
            date: AT,
            expires: AT.plus_ms(600_000)
        })
    );
}

#[test]
fn verify_malformed_parameters_answers_with_s3_s_messages() {
    let url = signer().presign(&put("k"));
    let message_after = |from: &str, to: &str| match verify_put(&url.replace(from, to), AT) {
        Err(VerifyError::MalformedQuery(message)) => message,
        other => panic!("{from} to {to}: {other:?}"),
    };
    assert!(message_after("X-Amz-Expires=600", "X=1").starts_with("Query-string authentication"));
    assert!(message_after("=600", "=604801").contains("less than a week"));
    assert!(message_after("=600", "=99999999999").contains("less than a week"));
    assert!(message_after("=600", "=soon").contains("should be a number"));
    assert!(message_after("=600", "=-1").contains("non-negative"));
    assert!(message_after("=600", "=600&X-Amz-Expires=601").contains("more than once"));
    assert!(message_after("SHA256", "SHA1").contains("X-Amz-Algorithm"));
    assert!(message_after("T100000Z", "").contains("yyyyMMdd"));
    assert!(message_after("%2Fs3%2F", "%2Fec2%2F").contains("incorrect service"));
    assert!(message_after("aws4_request", "aws5").contains("incorrect terminal"));
    assert!(message_after("%2F20260312", "%2F20260313").contains("incorrect date"));
    assert!(message_after("stuntdouble%2F20260312%2F", "").contains("mal-formed"));
}

#[test]
fn verify_without_valid_signature_names_the_reason() {
    let url = signer().presign(&put("k"));
    assert_eq!(
        verify_put("http://h/_s3/b/k", AT),
        Err(VerifyError::Unsigned)
    );
    assert_eq!(
        verify_put("http://h/k?AWSAccessKeyId=a&Signature=b&Expires=1", AT),
        Err(VerifyError::SignatureV2)
    );
    assert_eq!(
        verify_put(&url.replace("=stuntdouble", "=other"), AT),
        Err(VerifyError::UnknownAccessKey("other".to_owned()))
    );
    assert_eq!(
        verify_put(&url.replace("=host", "=range"), AT),
        Err(VerifyError::HostNotSigned)
    );
}

#[test]
fn diagnosis_names_the_difference_if_it_can_be_found() {
    let plain = signer().presign(&put("k"));
    let typed = signer().presign(&PresignParams {
        content_type: Some("image/png"),
        ..put("k")
    });
    let acl = signer().presign(&PresignParams {
        signed_headers: &[("x-amz-acl", "private")],
        ..put("k")
    });
    let none = KnownHosts::default();
    let diagnosis = |method: &str, url: &str, headers: &[(&str, &str)]| {
        mismatch(verify(method, url, HOST, headers, AT, &none)).diagnosis
    };
    assert_eq!(
        diagnosis("GET", &plain, &[]),
        "signature: signed for PUT, sent as GET"
    );
    assert_eq!(
        diagnosis("PUT", &typed, &[("content-type", "image/jpeg")]),
        "signature: Content-Type was signed as image/png, sent image/jpeg"
    );
    assert_eq!(
        diagnosis("PUT", &typed, &[]),
        "signature: Content-Type was signed as image/png, sent none"
    );
    assert_eq!(
        diagnosis("PUT", &acl, &[]),
        "signature: the signed header x-amz-acl was not sent"
    );
    assert!(diagnosis("PUT", &plain.replace("/k?", "/l?"), &[]).contains("CanonicalRequest"));
}

#[test]
fn host_of_is_the_host_header_of_clients() {
    assert_eq!(host_of("http://Mock:80"), "mock");
    assert_eq!(host_of("https://mock:443/"), "mock");
    assert_eq!(host_of("https://mock:80"), "mock:80");
    assert_eq!(host_of("http://[::1]:8080"), "[::1]:8080");
}

proptest! {
    #[test]
    fn presign_encodes_any_key_and_disposition_reversibly(key in ".{1,40}", disposition in ".{0,40}") {
        let url = signer().presign(&PresignParams {
            response_content_disposition: Some(&disposition),
            ..put(&key)
        });
        prop_assert!(url.is_ascii());
        prop_assert_eq!(verify_put(&url, AT), Ok(()));
        let target = url.split_once("bizmori/").and_then(|(_, rest)| rest.split_once('?'));
        let (path, query) = target.expect("a path and a query");
        let decoded: Vec<u8> = percent_encoding::percent_decode(path.as_bytes()).collect();
        prop_assert_eq!(String::from_utf8(decoded), Ok(key));
        let value = canonical::parameters(query)
            .into_iter()
            .find(|(name, _)| name == b"response-content-disposition");
        prop_assert_eq!(value.map(|(_, value)| value), Some(disposition.into_bytes()));
    }

    #[test]
    fn verify_refuses_any_changed_character_of_path_or_query(at in 0_usize..400, to in "[a-zA-Z0-9]") {
        let url = signer().presign(&PresignParams {
            response_content_disposition: Some("attachment; filename=\"x.jpg\""),
            ..put("temp/1/0/a b.jpg")
        });
        let start = url.find("/_s3").expect("a path");
        let at = start + at % (url.len() - start);
        let mut other = url.clone();
        other.replace_range(at..=at, &to);
        // Hex digits mean the same in either case, after a percent sign and in the signature.
        prop_assume!(!other.eq_ignore_ascii_case(&url));
        prop_assert!(verify_put(&other, AT).is_err(), "{}", other);
    }

    #[test]
    fn verify_accepts_parameters_in_any_order(seed in any::<u64>()) {
        let url = signer().presign(&put("k"));
        let (path, query) = url.split_once('?').expect("a query");
        let mut parts: Vec<&str> = query.split('&').collect();
        let turns = usize::try_from(seed % 6).unwrap_or(0);
        parts.rotate_left(turns);
        prop_assert_eq!(verify_put(&format!("{path}?{}", parts.join("&")), AT), Ok(()));
    }
}
