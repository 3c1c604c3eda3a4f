//! BIZ MORI's orders, from their making to their end.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Stunt, fixture, picture};

const DETECTION: &str = "/api/v2/orders/ai-detection";
const CONFIRM_DETECTION: &str = "/api/v2/orders/ai-detection/confirm";
const ANTI_AI: &str = "/api/v2/orders/anti-ai";
const CONFIRM_ANTI_AI: &str = "/api/v2/orders/anti-ai/confirm";

fn code(code: &str) -> String {
    format!(r#"{{"code":"{code}"}}"#)
}

fn signed(expires_s: u32) -> String {
    format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=STUNTDOUBLEACCESSKEY%2F20260312%2Fus-east-1%2Fs3%2F\
         aws4_request&X-Amz-Date=20260312T100000Z&X-Amz-Expires={expires_s}&X-Amz-SignedHeaders=host&X-Amz-Signature=*"
    )
}

/// The same `signed`, at the instant the order's 300 ms are over.
fn detail_of(answer: &Value) -> &Value {
    &answer["data"]
}

async fn frozen(key: &str) -> Stunt {
    let stunt = Stunt::start().await;
    stunt.freeze(key).await;
    stunt
}

#[tokio::test]
async fn creating_an_ai_detection_answers_the_order_and_where_to_put_its_file() {
    let stunt = frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "été 1.jpg"});
    let made = stunt.post("live", DETECTION, &body).await;
    let id = made.json()["data"]["orderId"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert!(
        id.len() == 18 && id.bytes().all(|byte| byte.is_ascii_digit()),
        "{id}"
    );
    assert_eq!(made.status, 200);
    let expected = format!(
        r#"{{"data":{{"orderId":"{id}","orderName":"ai_detection_2026-03-12","status":"pending","file":{{"fileId":1001,"fileName":"été 1.jpg","uploadUrl":"{{origin}}/_s3/bizmori/ai-detection/{id}/1/%C3%A9t%C3%A9%201.jpg?{}","fileKey":"ai-detection/{id}/1/été 1.jpg"}}}}}}"#,
        signed(600)
    );
    assert_eq!(stunt.shown(&made.text()), expected);
}

#[tokio::test]
async fn the_same_seed_and_the_same_calls_give_the_same_ids() {
    let (one, other) = (frozen("live").await, frozen("live").await);
    other.freeze("another key").await;
    for key in ["a", "b"] {
        let body = json!({"idempotencyKey": key, "fileName": "a.jpg"});
        other.post("another key", DETECTION, &body).await;
        let made = one.post("live", DETECTION, &body).await;
        let again = other.post("live", DETECTION, &body).await;
        assert_eq!(one.shown(&made.text()), other.shown(&again.text()));
    }
}

#[tokio::test]
async fn the_same_idempotency_key_gives_the_original_order_whatever_the_body() {
    let stunt = frozen("live").await;
    let first = stunt
        .post(
            "live",
            DETECTION,
            &json!({"idempotencyKey": "a", "fileName": "a.jpg"}),
        )
        .await;
    let again = stunt
        .post(
            "live",
            DETECTION,
            &json!({"idempotencyKey": "a", "fileName": "b.png"}),
        )
        .await;
    assert_eq!(again.text(), first.text());
    let elsewhere = json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}]});
    let other = stunt.post("live", ANTI_AI, &elsewhere).await.json();
    assert_ne!(other["data"]["orderId"], first.json()["data"]["orderId"]);
    let others = stunt
        .post(
            "other",
            DETECTION,
            &json!({"idempotencyKey": "a", "fileName": "a.jpg"}),
        )
        .await;
    assert_ne!(
        others.json()["data"]["orderId"],
        first.json()["data"]["orderId"]
    );
}

