//! Listing of orders, statistics, refreshed upload URLs.

use serde_json::{Value, json};

use super::{ANTI_AI, DETECTION, EMBED, EXTRACT, create_order, signed_query, text};
use crate::support::{TestServer, code, picture};

/// Creates one order of each type: a complete detection, a failed anti-AI order and two pending
/// orders. Returns their ids, oldest first.
async fn create_four_orders(server: &TestServer) -> [String; 4] {
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "orderName": "First Light"});
    let detection = server.confirm_detection("live", &body, picture()).await;
    let url = "http://files.test/a";
    let body = json!({"idempotencyKey": "a", "files": [{"fileName": "a_fail.jpg", "originalFileUrl": url}]});
    let anti_ai = create_order(server, "live", ANTI_AI, &body).await;
    server.advance("live", "PT1S").await;
    let watermarks = json!([{"text": "x"}]);
    let body =
        json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg", "watermarks": watermarks}]});
    let embed = create_order(server, "live", EMBED, &body).await;
    let body = json!({"idempotencyKey": "a", "file": {"fileName": "a.jpg"}});
    let extract = create_order(server, "live", EXTRACT, &body).await;
    [
        detection,
        text(&anti_ai, "/orderId"),
        text(&embed, "/orderId"),
        text(&extract, "/orderId"),
    ]
}

async fn list(server: &TestServer, query: &str) -> Value {
    let response = server.get("live", &format!("/api/v2/orders{query}")).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()["data"].take()
}

fn ids(listing: &Value) -> Vec<&str> {
    let orders = listing["orders"].as_array().expect("orders");
    orders
        .iter()
        .map(|order| order["orderId"].as_str().expect("an id"))
        .collect()
}

#[tokio::test]
async fn list_orders_answers_newest_first_with_results() {
    let server = TestServer::start_frozen("live").await;
    let [detection, anti_ai, embed, extract] = create_four_orders(&server).await;
    server
        .create_detection(
            "other",
            &json!({"idempotencyKey": "a", "fileName": "a.jpg"}),
        )
        .await;
    let response = server.get("live", "/api/v2/orders").await;
    let common = |kind: &str,
                  id: &str,
                  status: &str,
                  name: &str,
                  times: (&str, &str),
                  errors: &str| {
        format!(
            r#"{{"type":"{kind}","orderId":"{id}","channel":"api","thumbnailImageUrl":null,"status":"{status}","orderName":"{name}","fileCount":1,"createdAt":"2026-03-12T10:00:0{}Z","updatedAt":"2026-03-12T10:00:0{}Z","errors":{errors}"#,
            times.0, times.1
        )
    };
    let started = "0.000";
    let finished = "0.300";
    let later = "1.000";
    let items = [
        common(
            "watermarkExtract",
            &extract,
            "pending",
            "wtr_extract_2026-03-12",
            (later, later),
            "null",
        ) + r#","statusCode":null}"#,
        common(
            "watermarkEmbed",
            &embed,
            "pending",
            "wtr_embed_20260312100001.000",
            (later, later),
            "null",
        ) + "}",
        common(
            "antiAi",
            &anti_ai,
            "failed",
            "anti_ai_2026-03-12",
            (started, finished),
            r#""a_fail.jpg: forced failure (file name suffix _fail)""#,
        ) + "}",
        common(
            "aiDetection",
            &detection,
            "complete",
            "First Light",
            (started, finished),
            "null",
        ) + r#","probability":0.98,"statusCode":"likely_ai"}"#,
    ];
    let expected = format!(
        r#"{{"data":{{"orders":[{}],"pageInfo":{{"totalItems":4,"totalPages":1,"currentPage":1,"itemsPerPage":10}}}}}}"#,
        items.join(",")
    );
    assert_eq!((response.status, response.text()), (200, expected));
}

