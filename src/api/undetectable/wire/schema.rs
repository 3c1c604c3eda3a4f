//! What cannot be derived of the schemas of what is answered.

use serde_json::{Value, json};

/// What the fields of a document are together, in each of its states.
pub fn states() -> Value {
    let state = |status: &str, result: Value, details: Value, required: &[&str]| {
        json!({
            "title": status,
            "required": required,
            "properties": {
                "status": {"const": status},
                "result": {"type": result},
                "result_details": details,
            },
        })
    };
    let unsettled = |is_valid: Value| {
        let is_valid = json!({"is_valid": {"const": is_valid}});
        json!({"maxProperties": 1, "properties": is_valid})
    };
    let failed = json!({"maxProperties": 2, "properties": {"is_valid": {"const": false}}});
    let done = json!({"required": ["detection_step"]});
    json!([
        state("pending", json!("null"), unsettled(Value::Null), &[]),
        state("analyzing", json!("null"), unsettled(json!(true)), &[]),
        state("done", json!("number"), done, &["preview_url"]),
        // Of a bulk, none of whose pictures may have a result.
        state(
            "done",
            json!(["number", "null"]),
            unsettled(json!(true)),
            &["preview_url"]
        ),
        state("failed", json!("null"), failed, &[]),
    ])
}

/// Statuses of an analysis. Null if it is not wanted.
pub fn analysis_statuses() -> Value {
    json!(["pending", "analyzing", "ready", "done", "failed", null])
}
