//! What can be said of a picture: its format, where it comes from, what was judged of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::RuleId;

/// The formats whose pixels are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RasterFormat {
    Jpeg,
    Png,
    WebP,
    Bmp,
    Tiff,
    Gif,
}

impl RasterFormat {
    /// The format a file's extension (without the dot, any case) stands for.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" | "jfif" => Some(Self::Jpeg),
            "png" => Some(Self::Png),
            "webp" => Some(Self::WebP),
            "bmp" => Some(Self::Bmp),
            "tif" | "tiff" => Some(Self::Tiff),
            "gif" => Some(Self::Gif),
            _ => None,
        }
    }

    /// The format a file's name stands for, by what follows its last dot.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        name.rsplit_once('.')
            .and_then(|(_, extension)| Self::of_extension(extension))
    }

    /// The registered media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
            Self::Gif => "image/gif",
        }
    }

    /// Its name, for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::Gif => "GIF",
        }
    }
}

/// What a file is: a picture whose pixels are read, a drawing, a container that is looked into
/// and not decoded, or a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FileKind {
    Picture(RasterFormat),
    /// Rasterised.
    Svg,
    /// HEIC and HEIF.
    Heif,
    Avif,
    Pdf,
}

impl FileKind {
    /// What a file's extension (without the dot, any case) stands for.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "svg" => Some(Self::Svg),
            "heic" | "heif" => Some(Self::Heif),
            "avif" => Some(Self::Avif),
            "pdf" => Some(Self::Pdf),
            other => RasterFormat::of_extension(other).map(Self::Picture),
        }
    }

    /// What a file's name stands for, by what follows its last dot.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        name.rsplit_once('.')
            .and_then(|(_, extension)| Self::of_extension(extension))
    }

    /// The registered media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Picture(format) => format.media_type(),
            Self::Svg => "image/svg+xml",
            Self::Heif => "image/heif",
            Self::Avif => "image/avif",
            Self::Pdf => "application/pdf",
        }
    }

    /// Its name, for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Picture(format) => format.title(),
            Self::Svg => "SVG",
            Self::Heif => "HEIF",
            Self::Avif => "AVIF",
            Self::Pdf => "PDF",
        }
    }

    /// Whether it is a document.
    #[must_use]
    pub fn is_pdf(self) -> bool {
        self == Self::Pdf
    }
}

/// Where a picture says it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "name")]
pub enum Provenance {
    /// It names no source.
    Unknown,
    /// A generator, by name (`Midjourney`, `Stable Diffusion`).
    Generator(String),
    /// A camera, by `Make Model` as its EXIF has them, the make not said twice.
    Camera(String),
    /// An editor, by name (`Adobe Photoshop 25.1`).
    Editor(String),
    /// A program by which a machine made a part of it or changed it, by name (`Adobe Firefly`).
    AiEditor(String),
}

/// What a picture was judged to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "generator")]
pub enum Label {
    /// Made by a machine.
    Ai,
    /// Made by a person.
    Human,
    /// A person's, edited.
    Edited,
    /// A person's, edited by a machine.
    AiEdited,
    /// It bears the watermark of the generator named.
    Watermarked(String),
}

/// Source of a verdict, as `X-Mock-Outcome` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "what")]
pub enum VerdictSource {
    /// The file name's suffix, without the underscore.
    Suffix(String),
    /// The picture's own metadata.
    Metadata,
    /// The SHA-256 of its bytes.
    Digest,
    /// What stands in the file, or does not.
    Content,
    /// A defect, by which the file cannot be processed; the text is one line, for people.
    Defect(String),
    /// A test key, whose pictures nobody looks at.
    TestKey,
    /// A rule, by its id.
    Rule(RuleId),
    /// The control plane, that brought the order to its end.
    Manual,
}

/// A judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    pub label: Label,
    /// The chance that it was made by a machine, 0 to 1.
    pub probability: f64,
    pub source: VerdictSource,
    pub provenance: Provenance,
}

/// What was measured on a picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageMetrics {
    /// The size it says it has, not turned; of a PDF its first page's, in points.
    pub width_px: u32,
    pub height_px: u32,
    pub body_bytes: u64,
    /// None of what is not decoded.
    #[serde(flatten)]
    pub luma: Option<Luma>,
}

