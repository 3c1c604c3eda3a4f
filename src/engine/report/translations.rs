//! Labels and sentences of reports in each language.

use crate::model::report::{Likelihood, Locale, ReportKind};

/// A text in all languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Translations {
    korean: &'static str,
    english: &'static str,
    japanese: &'static str,
}

impl Translations {
    const fn new(korean: &'static str, english: &'static str, japanese: &'static str) -> Self {
        Self {
            korean,
            english,
            japanese,
        }
    }

    /// Returns the text in the language of `locale`.
    #[must_use]
    pub const fn get(self, locale: Locale) -> &'static str {
        match locale {
            Locale::KoKr => self.korean,
            Locale::EnUs => self.english,
            Locale::JaJp => self.japanese,
        }
    }
}

pub const NOTICE: Translations = Translations::new(
    "모의 보고서: 실제 검출은 수행되지 않았습니다.",
    "Mock report: no real detection was performed.",
    "モックレポート：実際の検出は行われていません。",
);

pub const RESULT: Translations = Translations::new("결과", "Result", "結果");
pub const PROBABILITY: Translations =
    Translations::new("AI 생성 확률", "AI probability", "AI生成確率");
pub const HUMAN: Translations = Translations::new("사람", "Human", "人間");
pub const AI: Translations = Translations::new("AI", "AI", "AI");
pub const PICTURE: Translations = Translations::new("이미지", "Picture", "画像");
pub const HEATMAP: Translations = Translations::new("히트맵", "Heatmap", "ヒートマップ");
pub const ORDER_ID: Translations = Translations::new("주문 번호", "Order ID", "注文番号");
pub const ORDER_NAME: Translations = Translations::new("주문명", "Order name", "注文名");
pub const FILE_NAME: Translations = Translations::new("파일명", "File name", "ファイル名");
pub const ORIGINAL_NAME: Translations =
    Translations::new("원본 파일명", "Original file", "原本ファイル名");
pub const WATERMARK_TEXT: Translations =
    Translations::new("워터마크 문구", "Watermark text", "透かしの文字列");
pub const CREATED_AT: Translations =
    Translations::new("주문 생성 일시", "Order created", "注文作成日時");
pub const COMPLETED_AT: Translations =
    Translations::new("주문 완료 일시", "Order completed", "注文完了日時");
pub const REPORTED_AT: Translations =
    Translations::new("보고서 작성 일시", "Report created", "レポート作成日時");

pub const DETECTED: Translations = Translations::new("검출됨", "Detected", "検出");
pub const UNDETECTED: Translations = Translations::new("검출되지 않음", "Not detected", "未検出");

/// Returns the heading of a report.
#[must_use]
pub const fn title(kind: ReportKind) -> Translations {
    match kind {
        ReportKind::WatermarkDetection => Translations::new(
            "워터마크 검출 보고서",
            "Watermark detection report",
            "電子透かし検出レポート",
        ),
        ReportKind::AiDetection => Translations::new(
            "AI 생성 이미지 검출 보고서",
            "AI image detection report",
            "AI生成画像検出レポート",
        ),
    }
}

/// Returns the name of a likelihood.
#[must_use]
pub const fn likelihood(likelihood: Likelihood) -> Translations {
    match likelihood {
        Likelihood::LikelyAi => Translations::new(
            "AI 생성일 가능성이 높음",
            "Likely AI",
            "AI生成の可能性が高い",
        ),
        Likelihood::UncertainAi => Translations::new(
            "불확실, AI 생성에 가까움",
            "Uncertain, rather AI",
            "不確実、AI生成寄り",
        ),
        Likelihood::UncertainReal => Translations::new(
            "불확실, 실제 이미지에 가까움",
            "Uncertain, rather real",
            "不確実、実写寄り",
        ),
        Likelihood::LikelyReal => Translations::new(
            "실제 이미지일 가능성이 높음",
            "Likely real",
            "実写の可能性が高い",
        ),
    }
}

/// Returns the line that replaces the last `count` texts of a list.
#[must_use]
pub fn and_more(count: usize, locale: Locale) -> String {
    match locale {
        Locale::KoKr => format!("외 {count}개"),
        Locale::EnUs => format!("and {count} more"),
        Locale::JaJp => format!("ほか{count}件"),
    }
}

/// Returns the time zone of the language: its offset from UTC in hours, and its name. `None` if the
/// language has no single time zone.
#[must_use]
pub const fn time_zone(locale: Locale) -> Option<(i64, &'static str)> {
    match locale {
        Locale::KoKr => Some((9, "KST (UTC+9)")),
        Locale::EnUs => None,
        Locale::JaJp => Some((9, "JST (UTC+9)")),
    }
}
