//! PDF file of a report: its objects, the embedded font, and the images.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, FunctionShadingType, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use sha2::{Digest, Sha256};

use super::canvas::{Canvas, FONT};
use super::facts::ReportFacts;
use super::image::PdfImage;
use super::page::{HEIGHT_PT, PageImages, VERDICT_COLORS, VERDICT_SHADING, WIDTH_PT};
use super::translations;
use crate::engine::font::{EmbeddedFont, FontMetrics};

const SYSTEM: SystemInfo = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// Object numbers of the file.
struct ObjectIds {
    catalog: Ref,
    info: Ref,
    pages: Ref,
    page: Ref,
    content: Ref,
    font: Ref,
    cid_font: Ref,
    descriptor: Ref,
    font_file: Ref,
    to_unicode: Ref,
    shading: Ref,
    /// Stitching function of the shading, and the functions of its two halves.
    gradient: [Ref; 3],
    images: Vec<Ref>,
}

/// Returns the PDF whose only page is `canvas`.
///
/// # Errors
/// Returns an error if the font cannot be subset.
pub fn write(report: &ReportFacts, canvas: Canvas, images: &PageImages) -> io::Result<Vec<u8>> {
    let mut next = Ref::new(1);
    let ids = ObjectIds {
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
        shading: next.bump(),
        gradient: [next.bump(), next.bump(), next.bump()],
        images: images.with_names().map(|_| next.bump()).collect(),
    };
    let mut pdf = Pdf::new();
    write_page(&mut pdf, &ids, report, images);
    let content = deflate(&canvas.content.finish())?;
    pdf.stream(ids.content, &content)
        .filter(Filter::FlateDecode);
    write_font(&mut pdf, &ids, &canvas.typeface.into_embedded()?)?;
    write_shading(&mut pdf, &ids);
    for ((_, image), &id) in images.with_names().zip(&ids.images) {
        write_image(&mut pdf, id, image);
    }
    Ok(pdf.finish())
}

/// Writes the catalog, the document information, and the page with its resources.
fn write_page(pdf: &mut Pdf, ids: &ObjectIds, report: &ReportFacts, images: &PageImages) {
    let title = translations::title(report.finding.kind()).get(report.locale);
    let mut catalog = pdf.catalog(ids.catalog);
    catalog.pages(ids.pages).lang(TextStr(report.locale.tag()));
    catalog.viewer_preferences().display_doc_title(true);
    catalog.finish();
    pdf.document_info(ids.info)
        .title(TextStr(title))
        .subject(TextStr(translations::NOTICE.get(report.locale)))
        .producer(TextStr("stuntdouble"));
    pdf.pages(ids.pages).kids([ids.page]).count(1);
    let mut page = pdf.page(ids.page);
    page.parent(ids.pages)
        .media_box(Rect::new(0.0, 0.0, WIDTH_PT, HEIGHT_PT))
        .contents(ids.content);
    let mut resources = page.resources();
    resources.fonts().pair(Name(FONT), ids.font);
    resources
        .shadings()
        .pair(Name(VERDICT_SHADING), ids.shading);
    let mut x_objects = resources.x_objects();
    for ((name, _), &id) in images.with_names().zip(&ids.images) {
        x_objects.pair(Name(name), id);
    }
}

/// Writes the shading of the verdict bar: from left to right over a unit square.
fn write_shading(pdf: &mut Pdf, ids: &ObjectIds) {
    let [whole, halves @ ..] = ids.gradient;
    let mut shading = pdf.function_shading(ids.shading);
    shading.shading_type(FunctionShadingType::Axial);
    shading.color_space().device_rgb();
    shading.coords([0.0, 0.0, 1.0, 0.0]).function(whole);
    shading.finish();
    pdf.stitching_function(whole)
        .domain([0.0, 1.0])
        .functions(halves)
        .bounds([0.5])
        .encode([0.0, 1.0, 0.0, 1.0]);
    for (id, colors) in halves.into_iter().zip(VERDICT_COLORS.windows(2)) {
        pdf.exponential_function(id)
            .domain([0.0, 1.0])
            .c0(colors[0])
            .c1(colors[1])
            .n(1.0);
    }
}

fn write_font(pdf: &mut Pdf, ids: &ObjectIds, font: &EmbeddedFont) -> io::Result<()> {
    let full_name = format!("{}+NotoSansCJKjp-Regular", subset_tag(&font.cff));
    let name = Name(full_name.as_bytes());
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
    let cff = deflate(&font.cff)?;
    let mut file = pdf.stream(ids.font_file, &cff);
    file.filter(Filter::FlateDecode);
    file.pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
    file.finish();
    let mut cmap = UnicodeCmap::<u16>::new(Name(b"ToUnicode"), SYSTEM);
    for (&cid, &(source_char, _)) in &font.glyphs {
        cmap.pair(cid, source_char);
    }
    let compressed_cmap = deflate(&cmap.finish())?;
    pdf.cmap(ids.to_unicode, &compressed_cmap)
        .filter(Filter::FlateDecode);
    Ok(())
}

fn write_descriptor(pdf: &mut Pdf, ids: &ObjectIds, name: Name, metrics: FontMetrics) {
    let [left, bottom, right, top] = metrics.bounds.map(f32::from);
    pdf.font_descriptor(ids.descriptor)
        .name(name)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(left, bottom, right, top))
        .italic_angle(0.0)
        .ascent(f32::from(metrics.ascent))
        .descent(f32::from(metrics.descent))
        .cap_height(f32::from(metrics.cap_height))
        // The font does not state its stem width. Readers ignore it for an embedded font.
        .stem_v(80.0)
        .font_file3(ids.font_file);
}

fn write_image(pdf: &mut Pdf, id: Ref, image: &PdfImage) {
    let mut object = pdf.image_xobject(id, &image.jpeg);
    object.filter(Filter::DctDecode);
    object.width(i32::from(image.width_px));
    object.height(i32::from(image.height_px));
    object.bits_per_component(8);
    if image.is_grey {
        object.color_space().device_gray();
    } else {
        object.color_space().device_rgb();
    }
}

/// Returns the six capital letters that distinguish subsets of a font (ISO 32000-1, 9.6.4).
fn subset_tag(cff: &[u8]) -> String {
    let digest = Sha256::digest(cff);
    let letters = digest.iter().take(6);
    letters.map(|byte| char::from(b'A' + byte % 26)).collect()
}

fn deflate(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}
