//! Reports on detections and extractions.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::fetch;
use super::{EXTRACT, complete_embed, complete_extract, create_order, text};
use crate::support::{TestServer, code, picture};

fn reports_path(id: &str) -> String {
    format!("/api/v3/orders/{id}/reports")
}

fn report_body(id: &str, kind: &str, locale: &str, status: &str, download: &str) -> String {
    format!(
        r#"{{"data":{{"orderId":"{id}","reportType":"{kind}","locale":"{locale}","status":"{status}","download":{download},"failure":null}}}}"#
    )
}

#[tokio::test]
async fn report_in_each_language_is_queued_processed_and_downloaded() {
    let server = TestServer::start_frozen("live").await;
    let id = complete_extract(&server, "live", "q_detected.jpg").await;
    let kind = "watermarkDetection";
    for locale in ["ko-KR", "en-US", "ja-JP"] {
        let request_body = json!({"locale": locale});
        let queued = server.post("live", &reports_path(&id), &request_body).await;
        let expected = report_body(&id, kind, locale, "queued", "null");
        assert_eq!((queued.status, queued.text()), (202, expected));
        let report_path = format!("{}/{locale}", reports_path(&id));
        let processing = server.get("live", &report_path).await;
        let expected = report_body(&id, kind, locale, "processing", "null");
        assert_eq!((processing.status, processing.text()), (200, expected));
        let repeated = server.post("live", &reports_path(&id), &request_body).await;
        let expected = report_body(&id, kind, locale, "processing", "null");
        assert_eq!((repeated.status, repeated.text()), (202, expected));
        assert_eq!(server.advance("live", "PT0.3S").await, ["order.report"]);
        let completed = server.get("live", &report_path).await;
        let url = text(&completed.json(), "/data/download/url");
        let download = format!(r#"{{"url":"{url}","expiresInSeconds":300}}"#);
        let expected = report_body(&id, kind, locale, "completed", &download);
        let actual = (completed.status, completed.text());
        assert_eq!(actual, (200, expected.clone()));
        assert!(url.contains("X-Amz-Expires=300&"), "{url}");
        let pdf = fetch(&server, &url).await;
        assert!(pdf.starts_with(b"%PDF-") && pdf.ends_with(b"%%EOF") || pdf.ends_with(b"%%EOF\n"));
        let repeated = server.post("live", &reports_path(&id), &request_body).await;
        assert_eq!((repeated.status, repeated.text()), (200, expected));
    }
    let order = server.get("live", &format!("/api/v3/orders/{id}")).await;
    let reports = &order.json()["data"]["result"]["reports"];
    let item = |locale: &str| json!({"locale": locale, "status": "completed"});
    assert_eq!(*reports, json!(["ko-KR", "en-US", "ja-JP"].map(item)));
}

#[tokio::test]
async fn create_report_without_locale_queues_korean_report() {
    let server = TestServer::start_frozen("live").await;
    let detection = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options": {"generateThumbnail": true}});
    let id = server
        .confirm_detection("live", &detection, picture())
        .await;
    server.advance("live", "PT1S").await;
    let headers = [("authorization", "Bearer live")];
    let queued = server
        .send(Method::POST, &reports_path(&id), &headers, "")
        .await;
    let expected = report_body(&id, "aiDetection", "ko-KR", "queued", "null");
    assert_eq!((queued.status, queued.text()), (202, expected));
}

#[tokio::test]
async fn create_report_that_is_not_available_answers_error_code() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen("live").await;
    server.freeze(key).await;
    let embed = complete_embed(&server, "live", &["one"]).await;
    let test = complete_extract(&server, key, "a_undetected.jpg").await;
    let detection = json!({"idempotencyKey": "p", "fileName": "p.jpg"});
    let (pending, _) = server.create_detection("live", &detection).await;
    for (key, id) in [("live", &embed), (key, &test), ("live", &pending)] {
        let response = server.post(key, &reports_path(id), &json!({})).await;
        assert_eq!(
            (response.status, response.text()),
            (409, code("REPORT_NOT_AVAILABLE"))
        );
    }
    let id = complete_extract(&server, "live", "a.jpg").await;
    let unknown = server
        .post("live", &reports_path(&id), &json!({"locale": "fr-FR"}))
        .await;
    let reason = "locale: fr-FR is none of ko-KR, en-US, ja-JP";
    unknown.assert_refused(400, "REPORT_LOCALE_UNSUPPORTED", reason);
    let unknown = server
        .get("live", &format!("{}/fr-FR", reports_path(&id)))
        .await;
    unknown.assert_refused(400, "REPORT_LOCALE_UNSUPPORTED", reason);
    let missing = server
        .get("live", &format!("{}/en-US", reports_path(&id)))
        .await;
    let reason = format!("order {id} has no report in en-US: ask for it by POST");
    missing.assert_refused(404, "REPORT_NOT_FOUND", &reason);
    server
        .post("live", &reports_path(&id), &json!({"locale": "en-US"}))
        .await;
    server.advance("live", "P7D").await;
    for response in [
        server
            .get("live", &format!("{}/en-US", reports_path(&id)))
            .await,
        server
            .post("live", &reports_path(&id), &json!({"locale": "en-US"}))
            .await,
    ] {
        assert_eq!(
            (response.status, response.text()),
            (400, code("ORDER_EXPIRED"))
        );
    }
}

