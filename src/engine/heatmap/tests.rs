use super::*;
use crate::engine::fixture;
use crate::engine::thumbnail::upright_scaled;
use image::DynamicImage;

const DIGEST: [u8; 32] = [9; 32];

fn decoded(png: &[u8]) -> DynamicImage {
    image::load_from_memory_with_format(png, image::ImageFormat::Png).expect("a valid PNG")
}

#[test]
fn heatmap_has_the_pictures_size_and_the_chosen_background() {
    let picture = upright_scaled(&fixture::picture("camera.jpg"), SIDE_PX_MAX);
    let map = ActivationMap::new(&picture, DIGEST);
    let raw = map.scaled(Scale::Raw, DIGEST, 0.98);
    let opaque_png = draw(&picture, &raw, Background::Opaque).expect("a heatmap");
    let opaque = decoded(&opaque_png);
    assert_eq!((opaque.width(), opaque.height()), (320, 240));
    assert!(matches!(opaque, DynamicImage::ImageRgb8(_)));
    let normalized = map.scaled(Scale::Normalized, DIGEST, 0.98);
    let png = draw(&picture, &normalized, Background::Transparent).expect("a heatmap");
    let DynamicImage::ImageRgba8(clear) = decoded(&png) else {
        panic!("the transparent heatmap has no alpha");
    };
    let alphas = || clear.pixels().map(|pixel| pixel[3]);
    assert!(alphas().min() < Some(20) && alphas().max() > Some(190));
}

#[test]
fn normalized_map_has_a_wider_range_than_a_raw_one() {
    let picture = upright_scaled(&fixture::picture("camera.jpg"), SIDE_PX_MAX);
    let map = ActivationMap::new(&picture, DIGEST);
    let range = |scale| levels(&map.scaled(scale, DIGEST, 1.0));
    let (raw, normalized) = (range(Scale::Raw), range(Scale::Normalized));
    assert!(
        raw.1 < normalized.1 && normalized.0 < raw.0,
        "{raw:?} {normalized:?}"
    );
    assert!(normalized.1 > 215 && normalized.0 < 30, "{normalized:?}");
}

/// Returns the lowest and the highest level of a map.
fn levels(map: &ActivationMap) -> (u8, u8) {
    let mut min = 255;
    let mut max = 0;
    map.rows(100, 100, |levels| {
        for &level in levels {
            min = min.min(level);
            max = max.max(level);
        }
    });
    (min, max)
}

#[test]
fn highest_level_grows_with_the_probability() {
    let picture = upright_scaled(&fixture::picture("camera.jpg"), SIDE_PX_MAX);
    let map = ActivationMap::new(&picture, DIGEST);
    for scale in [Scale::Raw, Scale::Normalized] {
        let hottest = |probability| levels(&map.scaled(scale, DIGEST, probability)).1;
        // JET has no red and little green below 64.
        assert!(hottest(0.04) < 64, "{scale:?}: {}", hottest(0.04));
        assert!(hottest(0.5) > hottest(0.04), "{scale:?}");
        assert!(hottest(0.98) > hottest(0.5), "{scale:?}");
    }
    assert!(levels(&map.scaled(Scale::Normalized, DIGEST, 0.98)).1 > 200);
}

#[test]
fn neighbouring_pixels_have_close_levels() {
    let picture = upright_scaled(&fixture::picture("photo.jpg"), SIDE_PX_MAX);
    let map = ActivationMap::new(&picture, DIGEST);
    let mut above: Option<Vec<u8>> = None;
    map.rows(1024, 768, |levels| {
        assert!(levels.windows(2).all(|pair| pair[0].abs_diff(pair[1]) <= 4));
        if let Some(above) = &above {
            assert!(levels.iter().zip(above).all(|(a, b)| a.abs_diff(*b) <= 4));
        }
        above = Some(levels.to_vec());
    });
}

#[test]
fn map_depends_on_the_digest_and_is_reproducible() {
    let picture = upright_scaled(&fixture::picture("camera.jpg"), SIDE_PX_MAX);
    let map = ActivationMap::new(&picture, DIGEST);
    assert_eq!(map, ActivationMap::new(&picture, DIGEST));
    assert_ne!(map, ActivationMap::new(&picture, [8; 32]));
}

#[test]
fn overlay_of_any_size_is_half_picture() {
    for (width, height) in [(1, 1), (1, 900), (1600, 2), (3, 3)] {
        let picture = RgbImage::from_pixel(width, height, image::Rgb([200, 200, 200]));
        let map = ActivationMap::new(&picture, DIGEST).scaled(Scale::Raw, DIGEST, 0.5);
        let png = overlay(&picture, &map).expect("an overlay");
        let overlay = decoded(&png).into_rgb8();
        assert_eq!(overlay.dimensions(), (width, height));
        assert!(
            overlay
                .pixels()
                .all(|pixel| pixel.0.iter().all(|&c| c >= 100))
        );
    }
}
