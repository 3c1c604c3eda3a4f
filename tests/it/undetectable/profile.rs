//! How long the steps of a document take: by the profile, by settings, by the account.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use stuntdouble::settings::TimingProfile;

use super::{detect, frozen_with, query};
use crate::support::{TestServer, fixture};

async fn realistic() -> TestServer {
    frozen_with(|config| config.undetectable.timing_profile = TimingProfile::Realistic).await
}

/// After how many ms by the clock a document's fields were first so; asked for every 250 ms until
/// it is as done as can be, as the SDK does.
async fn times(server: &TestServer) -> [u32; 4] {
    let body = json!({"generate_preview": true});
    let id = detect(server, "x_ai.png", fixture("plain.png"), body).await;
    let mut observed = [None; 4];
    for at_ms in (0..30_000).step_by(250) {
        let document = query(server, &id).await.json();
        let details = &document["result_details"];
        let is = [
            document["status"] != "pending",
            document["status"] == "done",
            details["heatmap_status"] == "ready",
            details["analysis_results_status"] == "ready",
        ];
        for (observed, is) in observed.iter_mut().zip(is) {
            *observed = observed.or(is.then_some(at_ms));
        }
        if let [Some(a), Some(b), Some(c), Some(d)] = observed {
            return [a, b, c, d];
        }
        server.advance("live", "PT0.25S").await;
    }
    panic!("not done in 30 s: {observed:?}");
}

#[tokio::test]
async fn a_realistic_document_is_done_as_late_as_the_vendors_and_all_of_it_within_the_sdks_time() {
    let server = realistic().await;
    let mut done = BTreeSet::new();
    for _ in 0..4 {
        let [analyzing_ms, done_ms, heatmap_ms, analysis_ms] = times(&server).await;
        assert_eq!(analyzing_ms, 1_000);
        assert!((5_000..=15_250).contains(&done_ms), "{done_ms}");
        for after_ms in [heatmap_ms, analysis_ms] {
            assert!((done_ms + 1_000..=27_250).contains(&after_ms), "{after_ms}");
        }
        done.insert(done_ms);
    }
    assert!(done.len() > 2, "each has its own: {done:?}");
    let again = realistic().await;
    assert!(
        done.contains(&times(&again).await[1]),
        "drawn from the seed"
    );
}

#[tokio::test]
async fn a_setting_of_its_own_outranks_the_profile_and_the_accounts_outranks_both() {
    let server = frozen_with(|config| {
        let set = &mut config.undetectable;
        set.timing_profile = TimingProfile::Realistic;
        set.detect_pending_ms = Some(250);
        set.detect_done_ms = Some(2_000);
        set.heatmap_delay_ms = Some(0);
        set.analysis_delay_ms = Some(500);
    })
    .await;
    assert_eq!(times(&server).await, [250, 2_000, 2_250, 2_500]);
    let processing: Value = json!({"processing": {"delayMs": 1_000}});
    server
        .control(Method::PUT, "/_mock/accounts/live", &processing)
        .await;
    assert_eq!(times(&server).await, [250, 1_000, 1_250, 1_500]);
}
