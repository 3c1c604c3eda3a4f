//! A drawn page as a PDF file: its objects, the embedded font, the picture.

use std::io::{self, Cursor, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::codecs::jpeg::JpegDecoder;
use image::{ExtendedColorType, ImageDecoder};
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use sha2::{Digest, Sha256};

use super::page::{HEIGHT_PT, Page, WIDTH_PT};
use super::{Report, words};
use crate::engine::font::{EmbeddedFont, Metrics};

/// What the page calls its font.
pub const FONT: &[u8] = b"F1";
/// What the page calls its picture.
pub const PICTURE: &[u8] = b"Im1";

const SYSTEM: SystemInfo = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// The file's objects, by number.
struct Ids {
    catalog: Ref,
    info: Ref,
    pages: Ref,
    page: Ref,
    content: Ref,
    picture: Ref,
    font: Ref,
    cid_font: Ref,
    descriptor: Ref,
    font_file: Ref,
    to_unicode: Ref,
}

/// A JPEG that a PDF can show as it is.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    bytes: &'a [u8],
    width: u16,
    height: u16,
    is_grey: bool,
}

impl<'a> Picture<'a> {
    /// None of what is no JPEG, or of other colours than RGB or grey.
    #[must_use]
    pub fn of_jpeg(bytes: &'a [u8]) -> Option<Self> {
        let header = JpegDecoder::new(Cursor::new(bytes)).ok()?;
        let is_grey = match header.original_color_type() {
            ExtendedColorType::L8 => true,
            ExtendedColorType::Rgb8 => false,
            _ => return None,
        };
        let (width, height) = header.dimensions();
        Some(Self {
            bytes,
            width: u16::try_from(width).ok().filter(|&width| width > 0)?,
            height: u16::try_from(height).ok().filter(|&height| height > 0)?,
            is_grey,
        })
    }

    /// Its width and height drawn within `room_pt`, not enlarged over a pixel a point.
    #[must_use]
    pub fn fitted(&self, room_pt: [f32; 2]) -> [f32; 2] {
        let size = [self.width, self.height].map(f32::from);
        let scale = (room_pt[0] / size[0]).min(room_pt[1] / size[1]).min(1.0);
        size.map(|side| side * scale)
    }
}

/// The file whose one page is `page`.
///
/// # Errors
/// When the font cannot be cut.
pub fn write(report: &Report, page: Page, picture: Option<&Picture>) -> io::Result<Vec<u8>> {
    let mut next = Ref::new(1);
    let ids = Ids {
        catalog: next.bump(),
        info: next.bump(),
        pages: next.bump(),
        page: next.bump(),
        content: next.bump(),
        font: next.bump(),
        cid_font: next.bump(),
        descriptor: next.bump(),
        font_file: next.bump(),
        to_unicode: next.bump(),
        picture: next.bump(),
    };
    let mut pdf = Pdf::new();
    write_frame(&mut pdf, &ids, report, picture.is_some());
    let content = deflated(&page.content.finish())?;
    pdf.stream(ids.content, &content)
        .filter(Filter::FlateDecode);
    write_font(&mut pdf, &ids, &page.typeface.into_embedded()?)?;
    if let Some(picture) = picture {
        write_picture(&mut pdf, ids.picture, picture);
    }
    Ok(pdf.finish())
}

/// All but what the page shows.
fn write_frame(pdf: &mut Pdf, ids: &Ids, report: &Report, has_picture: bool) {
    let title = words::title(report.finding.kind()).of(report.locale);
    let mut catalog = pdf.catalog(ids.catalog);
    catalog.pages(ids.pages).lang(TextStr(report.locale.tag()));
    catalog.viewer_preferences().display_doc_title(true);
    catalog.finish();
    pdf.document_info(ids.info)
        .title(TextStr(title))
        .subject(TextStr(words::SUBTITLE.of(report.locale)))
        .producer(TextStr("stuntdouble"));
    pdf.pages(ids.pages).kids([ids.page]).count(1);
    let mut page = pdf.page(ids.page);
    page.parent(ids.pages)
        .media_box(Rect::new(0.0, 0.0, WIDTH_PT, HEIGHT_PT))
        .contents(ids.content);
    let mut resources = page.resources();
    resources.fonts().pair(Name(FONT), ids.font);
    if has_picture {
        resources.x_objects().pair(Name(PICTURE), ids.picture);
    }
}

fn write_font(pdf: &mut Pdf, ids: &Ids, font: &EmbeddedFont) -> io::Result<()> {
    let name = format!("{}+NotoSansCJKjp-Regular", tag(&font.cff));
    let name = Name(name.as_bytes());
    pdf.type0_font(ids.font)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(ids.cid_font)
        .to_unicode(ids.to_unicode);
    let mut cid_font = pdf.cid_font(ids.cid_font);
    cid_font
        .subtype(CidFontType::Type0)
        .base_font(name)
        .system_info(SYSTEM)
        .font_descriptor(ids.descriptor)
        .default_width(1000.0);
    let mut widths = cid_font.widths();
    for (&cid, &(_, width)) in &font.glyphs {
        widths.consecutive(cid, [f32::from(width)]);
    }
    widths.finish();
    cid_font.finish();
    write_descriptor(pdf, ids, name, font.metrics);
    let cff = deflated(&font.cff)?;
    let mut file = pdf.stream(ids.font_file, &cff);
    file.filter(Filter::FlateDecode);
    file.pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
    file.finish();
    let mut cmap = UnicodeCmap::<u16>::new(Name(b"Reading"), SYSTEM);
    for (&cid, &(shown, _)) in &font.glyphs {
        cmap.pair(cid, shown);
    }
    let cmap = deflated(&cmap.finish())?;
    pdf.cmap(ids.to_unicode, &cmap).filter(Filter::FlateDecode);
    Ok(())
}

fn write_descriptor(pdf: &mut Pdf, ids: &Ids, name: Name, metrics: Metrics) {
    let [left, bottom, right, top] = metrics.bounds.map(f32::from);
    pdf.font_descriptor(ids.descriptor)
        .name(name)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(left, bottom, right, top))
        .italic_angle(0.0)
        .ascent(f32::from(metrics.ascent))
        .descent(f32::from(metrics.descent))
        .cap_height(f32::from(metrics.cap_height))
        // nowhere told by the font; of no use where it is embedded
        .stem_v(80.0)
        .font_file3(ids.font_file);
}

fn write_picture(pdf: &mut Pdf, id: Ref, picture: &Picture) {
    let mut object = pdf.image_xobject(id, picture.bytes);
    object.filter(Filter::DctDecode);
    object.width(i32::from(picture.width));
    object.height(i32::from(picture.height));
    object.bits_per_component(8);
    if picture.is_grey {
        object.color_space().device_gray();
    } else {
        object.color_space().device_rgb();
    }
}

/// The six capitals that tell one cut of a font from another (ISO 32000-1, 9.6.4).
fn tag(cff: &[u8]) -> String {
    let digest = Sha256::digest(cff);
    let letters = digest.iter().take(6);
    letters.map(|byte| char::from(b'A' + byte % 26)).collect()
}

fn deflated(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}