#[tokio::test]
async fn an_ai_detection_goes_from_pending_to_complete_with_every_field() {
    let stunt = frozen("live").await;
    let options = json!({"generateHeatmap": true, "generateThumbnail": true});
    let body = json!({"idempotencyKey": "a", "fileName": "x_AI.jpg", "orderName": "mine", "options": options});
    let made = stunt.post("live", DETECTION, &body).await.json();
    let id = made["data"]["orderId"].as_str().expect("an id");
    let path = format!("/api/v2/orders/{id}");
    let told =
        r#""options":{"generateHeatmap":true,"generateOverlay":false,"generateThumbnail":true}"#;
    let head = |thumbnail: &str, status: &str, updated: &str| {
        format!(
            r#"{{"data":{{"type":"aiDetection","orderId":"{id}","channel":"api","thumbnailImageUrl":{thumbnail},"status":"{status}","orderName":"mine","fileCount":1,"createdAt":"2026-03-12T10:00:00.000Z","updatedAt":"2026-03-12T10:00:00{updated}Z","errors":null"#
        )
    };
    let none = r#""aiDetection":{"probability":null,"statusCode":null}}}"#;
    let pending = stunt.get("live", &path).await;
    let expected = format!(
        r#"{},"probability":null,"statusCode":null,{told},"originalImageUrl":null,"heatmapUrl":null,{none}"#,
        head("null", "pending", ".000")
    );
    assert_eq!(pending.text(), expected);

    stunt
        .put(
            made["data"]["file"]["uploadUrl"].as_str().expect("a URL"),
            picture(),
        )
        .await;
    let url = |key: &str| format!(r#""{{origin}}/_s3/bizmori/{key}?{}""#, signed(3_600));
    let original = url(&format!("ai-detection/{id}/1/x_AI.jpg"));
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let confirmed = stunt.post("live", CONFIRM_DETECTION, &confirm).await;
    assert_eq!(
        confirmed.text(),
        format!(r#"{{"data":{{"orderId":"{id}","status":"inProgress"}}}}"#)
    );
    let expected = format!(
        r#"{},"probability":null,"statusCode":null,{told},"originalImageUrl":{original},"heatmapUrl":null,{none}"#,
        head("null", "inProgress", ".000")
    );
    assert_eq!(
        stunt.shown(&stunt.get("live", &path).await.text()),
        expected
    );

    assert_eq!(stunt.advance("live", "PT0.3S").await, ["order.process"]);
    let complete = stunt.get("live", &path).await;
    let expected = format!(
        r#"{},"probability":0.98,"statusCode":"likely_ai",{told},"originalImageUrl":{original},"heatmapUrl":{},"aiDetection":{{"probability":0.98,"statusCode":1}}}}}}"#,
        head(
            &url(&format!("results/{id}/thumbnail.jpg")),
            "complete",
            ".300"
        ),
        url(&format!("results/{id}/heatmap.png"))
    );
    assert_eq!(stunt.shown(&complete.text()), expected);
    assert_eq!(
        complete.header("x-mock-plan"),
        "probability 0.98 by suffix _ai"
    );
    for (field, start) in [
        ("thumbnailImageUrl", b"\xff\xd8\xff".as_slice()),
        ("heatmapUrl", b"\x89PNG"),
    ] {
        let url = detail_of(&complete.json())[field]
            .as_str()
            .expect("a URL")
            .to_owned();
        let file = stunt.send(Method::GET, &url, &[], "").await;
        assert_eq!(
            (file.status, file.bytes.starts_with(start)),
            (200, true),
            "{field}"
        );
    }
}

#[tokio::test]
async fn the_bytes_decide_where_the_name_does_not() {
    let stunt = frozen("live").await;
    for (file, expected) in [
        ("camera.jpg", (json!(0.04), "likely_real", "by metadata")),
        ("parameters.png", (json!(0.97), "likely_ai", "by metadata")),
        (
            "digital-source-type.png",
            (json!(0.97), "likely_ai", "by metadata"),
        ),
        ("manifest.jpg", (json!(0.97), "likely_ai", "by metadata")),
    ] {
        let body = json!({"idempotencyKey": file, "fileName": file});
        let id = stunt.confirmed("live", &body, fixture(file)).await;
        stunt.advance("live", "PT1S").await;
        let answer = stunt.get("live", &format!("/api/v2/orders/{id}")).await;
        let detail = answer.json();
        let told = (
            detail["data"]["probability"].clone(),
            detail["data"]["statusCode"].clone(),
        );
        assert_eq!(told, (expected.0, json!(expected.1)), "{file}");
        assert!(answer.header("x-mock-plan").ends_with(expected.2), "{file}");
    }
    for file in ["plain.jpg", "plain.png", "plain.bmp", "plain.tiff"] {
        let mut told = Vec::new();
        for round in ["one", "two"] {
            let body = json!({"idempotencyKey": format!("{file} {round}"), "fileName": file});
            let id = stunt.confirmed("live", &body, fixture(file)).await;
            stunt.advance("live", "PT1S").await;
            let answer = stunt.get("live", &format!("/api/v2/orders/{id}")).await;
            assert!(
                answer.header("x-mock-plan").ends_with("by digest"),
                "{file}: {}",
                answer.text()
            );
            told.push(answer.json()["data"]["probability"].clone());
        }
        assert_eq!(told[0], told[1], "the same bytes, the same answer: {file}");
    }
}

#[tokio::test]
async fn what_is_no_picture_fails_with_the_vendors_code() {
    let stunt = frozen("live").await;
    for (file, name, says) in [
        ("truncated.jpg", "a.jpg", "breaks off"),
        ("not-a-picture.jpg", "b.jpg", "no JPEG"),
        ("bomb.png", "c.png", "pixel"),
        ("plain.png", "d.jpg", "PNG"),
    ] {
        let id = stunt
            .confirmed(
                "live",
                &json!({"idempotencyKey": name, "fileName": name}),
                fixture(file),
            )
            .await;
        stunt.advance("live", "PT1S").await;
        let detail = stunt
            .get("live", &format!("/api/v2/orders/{id}"))
            .await
            .json();
        assert_eq!(detail["data"]["status"], "failed", "{file}");
        let errors = detail["data"]["errors"].as_str().expect("a message");
        assert!(
            errors.to_lowercase().contains(&says.to_lowercase()),
            "{file}: {errors}"
        );
    }
}

#[tokio::test]
async fn every_confirm_error_is_the_vendors() {
    let stunt = frozen("live").await;
    let confirm = async |key: &str, path: &str, with: &str, id: &str| {
        let answer = stunt
            .post(key, path, &json!({"idempotencyKey": with, "orderId": id}))
            .await;
        (answer.status, answer.text())
    };
    let refused = |status: u16, word: &str| (status, code(word));
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let pending = stunt.post("live", DETECTION, &body).await.json();
    let pending = pending["data"]["orderId"].as_str().expect("an id");
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", "42").await,
        refused(404, "ORDER_NOT_FOUND")
    );
    assert_eq!(
        confirm("other", CONFIRM_DETECTION, "c", pending).await,
        refused(403, "ORDER_NOT_OWNER")
    );
    assert_eq!(
        confirm("live", CONFIRM_ANTI_AI, "c", pending).await,
        refused(400, "ORDER_TYPE_NOT_MATCH")
    );
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", pending).await,
        refused(400, "ORDER_FILE_NOT_UPLOADED")
    );

    let id = stunt
        .confirmed(
            "live",
            &json!({"idempotencyKey": "b", "fileName": "b.jpg"}),
            picture(),
        )
        .await;
    let same = format!("confirm {id}");
    let status = |status: &str| {
        (
            200,
            format!(r#"{{"data":{{"orderId":"{id}","status":"{status}"}}}}"#),
        )
    };
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", &id).await,
        refused(400, "ORDER_ALREADY_CONFIRMED")
    );
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, &same, &id).await,
        status("inProgress")
    );
    assert_eq!(stunt.advance("live", "PT1S").await, ["order.process"]);
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, &same, &id).await,
        status("complete")
    );
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", &id).await,
        refused(400, "ORDER_ALREADY_COMPLETED")
    );
    assert_eq!(
        stunt.advance("live", "PT1S").await,
        Vec::<String>::new(),
        "nothing was restarted"
    );

    let failed = json!({"idempotencyKey": "f", "fileName": "x_fail.jpg"});
    let failed = stunt.confirmed("live", &failed, picture()).await;
    stunt.advance("live", "PT1S").await;
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", &failed).await,
        refused(400, "ORDER_ALREADY_FAILED")
    );
    stunt.advance("live", "P7D").await;
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", pending).await,
        refused(400, "ORDER_EXPIRED")
    );
}

