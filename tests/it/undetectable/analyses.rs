//! Analyses that fail, and the setting for their final status.

use reqwest::Method;
use serde_json::{Value, json};
use stuntdouble::settings::AnalysisFinalStatus;

use super::{detect, query, start_frozen, start_frozen_with};
use crate::support::{TestServer, picture};

async fn fail_analyses(server: &TestServer) {
    let rule = json!({"account": "live", "when": {"operation": "undetectable.detect"},
                      "then": {"outcome": {"analysis": "failed"}}});
    let created = server.control(Method::POST, "/_mock/rules", &rule).await;
    assert_eq!(created["then"], rule["then"]);
}

/// Returns the status of the analysis, whether it has results, and the mock outcome.
async fn analysis(server: &TestServer, id: &str) -> (Value, bool, String) {
    let response = query(server, id).await;
    let outcome = response.header("x-mock-outcome").to_owned();
    let details = response.json()["result_details"].take();
    let has_results = details["analysis_results"].is_object();
    (
        details["analysis_results_status"].clone(),
        has_results,
        outcome,
    )
}

#[tokio::test]
async fn analysis_failed_by_rule_leaves_result_of_document() {
    let server = start_frozen_with(|config| config.undetectable.singular_analysis = true).await;
    fail_analyses(&server).await;
    let id = detect(&server, "x_ai.jpg", picture(), json!({})).await;
    server.advance("live", "PT0.3S").await;
    let summary = "result 98 by suffix _ai".to_owned();
    let failed = (
        json!("failed"),
        false,
        format!("{summary}; analysis failed by rule 1"),
    );
    assert_eq!(
        analysis(&server, &id).await,
        (json!("pending"), false, summary.clone())
    );
    assert_eq!(
        analysis(&server, &id).await,
        (json!("analyzing"), false, summary)
    );
    server.advance("live", "PT0.4S").await;
    assert_eq!(analysis(&server, &id).await, failed);
    let details = query(&server, &id).await.json()["result_details"].take();
    assert_eq!(details["final_result"], "AI Generated");
    assert_eq!(details["heatmap_status"], "ready");
    assert_eq!(details["analysis_result_status"], "failed");
    assert_eq!(details.get("analysis_result"), Some(&Value::Null));
    server.advance("live", "P8D").await;
    assert_eq!(analysis(&server, &id).await, failed);
}

#[tokio::test]
async fn rule_on_analysis_of_document_without_analysis_changes_nothing() {
    let server = start_frozen().await;
    fail_analyses(&server).await;
    let body = json!({"generate_analysis_details": false});
    let id = detect(&server, "x_ai.jpg", picture(), body).await;
    server.advance("live", "PT1S").await;
    for _ in 0..2 {
        let summary = "result 98 by suffix _ai".to_owned();
        assert_eq!(analysis(&server, &id).await, (Value::Null, false, summary));
    }
}

#[tokio::test]
async fn document_with_fail_suffix_fails_despite_rule_on_analysis() {
    let server = start_frozen().await;
    fail_analyses(&server).await;
    let id = detect(&server, "x_fail.jpg", picture(), json!({})).await;
    server.advance("live", "PT1S").await;

    let document = query(&server, &id).await.json();
    assert_eq!(document["status"], "failed");
    assert_eq!(
        document["result_details"]["error_message"],
        "x_fail.jpg: forced failure (file name suffix _fail)"
    );
}

#[tokio::test]
async fn analysis_failed_by_manual_completion_is_failed() {
    let server = start_frozen().await;
    let id = detect(&server, "x_human.jpg", picture(), json!({})).await;
    let path = format!("/_mock/orders/{id}/complete");
    server
        .control(Method::POST, &path, &json!({"analysis": "failed"}))
        .await;
    query(&server, &id).await;
    server.advance("live", "PT1S").await;
    let outcome = "result 2 by suffix _human; analysis failed by control API".to_owned();
    assert_eq!(
        analysis(&server, &id).await,
        (json!("failed"), false, outcome)
    );
}

#[tokio::test]
async fn create_rule_with_impossible_analysis_outcome_is_refused() {
    let server = start_frozen().await;
    for (operation, outcome) in [
        ("undetectable.bulkUpload", json!({"analysis": "failed"})),
        ("bizmori.createAiDetection", json!({"analysis": "failed"})),
        ("undetectable.detect", json!({"analysis": "ready"})),
        (
            "undetectable.detect",
            json!({"analysis": "failed", "probability": 0.5}),
        ),
        (
            "undetectable.detect",
            json!({"analysis": "failed", "status": "failed"}),
        ),
    ] {
        let rule = json!({"when": {"operation": operation}, "then": {"outcome": outcome}});
        let response = server
            .send(Method::POST, "/_mock/rules", &[], rule.to_string())
            .await;
        assert_eq!(response.status, 400, "{rule}: {}", response.text());
    }
}

#[tokio::test]
async fn analysis_ends_with_configured_status() {
    for (status, expected) in [
        (AnalysisFinalStatus::Ready, "ready"),
        (AnalysisFinalStatus::Done, "done"),
    ] {
        let server =
            start_frozen_with(|config| config.undetectable.analysis_final_status = status).await;
        let document = super::finish_document(&server, "x_ai.jpg", picture(), json!({})).await;
        let details = &document["result_details"];
        assert_eq!(details["analysis_results_status"], expected);
        assert!(details["analysis_results"].is_object());
    }
}
