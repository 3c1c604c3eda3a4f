//! Reports on what was found.

use serde_json::{Value, json};

use super::super::fetched;
use super::{embedded, extracted, text};
use crate::support::{Stunt, code, picture};

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
    let stunt = Stunt::frozen("live").await;
    let id = extracted(&stunt, "live", "q_detected.jpg").await;
    let kind = "watermarkDetection";
    for locale in ["ko-KR", "en-US", "ja-JP"] {
        let asked = json!({"locale": locale});
        let queued = stunt.post("live", &path(&id), &asked).await;
        let expected = body(&id, kind, locale, "queued", "null");
        assert_eq!((queued.status, queued.text()), (202, expected));
        let at = format!("{}/{locale}", path(&id));
        let processing = stunt.get("live", &at).await;
        let expected = body(&id, kind, locale, "processing", "null");
        assert_eq!((processing.status, processing.text()), (202, expected));
        assert_eq!(stunt.advance("live", "PT0.3S").await, ["order.report"]);
        let there = stunt.get("live", &at).await;
        let url = text(&there.json(), "/data/download/url");
        let download = format!(r#"{{"url":"{url}","expiresInSeconds":300}}"#);
        let expected = body(&id, kind, locale, "completed", &download);
        assert_eq!((there.status, there.text()), (200, expected.clone()));
        assert!(url.contains("X-Amz-Expires=300&"), "{url}");
        let pdf = fetched(&stunt, &url).await;
        assert!(pdf.starts_with(b"%PDF-") && pdf.ends_with(b"%%EOF") || pdf.ends_with(b"%%EOF\n"));
        let again = stunt.post("live", &path(&id), &asked).await;
        assert_eq!((again.status, again.text()), (200, expected));
    }
    let order = stunt.get("live", &format!("/api/v3/orders/{id}")).await;
    let reports = &order.json()["data"]["result"]["reports"];
    let locales: Vec<&Value> = (0..3).map(|n| &reports[n]["locale"]).collect();
    assert_eq!(locales, ["ko-KR", "en-US", "ja-JP"]);
}

#[tokio::test]
async fn a_report_without_a_locale_is_korean_and_detections_have_them_too() {
    let stunt = Stunt::frozen("live").await;
    let new = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options": {"generateThumbnail": true}});
    let id = stunt.confirmed("live", &new, picture()).await;
    stunt.advance("live", "PT1S").await;
    let headers = [("authorization", "Bearer live")];
    let queued = stunt
        .send(reqwest::Method::POST, &path(&id), &headers, "")
        .await;
    let expected = body(&id, "aiDetection", "ko-KR", "queued", "null");
    assert_eq!((queued.status, queued.text()), (202, expected));
}

#[tokio::test]
async fn a_report_that_cannot_be_is_refused() {
    let key = "sk_test_1";
    let stunt = Stunt::frozen("live").await;
    stunt.freeze(key).await;
    let made_nothing_up = embedded(&stunt, "live", &["one"]).await;
    let test = extracted(&stunt, key, "a_detected.jpg").await;
    let pending = json!({"idempotencyKey": "p", "fileName": "p.jpg"});
    let (pending, _) = stunt.pending("live", &pending).await;
    for (key, id) in [("live", &made_nothing_up), (key, &test), ("live", &pending)] {
        let answer = stunt.post(key, &path(id), &json!({})).await;
        assert_eq!(
            (answer.status, answer.text()),
            (409, code("REPORT_NOT_AVAILABLE"))
        );
    }
    let id = extracted(&stunt, "live", "a.jpg").await;
    let unknown = stunt
        .post("live", &path(&id), &json!({"locale": "fr-FR"}))
        .await;
    let why = "locale: fr-FR is none of ko-KR, en-US, ja-JP";
    unknown.assert_refused(400, "REPORT_LOCALE_UNSUPPORTED", why);
    let unknown = stunt.get("live", &format!("{}/fr-FR", path(&id))).await;
    unknown.assert_refused(400, "REPORT_LOCALE_UNSUPPORTED", why);
    let missing = stunt.get("live", &format!("{}/en-US", path(&id))).await;
    let why = format!("order {id} has no report in en-US: ask for it by POST");
    missing.assert_refused(404, "REPORT_NOT_FOUND", &why);
    stunt
        .post("live", &path(&id), &json!({"locale": "en-US"}))
        .await;
    stunt.advance("live", "P7D").await;
    for answer in [
        stunt.get("live", &format!("{}/en-US", path(&id))).await,
        stunt
            .post("live", &path(&id), &json!({"locale": "en-US"}))
            .await,
    ] {
        assert_eq!((answer.status, answer.text()), (400, code("ORDER_EXPIRED")));
    }
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused_in_the_vendors_words() {
    let stunt = Stunt::frozen("live").await;
    let answer = stunt.get("live", &format!("{}/%ff", path("%ff"))).await;
    assert_eq!(
        (answer.status, answer.text()),
        (400, code("VALIDATION_FAILED"))
    );
    let id = extracted(&stunt, "live", "q_detected.jpg").await;
    let answer = stunt.get("live", &format!("{}/%ff", path(&id))).await;
    assert_eq!(
        (answer.status, answer.text()),
        (400, code("VALIDATION_FAILED"))
    );
}
