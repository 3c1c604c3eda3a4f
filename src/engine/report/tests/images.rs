//! Images of reports.

use super::reading::{places, places_of_images, stream_with, text};
use super::{ai, jpeg, made, made_with, with_picture};
use crate::engine::report::{ReportImages, ReportSources, draw_images};
use crate::engine::{Budget, EngineError, InputFile, fixture};
use crate::model::picture::FileDefect;

#[test]
fn picture_and_heatmap_stand_side_by_side_in_the_same_size() {
    let jpeg = jpeg(1600);
    let images = ReportImages {
        picture: Some(jpeg.clone()),
        heatmap: Some(jpeg.clone()),
    };
    let pdf = made_with(&ai(0.9), &images);
    assert_eq!(text(&pdf)[8..10], ["Picture", "Heatmap"]);
    let placed = format!("{:.1?}", places_of_images(&pdf));
    let expected = "[[233.5, 175.1, 56.0, 377.9], [233.5, 175.1, 305.5, 377.9]]";
    assert_eq!(placed, expected);
    let alone = made_with(&ai(0.9), &with_picture(jpeg));
    assert_eq!(text(&alone)[8..10], ["Picture", "Order ID"]);
    let placed = format!("{:.1?}", places_of_images(&alone));
    assert_eq!(placed, "[[333.3, 250.0, 130.8, 303.0]]");
}

/// Draws the images of a report on that picture in a lease of `budget_bytes`.
async fn drawn(
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
async fn images_are_drawn_within_the_side_and_what_is_not_a_picture_gets_a_card() {
    const ENOUGH: u64 = 1 << 30;
    for (file, side_px_max, expected) in [
        ("photo.jpg", 1600, (1024, 768)),
        ("photo.jpg", 512, (512, 384)),
        ("plain.heic", 1600, (320, 240)),
        ("not-a-picture.jpg", 1600, (595, 842)),
        ("truncated.jpg", 512, (362, 512)),
    ] {
        let content = fixture::content(file);
        let images = drawn(file, content, side_px_max, ENOUGH).await;
        let jpeg = images.expect("images").picture.expect("a picture");
        let image = image::load_from_memory(&jpeg).expect("a JPEG");
        assert_eq!((image.width(), image.height()), expected, "{file}");
    }
    let large = fixture::jpeg(1800, 1800);
    let refused = drawn("large.jpg", large, 1600, 16 << 20).await;
    let refused = refused.expect_err("no room");
    assert!(
        matches!(refused, EngineError::Defect(FileDefect::TooLarge(_))),
        "{refused:?}"
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
    let of = |bytes: &[u8]| made_with(&ai(0.5), &with_picture(bytes.to_vec()));
    for (bytes, space) in [(&colours, &b"/DeviceRGB"[..]), (&grey, b"/DeviceGray")] {
        let pdf = of(bytes);
        assert_eq!(places(&pdf, bytes).len(), 1);
        let object = &pdf[..places(&pdf, bytes)[0]];
        let object = &object[object.len() - 200..];
        assert_eq!(places(object, space).len(), 1);
        assert_eq!(places(object, b"/Width 100\n").len(), 1);
        assert_eq!(places(&stream_with(&pdf, b"BT\n"), b"/Im1 Do").len(), 1);
    }
    let without = made(&ai(0.5));
    for none in [&b""[..], &colours[..30], &fixture::bytes("plain.png")] {
        assert!(of(none) == without);
    }
}
