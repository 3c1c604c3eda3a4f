//! Pages of reports, as pdftotext, pdfimages and qpdf read them.

use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::fetched;
use super::{extracted, text};
use crate::support::{TestServer, fixture};

/// Runs a program that has to succeed. Returns its output.
fn output_of(program: &str, arguments: &[&str]) -> String {
    let ended = Command::new(program)
        .args(arguments)
        .output()
        .expect("poppler-utils and qpdf are installed");
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{program}: {errors}");
    String::from_utf8(ended.stdout).expect("UTF-8")
}

/// A downloaded report.
struct Page {
    /// Lines of text, with one space between columns.
    lines: Vec<String>,
    /// Width and height of each image, in pixels.
    images: Vec<String>,
}

impl Page {
    fn read(pdf: &[u8]) -> Self {
        assert!(pdf.len() < 1_000_000, "{} bytes", pdf.len());
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), pdf).expect("written");
        let path = file.path().to_str().expect("UTF-8");
        output_of("qpdf", &["--check", path]);
        let text = output_of("pdftotext", &["-layout", path, "-"]);
        let lines = text.lines().map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // Versions of pdftotext differ on the spaces of "1 / 1".
            words.join(" ").replace(" / ", "/")
        });
        let table = output_of("pdfimages", &["-list", path]);
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

/// Has a report made in that language, and reads it.
async fn report(stunt: &TestServer, id: &str, locale: &str) -> Page {
    let path = format!("/api/v3/orders/{id}/reports");
    stunt.post("live", &path, &json!({"locale": locale})).await;
    stunt.advance("live", "PT1S").await;
    let made = stunt.get("live", &format!("{path}/{locale}")).await.json();
    let url = text(&made, "/data/download/url");
    Page::read(&fetched(stunt, &url).await)
}

/// Returns the instant of so many milliseconds after the order was created, so many hours east of UTC,
/// as `2026-03-12 10:00:00`.
fn time_after(order: &Value, ms: i64, hours: i64) -> String {
    let created = text(order, "/data/createdAt");
    let created: jiff::Timestamp = created.parse().expect("an instant");
    let at = created + jiff::SignedDuration::from_millis(ms + hours * 3_600_000);
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

async fn order_of(stunt: &TestServer, id: &str) -> Value {
    stunt
        .get("live", &format!("/api/v3/orders/{id}"))
        .await
        .json()
}

#[tokio::test]
async fn report_on_a_detection_shows_the_picture_the_heatmap_and_the_probability() {
    let stunt = TestServer::start_frozen("live").await;
    let new = json!({"idempotencyKey": "a", "orderName": "쓔뷁 봄", "fileName": "a_ai.jpg", "options": {"generateHeatmap": true}});
    let id = stunt
        .confirm_detection("live", &new, fixture("photo.jpg"))
        .await;
    stunt.advance("live", "PT1S").await;
    let order = order_of(&stunt, &id).await;
    let probability = order["data"]["result"]["probability"].as_f64();
    let percent = probability.expect("a probability") * 100.0;
    let page = report(&stunt, &id, "en-US").await;
    let at = |ms| time_after(&order, ms, 0);
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
            &format!("Order created {} UTC", at(0)),
            &format!("Order completed {} UTC", at(300)),
            &format!("Report created {} UTC", at(1300)),
            "stuntdouble 1/1",
        ]
    );
    assert_eq!(page.images, ["jpeg 1024x768", "jpeg 1024x768"]);
}

#[tokio::test]
async fn report_on_a_detection_without_a_heatmap_shows_the_picture_alone() {
    let stunt = TestServer::start_frozen("live").await;
    let new = json!({"idempotencyKey": "a", "fileName": "a_human.jpg"});
    let id = stunt
        .confirm_detection("live", &new, fixture("photo.jpg"))
        .await;
    stunt.advance("live", "PT1S").await;
    let page = report(&stunt, &id, "ja-JP").await;
    assert_eq!(page.lines[5], "画像");
    assert_eq!(page.images, ["jpeg 1024x768"]);
}

#[tokio::test]
async fn report_on_a_file_that_cannot_be_decoded_shows_its_card() {
    let stunt = TestServer::start_frozen("live").await;
    let new = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = stunt
        .confirm_detection("live", &new, fixture("not-a-picture.jpg"))
        .await;
    stunt.advance("live", "PT1S").await;
    let page = report(&stunt, &id, "en-US").await;
    assert_eq!(page.images, ["jpeg 595x842"]);
}

#[tokio::test]
async fn report_on_an_extraction_has_each_text_on_its_line_and_the_local_time() {
    let stunt = TestServer::start_frozen("live").await;
    let texts: Vec<String> = (1..=10).map(|n| format!("모리 {n}")).collect();
    let rule = json!({
        "when": {"operation": "bizmori.createWatermarkExtractV3"},
        "then": {"outcome": {"watermarkText": texts.join("\n")}},
    });
    stunt.control(Method::POST, "/_mock/rules", &rule).await;
    let id = extracted(&stunt, "live", "q.jpg").await;
    let order = order_of(&stunt, &id).await;
    let page = report(&stunt, &id, "ko-KR").await;
    let both = |ms| {
        let (local, utc) = (time_after(&order, ms, 9), time_after(&order, ms, 0));
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
            &format!("주문 생성 일시 {}", both(0)),
            &format!("주문 완료 일시 {}", both(300)),
            &format!("보고서 작성 일시 {}", both(5300)),
            "stuntdouble 1/1",
        ]
    );
}