/// What was measured on a picture's pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Luma {
    /// Variance of the Laplacian over the luma, 0 to about 10,000; under 100 looks blurred.
    pub sharpness: f64,
    /// Mean luma, 0 to 255; under 40 looks dark.
    pub brightness: f64,
}

/// Why bytes are not a picture (or a PDF) one can work on. The text is one line, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "text")]
pub enum FileDefect {
    /// No format known to us begins so.
    NotAnImage(String),
    /// Of another format than its name says, or of one (or a kind of it) that is not taken.
    FormatMismatch(String),
    /// No bytes at all, or more than are read.
    FileSize(String),
    /// It begins well and cannot be read to its end.
    Corrupt(String),
    /// Its colours are of a kind that is not taken: CMYK, or what no decoder of ours knows.
    ColorMode(String),
    /// More pixels, or more memory, than the limits allow.
    TooLarge(String),
    /// Fewer pixels a side than the work needs.
    TooSmall(String),
    /// More than one picture, where one is taken: it moves, or has pages.
    MultipleImages(String),
    /// A PDF that is encrypted, with a password or without.
    Encrypted(String),
}

impl FileDefect {
    /// The line for people.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::NotAnImage(text)
            | Self::FormatMismatch(text)
            | Self::FileSize(text)
            | Self::Corrupt(text)
            | Self::ColorMode(text)
            | Self::TooLarge(text)
            | Self::TooSmall(text)
            | Self::MultipleImages(text)
            | Self::Encrypted(text) => text,
        }
    }
}

/// How hard the anti-AI noise is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Strength {
    Low,
    Standard,
    #[default]
    High,
}

impl Strength {
    /// The noise's amplitude, of 255.
    #[must_use]
    pub fn amplitude(self) -> u8 {
        match self {
            Self::Low => 2,
            Self::Standard => 4,
            Self::High => 8,
        }
    }
}

/// Reason why it is not known whether a file has a watermark. Only BIZ MORI's v3 has such results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NoResult {
    /// The file was processed, without a clear result.
    Inconclusive,
    /// The file cannot be processed.
    Unsupported,
    /// The vendor's engine failed.
    Error,
}

impl NoResult {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Inconclusive, Self::Unsupported, Self::Error];

    /// The vendor's word, in file names and in rules too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inconclusive => "inconclusive",
            Self::Unsupported => "unsupported",
            Self::Error => "error",
        }
    }

    /// Returns the reason of that name. `None` if there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_with_light_and_without_are_stored_and_read_again() {
        let stored =
            r#"{"widthPx":3,"heightPx":2,"bodyBytes":9,"sharpness":1.5,"brightness":40.0}"#;
        let mut measures = ImageMetrics {
            width_px: 3,
            height_px: 2,
            body_bytes: 9,
            luma: Some(Luma {
                sharpness: 1.5,
                brightness: 40.0,
            }),
        };
        let read = |text: &str| serde_json::from_str::<ImageMetrics>(text).expect("measures");
        let written = |measures: &ImageMetrics| serde_json::to_string(measures).expect("JSON");
        assert_eq!(read(stored), measures);
        assert_eq!(written(&measures), stored);
        measures.luma = None;
        let stored = r#"{"widthPx":3,"heightPx":2,"bodyBytes":9}"#;
        assert_eq!(written(&measures), stored);
        assert_eq!(read(stored), measures);
    }

    #[test]
    fn extensions_of_one_family_stand_for_one_thing() {
        for (extensions, media) in [
            (
                &["jpg", "JPEG", "jfif"][..],
                FileKind::Picture(RasterFormat::Jpeg),
            ),
            (&["tif", "TIFF"], FileKind::Picture(RasterFormat::Tiff)),
            (&["heic", "HEIF"], FileKind::Heif),
            (&["avif"], FileKind::Avif),
            (&["svg"], FileKind::Svg),
            (&["pdf"], FileKind::Pdf),
        ] {
            for extension in extensions {
                let name = format!("a.b.{extension}");
                assert_eq!(FileKind::of_name(&name), Some(media), "{name}");
            }
        }
        for name in ["a.zip", "a.svgz", "svg", "a."] {
            assert_eq!(FileKind::of_name(name), None, "{name}");
        }
    }
}