#[tokio::test]
async fn report_path_with_invalid_utf8_answers_validation_failed() {
    let server = TestServer::start_frozen("live").await;
    let response = server
        .get("live", &format!("{}/%ff", reports_path("%ff")))
        .await;
    assert_eq!(
        (response.status, response.text()),
        (400, code("VALIDATION_FAILED"))
    );
    let id = complete_extract(&server, "live", "q_detected.jpg").await;
    let response = server
        .get("live", &format!("{}/%ff", reports_path(&id)))
        .await;
    assert_eq!(
        (response.status, response.text()),
        (400, code("VALIDATION_FAILED"))
    );
}

/// Completes an extraction with these file names. Returns the order's id.
async fn complete_extract_from(
    server: &TestServer,
    key: &str,
    name: &str,
    original: &str,
) -> String {
    let file = json!({"fileName": name, "originalFile": {"fileName": original}});
    let body = json!({"idempotencyKey": format!("{name} {original}"), "file": file});
    let order = create_order(server, key, EXTRACT, &body).await;
    for pointer in ["/files/0/uploadUrl", "/files/1/uploadUrl"] {
        server.put(&text(&order, pointer), picture()).await;
    }
    server.advance(key, "PT5S").await;
    text(&order, "/orderId")
}

async fn report_supported(server: &TestServer, key: &str, id: &str) -> Value {
    let detail = server
        .get(key, &format!("/api/v3/orders/{id}"))
        .await
        .json();
    detail["data"]["result"]["reportSupported"].clone()
}

#[tokio::test]
async fn report_on_pdf_in_other_language_than_korean_is_refused() {
    let server = TestServer::start_frozen("live").await;
    let id = complete_extract_from(&server, "live", "q_detected.pdf", "o.jpg").await;
    assert_eq!(report_supported(&server, "live", &id).await, true);
    for locale in ["en-US", "ja-JP"] {
        let reason = format!("locale: reports on PDFs are in ko-KR only, not in {locale}");
        let request_body = json!({"locale": locale});
        let refused = server.post("live", &reports_path(&id), &request_body).await;
        refused.assert_refused(400, "REPORT_LOCALE_UNSUPPORTED", &reason);
        let refused = server
            .get("live", &format!("{}/{locale}", reports_path(&id)))
            .await;
        refused.assert_refused(400, "REPORT_LOCALE_UNSUPPORTED", &reason);
    }
    let queued = server.post("live", &reports_path(&id), &json!({})).await;
    let expected = report_body(&id, "watermarkDetection", "ko-KR", "queued", "null");
    assert_eq!((queued.status, queued.text()), (202, expected));
}

#[tokio::test]
async fn extract_by_v2_or_with_pdf_original_or_without_result_has_no_reports() {
    let server = TestServer::start_frozen("live").await;
    let extract = json!({"idempotencyKey": "a", "file": {"fileName": "q_detected.jpg"}});
    let order = create_order(&server, "live", super::super::EXTRACT, &extract).await;
    server
        .put(&text(&order, "/file/uploadUrl"), picture())
        .await;
    server.advance("live", "PT5S").await;
    let v2 = text(&order, "/orderId");
    let pdf_original = complete_extract_from(&server, "live", "q_detected.jpg", "o.pdf").await;
    let two_pdfs = complete_extract_from(&server, "live", "q_detected.pdf", "o.pdf").await;
    let unsupported = complete_extract_from(&server, "live", "q_unsupported.jpg", "o.jpg").await;
    for id in [v2, pdf_original, two_pdfs, unsupported] {
        assert_eq!(report_supported(&server, "live", &id).await, false);
        let reason = format!("order {id} has no result on which there are reports");
        for locale in ["ko-KR", "en-US"] {
            let request_body = json!({"locale": locale});
            let refused = server.post("live", &reports_path(&id), &request_body).await;
            refused.assert_refused(409, "REPORT_NOT_AVAILABLE", &reason);
        }
        let missing = server
            .get("live", &format!("{}/ko-KR", reports_path(&id)))
            .await;
        let reason = format!("order {id} has no report in ko-KR: ask for it by POST");
        missing.assert_refused(404, "REPORT_NOT_FOUND", &reason);
    }
}