#[tokio::test]
async fn an_expired_order_is_read_without_urls_and_its_files_are_gone() {
    let stunt = frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_human.jpg", "options": {"generateThumbnail": true}});
    let id = stunt.confirmed("live", &body, picture()).await;
    stunt.advance("live", "PT1S").await;
    let path = format!("/api/v2/orders/{id}");
    let detail = stunt.get("live", &path).await.json();
    let original = detail["data"]["originalImageUrl"]
        .as_str()
        .expect("a URL")
        .to_owned();
    stunt.advance("live", "P7D").await;
    let expired = stunt.get("live", &path).await.json();
    let told = &expired["data"];
    assert_eq!(
        (&told["status"], &told["probability"]),
        (&json!("expired"), &json!(0.02))
    );
    assert_eq!(
        (&told["thumbnailImageUrl"], &told["originalImageUrl"]),
        (&Value::Null, &Value::Null)
    );
    stunt
        .control(
            Method::PUT,
            "/_mock/clock",
            &json!({"account": "live", "mode": "frozen", "now": crate::support::T0}),
        )
        .await;
    assert_eq!(
        stunt.send(Method::GET, &original, &[], "").await.status,
        404,
        "a link of before finds nothing"
    );
}

#[tokio::test]
async fn anti_ai_with_one_file_gives_back_that_file_changed() {
    let stunt = frozen("live").await;
    for file in [
        "plain.jpg",
        "plain.png",
        "plain.webp",
        "plain.bmp",
        "plain.tiff",
    ] {
        let body = json!({"idempotencyKey": file, "files": [{"fileName": file}], "options": {"strength": "low"}});
        let made = stunt.post("live", ANTI_AI, &body).await.json();
        let id = made["data"]["orderId"].as_str().expect("an id");
        stunt
            .put(
                made["data"]["files"][0]["uploadUrl"]
                    .as_str()
                    .expect("a URL"),
                fixture(file),
            )
            .await;
        stunt
            .post(
                "live",
                CONFIRM_ANTI_AI,
                &json!({"idempotencyKey": "c", "orderId": id}),
            )
            .await;
        stunt.advance("live", "PT1S").await;
        let download = stunt
            .get("live", &format!("/api/v2/orders/{id}/download"))
            .await;
        let url = download.json()["data"]["url"]
            .as_str()
            .expect("a URL")
            .to_owned();
        let expected =
            format!(r#"{{"data":{{"url":"{url}","downloadUrl":"{url}","expiresIn":3600}}}}"#);
        assert_eq!((download.status, download.text()), (200, expected));
        let output = stunt.send(Method::GET, &url, &[], "").await;
        assert_eq!(
            output.header("content-disposition"),
            format!(
                "attachment; filename=\"{file}\"; filename*=UTF-8''{}",
                file.replace('.', "%2E")
            )
        );
        assert!(
            output.bytes != fixture(file) && output.bytes[..2] == fixture(file)[..2],
            "{file}"
        );
    }
}

#[tokio::test]
async fn anti_ai_with_several_files_gives_a_zip_of_them_all() {
    let stunt = frozen("live").await;
    let names = ["one.jpg", "two.jpg", "one.jpg"];
    let files: Vec<Value> = names.iter().map(|name| json!({"fileName": name})).collect();
    let made = stunt
        .post(
            "live",
            ANTI_AI,
            &json!({"idempotencyKey": "a", "files": files}),
        )
        .await;
    let id = made.json()["data"]["orderId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let file = |n: usize| {
        format!(
            r#"{{"fileId":{},"fileName":"{}","uploadUrl":"{{origin}}/_s3/bizmori/temp/{id}/{n}/{}?{}","fileKey":"temp/{id}/{n}/{}"}}"#,
            1_001 + n,
            names[n],
            names[n],
            signed(3_600),
            names[n]
        )
    };
    let expected = format!(
        r#"{{"data":{{"orderName":"anti_ai_2026-03-12","orderId":"{id}","status":"pending","files":[{},{},{}]}}}}"#,
        file(0),
        file(1),
        file(2)
    );
    assert_eq!(stunt.shown(&made.text()), expected);
    for n in 0..3 {
        stunt
            .put(
                made.json()["data"]["files"][n]["uploadUrl"]
                    .as_str()
                    .expect("a URL"),
                picture(),
            )
            .await;
    }
    stunt
        .post(
            "live",
            CONFIRM_ANTI_AI,
            &json!({"idempotencyKey": "c", "orderId": id}),
        )
        .await;
    stunt.advance("live", "PT1S").await;
    let download = stunt
        .get("live", &format!("/api/v2/orders/{id}/download"))
        .await
        .json();
    let zipped = stunt
        .send(
            Method::GET,
            download["data"]["url"].as_str().expect("a URL"),
            &[],
            "",
        )
        .await;
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zipped.bytes)).expect("a ZIP");
    let names: Vec<String> = zip
        .file_names()
        .map(|name| name.expect("UTF-8").into_owned())
        .collect();
    assert_eq!(names, ["one.jpg", "two.jpg", "one (1).jpg"]);
    for n in 0..3 {
        let mut bytes = Vec::new();
        std::io::copy(&mut zip.by_index(n).expect("a member"), &mut bytes).expect("its bytes");
        assert!(bytes.starts_with(b"\xff\xd8\xff"));
    }
}

