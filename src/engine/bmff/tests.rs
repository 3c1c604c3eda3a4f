use proptest::prelude::*;

use super::*;
use crate::engine::decode::{ImageSource, SIDE_PX_MAX};
use crate::engine::fixture::{self, boxed};
use crate::model::picture::FileDefect;

const FIXTURES: [&str; 6] = [
    "plain.heic",
    "camera.heic",
    "firefly.heif",
    "plain.avif",
    "camera.avif",
    "manifest.avif",
];

/// Returns a HEIC without pixels of the given size, rotated by `quarters` times 90 degrees.
fn heic(width: u32, height: u32, quarters: u8) -> Vec<u8> {
    let full = [0_u8; 4];
    let ispe = [&full[..], &width.to_be_bytes(), &height.to_be_bytes()].concat();
    let half = [width / 2, height / 2].map(u32::to_be_bytes).concat();
    let other = [&full[..], &half].concat();
    let container = [
        boxed(*b"ispe", &other),
        boxed(*b"ispe", &ispe),
        boxed(*b"irot", &[quarters]),
    ];
    let properties = boxed(*b"ipco", &container.concat());
    let meta = [full.to_vec(), boxed(*b"iprp", &properties)];
    let brands = boxed(*b"ftyp", b"heic\0\0\0\0mif1heic");
    [brands, boxed(*b"meta", &meta.concat())].concat()
}

fn check(bytes: Vec<u8>) -> Result<Option<(u32, u32)>, FileDefect> {
    let kind = FileKind::Heif;
    ImageSource { bytes, kind }.check(&mut fixture::memory())
}

#[test]
fn fixtures_have_their_brand_and_size() {
    for (name, sides) in FIXTURES.into_iter().zip([
        (320, 240),
        (240, 320),
        (160, 120),
        (160, 120),
        (160, 120),
        (160, 120),
    ]) {
        let bytes = fixture::bytes(name);
        assert_eq!(file_kind(&bytes), FileKind::of_name(name), "{name}");
        assert_eq!(file_kind(&bytes[..24]), FileKind::of_name(name), "{name}");
        assert_eq!(sides_px(&bytes), Some(sides), "{name}");
        assert!(is_complete(&bytes), "{name}");
    }
}

#[test]
fn file_kind_tells_heif_from_avif_and_rejects_other_brands() {
    let kind = |brands: &[u8]| file_kind(&boxed(*b"ftyp", brands));
    for (brands, expected) in [
        (&b"mif1\0\0\0\0mif1heic"[..], Some(FileKind::Heif)),
        (b"mif1\0\0\0\0mif1avifmiaf", Some(FileKind::Avif)),
        (b"mif1\0\0\0\0heicavif", Some(FileKind::Avif)),
        (b"msf1\0\0\0\0", Some(FileKind::Heif)),
        (b"avis\0\0\0\0heic", Some(FileKind::Avif)),
        (b"heix", Some(FileKind::Heif)),
        (b"mp42\0\0\0\0mp42heic", None),
        (b"qt  \0\0\0\0", None),
        (b"", None),
    ] {
        assert_eq!(kind(brands), expected, "{}", brands.escape_ascii());
    }
    assert_eq!(file_kind(b"\0\0\0\x18ftypheic"), Some(FileKind::Heif));
    assert_eq!(file_kind(b"\0\0\0\x04ftypheic"), None);
    assert_eq!(file_kind(&boxed(*b"moov", b"heic")), None);
}

#[test]
fn sides_px_is_the_largest_item_with_sides_swapped_by_a_quarter_turn() {
    assert_eq!(sides_px(&heic(40, 30, 0)), Some((40, 30)));
    assert_eq!(sides_px(&heic(40, 30, 1)), Some((30, 40)));
    assert_eq!(sides_px(&heic(40, 30, 2)), Some((40, 30)));
    assert_eq!(sides_px(&heic(40, 30, 3)), Some((30, 40)));
    let header = [&[0_u8; 76][..], &[0, 9, 0, 0, 0, 5, 0, 0]].concat();
    let film = boxed(*b"moov", &boxed(*b"trak", &boxed(*b"tkhd", &header)));
    assert_eq!(sides_px(&film), Some((9, 5)));
}

#[test]
fn check_with_size_out_of_range_is_a_defect() {
    assert_eq!(check(heic(40, 30, 0)), Ok(Some((40, 30))));
    for (width, height) in [(0, 30), (40, 0), (0, 0)] {
        let found = check(heic(width, height, 0));
        assert!(matches!(found, Err(FileDefect::Corrupt(_))), "{found:?}");
    }
    for (width, height) in [(u32::MAX, u32::MAX), (SIDE_PX_MAX + 1, 1), (9000, 9000)] {
        let found = check(heic(width, height, 0));
        assert!(matches!(found, Err(FileDefect::TooLarge(_))), "{found:?}");
    }
}

