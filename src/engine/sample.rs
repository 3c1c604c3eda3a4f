//! Sample files: pictures for fixtures without an upload.
//!
//! A landscape under the sun, drawn from a seed of 32 bytes. Guarantees: the same seed and format
//! give the same bytes on every machine, because only sums, products, quotients and roots are used,
//! which IEEE 754 defines exactly. Other seeds give other pictures. Samples have no metadata.

use std::io::{self, Cursor};

use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref};

use super::EngineError;
use crate::model::picture::{FileDefect, FileKind, RasterFormat};
use crate::platform::rng::SeededRng;

/// Size of every sample, in points for a PDF's page.
pub const WIDTH_PX: u16 = 640;
pub const HEIGHT_PX: u16 = 480;
const JPEG_QUALITY: u8 = 90;
/// Maximum change of a channel value (0 to 255) by grain. Without grain a picture looks out of
/// focus.
const GRAIN: u8 = 7;

/// Returns the sample of `seed` in the format of the extension of `name`: a raster format, or `pdf`
/// for the picture on a page.
///
/// # Errors
/// Returns [`FileDefect::NotAnImage`] for any other extension, and [`EngineError::Io`] if encoding
/// fails.
pub fn sample(name: &str, seed: [u8; 32]) -> Result<Vec<u8>, EngineError> {
    let kind = FileKind::of_name(name)
        .ok_or_else(|| FileDefect::NotAnImage("unknown extension".to_owned()))?;
    Ok(match kind {
        FileKind::Pdf => pdf(&encode(&picture(seed), RasterFormat::Jpeg)?),
        FileKind::Picture(format) => encode(&picture(seed), format)?,
        FileKind::Svg | FileKind::Heif | FileKind::Avif => {
            let text = format!("samples in {} are not supported", kind.title());
            return Err(FileDefect::NotAnImage(text).into());
        }
    })
}

fn encode(picture: &RgbImage, format: RasterFormat) -> io::Result<Vec<u8>> {
    let mut out = Cursor::new(Vec::new());
    let written = match format {
        RasterFormat::Jpeg => {
            picture.write_with_encoder(JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY))
        }
        RasterFormat::Png => picture.write_to(&mut out, ImageFormat::Png),
        RasterFormat::WebP => picture.write_to(&mut out, ImageFormat::WebP),
        RasterFormat::Bmp => picture.write_to(&mut out, ImageFormat::Bmp),
        RasterFormat::Tiff => picture.write_to(&mut out, ImageFormat::Tiff),
        RasterFormat::Gif => picture.write_to(&mut out, ImageFormat::Gif),
    };
    written.map_err(io::Error::other)?;
    Ok(out.into_inner())
}

/// Returns a PDF of one page that `jpeg` fills.
fn pdf(jpeg: &[u8]) -> Vec<u8> {
    const PICTURE: Name = Name(b"Im1");
    let (width, height) = (f32::from(WIDTH_PX), f32::from(HEIGHT_PX));
    let mut next = Ref::new(1);
    let [catalog, pages, page, content, picture] = std::array::from_fn(|_| next.bump());
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([page]).count(1);
    let mut sheet = pdf.page(page);
    sheet
        .parent(pages)
        .media_box(Rect::new(0.0, 0.0, width, height))
        .contents(content);
    sheet.resources().x_objects().pair(PICTURE, picture);
    sheet.finish();
    let mut page_content = Content::new();
    page_content
        .transform([width, 0.0, 0.0, height, 0.0, 0.0])
        .x_object(PICTURE);
    pdf.stream(content, &page_content.finish());
    let mut object = pdf.image_xobject(picture, jpeg);
    object.filter(Filter::DctDecode);
    object.width(i32::from(WIDTH_PX));
    object.height(i32::from(HEIGHT_PX));
    object.bits_per_component(8);
    object.color_space().device_rgb();
    object.finish();
    pdf.finish()
}

/// Red, green and blue, each 0 to 1.
type Colour = [f64; 3];

/// Parts of the landscape. Lengths are in pixels, from the upper left corner.
struct Scene {
    zenith: Colour,
    horizon: Colour,
    sunlight: Colour,
    sun_at: [f64; 2],
    sun_radius: f64,
    /// Hills from the farthest to the nearest.
    hills: Vec<Hill>,
}

struct Hill {
    colour: Colour,
    /// Height of the hill's top edge for each column, from the top of the picture.
    crest: Vec<f64>,
}

