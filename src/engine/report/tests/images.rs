//! Images of reports.

use super::reading::{image_placements, occurrences, page_text, stream_with};
use super::{ai, jpeg, pdf_of, pdf_with, with_picture};
use crate::engine::report::{ReportImages, ReportSources, draw_images};
use crate::engine::{Budget, EngineError, InputFile, fixture};
use crate::model::picture::FileDefect;

#[test]
fn picture_and_heatmap_are_side_by_side_in_the_same_size() {
    let jpeg = jpeg(1600);
    let images = ReportImages {
        picture: Some(jpeg.clone()),
        heatmap: Some(jpeg.clone()),
    };
    let pdf = pdf_with(&ai(0.9), &images);
    assert_eq!(page_text(&pdf)[8..10], ["Picture", "Heatmap"]);
    assert_eq!(
        format!("{:.1?}", image_placements(&pdf)),
        "[[233.5, 175.1, 56.0, 377.9], [233.5, 175.1, 305.5, 377.9]]"
    );
    let alone = pdf_with(&ai(0.9), &with_picture(jpeg));
    assert_eq!(page_text(&alone)[8..10], ["Picture", "Order ID"]);
    assert_eq!(
        format!("{:.1?}", image_placements(&alone)),
        "[[333.3, 250.0, 130.8, 303.0]]"
    );
}

/// Draws the images of a report on `content` within a budget of `budget_bytes`.
async fn images_of(
    file: &str,
    content: InputFile,
    side_px_max: u32,
    budget_bytes: u64,
) -> Result<ReportImages, EngineError> {
    let sources = ReportSources {
        picture: Some(content),
        heatmap: None,
    };
    let budget = Budget::new(budget_bytes);
    let mut memory = budget.lease(1024).await.expect("a lease");
    draw_images(&sources, file, side_px_max, &mut memory)
}

#[tokio::test]
async fn draw_images_are_within_the_side_and_fall_back_to_a_card() {
    const ENOUGH: u64 = 1 << 30;
    for (file, side_px_max, expected) in [
        ("photo.jpg", 1600, (1024, 768)),
        ("photo.jpg", 512, (512, 384)),
        ("plain.heic", 1600, (320, 240)),
        ("not-a-picture.jpg", 1600, (595, 842)),
        ("truncated.jpg", 512, (362, 512)),
    ] {
        let content = fixture::content(file);
        let images = images_of(file, content, side_px_max, ENOUGH).await;
        let jpeg = images.expect("images").picture.expect("a picture");
        let image = image::load_from_memory(&jpeg).expect("a JPEG");
        assert_eq!((image.width(), image.height()), expected, "{file}");
    }
    let large = fixture::jpeg(1800, 1800);
    let error = images_of("large.jpg", large, 1600, 16 << 20)
        .await
        .expect_err("no room");
    assert!(
        matches!(error, EngineError::Defect(FileDefect::TooLarge(_))),
        "{error:?}"
    );
}

#[test]
fn image_is_shown_if_it_is_a_jpeg_in_grey_or_rgb() {
    let colours = jpeg(100);
    let grey = {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let luma = image::load_from_memory(&colours)
            .expect("a picture")
            .into_luma8();
        luma.write_to(&mut bytes, image::ImageFormat::Jpeg)
            .expect("a JPEG");
        bytes.into_inner()
    };
    let pdf_showing = |bytes: &[u8]| pdf_with(&ai(0.5), &with_picture(bytes.to_vec()));
    for (bytes, space) in [(&colours, &b"/DeviceRGB"[..]), (&grey, b"/DeviceGray")] {
        let pdf = pdf_showing(bytes);
        let [at] = occurrences(&pdf, bytes)[..] else {
            panic!("the image is not embedded once");
        };
        let dictionary = &pdf[at - 200..at];
        assert_eq!(occurrences(dictionary, space).len(), 1);
        assert_eq!(occurrences(dictionary, b"/Width 100\n").len(), 1);
        let content = stream_with(&pdf, b"BT\n");
        assert_eq!(occurrences(&content, b"/Im1 Do").len(), 1);
    }
    let without = pdf_of(&ai(0.5));
    for other in [&b""[..], &colours[..30], &fixture::bytes("plain.png")] {
        assert!(pdf_showing(other) == without);
    }
}