#[tokio::test]
async fn list_orders_with_filters_and_pages_answers_matching_orders() {
    let server = TestServer::start_frozen("live").await;
    let [detection, anti_ai, embed, extract] = create_four_orders(&server).await;
    let all = [&*extract, &*embed, &*anti_ai, &*detection];
    let by_id = format!("?keyword={}", &detection[3..]);
    for (query, expected) in [
        ("?status=all&type=all&channel=all", &all[..]),
        ("?status=pending", &all[..2]),
        ("?status=failed", &all[2..3]),
        ("?status=complete&type=antiAi", &[]),
        ("?status=inProgress", &[]),
        ("?status=expired", &[]),
        ("?type=aiDetection", &all[3..]),
        ("?type=watermarkEmbed&status=pending", &all[1..2]),
        ("?type=watermarkExtract", &all[..1]),
        ("?channel=api", &all[..]),
        ("?channel=web", &[]),
        ("?keyword=first%20LIGHT", &all[3..]),
        ("?keyword=wtr_&status=pending", &all[..2]),
        ("?keyword=nothing", &[]),
        (&by_id, &all[3..]),
        ("?limit=-1", &all[..]),
        ("?limit=3", &all[..3]),
        ("?limit=3&page=2", &all[3..]),
        ("?limit=3&page=9", &[]),
        ("?keyword=&status=", &all[..]),
    ] {
        assert_eq!(ids(&list(&server, query).await), expected, "{query}");
    }
    let page_info = |total, pages, page, limit| json!({"totalItems": total, "totalPages": pages, "currentPage": page, "itemsPerPage": limit});
    for (query, expected) in [
        ("?limit=3&page=2", page_info(4, 2, 2, 3)),
        ("?limit=-1", page_info(4, 1, 1, 4)),
        ("?limit=1&status=pending", page_info(2, 2, 1, 1)),
        ("?limit=1&keyword=wtr_", page_info(2, 2, 1, 1)),
        ("?status=expired", page_info(0, 0, 1, 10)),
        ("?channel=web", page_info(0, 0, 1, 10)),
    ] {
        assert_eq!(list(&server, query).await["pageInfo"], expected, "{query}");
    }
    server.advance("live", "P8D").await;
    assert_eq!(ids(&list(&server, "?status=expired").await), all);
}

#[tokio::test]
async fn list_orders_without_limit_answers_all_pages_byte_for_byte() {
    let server = TestServer::start_frozen("live").await;
    let all = "/api/v2/orders?limit=-1&type=aiDetection";
    let listing = |orders: &str, total: u32, pages: u32, limit: u32| {
        format!(
            r#"{{"data":{{"orders":[{orders}],"pageInfo":{{"totalItems":{total},"totalPages":{pages},"currentPage":1,"itemsPerPage":{limit}}}}}}}"#
        )
    };
    let empty = server.get("live", all).await;
    assert_eq!(empty.header("content-type"), "application/json");
    assert_eq!(empty.text(), listing("", 0, 0, 1));
    for n in 1..=201_u32 {
        let body = json!({"idempotencyKey": n.to_string(), "fileName": "a.jpg"});
        server.create_detection("live", &body).await;
        if [100, 101, 200, 201].contains(&n) {
            let mut pages = Vec::new();
            for page in 1..=n.div_ceil(100) {
                let path = format!("{all}&limit=100&page={page}");
                let text = server.get("live", &path).await.text();
                let (_, orders) = text.split_once('[').expect("orders");
                let (orders, _) = orders.rsplit_once(']').expect("the end of the list");
                pages.push(orders.to_owned());
            }
            let response = server.get("live", all).await;
            assert_eq!(response.text(), listing(&pages.join(","), n, 1, n));
        }
    }
}

#[tokio::test]
async fn list_orders_with_invalid_query_answers_invalid_parameter() {
    let server = TestServer::start_frozen("live").await;
    for (query, reason) in [
        (
            "page=0",
            r#"page: expected a number from 1 to 4294967295, got "0""#,
        ),
        (
            "page=x",
            r#"page: expected a number from 1 to 4294967295, got "x""#,
        ),
        (
            "limit=0",
            r#"limit: expected a number from 1 to 100, got "0""#,
        ),
        (
            "limit=101",
            r#"limit: expected a number from 1 to 100, got "101""#,
        ),
        (
            "limit=-2",
            r#"limit: expected a number from 1 to 100, got "-2""#,
        ),
        (
            "status=done",
            "status: must be one of: all, pending, inProgress, complete, failed, expired (got done)",
        ),
        (
            "type=document",
            "type: must be one of: all, antiAi, watermarkEmbed, watermarkExtract, aiDetection (got document)",
        ),
        (
            "channel=mail",
            "channel: must be one of: all, api, web (got mail)",
        ),
    ] {
        let response = server.get("live", &format!("/api/v2/orders?{query}")).await;
        response.assert_refused(400, "INVALID_PARAMETER", reason);
    }
    let response = server
        .get("live", "/api/v2/orders/stats/recent?date=yesterday")
        .await;
    response.assert_refused(
        400,
        "INVALID_PARAMETER",
        r#"date: expected an ISO 8601 date or instant, got "yesterday""#,
    );
}

