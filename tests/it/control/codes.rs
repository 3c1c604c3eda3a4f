//! Error codes of the control plane: their names and statuses are fixed, and all are described.

use std::collections::BTreeSet;

use serde_json::Value;
use stuntdouble::api::control::{ControlErrorCode, description};

/// Codes of the control plane's errors, in alphabetical order, with their HTTP statuses.
const CONTROL_CODES: [(&str, u16); 43] = [
    ("account_gone", 409),
    ("ambiguous_inbox", 409),
    ("bad_body", 400),
    ("bad_count", 400),
    ("bad_duration", 400),
    ("bad_fixtures", 400),
    ("bad_host", 400),
    ("bad_inbox", 400),
    ("bad_instant", 400),
    ("bad_key", 400),
    ("bad_name", 400),
    ("bad_now", 400),
    ("bad_query", 400),
    ("bad_rule", 400),
    ("bad_when", 400),
    ("clock_frozen", 409),
    ("cross_origin", 403),
    ("disk_full", 500),
    ("evicted", 409),
    ("files_missing", 409),
    ("forbidden_origin", 403),
    ("inbox_evicted", 410),
    ("inbox_gone", 409),
    ("internal", 500),
    ("journal_disabled", 409),
    ("message_too_large", 400),
    ("order_already_ended", 409),
    ("outcome_not_applicable", 400),
    ("tls_disabled", 404),
    ("too_many_rules", 400),
    ("too_many_snapshots", 409),
    ("too_many_streams", 503),
    ("two_accounts", 400),
    ("unauthorized", 401),
    ("unknown_account", 404),
    ("unknown_blob", 404),
    ("unknown_delivery", 404),
    ("unknown_host", 421),
    ("unknown_order", 404),
    ("unknown_request", 404),
    ("unknown_route", 404),
    ("unknown_rule", 404),
    ("unknown_snapshot", 404),
];

/// Codes that no operation of the control plane describes: an unknown route is no operation, only
/// BIZ MORI's API forbids origins, and the response with `clock_frozen` has a schema of its own.
const UNDESCRIBED_CODES: [&str; 2] = ["clock_frozen", "forbidden_origin"];

#[test]
fn control_codes_have_their_names_and_statuses() {
    let codes: Vec<_> = ControlErrorCode::ALL
        .iter()
        .map(|code| (code.name(), code.status().as_u16()))
        .collect();
    assert_eq!(codes, CONTROL_CODES);
}

#[test]
fn control_codes_are_described_with_their_statuses() {
    let description = description();
    let paths = description["paths"].as_object().expect("paths");
    let operations = paths
        .values()
        .flat_map(|it| it.as_object().expect("methods").values());
    let responses = operations.flat_map(|it| it["responses"].as_object().expect("responses"));
    let mut described = BTreeSet::new();
    for (status, response) in responses {
        let code =
            "/content/application~1json/schema/allOf/1/properties/error/properties/code/enum";
        let codes = response.pointer(code).and_then(Value::as_array);
        for code in codes.into_iter().flatten() {
            let status: u16 = status.parse().expect("a status");
            described.insert((code.as_str().expect("a code"), status));
        }
    }
    let expected = CONTROL_CODES
        .into_iter()
        .filter(|(code, _)| !UNDESCRIBED_CODES.contains(code));
    assert_eq!(described, expected.collect());
}
