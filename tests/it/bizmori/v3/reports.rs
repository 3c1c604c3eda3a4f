//! Reports on what was found.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::fetched;
use super::{EXTRACT, create_order, embedded, extracted, text};
use crate::support::{TestServer, code, picture};

fn path(id: &str) -> String {
    format!("/api/v3/orders/{id}/reports")
}

fn body(id: &str, kind: &str, locale: &str, status: &str, download: &str) -> String {
    format!(
        r#"{{"data":{{"orderId":"{id}","reportType":"{kind}","locale":"{locale}","status":"{status}","download":{download},"failure":null}}}}"#
    )
}

#[tokio::test]
async fn a_report_is_queued_made_and_downloaded_in_each_language() {
    let server = TestServer::start_frozen("live").await;
    let id = extracted(&server, "live", "q_detected.jpg").await;
    let kind = "watermarkDetection";
    for locale in ["ko-KR", "en-US", "ja-JP"] {
        let request_body = json!({"locale": locale});
        let queued = server.post("live", &path(&id), &request_body).await;
        let expected = body(&id, kind, locale, "queued", "null");
        assert_eq!((queued.status, queued.text()), (202, expected));
        let at = format!("{}/{locale}", path(&id));
        let processing = server.get("live", &at).await;
        let expected = body(&id, kind, locale, "processing", "null");
        assert_eq!((processing.status, processing.text()), (200, expected));
        let again = server.post("live", &path(&id), &request_body).await;
        let expected = body(&id, kind, locale, "processing", "null");
        assert_eq!((again.status, again.text()), (202, expected));
        assert_eq!(server.advance("live", "PT0.3S").await, ["order.report"]);
        let there = server.get("live", &at).await;
        let url = text(&there.json(), "/data/download/url");
        let download = format!(r#"{{"url":"{url}","expiresInSeconds":300}}"#);
        let expected = body(&id, kind, locale, "completed", &download);
        assert_eq!((there.status, there.text()), (200, expected.clone()));
        assert!(url.contains("X-Amz-Expires=300&"), "{url}");
        let pdf = fetched(&server, &url).await;
        assert!(pdf.starts_with(b"%PDF-") && pdf.ends_with(b"%%EOF") || pdf.ends_with(b"%%EOF\n"));
        let again = server.post("live", &path(&id), &request_body).await;
        assert_eq!((again.status, again.text()), (200, expected));
    }
    let order = server.get("live", &format!("/api/v3/orders/{id}")).await;
    let reports = &order.json()["data"]["result"]["reports"];
    let item = |locale: &str| json!({"locale": locale, "status": "completed"});
    assert_eq!(*reports, json!(["ko-KR", "en-US", "ja-JP"].map(item)));
}

#[tokio::test]
async fn a_report_without_a_locale_is_korean_and_detections_have_them_too() {
    let server = TestServer::start_frozen("live").await;
    let new = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options": {"generateThumbnail": true}});
    let id = server.confirm_detection("live", &new, picture()).await;
    server.advance("live", "PT1S").await;
    let headers = [("authorization", "Bearer live")];
    let queued = server.send(Method::POST, &path(&id), &headers, "").await;
    let expected = body(&id, "aiDetection", "ko-KR", "queued", "null");
    assert_eq!((queued.status, queued.text()), (202, expected));
}

#[tokio::test]
async fn a_report_that_cannot_be_is_refused() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen("live").await;
    server.freeze(key).await;
    let made_nothing_up = embedded(&server, "live", &["one"]).await;
    let test = extracted(&server, key, "a_undetected.jpg").await;
    let pending = json!({"idempotencyKey": "p", "fileName": "p.jpg"});
    let (pending, _) = server.create_detection("live", &pending).await;
    for (key, id) in [("live", &made_nothing_up), (key, &test), ("live", &pending)] {
        let response = server.post(key, &path(id), &json!({})).await;
        assert_eq!(
            (response.status, response.text()),
            (409, code("REPORT_NOT_AVAILABLE"))
        );
    }
    let id = extracted(&server, "live", "a.jpg").await;
    let unknown = server
        .post("live", &path(&id), &json!({"locale": "fr-FR"}))
        .await;
    let why = "locale: must be one of: ko-KR, en-US, ja-JP (got fr-FR)";
    unknown.assert_refused(400, "REPORT_LOCALE_UNSUPPORTED", why);
    let unknown = server.get("live", &format!("{}/fr-FR", path(&id))).await;
    unknown.assert_refused(400, "REPORT_LOCALE_UNSUPPORTED", why);
    let missing = server.get("live", &format!("{}/en-US", path(&id))).await;
    let why = format!("order {id} has no report in en-US: request it by POST");
    missing.assert_refused(404, "REPORT_NOT_FOUND", &why);
    server
        .post("live", &path(&id), &json!({"locale": "en-US"}))
        .await;
    server.advance("live", "P7D").await;
    for response in [
        server.get("live", &format!("{}/en-US", path(&id))).await,
        server
            .post("live", &path(&id), &json!({"locale": "en-US"}))
            .await,
    ] {
        assert_eq!(
            (response.status, response.text()),
            (400, code("ORDER_EXPIRED"))
        );
    }
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused_in_the_vendors_words() {
    let server = TestServer::start_frozen("live").await;
    let response = server.get("live", &format!("{}/%ff", path("%ff"))).await;
    assert_eq!(
        (response.status, response.text()),
        (400, code("VALIDATION_FAILED"))
    );
    let id = extracted(&server, "live", "q_detected.jpg").await;
    let response = server.get("live", &format!("{}/%ff", path(&id))).await;
    assert_eq!(
        (response.status, response.text()),
        (400, code("VALIDATION_FAILED"))
    );
}

/// A complete extraction by `key` from a file of that name, whose original has the other name.
async fn extracted_from(server: &TestServer, key: &str, name: &str, original: &str) -> String {
    let file = json!({"fileName": name, "originalFile": {"fileName": original}});
    let body = json!({"idempotencyKey": format!("{name} {original}"), "file": file});
    let order = create_order(server, key, EXTRACT, &body).await;
    for place in ["/files/0/uploadUrl", "/files/1/uploadUrl"] {
        server.put(&text(&order, place), picture()).await;
    }
    server.advance(key, "PT5S").await;
    text(&order, "/orderId")
}

async fn is_supported(server: &TestServer, key: &str, id: &str) -> Value {
    let detail = server
        .get(key, &format!("/api/v3/orders/{id}"))
        .await
        .json();
    detail["data"]["result"]["reportSupported"].clone()
}

#[tokio::test]
async fn reports_on_pdfs_are_in_korean_only() {
    let server = TestServer::start_frozen("live").await;
    let id = extracted_from(&server, "live", "q_detected.pdf", "o.jpg").await;
    assert_eq!(is_supported(&server, "live", &id).await, true);
    for locale in ["en-US", "ja-JP"] {
        let why = format!("locale: reports on PDFs exist in ko-KR only, got {locale}");
        let request_body = json!({"locale": locale});
        let refused = server.post("live", &path(&id), &request_body).await;
        refused.assert_refused(400, "REPORT_LOCALE_UNSUPPORTED", &why);
        let refused = server.get("live", &format!("{}/{locale}", path(&id))).await;
        refused.assert_refused(400, "REPORT_LOCALE_UNSUPPORTED", &why);
    }
    let queued = server.post("live", &path(&id), &json!({})).await;
    let expected = body(&id, "watermarkDetection", "ko-KR", "queued", "null");
    assert_eq!((queued.status, queued.text()), (202, expected));
}

#[tokio::test]
async fn extractions_of_v2_and_those_with_a_pdf_as_original_have_no_reports() {
    let server = TestServer::start_frozen("live").await;
    let new = json!({"idempotencyKey": "a", "file": {"fileName": "q_detected.jpg"}});
    let order = create_order(&server, "live", super::super::EXTRACT, &new).await;
    server
        .put(&text(&order, "/file/uploadUrl"), picture())
        .await;
    server.advance("live", "PT5S").await;
    let of_v2 = text(&order, "/orderId");
    let of_pdf = extracted_from(&server, "live", "q_detected.jpg", "o.pdf").await;
    let of_pdfs = extracted_from(&server, "live", "q_detected.pdf", "o.pdf").await;
    let unsupported = extracted_from(&server, "live", "q_unsupported.jpg", "o.jpg").await;
    for id in [of_v2, of_pdf, of_pdfs, unsupported] {
        assert_eq!(is_supported(&server, "live", &id).await, false);
        let why = format!("order {id} has no result that supports reports");
        for locale in ["ko-KR", "en-US"] {
            let request_body = json!({"locale": locale});
            let refused = server.post("live", &path(&id), &request_body).await;
            refused.assert_refused(409, "REPORT_NOT_AVAILABLE", &why);
        }
        let missing = server.get("live", &format!("{}/ko-KR", path(&id))).await;
        let why = format!("order {id} has no report in ko-KR: request it by POST");
        missing.assert_refused(404, "REPORT_NOT_FOUND", &why);
    }
}

#[tokio::test]
async fn report_of_a_test_key_is_there_at_once_as_a_sample() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen(key).await;
    let id = extracted(&server, key, "q_detected.jpg").await;
    assert_eq!(is_supported(&server, key, &id).await, true);
    let request_body = json!({"locale": "en-US"});
    for _ in 0..2 {
        let posted = server.post(key, &path(&id), &request_body).await;
        let url = text(&posted.json(), "/data/download/url");
        let download = format!(r#"{{"url":"{url}","expiresInSeconds":300}}"#);
        let expected = body(&id, "watermarkDetection", "en-US", "completed", &download);
        assert_eq!((posted.status, posted.text()), (200, expected));
        let begins = format!("{}/api/v2/test-samples/{id}.", server.origin);
        assert!(url.starts_with(&begins), "{url}");
        let sample = server.send(Method::GET, &url, &[], "").await;
        assert_eq!(
            (
                sample.status,
                sample.header("content-type"),
                sample.header("content-disposition")
            ),
            (
                200,
                "application/pdf",
                "attachment; filename=\"o.jpg-report-en-US.pdf\"; \
                 filename*=UTF-8''o%2Ejpg%2Dreport%2Den%2DUS%2Epdf"
            )
        );
        assert!(sample.bytes.starts_with(b"%PDF-"));
    }
    let got = server.get(key, &format!("{}/en-US", path(&id))).await;
    assert_eq!(
        (got.status, &got.json()["data"]["status"]),
        (200, &json!("completed"))
    );
    let detail = server
        .get(key, &format!("/api/v3/orders/{id}"))
        .await
        .json();
    let reports = json!([{"locale": "en-US", "status": "completed"}]);
    assert_eq!(detail["data"]["result"]["reports"], reports);
    let url = text(&got.json(), "/data/download/url");
    server.advance(key, "PT6M").await;
    let stale = server.send(Method::GET, &url, &[], "").await;
    assert_eq!((stale.status, stale.text()), (403, code("AUTH_FORBIDDEN")));
}

#[tokio::test]
async fn rules_are_applied_to_reports_of_test_keys() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen(key).await;
    let id = extracted(&server, key, "q_detected.jpg").await;
    let when = json!({"operation": "bizmori.createReport"});
    let slow = json!({"when": when, "times": 1, "then": {"processing": {"ms": 1000}}});
    server.control(Method::POST, "/_mock/rules", &slow).await;
    let queued = server.post(key, &path(&id), &json!({})).await;
    assert_eq!(
        (queued.status, &queued.json()["data"]["status"]),
        (202, &json!("queued"))
    );
    assert_eq!(server.advance(key, "PT1S").await, ["order.report"]);
    let created = server
        .get(key, &format!("{}/ko-KR", path(&id)))
        .await
        .json();
    let pdf = fetched(&server, &text(&created, "/data/download/url")).await;
    assert!(pdf.starts_with(b"%PDF-"));
    let failing = json!({"when": when, "times": 1, "then": {"outcome": {"status": "failed"}}});
    server.control(Method::POST, "/_mock/rules", &failing).await;
    let request_body = json!({"locale": "ja-JP"});
    let failed = server.post(key, &path(&id), &request_body).await;
    let failure = json!({"code": "PROCESSING_ERROR", "retryable": true});
    assert_eq!(
        (failed.status, &failed.json()["data"]["failure"]),
        (200, &failure)
    );
    let again = server.post(key, &path(&id), &request_body).await.json();
    assert_eq!(again["data"]["status"], "completed");
}

#[tokio::test]
async fn report_is_named_after_its_order() {
    let server = TestServer::start_frozen("live").await;
    let new = json!({"idempotencyKey": "a", "orderName": "winter", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &new, picture()).await;
    server.advance("live", "PT1S").await;
    server.post("live", &path(&id), &json!({})).await;
    server.advance("live", "PT1S").await;
    let created = server
        .get("live", &format!("{}/ko-KR", path(&id)))
        .await
        .json();
    let url = text(&created, "/data/download/url");
    let response = server.send(Method::GET, &url, &[], "").await;
    let disposition = response.header("content-disposition");
    assert!(
        disposition.contains("\"winter-report-ko-KR.pdf\""),
        "{disposition}"
    );
}
