//! What reports say of themselves, in each language.

use crate::model::report::{Likelihood, Locale, ReportKind};

/// One saying in all languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    korean: &'static str,
    english: &'static str,
    japanese: &'static str,
}

impl Words {
    const fn new(korean: &'static str, english: &'static str, japanese: &'static str) -> Self {
        Self {
            korean,
            english,
            japanese,
        }
    }

    /// It in the language of `locale`.
    #[must_use]
    pub const fn of(self, locale: Locale) -> &'static str {
        match locale {
            Locale::KoKr => self.korean,
            Locale::EnUs => self.english,
            Locale::JaJp => self.japanese,
        }
    }
}

pub const SUBTITLE: Words = Words::new(
    "모의 서버 stuntdouble이 만든 보고서입니다. 실제로 검출한 것은 없습니다.",
    "Made by stuntdouble, a mock: nothing was detected in earnest.",
    "モックサーバー stuntdouble が作成したレポートです。実際の検出は行っていません。",
);

pub const RESULT: Words = Words::new("결과", "Result", "結果");
pub const PROBABILITY: Words = Words::new("AI 생성 확률", "AI probability", "AI生成確率");
pub const ORDER_ID: Words = Words::new("주문 번호", "Order ID", "注文番号");
pub const ORDER_NAME: Words = Words::new("주문명", "Order name", "注文名");
pub const FILE_NAME: Words = Words::new("파일명", "File name", "ファイル名");
pub const WATERMARK_TEXT: Words = Words::new("워터마크 문구", "Watermark text", "透かしの文字列");
pub const CREATED_AT: Words = Words::new("주문 생성 일시", "Order created", "注文作成日時");
pub const COMPLETED_AT: Words = Words::new("주문 완료 일시", "Order completed", "注文完了日時");
pub const MADE_AT: Words = Words::new("보고서 작성 일시", "Report made", "レポート作成日時");

pub const DETECTED: Words = Words::new("검출됨", "Detected", "検出");
pub const UNDETECTED: Words = Words::new("검출되지 않음", "Not detected", "未検出");

/// A report's heading.
#[must_use]
pub const fn title(kind: ReportKind) -> Words {
    match kind {
        ReportKind::WatermarkDetection => Words::new(
            "워터마크 검출 보고서",
            "Watermark detection report",
            "電子透かし検出レポート",
        ),
        ReportKind::AiDetection => Words::new(
            "AI 생성 이미지 검출 보고서",
            "AI image detection report",
            "AI生成画像検出レポート",
        ),
    }
}

/// What a probability comes to.
#[must_use]
pub const fn likelihood(likelihood: Likelihood) -> Words {
    match likelihood {
        Likelihood::LikelyAi => Words::new(
            "AI 생성일 가능성이 높음",
            "Likely AI",
            "AI生成の可能性が高い",
        ),
        Likelihood::UncertainAi => Words::new(
            "불확실, AI 생성에 가까움",
            "Uncertain, rather AI",
            "不確実、AI生成寄り",
        ),
        Likelihood::UncertainReal => Words::new(
            "불확실, 실제 이미지에 가까움",
            "Uncertain, rather real",
            "不確実、実写寄り",
        ),
        Likelihood::LikelyReal => Words::new(
            "실제 이미지일 가능성이 높음",
            "Likely real",
            "実写の可能性が高い",
        ),
    }
}