#[tokio::test]
async fn create_report_with_test_key_answers_completed_sample() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen(key).await;
    let id = complete_extract(&server, key, "q_detected.jpg").await;
    assert_eq!(report_supported(&server, key, &id).await, true);
    let request_body = json!({"locale": "en-US"});
    for _ in 0..2 {
        let posted = server.post(key, &reports_path(&id), &request_body).await;
        let url = text(&posted.json(), "/data/download/url");
        let download = format!(r#"{{"url":"{url}","expiresInSeconds":300}}"#);
        let expected = report_body(&id, "watermarkDetection", "en-US", "completed", &download);
        assert_eq!((posted.status, posted.text()), (200, expected));
        let prefix = format!("{}/api/v2/test-samples/{id}.", server.origin);
        assert!(url.starts_with(&prefix), "{url}");
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
    let report = server
        .get(key, &format!("{}/en-US", reports_path(&id)))
        .await;
    assert_eq!(
        (report.status, &report.json()["data"]["status"]),
        (200, &json!("completed"))
    );
    let detail = server
        .get(key, &format!("/api/v3/orders/{id}"))
        .await
        .json();
    let reports = json!([{"locale": "en-US", "status": "completed"}]);
    assert_eq!(detail["data"]["result"]["reports"], reports);
    let url = text(&report.json(), "/data/download/url");
    server.advance(key, "PT6M").await;
    let stale = server.send(Method::GET, &url, &[], "").await;
    assert_eq!((stale.status, stale.text()), (403, code("AUTH_FORBIDDEN")));
}

#[tokio::test]
async fn rules_apply_to_reports_of_test_keys() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen(key).await;
    let id = complete_extract(&server, key, "q_detected.jpg").await;
    let when = json!({"operation": "bizmori.createReport"});
    let slow = json!({"when": when, "times": 1, "then": {"processing": {"ms": 1000}}});
    server.control(Method::POST, "/_mock/rules", &slow).await;
    let queued = server.post(key, &reports_path(&id), &json!({})).await;
    assert_eq!(
        (queued.status, &queued.json()["data"]["status"]),
        (202, &json!("queued"))
    );
    assert_eq!(server.advance(key, "PT1S").await, ["order.report"]);
    let created = server
        .get(key, &format!("{}/ko-KR", reports_path(&id)))
        .await
        .json();
    let pdf = fetch(&server, &text(&created, "/data/download/url")).await;
    assert!(pdf.starts_with(b"%PDF-"));
    let failing = json!({"when": when, "times": 1, "then": {"outcome": {"status": "failed"}}});
    server.control(Method::POST, "/_mock/rules", &failing).await;
    let request_body = json!({"locale": "ja-JP"});
    let failed = server.post(key, &reports_path(&id), &request_body).await;
    let failure = json!({"code": "PROCESSING_ERROR", "retryable": true});
    assert_eq!(
        (failed.status, &failed.json()["data"]["failure"]),
        (200, &failure)
    );
    let repeated = server
        .post(key, &reports_path(&id), &request_body)
        .await
        .json();
    assert_eq!(repeated["data"]["status"], "completed");
}

#[tokio::test]
async fn report_file_is_named_after_its_order() {
    let server = TestServer::start_frozen("live").await;
    let detection = json!({"idempotencyKey": "a", "orderName": "winter", "fileName": "a_ai.jpg"});
    let id = server
        .confirm_detection("live", &detection, picture())
        .await;
    server.advance("live", "PT1S").await;
    server.post("live", &reports_path(&id), &json!({})).await;
    server.advance("live", "PT1S").await;
    let created = server
        .get("live", &format!("{}/ko-KR", reports_path(&id)))
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