#[test]
fn check_with_wrong_box_length_is_corrupt() {
    let meta_at = 24;
    for length in [0_u32, 1, 2, 7, 9, 13, 0x7fff_ffff, u32::MAX] {
        let mut bytes = heic(40, 30, 0);
        bytes[meta_at..meta_at + 4].copy_from_slice(&length.to_be_bytes());
        // Length 0 means "to the end of the file", which is right for this box.
        let expected = length == 0;
        assert_eq!(check(bytes).is_ok(), expected, "{length}");
    }
    let long = [b"\0\0\0\x01meta".as_slice(), &u64::MAX.to_be_bytes()].concat();
    assert!(!is_complete(&long));
    assert!(boxes(&long).next().is_none());
}

#[test]
fn is_complete_rejects_files_truncated_anywhere() {
    for name in FIXTURES {
        let bytes = fixture::bytes(name);
        let ends: Vec<usize> =
            std::iter::successors(Some(0), |at| Some(at + box_length(&bytes[*at..])?)).collect();
        for length in (1..bytes.len()).filter(|length| !ends.contains(length)) {
            assert!(!is_complete(&bytes[..length]), "{name} cut to {length}");
        }
    }
}

#[test]
fn metadata_blocks_of_fixtures_are_found() {
    let camera = fixture::bytes("camera.heic");
    let [MetadataBlock::Exif(exif)] = metadata_blocks(&camera)[..] else {
        panic!("{:?}", metadata_blocks(&camera));
    };
    assert!(exif.starts_with(b"MM\0*") || exif.starts_with(b"II*\0"));
    let firefly = fixture::bytes("firefly.heif");
    let [MetadataBlock::Xmp(packet)] = metadata_blocks(&firefly)[..] else {
        panic!("{:?}", metadata_blocks(&firefly));
    };
    assert!(packet.starts_with(b"<x:xmpmeta") && packet.ends_with(b"</x:xmpmeta>"));
    let manifest = fixture::bytes("manifest.avif");
    let [MetadataBlock::Manifest(store)] = metadata_blocks(&manifest)[..] else {
        panic!("{:?}", metadata_blocks(&manifest));
    };
    assert_eq!(&store[4..8], b"jumb");
    assert!(metadata_blocks(&fixture::bytes("plain.heic")).is_empty());
}

/// Returns an `iloc` of `entries` entries for item 1, each with 65,535 extents of the field
/// `sizes`.
fn endless_iloc(version: u8, sizes: u8, entries: u16) -> Vec<u8> {
    let count = match version {
        2 => u32::from(entries).to_be_bytes().to_vec(),
        _ => entries.to_be_bytes().to_vec(),
    };
    let entry: &[u8] = match version {
        0 => b"\0\x01\0\0\xff\xff",
        1 => b"\0\x01\0\0\0\0\xff\xff",
        _ => b"\0\0\0\x01\0\0\0\0\xff\xff",
    };
    let entries = entry.repeat(usize::from(entries));
    [&[version, 0, 0, 0, sizes, 0][..], &count, &entries].concat()
}

#[test]
fn locate_items_with_empty_extents_and_repeated_item_is_bounded() {
    for version in 0..=2 {
        let iloc = endless_iloc(version, 0, u16::MAX);
        // No items are given, so that all entries are read.
        let mut found = Vec::new();
        assert_eq!(locate_items(&mut found, &iloc, &[], b"", b""), Some(()));
        assert_eq!(found, []);
        locate_items(&mut found, &iloc, &[(1, MetadataItem::Xmp)], b"", b"");
        assert_eq!(found, [MetadataBlock::Xmp(b"")].repeat(ITEMS_MAX));
    }
}

#[test]
fn locate_items_with_too_few_extents_returns_none() {
    let iloc = endless_iloc(0, 0x44, 1);
    let located = |extents: usize| {
        let iloc_bytes = [&iloc[..], &vec![0; 8 * extents]].concat();
        locate_items(&mut Vec::new(), &iloc_bytes, &[], b"", b"")
    };
    assert_eq!(located(0xffff), Some(()));
    assert_eq!(located(0xfffe), None);
}

#[test]
fn metadata_blocks_with_many_manifests_are_bounded() {
    let manifest = [&C2PA[..], &[0; 4], b"manifest\0", &[0; 8]].concat();
    let bytes = boxed(*b"uuid", &manifest).repeat(1000);
    assert_eq!(
        metadata_blocks(&bytes),
        [MetadataBlock::Manifest(b"")].repeat(MANIFESTS_MAX)
    );
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(
        which in 0..FIXTURES.len(),
        flips in prop::collection::vec((0_usize..900, any::<u8>()), 0..8),
        length in 0_usize..4000,
    ) {
        let mut bytes = fixture::bytes(FIXTURES[which]);
        for (at, with) in flips {
            let at = at % bytes.len();
            bytes[at] = with;
        }
        bytes.truncate(length);
        let _ = (file_kind(&bytes), sides_px(&bytes), is_complete(&bytes), metadata_blocks(&bytes));
    }

    #[test]
    fn any_bytes_in_a_box_never_panic(kind in 0_usize..4, body in prop::collection::vec(any::<u8>(), 0..200)) {
        let kinds = [b"iprp", b"ipco", b"iinf", b"iloc"];
        let meta = [vec![0; 4], boxed(*kinds[kind], &body)].concat();
        let bytes = boxed(*b"meta", &meta);
        let _ = (sides_px(&bytes), metadata_blocks(&bytes));
        let _ = locate_items(&mut Vec::new(), &body, &items(&body), &body, &body);
    }
}