#[tokio::test]
async fn a_download_is_refused_in_the_vendors_order() {
    let stunt = frozen("live").await;
    let refusal = async |key: &str, id: &str| {
        let answer = stunt
            .get(key, &format!("/api/v2/orders/{id}/download"))
            .await;
        (answer.status, answer.text())
    };
    let detection = stunt
        .detection(
            "live",
            &json!({"idempotencyKey": "d", "fileName": "d.jpg"}),
            picture(),
        )
        .await;
    let body = json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}]});
    let pending = stunt.post("live", ANTI_AI, &body).await.json();
    let pending = pending["data"]["orderId"].as_str().expect("an id");
    assert_eq!(refusal("live", "42").await, (404, code("ORDER_NOT_FOUND")));
    assert_eq!(refusal("live", "x").await, (404, code("ORDER_NOT_FOUND")));
    assert_eq!(
        refusal("other", pending).await,
        (404, code("ORDER_NOT_FOUND"))
    );
    assert_eq!(
        refusal("live", &detection).await,
        (400, code("ORDER_TYPE_CANT_DOWNLOAD"))
    );
    assert_eq!(
        refusal("live", pending).await,
        (400, code("ORDER_NOT_COMPLETED"))
    );
    stunt.advance("live", "P7D").await;
    assert_eq!(refusal("live", pending).await, (400, code("ORDER_EXPIRED")));
}

