//! TIFF encoding with the metadata of the input: texts, orientation, XMP, IPTC, and the EXIF and
//! GPS IFDs.

use std::io::{Cursor, Seek, Write};

use image::DynamicImage;
use tiff::TiffResult;
use tiff::decoder::Decoder;
use tiff::encoder::{TiffEncoder, colortype};
use tiff::tags::{ByteOrder, Tag, Type, ValueBuffer};

/// Tags of the image's IFD that are copied: tags that do not describe how pixels are stored.
const METADATA_TAGS: [u16; 10] = [
    270,    // ImageDescription
    271,    // Make
    272,    // Model
    274,    // Orientation
    305,    // Software
    306,    // DateTime
    315,    // Artist
    700,    // XMP
    33_432, // Copyright
    33_723, // IPTC
];
/// Tags that point to the IFDs that are copied.
const SUB_IFDS: [Tag; 2] = [Tag::ExifDirectory, Tag::GpsDirectory];
/// EXIF tag that points to the interoperability IFD, which is not copied.
const INTEROPERABILITY: u16 = 40_965;

type TiffFields = Vec<(Tag, ValueBuffer)>;

/// Metadata of a TIFF.
#[derive(Default)]
pub(super) struct TiffMetadata {
    image_ifd: TiffFields,
    sub_ifds: Vec<(Tag, TiffFields)>,
}

impl TiffMetadata {
    /// Reads the metadata of `bytes`. Unreadable fields are left out.
    pub(super) fn read_or_default(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> TiffResult<Self> {
        let mut decoder = Decoder::new(Cursor::new(bytes))?;
        let mut metadata = Self::default();
        for tag in METADATA_TAGS.map(Tag::from_u16_exhaustive) {
            let mut value = ValueBuffer::empty(Type::BYTE);
            if let Ok(Some(_)) = decoder.image_ifd().find_tag_buf(tag, &mut value) {
                metadata.image_ifd.push((tag, to_native_endian(value)));
            }
        }
        for tag in SUB_IFDS {
            let Ok(Some(pointer)) = decoder.find_tag(tag) else {
                continue;
            };
            let at = pointer.into_ifd_pointer();
            let Ok(directory) = at.and_then(|at| decoder.read_directory(at)) else {
                continue;
            };
            let mut fields = TiffFields::new();
            let mut values = decoder.read_directory_tags(&directory);
            for (tag, _) in directory.iter() {
                let mut value = ValueBuffer::empty(Type::BYTE);
                let found = values.find_tag_buf(tag, &mut value);
                if tag.to_u16() != INTEROPERABILITY && matches!(found, Ok(Some(_))) {
                    fields.push((tag, to_native_endian(value)));
                }
            }
            if !fields.is_empty() {
                metadata.sub_ifds.push((tag, fields));
            }
        }
        Ok(metadata)
    }
}

/// Converts a value to the byte order in which the encoder writes.
fn to_native_endian(mut value: ValueBuffer) -> ValueBuffer {
    value.set_byte_order(ByteOrder::native());
    value
}

/// Writes the pixels with their ICC profile and the metadata.
pub(super) fn write(
    pixels: &DynamicImage,
    icc: Option<&[u8]>,
    metadata: &TiffMetadata,
    out: &mut (impl Write + Seek),
) -> TiffResult<()> {
    use colortype::{Gray8, Gray16, RGB8, RGB16, RGBA8, RGBA16};
    match pixels {
        DynamicImage::ImageLuma8(image) => write_as::<Gray8>(pixels, image, icc, metadata, out),
        DynamicImage::ImageLuma16(image) => write_as::<Gray16>(pixels, image, icc, metadata, out),
        DynamicImage::ImageRgb8(image) => write_as::<RGB8>(pixels, image, icc, metadata, out),
        DynamicImage::ImageRgb16(image) => write_as::<RGB16>(pixels, image, icc, metadata, out),
        DynamicImage::ImageRgba16(image) => write_as::<RGBA16>(pixels, image, icc, metadata, out),
        // The encoder does not support grey with alpha.
        DynamicImage::ImageLumaA16(_) => {
            write_as::<RGBA16>(pixels, &pixels.to_rgba16(), icc, metadata, out)
        }
        _ => write_as::<RGBA8>(pixels, &pixels.to_rgba8(), icc, metadata, out),
    }
}

fn write_as<C: colortype::ColorType>(
    pixels: &DynamicImage,
    samples: &[C::Inner],
    icc: Option<&[u8]>,
    metadata: &TiffMetadata,
    out: &mut (impl Write + Seek),
) -> TiffResult<()>
where
    [C::Inner]: tiff::encoder::TiffValue,
{
    let mut encoder = TiffEncoder::new(out)?;
    let mut pointers = Vec::new();
    for (tag, fields) in &metadata.sub_ifds {
        let mut directory = encoder.extra_directory()?;
        for (tag, value) in fields {
            directory.write_tag_buf(*tag, value)?;
        }
        pointers.push((*tag, directory.finish_with_offsets()?.offset));
    }
    let mut image = encoder.new_image::<C>(pixels.width(), pixels.height())?;
    for (tag, value) in &metadata.image_ifd {
        image.encoder().write_tag_buf(*tag, value)?;
    }
    if let Some(icc) = icc {
        image.encoder().write_tag(Tag::IccProfile, icc)?;
    }
    for (tag, offset) in pointers {
        image.encoder().write_tag(tag, offset)?;
    }
    image.write_data(samples)
}
