//! Content of report PDFs, read by pdftotext, pdfimages and qpdf.

use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::fetch;
use super::{complete_extract, text};
use crate::support::{TestServer, fixture};

/// Runs a program, which must succeed. Returns its standard output.
fn run_program(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .expect("poppler-utils and qpdf are installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Content of a downloaded report.
struct ReportPage {
    /// Lines of text, with one space between columns.
    lines: Vec<String>,
    /// Width and height of each image, in pixels.
    images: Vec<String>,
}

impl ReportPage {
    fn read(pdf: &[u8]) -> Self {
        assert!(pdf.len() < 1_000_000, "{} bytes", pdf.len());
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), pdf).expect("the file is written");
        let path = file.path().to_str().expect("UTF-8");
        run_program("qpdf", &["--check", path]);
        let text = run_program("pdftotext", &["-layout", path, "-"]);
        let lines = text.lines().map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // pdftotext's versions differ in the spaces of "1 / 1".
            words.join(" ").replace(" / ", "/")
        });
        let table = run_program("pdfimages", &["-list", path]);
        let images = table.lines().skip(2).map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            format!("{} {}x{}", columns[8], columns[3], columns[4])
        });
        Self {
            lines: lines.filter(|line| !line.is_empty()).collect(),
            images: images.collect(),
        }
    }
}

/// Creates a report in the language `locale` and reads it.
async fn create_report(server: &TestServer, id: &str, locale: &str) -> ReportPage {
    let path = format!("/api/v3/orders/{id}/reports");
    server.post("live", &path, &json!({"locale": locale})).await;
    server.advance("live", "PT1S").await;
    let report = server.get("live", &format!("{path}/{locale}")).await.json();
    let url = text(&report, "/data/download/url");
    ReportPage::read(&fetch(server, &url).await)
}

/// Returns the time `ms` milliseconds after the order's creation, `hours` hours east of UTC, as
/// `2026-03-12 10:00:00`.
fn time_after(order: &Value, ms: i64, hours: i64) -> String {
    let created: jiff::Timestamp = text(order, "/data/createdAt").parse().expect("a timestamp");
    let time = created + jiff::SignedDuration::from_millis(ms + hours * 3_600_000);
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

async fn get_order_v3(server: &TestServer, id: &str) -> Value {
    server
        .get("live", &format!("/api/v3/orders/{id}"))
        .await
        .json()
}

#[tokio::test]
async fn report_on_detection_with_heatmap_shows_both_images_and_probability() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "orderName": "쓔뷁 봄", "fileName": "a_ai.jpg", "options": {"generateHeatmap": true}});
    let id = server
        .confirm_detection("live", &body, fixture("photo.jpg"))
        .await;
    server.advance("live", "PT1S").await;
    let order = get_order_v3(&server, &id).await;
    let probability = order["data"]["result"]["probability"].as_f64();
    let percent = probability.expect("a probability") * 100.0;
    let page = create_report(&server, &id, "en-US").await;
    let time = |ms| time_after(&order, ms, 0);
    assert_eq!(
        page.lines,
        [
            "AI image detection report",
            "Mock report: no real detection was performed.",
            "Result AI probability",
            &format!("Likely AI {percent:.1}%"),
            "Human 0% AI 100%",
            "Picture Heatmap",
            &format!("Order ID {id}"),
            "Order name 쓔뷁 봄",
            "File name a_ai.jpg",
            &format!("Order created {} UTC", time(0)),
            &format!("Order completed {} UTC", time(300)),
            &format!("Report created {} UTC", time(1300)),
            "stuntdouble 1/1",
        ]
    );
    assert_eq!(page.images, ["jpeg 1024x768", "jpeg 1024x768"]);
}

#[tokio::test]
async fn report_on_detection_without_heatmap_shows_one_image() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_human.jpg"});
    let id = server
        .confirm_detection("live", &body, fixture("photo.jpg"))
        .await;
    server.advance("live", "PT1S").await;
    let page = create_report(&server, &id, "ja-JP").await;
    assert_eq!(page.lines[5], "画像");
    assert_eq!(page.images, ["jpeg 1024x768"]);
}

#[tokio::test]
async fn report_on_file_that_cannot_be_decoded_shows_placeholder() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server
        .confirm_detection("live", &body, fixture("not-a-picture.jpg"))
        .await;
    server.advance("live", "PT1S").await;
    let page = create_report(&server, &id, "en-US").await;
    assert_eq!(page.images, ["jpeg 595x842"]);
}

#[tokio::test]
async fn report_on_extract_shows_texts_on_own_lines_and_local_time() {
    let server = TestServer::start_frozen("live").await;
    let texts: Vec<String> = (1..=10).map(|n| format!("모리 {n}")).collect();
    let rule = json!({
        "when": {"operation": "bizmori.createWatermarkExtractV3"},
        "then": {"outcome": {"watermarkText": texts.join("\n")}},
    });
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let id = complete_extract(&server, "live", "q.jpg").await;
    let order = get_order_v3(&server, &id).await;
    let page = create_report(&server, &id, "ko-KR").await;
    let local_and_utc = |ms| {
        let local = time_after(&order, ms, 9);
        let utc = time_after(&order, ms, 0);
        format!("{local} KST (UTC+9) {utc} UTC")
    };
    assert_eq!(
        page.lines,
        [
            "워터마크 검출 보고서",
            "모의 보고서: 실제 검출은 수행되지 않았습니다.",
            "결과",
            "검출됨",
            "이미지",
            &format!("주문 번호 {id}"),
            "주문명 o.jpg",
            "파일명 q.jpg",
            "원본 파일명 o.jpg",
            "워터마크 문구 모리 1",
            "모리 2",
            "모리 3",
            "모리 4",
            "모리 5",
            "모리 6",
            "모리 7",
            "외 3개",
            &format!("주문 생성 일시 {}", local_and_utc(0)),
            &format!("주문 완료 일시 {}", local_and_utc(300)),
            &format!("보고서 작성 일시 {}", local_and_utc(5300)),
            "stuntdouble 1/1",
        ]
    );
}