fn picture(seed: [u8; 32]) -> RgbImage {
    let mut rng = SeededRng::from_digest(seed);
    let scene = Scene::random(&mut rng);
    let mut bytes = Vec::with_capacity(usize::from(WIDTH_PX) * usize::from(HEIGHT_PX) * 3);
    let mut row_bytes = [0; WIDTH_PX as usize];
    for y in 0..HEIGHT_PX {
        rng.fill(&mut row_bytes);
        for (x, random) in (0..WIDTH_PX).zip(row_bytes) {
            let grain = f64::from(random % (2 * GRAIN + 1)) - f64::from(GRAIN);
            let colour = scene.colour_at(x, y);
            bytes.extend(colour.map(|channel| byte(channel * 255.0 + grain)));
        }
    }
    RgbImage::from_raw(WIDTH_PX.into(), HEIGHT_PX.into(), bytes).unwrap_or_default()
}

impl Scene {
    fn random(rng: &mut SeededRng) -> Self {
        const HILLS: u8 = 4;
        let (width, height) = (f64::from(WIDTH_PX), f64::from(HEIGHT_PX));
        let sky = rng.unit_f64();
        let zenith = mix(hue(sky), [0.16, 0.24, 0.46], 0.55);
        let horizon = mix(
            hue(sky + 0.1 + 0.3 * rng.unit_f64()),
            [1.0, 0.95, 0.9],
            0.62,
        );
        let sunlight = mix([1.0, 0.93, 0.7], horizon, 0.3 * rng.unit_f64());
        let ground = mix(hue(rng.unit_f64()), [0.07, 0.12, 0.1], 0.6);
        let hills = (1..=HILLS).map(|ordinal| {
            let nearness = f64::from(ordinal) / f64::from(HILLS);
            Hill {
                // Far hills take on the colour of the sky.
                colour: mix(horizon, ground, 0.2 + 0.7 * nearness),
                crest: crest(rng, height * (0.38 + 0.42 * nearness), 52.0),
            }
        });
        Self {
            zenith,
            horizon,
            sunlight,
            hills: hills.collect(),
            sun_at: [
                width * (0.15 + 0.7 * rng.unit_f64()),
                height * (0.12 + 0.28 * rng.unit_f64()),
            ],
            sun_radius: 20.0 + 30.0 * rng.unit_f64(),
        }
    }

    fn colour_at(&self, x: u16, y: u16) -> Colour {
        let below = |hill: &Hill| f64::from(y) - hill.crest[usize::from(x)];
        let nearest_hill = self.hills.iter().rposition(|hill| below(hill) >= 1.0);
        let mut colour = match nearest_hill {
            // Valleys are misty.
            Some(nearest) => {
                let hill = &self.hills[nearest];
                mix(hill.colour, self.horizon, below(hill).min(160.0) / 520.0)
            }
            None => self.sky(x, y),
        };
        // Crests are antialiased over one pixel.
        for hill in &self.hills[nearest_hill.map_or(0, |nearest| nearest + 1)..] {
            colour = mix(colour, hill.colour, below(hill));
        }
        colour
    }

    fn sky(&self, x: u16, y: u16) -> Colour {
        let height = f64::from(y) * 1.5 / f64::from(HEIGHT_PX);
        let [dx, dy] = [f64::from(x) - self.sun_at[0], f64::from(y) - self.sun_at[1]];
        let distance = (dx * dx + dy * dy).sqrt();
        let far = distance / self.sun_radius;
        let glow = 0.7 / (1.0 + far * far / 4.0);
        let disc = self.sun_radius - distance;
        mix(
            mix(self.zenith, self.horizon, height),
            self.sunlight,
            glow.max(disc),
        )
    }
}

/// Returns a line across the picture that varies around `level`, by about `swing_max` in six
/// octaves.
fn crest(rng: &mut SeededRng, level: f64, swing_max: f64) -> Vec<f64> {
    let mut line = vec![level; usize::from(WIDTH_PX)];
    let mut swing = swing_max;
    for octave in 1..=6 {
        let stretch = WIDTH_PX / (1 << octave);
        let knots: Vec<f64> = (0..=WIDTH_PX / stretch + 1)
            .map(|_| swing * (rng.unit_f64() - 0.5))
            .collect();
        for (x, height) in (0..WIDTH_PX).zip(&mut line) {
            let knot = usize::from(x / stretch);
            let t = f64::from(x % stretch) / f64::from(stretch);
            let eased = t * t * (3.0 - 2.0 * t);
            *height += knots[knot] + (knots[knot + 1] - knots[knot]) * eased;
        }
        swing *= 0.55;
    }
    line
}

