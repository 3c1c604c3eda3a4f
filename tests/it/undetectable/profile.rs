//! Timing of documents: by profile, settings and account.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use stuntdouble::settings::TimingProfile;

use super::{detect, query, start_frozen_with};
use crate::support::{TestServer, fixture};

async fn start_realistic() -> TestServer {
    start_frozen_with(|config| config.undetectable.profile = TimingProfile::Realistic).await
}

/// Queries a document every 250 ms until it is complete, as the SDK does. Returns the times in ms of the
/// first response that is not pending, is done, has the heatmap and has the analysis.
async fn measure_times(server: &TestServer) -> [u32; 4] {
    let body = json!({"generate_preview": true});
    let id = detect(server, "x_ai.png", fixture("plain.png"), body).await;
    let mut first_times = [None; 4];
    for at_ms in (0..30_000).step_by(250) {
        let document = query(server, &id).await.json();
        let details = &document["result_details"];
        let reached = [
            document["status"] != "pending",
            document["status"] == "done",
            details["heatmap_status"] == "ready",
            details["analysis_results_status"] == "ready",
        ];
        for (first, is_reached) in first_times.iter_mut().zip(reached) {
            *first = first.or(is_reached.then_some(at_ms));
        }
        if let [Some(a), Some(b), Some(c), Some(d)] = first_times {
            return [a, b, c, d];
        }
        server.advance("live", "PT0.25S").await;
    }
    panic!("not done in 30 s: {first_times:?}");
}

#[tokio::test]
async fn realistic_profile_takes_seconds_that_are_derived_from_the_seed() {
    let server = start_realistic().await;
    let mut done_times = BTreeSet::new();
    for _ in 0..4 {
        let [analyzing_ms, done_ms, heatmap_ms, analysis_ms] = measure_times(&server).await;
        assert_eq!(analyzing_ms, 1_000);
        assert!((5_000..=15_250).contains(&done_ms), "{done_ms}");
        for after_ms in [heatmap_ms, analysis_ms] {
            assert!((done_ms + 1_000..=27_250).contains(&after_ms), "{after_ms}");
        }
        done_times.insert(done_ms);
    }
    assert!(done_times.len() > 2, "times differ: {done_times:?}");
    let same_seed = start_realistic().await;
    assert!(
        done_times.contains(&measure_times(&same_seed).await[1]),
        "the same seed"
    );
}

#[tokio::test]
async fn timing_setting_takes_precedence_over_profile_and_account_over_both() {
    let server = start_frozen_with(|config| {
        let settings = &mut config.undetectable;
        settings.profile = TimingProfile::Realistic;
        settings.detect_pending_ms = Some(250);
        settings.detect_done_ms = Some(2_000);
        settings.heatmap_ms = Some(0);
        settings.analysis_ms = Some(500);
    })
    .await;
    assert_eq!(measure_times(&server).await, [250, 2_000, 2_250, 2_500]);
    let processing: Value = json!({"processing": {"delayMs": 1_000}});
    server
        .control(Method::PUT, "/_mock/accounts/live", &processing)
        .await;
    assert_eq!(measure_times(&server).await, [250, 1_000, 1_250, 1_500]);
}
