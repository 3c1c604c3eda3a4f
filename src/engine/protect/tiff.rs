//! A TIFF that keeps what another said of itself: the texts, the orientation, XMP and IPTC, and
//! the directories of EXIF and GPS.

use std::io::{Cursor, Seek, Write};

use image::DynamicImage;
use tiff::TiffResult;
use tiff::decoder::Decoder;
use tiff::encoder::{TiffEncoder, colortype};
use tiff::tags::{ByteOrder, Tag, Type, ValueBuffer};

/// Of the picture's own directory, what is not about how its pixels are stored.
const KEPT: [u16; 10] = [
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
/// Directories that the picture's own leads to.
const SUB_IFDS: [Tag; 2] = [Tag::ExifDirectory, Tag::GpsDirectory];
/// In EXIF: leads to another directory, which is not kept.
const INTEROPERABILITY: u16 = 40_965;

type TiffFields = Vec<(Tag, ValueBuffer)>;

/// What a TIFF says of itself.
#[derive(Default)]
pub(super) struct TiffMetadata {
    own: TiffFields,
    sub_ifds: Vec<(Tag, TiffFields)>,
}

impl TiffMetadata {
    /// What these bytes say; what cannot be read is left out.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> TiffResult<Self> {
        let mut decoder = Decoder::new(Cursor::new(bytes))?;
        let mut output = Self::default();
        for tag in KEPT.map(Tag::from_u16_exhaustive) {
            let mut value = ValueBuffer::empty(Type::BYTE);
            if let Ok(Some(_)) = decoder.image_ifd().find_tag_buf(tag, &mut value) {
                output.own.push((tag, to_native_endian(value)));
            }
        }
        for tag in SUB_IFDS {
            let Ok(Some(pointer)) = decoder.find_tag(tag) else {
                continue;
            };
            let directory = pointer.into_ifd_pointer();
            let Ok(directory) = directory.and_then(|at| decoder.read_directory(at)) else {
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
                output.sub_ifds.push((tag, fields));
            }
        }
        Ok(output)
    }
}

/// The value in the byte order that is written.
fn to_native_endian(mut value: ValueBuffer) -> ValueBuffer {
    value.set_byte_order(ByteOrder::native());
    value
}

/// Writes the pixels with their colour profile, and what was said.
pub(super) fn write(
    pixels: &DynamicImage,
    icc: Option<&[u8]>,
    output: &TiffMetadata,
    out: &mut (impl Write + Seek),
) -> TiffResult<()> {
    use colortype::{Gray8, Gray16, RGB8, RGB16, RGBA8, RGBA16};
    match pixels {
        DynamicImage::ImageLuma8(image) => write_as::<Gray8>(pixels, image, icc, output, out),
        DynamicImage::ImageLuma16(image) => write_as::<Gray16>(pixels, image, icc, output, out),
        DynamicImage::ImageRgb8(image) => write_as::<RGB8>(pixels, image, icc, output, out),
        DynamicImage::ImageRgb16(image) => write_as::<RGB16>(pixels, image, icc, output, out),
        DynamicImage::ImageRgba16(image) => write_as::<RGBA16>(pixels, image, icc, output, out),
        // There is no grey with alpha.
        DynamicImage::ImageLumaA16(_) => {
            write_as::<RGBA16>(pixels, &pixels.to_rgba16(), icc, output, out)
        }
        _ => write_as::<RGBA8>(pixels, &pixels.to_rgba8(), icc, output, out),
    }
}

fn write_as<C: colortype::ColorType>(
    pixels: &DynamicImage,
    samples: &[C::Inner],
    icc: Option<&[u8]>,
    output: &TiffMetadata,
    out: &mut (impl Write + Seek),
) -> TiffResult<()>
where
    [C::Inner]: tiff::encoder::TiffValue,
{
    let mut encoder = TiffEncoder::new(out)?;
    let mut pointers = Vec::new();
    for (tag, fields) in &output.sub_ifds {
        let mut directory = encoder.extra_directory()?;
        for (tag, value) in fields {
            directory.write_tag_buf(*tag, value)?;
        }
        pointers.push((*tag, directory.finish_with_offsets()?.offset));
    }
    let mut image = encoder.new_image::<C>(pixels.width(), pixels.height())?;
    for (tag, value) in &output.own {
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