#[tokio::test]
async fn a_test_key_takes_five_seconds_stores_nothing_and_has_no_result_file() {
    let key = "sk_test_1";
    let stunt = frozen(key).await;
    let made = stunt
        .post(
            key,
            ANTI_AI,
            &json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}]}),
        )
        .await
        .json();
    let id = made["data"]["orderId"].as_str().expect("an id");
    let url = made["data"]["files"][0]["uploadUrl"]
        .as_str()
        .expect("a URL");
    assert!(
        url.starts_with(&format!("{}/api/v2/test-uploads/{id}.0.", stunt.origin)),
        "{url}"
    );
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    assert_eq!(
        stunt.post(key, CONFIRM_ANTI_AI, &confirm).await.text(),
        code("ORDER_FILE_NOT_UPLOADED")
    );
    stunt.put(url, b"no picture at all".to_vec()).await;
    stunt.post(key, CONFIRM_ANTI_AI, &confirm).await;
    assert!(stunt.advance(key, "PT4.999S").await.is_empty());
    assert_eq!(stunt.advance(key, "PT0.001S").await, ["order.process"]);
    let refused = stunt
        .get(key, &format!("/api/v2/orders/{id}/download"))
        .await;
    assert_eq!(
        (refused.status, refused.text()),
        (404, code("PROCESSED_FILE_NOT_FOUND"))
    );

    for (name, probability) in [("a.jpg", 0.02), ("a_ai.jpg", 0.98), ("a_human.jpg", 0.02)] {
        let body =
            json!({"idempotencyKey": name, "fileName": name, "options": {"generateHeatmap": true}});
        let id = stunt.confirmed(key, &body, b"anything".to_vec()).await;
        stunt.advance(key, "PT5S").await;
        let detail = stunt.get(key, &format!("/api/v2/orders/{id}")).await.json();
        let told = &detail["data"];
        assert_eq!(
            (&told["status"], &told["probability"]),
            (&json!("complete"), &json!(probability)),
            "{name}"
        );
        assert_eq!(
            (&told["heatmapUrl"], &told["originalImageUrl"]),
            (&Value::Null, &Value::Null),
            "{name}"
        );
    }
    let failed = stunt
        .confirmed(
            key,
            &json!({"idempotencyKey": "f", "fileName": "f_FAIL.jpg"}),
            vec![1],
        )
        .await;
    stunt.advance(key, "PT5S").await;
    let detail = stunt
        .get(key, &format!("/api/v2/orders/{failed}"))
        .await
        .json();
    assert_eq!(detail["data"]["status"], "failed");
}