/// Returns the pure colour at a position of the colour wheel, whose circumference is 1.
fn hue(at: f64) -> Colour {
    [0.0, 2.0, 4.0].map(|turn| {
        let position = (at * 6.0 + turn) % 6.0;
        ((position - 3.0).abs() - 1.0).clamp(0.0, 1.0)
    })
}

/// Mixes a share of `to`, clamped to 0 to 1, into `from`.
fn mix(from: Colour, to: Colour, share: f64) -> Colour {
    let share = share.clamp(0.0, 1.0);
    std::array::from_fn(|channel| from[channel] + (to[channel] - from[channel]) * share)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, as intended"
)]
fn byte(value: f64) -> u8 {
    (value + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u8; 32] = [7; 32];

    #[test]
    fn sample_in_every_raster_format_decodes_to_the_seeds_picture() {
        let expected = picture(SEED);
        for (name, format) in [
            ("a.jpg", ImageFormat::Jpeg),
            ("b.JPEG", ImageFormat::Jpeg),
            ("c.png", ImageFormat::Png),
            ("d.webp", ImageFormat::WebP),
            ("e.bmp", ImageFormat::Bmp),
            ("f.tif", ImageFormat::Tiff),
            ("g.h.tiff", ImageFormat::Tiff),
            ("i.gif", ImageFormat::Gif),
        ] {
            let bytes = sample(name, SEED).expect(name);
            assert_eq!(image::guess_format(&bytes).expect(name), format);
            let decoded = image::load_from_memory(&bytes).expect(name).into_rgb8();
            assert_eq!(decoded.dimensions(), (640, 480), "{name}");
            let difference: u64 = decoded
                .as_raw()
                .iter()
                .zip(expected.as_raw())
                .map(|(a, b)| u64::from(a.abs_diff(*b)))
                .sum();
            assert!(difference < 6 * 640 * 480 * 3, "{name}: {difference}");
        }
    }

    #[test]
    fn sample_depends_on_the_seed_and_is_reproducible() {
        let first = picture(SEED);
        for format in [RasterFormat::Jpeg, RasterFormat::WebP, RasterFormat::Gif] {
            let twice = [(); 2].map(|()| encode(&first, format).expect("a sample"));
            assert!(twice[0] == twice[1], "{format:?}");
        }
        assert!(first == picture(SEED));
        assert!(first != picture([8; 32]));
    }

    #[test]
    fn picture_of_a_seed_never_changes() {
        use sha2::{Digest, Sha256};
        let digest = hex::encode(Sha256::digest(picture(SEED).as_raw()));
        assert_eq!(
            digest,
            "aa474c15bd4301d5b3ccae3a069efe2db1374979f477840e73a9fdf3dfa772f5"
        );
    }

    #[test]
    fn sample_is_neither_dark_nor_out_of_focus() {
        for seed in 0..3 {
            let bytes = sample("a.jpg", [seed; 32]).expect("a sample");
            let pixels = image::load_from_memory(&bytes).expect("a picture");
            let metrics = super::super::measure::measure(&pixels, 0);
            let measures = metrics.luma.expect("pixels");
            assert!(measures.sharpness > 100.0, "{seed}: {measures:?}");
            assert!(
                (60.0..220.0).contains(&measures.brightness),
                "{seed}: {measures:?}"
            );
        }
    }

    #[test]
    fn sample_pdf_has_one_page_with_the_picture() {
        let pdf = sample("A.PDF", SEED).expect("a sample");
        assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF"));
        let jpeg = sample("a.jpg", SEED).expect("a sample");
        assert!(pdf.windows(jpeg.len()).any(|window| window == jpeg));
        let pages = pdf.windows(11).filter(|window| window == b"/Type /Page");
        assert_eq!(pages.count(), 2, "the page tree and the page");
    }

    #[test]
    fn sample_with_unknown_extension_is_no_image() {
        for name in [
            "", "pdf", "jpg", "a.svg", "a.heic", "a.avif", "a.jpg.", "a.jpg/b",
        ] {
            let failure = sample(name, SEED).expect_err(name);
            assert!(matches!(
                failure,
                EngineError::Defect(FileDefect::NotAnImage(_))
            ));
        }
    }
}