#[tokio::test]
async fn recent_statistics_count_orders_of_seven_days_up_to_date() {
    let server = TestServer::start_frozen("live").await;
    for (n, by) in [(3, "P1D"), (9, "P4D"), (1, "P1D")] {
        for order in 0..n {
            let body = json!({"idempotencyKey": format!("{by} {n} {order}"), "fileName": "a.jpg"});
            server.create_detection("live", &body).await;
        }
        server.advance("live", by).await;
    }
    let stats = async |query: &str| {
        let path = format!("/api/v2/orders/stats/recent{query}");
        server.get("live", &path).await.text()
    };
    let days = |days: [(&str, u32); 7]| {
        let day = |(date, count)| format!(r#"{{"usageDate":"{date}","usageCount":{count}}}"#);
        days.map(day).join(",")
    };
    let week = days([
        ("03.12", 3),
        ("03.13", 9),
        ("03.14", 0),
        ("03.15", 0),
        ("03.16", 0),
        ("03.17", 1),
        ("03.18", 0),
    ]);
    let expected =
        format!(r#"{{"data":{{"dailyStats":[{week}],"domain":[0,12],"ticks":[0,3,6,9,12]}}}}"#);
    assert_eq!(stats("").await, expected);
    let week = days([
        ("03.06", 0),
        ("03.07", 0),
        ("03.08", 0),
        ("03.09", 0),
        ("03.10", 0),
        ("03.11", 0),
        ("03.12", 3),
    ]);
    let expected =
        format!(r#"{{"data":{{"dailyStats":[{week}],"domain":[0,4],"ticks":[0,1,2,3,4]}}}}"#);
    for date in [
        "2026-03-12",
        "2026-03-12T00:00:00.000Z",
        "2026-03-12T23:59:59.999Z",
        "2026-03-12T10:00:00",
        "2026-03-12T10:00Z",
        "2026-03-13T08:30:00%2B09:00",
        "2026-03-13T08:30:00+09:00",
        "2026-03-11T20:00:00.5-05:00",
    ] {
        assert_eq!(stats(&format!("?date={date}")).await, expected, "{date}");
    }
}

#[tokio::test]
async fn refresh_urls_answers_urls_of_files_not_uploaded_yet() {
    let server = TestServer::start_frozen("live").await;
    let files = json!([{"fileName": "a.jpg"}, {"fileName": "b.jpg"}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    let order = create_order(&server, "live", ANTI_AI, &body).await;
    let id = text(&order, "/orderId");
    server
        .put(&text(&order, "/files/0/uploadUrl"), picture())
        .await;
    server.advance("live", "PT2H").await;
    let stale = text(&order, "/files/1/uploadUrl");
    let refused = server.send(reqwest::Method::PUT, &stale, &[], "x").await;
    assert_eq!(refused.status, 403);
    let path = format!("/api/v2/orders/{id}/refresh-urls");
    let response = server.post("live", &path, &json!({})).await;
    let expected = format!(
        r#"{{"data":{{"files":[{{"fileId":1002,"fileName":"b.jpg","uploadUrl":"{{origin}}/_s3/bizmori/temp/{id}/1/b.jpg?{}","fileKey":"temp/{id}/1/b.jpg"}}]}}}}"#,
        signed_query(3_600).replace("T100000Z", "T120000Z")
    );
    assert_eq!(server.redact(&response.text()), expected);
    server
        .put(
            &text(&response.json(), "/data/files/0/uploadUrl"),
            picture(),
        )
        .await;

    let detection = json!({"idempotencyKey": "d", "fileName": "d.jpg"});
    let started = server
        .confirm_detection("live", &detection, picture())
        .await;
    let path = |id: &str| format!("/api/v2/orders/{id}/refresh-urls");
    for (key, id, status, error_code) in [
        ("live", started.as_str(), 400, "ORDER_NOT_PENDING"),
        ("other", id.as_str(), 403, "ORDER_NOT_OWNER"),
        ("live", "42", 404, "ORDER_NOT_FOUND"),
        ("live", "x", 404, "ORDER_NOT_FOUND"),
    ] {
        let response = server.post(key, &path(id), &json!({})).await;
        assert_eq!(
            (response.status, response.text()),
            (status, code(error_code)),
            "{id}"
        );
    }
    let detail = server.get("live", DETECTION).await;
    assert_eq!(detail.status, 404, "not an order id");
}
