//! The OpenAPI description.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stuntdouble::api::bizmori::{ErrorCode, description, routes};

/// Returns path, method and description of each operation.
fn operations(description: &Value) -> Vec<(String, String, Value)> {
    let paths = description["paths"].as_object().expect("paths");
    let methods = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods.iter().map(move |(method, operation)| {
            (path.clone(), method.to_uppercase(), operation.clone())
        })
    });
    methods.collect()
}

#[test]
fn description_lists_exactly_the_operations_with_texts() {
    let mut described = BTreeSet::new();
    for (path, method, operation) in operations(&description()) {
        let text = |field: &str| operation[field].as_str().expect("a text").to_owned();
        let id = text("operationId");
        assert!(!text("summary").is_empty(), "{id} has no summary");
        assert!(!text("description").is_empty(), "{id} has no description");
        let success = &operation["responses"]["200"];
        assert!(success.is_object(), "{id} has no response 200");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let has_description = parameter["description"].is_string();
            assert!(
                has_description,
                "{id}: {} has no description",
                parameter["name"]
            );
        }
        described.insert((id, method, path));
    }
    let operations = routes(None).operations().into_iter();
    let expected = operations.map(|it| {
        (
            it.name.to_owned(),
            it.method.to_string(),
            it.path.to_owned(),
        )
    });
    assert_eq!(described, expected.collect());
}

#[test]
fn description_has_every_error_code_with_its_status() {
    let mut described = BTreeSet::new();
    for (_, _, operation) in operations(&description()) {
        for (status, response) in operation["responses"].as_object().expect("responses") {
            let codes = "/content/application~1json/schema/allOf/1/properties/code/enum";
            let codes = response.pointer(codes).and_then(Value::as_array);
            let codes = codes.into_iter().flatten();
            described.extend(codes.map(|code| (status.clone(), code.to_string())));
        }
    }
    let known = ErrorCode::ALL.into_iter().filter(|code| {
        // Only of requests that match no operation.
        *code != ErrorCode::ResourceNotFound
    });
    let mut expected: BTreeSet<_> = known
        .map(|code| (code.status().as_str().to_owned(), json!(code).to_string()))
        .collect();
    expected.insert(("422".to_owned(), "\"VALIDATION_FAILED\"".to_owned()));
    assert_eq!(described, expected);
}

#[test]
fn description_has_constraints_and_required_fields_of_requests() {
    let description = description();
    let schema = |path: &str| {
        let body = &description["paths"][path]["post"]["requestBody"];
        assert_eq!(body["required"], true, "{path}");
        body["content"]["application/json"]["schema"].clone()
    };
    let anti_ai = schema("/api/v2/orders/anti-ai");
    assert_eq!(anti_ai["required"], json!(["idempotencyKey", "files"]));
    let key = json!({"type": "string", "minLength": 1, "maxLength": 255});
    assert_eq!(anti_ai["properties"]["idempotencyKey"], key);
    let files = &anti_ai["properties"]["files"];
    assert_eq!([&files["minItems"], &files["maxItems"]], [1, 100]);
    assert_eq!(files["items"]["required"], json!(["fileName"]));
    let strength = &anti_ai["properties"]["options"].to_string();
    assert!(
        strength.contains(r#"["low","standard","high",null]"#),
        "{strength}"
    );
    let extract = schema("/api/v3/orders/wtr-extract");
    let file = &extract["properties"]["file"];
    assert_eq!(file["required"], json!(["fileName", "originalFile"]));
    let limit = json!({
        "name": "limit", "in": "query", "required": false,
        "description": "Orders on a page. -1 for all orders on one page.",
        "schema": {
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": 100}, {"const": -1}],
            "default": 10,
        },
    });
    let parameters = &description["paths"]["/api/v2/orders"]["get"]["parameters"];
    assert_eq!(parameters[1], limit);
}

#[test]
fn description_has_security_except_for_signed_urls() {
    for (path, _, operation) in operations(&description()) {
        let expected = if path.contains("/test-") {
            Value::Null
        } else {
            json!([{"bearer": []}])
        };
        assert_eq!(operation["security"], expected, "{path}");
    }
}

#[test]
fn schemas_tell_null_from_omitted() {
    let description = description();
    let schema = |name: &str| description["components"]["schemas"][name].clone();
    // Never null, but omitted without a value.
    let file = schema("InputFileView");
    assert_eq!(file["required"], json!(["fileId", "fileName"]));
    assert_eq!(file["properties"]["uploadUrl"]["type"], "string");
    // Never omitted, but null without a value.
    let file = schema("NewFileV3");
    assert_eq!(file["required"], json!(["fileId", "uploadUrl"]));
    assert_eq!(
        file["properties"]["uploadUrl"]["type"],
        json!(["string", "null"])
    );
    // Either: omitted if the client did not ask for the picture.
    let detection = schema("OrderDetail")["anyOf"][0].take();
    assert!(!detection["required"].to_string().contains("heatmapUrl"));
    let url = &detection["properties"]["heatmapUrl"]["type"];
    assert_eq!(*url, json!(["string", "null"]));
    // Required fields are listed in the order of the wire.
    let keys = [
        "type",
        "orderId",
        "orderName",
        "channel",
        "status",
        "createdAt",
        "updatedAt",
        "expiresAt",
        "retentionDays",
        "thumbnailImageUrl",
        "processingDelayed",
        "errors",
        "inputFiles",
        "result",
    ];
    assert_eq!(schema("OrderDetailV3")["required"], json!(keys));
}
