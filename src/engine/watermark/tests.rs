use proptest::prelude::*;

use super::*;
use crate::engine::decode::{DecodeMode, ImageSource};
use crate::engine::fixture;
use crate::engine::metadata;
use crate::model::picture::RasterFormat;
use crate::platform::rng::SeededRng;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Returns `bytes` with `texts` embedded.
fn embedded(name: &str, bytes: &[u8], texts: Vec<String>) -> Result<Vec<u8>, EngineError> {
    let host = WatermarkHost::from_bytes(bytes.to_vec(), name, false, &mut fixture::memory())?;
    let tail = build_tail(&host, texts)?;
    Ok([&bytes[..tail.from], &tail.bytes].concat())
}

fn extracted(name: &str, bytes: &[u8]) -> Vec<String> {
    WatermarkHost::from_bytes(bytes.to_vec(), name, false, &mut fixture::memory())
        .unwrap_or_else(|error| panic!("{name}: {error}"))
        .texts()
}

fn defect_of(name: &str, bytes: &[u8]) -> FileDefect {
    match WatermarkHost::from_bytes(bytes.to_vec(), name, false, &mut fixture::memory()) {
        Err(EngineError::Defect(defect)) => defect,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn extract_after_embed_returns_all_texts_in_every_format() {
    let first = texts(&["Straße 1\nzwei\0drei", "\u{1f99d} %PDF-1.4 >> endobj", ""]);
    let long: Vec<_> = (0..10_u32)
        .map(|n| {
            char::from_u32(0x1f980 + n)
                .expect("an animal")
                .to_string()
                .repeat(1000)
        })
        .collect();
    let both = [first.clone(), long.clone()].concat();
    for (name, bytes) in sample::all() {
        assert!(extracted(name, &bytes).is_empty(), "{name}");
        let once = embedded(name, &bytes, first.clone()).expect(name);
        assert_eq!(extracted(name, &once), first, "{name}");
        let twice = embedded(name, &once, long.clone()).expect(name);
        assert_eq!(extracted(name, &twice), both, "{name}");
        let at_once = embedded(name, &bytes, both.clone()).expect(name);
        assert_eq!(extracted(name, &at_once), both, "{name}");
        assert!(twice == at_once, "{name}: the old block was not replaced");
    }
}

#[test]
fn embed_changes_neither_pixels_nor_metadata() {
    for (name, bytes) in sample::all() {
        let Some(format) = RasterFormat::of_name(name) else {
            continue;
        };
        let after = embedded(name, &bytes, texts(&["Made with Midjourney"])).expect(name);
        assert_eq!(
            metadata::read(&bytes, format),
            metadata::read(&after, format),
            "{name}"
        );
        let [before, after] = [bytes, after].map(|bytes| {
            let source = ImageSource {
                bytes,
                kind: FileKind::Picture(format),
            };
            fixture::decode(&source, DecodeMode::Full).expect(name)
        });
        assert_eq!(before.pixels, after.pixels, "{name}");
        assert_eq!(
            (before.orientation, before.exif, before.icc),
            (after.orientation, after.exif, after.icc),
            "{name}"
        );
    }
}

#[test]
fn embed_pdf_appends_and_repeats_the_end_of_the_file() {
    for name in ["table.pdf", "stream.pdf"] {
        let before = fixture::bytes(name);
        let after = embedded(name, &before, texts(&["x"])).expect(name);
        assert!(after.starts_with(&before));
        let end = before.len() - b"startxref\n123\n%%EOF\n".len();
        assert!(after.ends_with(&before[end..]), "{name}");
        let grown = [&after[..], &before[end..]].concat();
        assert_eq!(extracted(name, &grown), texts(&["x"]));
        let again = embedded(name, &grown, texts(&["y"])).expect(name);
        assert!(again.starts_with(&grown));
        assert_eq!(extracted(name, &again), texts(&["x", "y"]));
    }
}

#[test]
fn embed_picture_appends_the_watermark() {
    for (name, bytes) in sample::all() {
        if RasterFormat::of_name(name).is_some() {
            let once = embedded(name, &bytes, texts(&["x"])).expect(name);
            assert!(once.starts_with(&bytes), "{name}");
            assert!(once.ends_with(b"SDWM-END"), "{name}");
        }
    }
}

#[test]
fn damaged_block_is_ignored_and_can_be_replaced() {
    for (name, bytes) in sample::all() {
        let once = embedded(name, &bytes, texts(&["first text"])).expect(name);
        let mut damaged = once.clone();
        let needles = ["first text".to_owned(), hex::encode("first text")];
        let at = needles.iter().find_map(|needle| {
            once.windows(needle.len())
                .position(|window| window == needle.as_bytes())
        });
        damaged[at.expect(name)] ^= 1;
        assert!(texts_of(name, &damaged).is_empty(), "{name}");
        let again = texts_of(name, &embedded_unchecked(name, &damaged, texts(&["two"])));
        assert_eq!(again, texts(&["two"]), "{name}");
    }
}

/// Extracts texts without checking the rest of the file: the PNG decoder verifies checksums.
fn texts_of(name: &str, bytes: &[u8]) -> Vec<String> {
    unchecked_host(name, bytes).texts()
}

fn embedded_unchecked(name: &str, bytes: &[u8], texts: Vec<String>) -> Vec<u8> {
    let tail = build_tail(&unchecked_host(name, bytes), texts).expect(name);
    [&bytes[..tail.from], &tail.bytes].concat()
}

fn unchecked_host(name: &str, bytes: &[u8]) -> WatermarkHost {
    WatermarkHost {
        bytes: bytes.to_vec(),
        kind: FileKind::of_name(name).expect(name),
        thumbnail: None,
    }
}

type HostCase = (&'static str, Vec<u8>, fn(String) -> FileDefect);

#[test]
fn each_kind_of_defect_is_reported_as_such() {
    const WIDTH_AT: usize = 274;
    let jpeg = fixture::bytes("plain.jpg");
    let mut cmyk = jpeg.clone();
    let frame = cmyk
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .expect("a frame");
    cmyk[frame + 9] = 4;
    let mut animated_png = fixture::bytes("plain.png");
    let control = fixture::png_chunk(*b"acTL", b"\0\0\0\x02\0\0\0\0");
    animated_png.splice(33..33, control);
    let mut animated_webp = fixture::bytes("plain.webp");
    animated_webp[20] |= 2;
    let mut pages = sample::tiff(true, 1);
    let end = pages.len() - 5;
    pages[end..end + 4].copy_from_slice(&264_u32.to_be_bytes());
    let patched = |at: usize, value: u32| {
        let mut tiff = sample::tiff(false, 1);
        tiff[at..at + 4].copy_from_slice(&value.to_le_bytes());
        tiff
    };
    let small = patched(WIDTH_AT, 15);
    let four_bits = patched(WIDTH_AT + 2 * 12, 4);
    let packed = patched(WIDTH_AT + 3 * 12, 34_892);
    let encrypted = replaced(
        &fixture::bytes("table.pdf"),
        b"/Info 6 0 R",
        b"/Encrypt 6 0 R",
    );
    let cases: [HostCase; 18] = [
        ("a.jpg", Vec::new(), FileDefect::FileSize),
        ("a.pdf", Vec::new(), FileDefect::FileSize),
        ("a.jpg", b"<!doctype html>".to_vec(), FileDefect::NotAnImage),
        ("a.pdf", b"<!doctype html>".to_vec(), FileDefect::NotAnImage),
        ("a.png", jpeg.clone(), FileDefect::FormatMismatch),
        ("a.pdf", jpeg.clone(), FileDefect::FormatMismatch),
        (
            "a.jpg",
            fixture::bytes("table.pdf"),
            FileDefect::FormatMismatch,
        ),
        ("a", fixture::bytes("plain.gif"), FileDefect::FormatMismatch),
        (
            "a.jpg",
            fixture::bytes("truncated.jpg"),
            FileDefect::Corrupt,
        ),
        ("a.jpg", cmyk, FileDefect::ColorMode),
        ("a.tif", sample::tiff(true, 5), FileDefect::ColorMode),
        ("a.png", fixture::bytes("bomb.png"), FileDefect::TooLarge),
        ("a.tiff", small, FileDefect::TooSmall),
        ("a.tiff", four_bits, FileDefect::ColorMode),
        ("a.tiff", packed, FileDefect::FormatMismatch),
        ("a.png", animated_png, FileDefect::MultipleImages),
        ("a.webp", animated_webp, FileDefect::MultipleImages),
        ("a.tiff", pages, FileDefect::MultipleImages),
    ];
    for (name, bytes, kind) in cases {
        let defect = defect_of(name, &bytes);
        assert_eq!(defect, kind(defect.message().to_owned()), "{name}");
        assert!(!defect.message().contains('\n'));
    }
    assert!(matches!(
        defect_of("a.pdf", &encrypted),
        FileDefect::Encrypted(_)
    ));
    assert!(matches!(
        defect_of("a.tif", b"II+\0\x08\0\0\0"),
        FileDefect::FormatMismatch(_)
    ));
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes
        .windows(from.len())
        .position(|window| window == from)
        .expect("an occurrence");
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

#[test]
fn pdf_without_a_valid_end_is_corrupt() {
    for name in ["table.pdf", "stream.pdf"] {
        let whole = fixture::bytes(name);
        for length in 5..whole.len() - 7 {
            let defect = defect_of(name, &whole[..length]);
            assert!(
                matches!(defect, FileDefect::Corrupt(_)),
                "{name} cut to {length}: {defect:?}"
            );
        }
        // Data before the header shifts offsets, which may count from either.
        for odd in [
            [b"\0\n ", &whole[..]].concat(),
            [&whole[..], b"\0\0\r\n"].concat(),
        ] {
            let after = embedded(name, &odd, texts(&["x"])).expect(name);
            assert_eq!(extracted(name, &after), texts(&["x"]));
        }
        let lost = replaced(&whole, b"startxref\n", b"startxref\n9");
        assert!(matches!(defect_of(name, &lost), FileDefect::Corrupt(_)));
        let rootless = replaced(&whole, b"/Root 1 0 R", b"/Boot [/Root] ");
        assert!(matches!(defect_of(name, &rootless), FileDefect::Corrupt(_)));
    }
    let odd = replaced(
        &fixture::bytes("table.pdf"),
        b"/Info 6 0 R",
        b"/ID [<00> (\\) >> /Encrypt ())] /X << /Encrypt 1 >> % >>/Encrypt\n",
    );
    assert!(extracted("odd.pdf", &odd).is_empty());
}

#[tokio::test]
async fn engine_embeds_and_extracts_texts_under_any_name() {
    let engine = fixture::engine(1);
    for name in ["photo.jpg", "plain.png", "stream.pdf"] {
        let to = tempfile::NamedTempFile::new().expect("a temporary file");
        let task = Embedding {
            content: fixture::content(name),
            name: name.to_owned(),
            to: to.path().to_owned(),
            texts: texts(&["one", "two"]),
            thumbnail: true,
        };
        let embedded = engine.embed(task).await.expect(name);
        assert_eq!(Some(embedded.kind), FileKind::of_name(name));
        assert!(embedded.thumbnail.is_some(), "{name}");
        let output = fixture::open(to.path());
        assert_eq!(embedded.body_bytes, output.bytes);
        let found = engine.extract(output, "renamed".to_owned()).await;
        assert_eq!(found.expect(name), texts(&["one", "two"]));
    }
    let without = engine.extract(fixture::content("photo.jpg"), "photo.jpg".to_owned());
    assert_eq!(without.await.expect("a photo"), texts(&[]));
    let misnamed = engine.extract(fixture::content("photo.jpg"), "photo.png".to_owned());
    assert!(matches!(
        misnamed.await,
        Err(EngineError::Defect(FileDefect::FormatMismatch(_)))
    ));
}

/// Returns `bytes` with up to seven bytes changed, mostly near an end, and possibly truncated.
fn garbled(bytes: &[u8], rng: &mut SeededRng) -> Vec<u8> {
    let mut garbled = bytes.to_vec();
    let mut below = |limit: usize| usize::try_from(rng.next_u64()).unwrap_or(0) % limit.max(1);
    for _ in 0..=below(6) {
        let reach = garbled.len().min(400);
        let at = match below(3) {
            0 => below(reach),
            1 => garbled.len() - 1 - below(reach),
            _ => below(garbled.len()),
        };
        garbled[at] = match below(3) {
            0 => 0xff,
            1 => 0,
            _ => garbled[at] ^ 1 << below(8),
        };
    }
    let length = below(2 * garbled.len());
    garbled.truncate(length);
    garbled
}

#[test]
fn garbled_files_never_panic() {
    let mut rng = SeededRng::from_digest([9; 32]);
    for (name, bytes) in sample::all() {
        let once = embedded(name, &bytes, texts(&["x"])).expect(name);
        for round in 0..100 {
            let garbled = garbled(&once, &mut rng);
            if round < 5 {
                let _ = embedded(name, &garbled, texts(&["y"]));
            }
            let host = unchecked_host(name, &garbled);
            let found = host.texts();
            assert!(found.is_empty() || found == texts(&["x"]), "{name}");
            if garbled.len() > 12
                && let Ok(tail) = build_tail(&host, texts(&["y"]))
            {
                let out = [&garbled[..tail.from], &tail.bytes].concat();
                assert_eq!(
                    texts_of(name, &out).last().map(String::as_str),
                    Some("y"),
                    "{name}"
                );
            }
            let _ = (
                crate::engine::pdf::check(&garbled),
                supported::is_multipage_tiff(&garbled),
                supported::is_cmyk_jpeg(&garbled),
            );
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_have_no_texts_and_never_panic(
        name in prop::sample::select(vec!["a.jpg", "a.png", "a.webp", "a.bmp", "a.tif", "a.pdf"]),
        magic in prop::sample::select(vec![
            &b"\xff\xd8\xff\xe0"[..],
            b"\x89PNG\r\n\x1a\n",
            b"II*\0\x08\0\0\0\x01\0\x12\xfe\x07\0\x40\0\0\0\x1a\0\0\0",
            b"SDWMARK\x1a",
            b"%PDF-1.4\n%SDWM\n%00ff\nstartxref\n9\n%%EOF",
        ]),
        end in prop::sample::select(vec![&b""[..], b"SDWM-END", b"\x20\0\0\0SDWM-END"]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let bytes = [magic, &bytes, end].concat();
        let host = unchecked_host(name, &bytes);
        prop_assert_eq!(host.texts(), Vec::<String>::new());
        let _ = build_tail(&host, texts(&["y"]));
        let _ = WatermarkHost::from_bytes(bytes, name, true, &mut fixture::memory());
    }
}
