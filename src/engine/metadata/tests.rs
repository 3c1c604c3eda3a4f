use super::*;
use crate::engine::fixture;

fn generator(name: &str) -> Provenance {
    Provenance::Generator(name.to_owned())
}

fn camera(name: &str) -> Provenance {
    Provenance::Camera(name.to_owned())
}

fn editor(name: &str) -> Provenance {
    Provenance::Editor(name.to_owned())
}

fn ai_editor(name: &str) -> Provenance {
    Provenance::AiEditor(name.to_owned())
}

fn fixture_provenance(name: &str) -> Provenance {
    let source = fixture::source(name);
    provenance_of(&source.bytes, source.kind)
}

/// Asserts the provenance of every file of a folder.
fn assert_folder(folder: &str, expected: &[(&str, Provenance)]) {
    let files = std::fs::read_dir(fixture::path(folder)).expect("a folder");
    assert_eq!(files.count(), expected.len(), "files in {folder}");
    for (name, provenance) in expected {
        assert_eq!(
            fixture_provenance(&format!("{folder}/{name}")),
            *provenance,
            "{name}"
        );
    }
}

#[test]
fn fixtures_have_their_origin() {
    for (name, provenance) in [
        ("photo.jpg", camera("NIKON D750")),
        ("camera.jpg", camera("Canon EOS R5")),
        ("camera.tiff", camera("Canon EOS R5")),
        ("plain.webp", camera("Google Pixel 8")),
        ("editor.jpg", editor("Adobe Photoshop 25.1 (Windows)")),
        ("parameters.png", generator("Stable Diffusion")),
        ("digital-source-type.png", generator("Example Studio 2")),
        ("manifest.jpg", generator("Adobe Firefly")),
        ("plain.jpg", Provenance::Unknown),
        ("plain.png", Provenance::Unknown),
        ("plain.bmp", Provenance::Unknown),
        ("plain.tiff", Provenance::Unknown),
        ("plain.gif", Provenance::Unknown),
        ("bench.jpg", Provenance::Unknown),
    ] {
        assert_eq!(fixture_provenance(name), provenance, "{name}");
    }
}

#[test]
fn read_of_generator_metadata_names_the_generator() {
    assert_folder(
        "generators",
        &[
            ("automatic1111.png", generator("Stable Diffusion")),
            ("bing.jpg", generator("Bing Image Creator")),
            ("canva.png", generator("Canva")),
            ("chatgpt.png", generator("ChatGPT")),
            ("comfyui.png", generator("ComfyUI")),
            ("comfyui.webp", generator("ComfyUI")),
            ("firefly.gif", generator("Adobe Firefly")),
            ("firefly.jpg", generator("Adobe Firefly")),
            ("firefly.tiff", generator("Adobe Firefly")),
            ("flux.jpg", generator("Flux")),
            ("fooocus.jpg", generator("Fooocus")),
            ("fooocus.png", generator("Fooocus")),
            ("gemini.png", generator("Google AI")),
            ("gpt-image.webp", generator("GPT Image")),
            ("ideogram.jpg", generator("Ideogram")),
            ("imagen.jpg", generator("AI generator")),
            ("invokeai.png", generator("InvokeAI")),
            ("novelai.png", generator("NovelAI")),
            ("recraft.png", generator("Recraft")),
            ("stability.webp", generator("Stability AI")),
            ("swarmui.png", generator("SwarmUI")),
        ],
    );
}

#[test]
fn cameras_and_scanners_are_recognised_despite_captions() {
    assert_folder(
        "cameras",
        &[
            ("canon.jpg", camera("Canon EOS R5")),
            ("caption.jpg", camera("Canon EOS R5")),
            ("dji.jpg", camera("DJI FC3582")),
            ("fujifilm.jpg", camera("FUJIFILM X-T5")),
            ("galaxy.jpg", camera("samsung Galaxy S24 Ultra")),
            ("iphone.jpg", camera("Apple iPhone 15 Pro")),
            ("leica.jpg", camera("LEICA M11-P")),
            ("nikon-c2pa.png", camera("NIKON Z 9")),
            ("nikon.jpg", camera("NIKON Z 9")),
            ("pixel-c2pa.jpg", camera("Pixel Camera")),
            ("pixel.jpg", camera("Google Pixel 8 Pro")),
            ("scanner.tiff", camera("EPSON Perfection V850")),
            ("sony.webp", camera("SONY ILCE-7M4")),
            ("sora.jpg", camera("Google Pixel 8")),
        ],
    );
}

#[test]
fn editors_and_ai_editors_are_recognised() {
    assert_folder(
        "editors",
        &[
            ("clean-up.jpg", ai_editor("AI editor")),
            ("lightroom.jpg", editor("Adobe Lightroom 7.3 (Macintosh)")),
            ("photoshop-fill.jpg", ai_editor("Adobe Firefly")),
            ("photoshop.jpg", editor("Adobe Photoshop 25.1 (Windows)")),
            ("photoshop.tiff", editor("Adobe Photoshop 22.4 (Macintosh)")),
            ("snapseed.jpg", editor("Snapseed 2.0")),
        ],
    );
}

#[test]
fn only_the_first_manifest_store_is_read() {
    let png = fixture::bytes("generators/chatgpt.png");
    let store = structure::png_chunks(&png)
        .find(|chunk| chunk.kind == *b"caBX")
        .expect("a store")
        .body;
    let chunk = |body: &[u8]| {
        let length = u32::try_from(body.len()).expect("a short chunk");
        [&length.to_be_bytes()[..], b"caBX", body, &[0; 4]].concat()
    };
    let riff = |body: &[u8]| {
        let length = u32::try_from(body.len()).expect("a short chunk");
        [
            &b"C2PA"[..],
            &length.to_le_bytes(),
            body,
            &[0][..body.len() % 2],
        ]
        .concat()
    };
    let extension = |body: &[u8]| {
        let blocks = body.chunks(255).map(|part| {
            let length = u8::try_from(part.len()).expect("a short part");
            [&[length], part].concat()
        });
        let blocks: Vec<u8> = blocks.flatten().collect();
        [b"\x21\xff\x0bC2PA_GIF\x01\0\0", &blocks[..], &[0]].concat()
    };
    let frames = b"\x21\xf9\x04\0\0\0\0\0".repeat(TEXTS_MAX);
    let provenance_of_stores = |format, stores: &[&[u8]]| {
        let stores = stores.iter();
        let (head, chunks): (&[u8], Vec<u8>) = match format {
            RasterFormat::Png => (&[0; 8], stores.flat_map(|body| chunk(body)).collect()),
            RasterFormat::WebP => (&[0; 12], stores.flat_map(|body| riff(body)).collect()),
            _ => (&[0; 13], stores.flat_map(|body| extension(body)).collect()),
        };
        let leading: &[u8] = match format {
            RasterFormat::Gif => &frames,
            _ => &[],
        };
        read(&[head, leading, &chunks].concat(), format)
    };
    for format in [RasterFormat::Png, RasterFormat::WebP, RasterFormat::Gif] {
        let found = provenance_of_stores(format, &[store, b"?"]);
        assert_eq!(found, generator("ChatGPT"), "{format:?}");
        let other_first = provenance_of_stores(format, &[b"?", store]);
        assert_eq!(other_first, Provenance::Unknown, "{format:?}");
    }
}

#[test]
fn truncated_and_garbled_files_never_panic() {
    let formats = [
        ("generators/gpt-image.webp", RasterFormat::WebP),
        ("generators/firefly.gif", RasterFormat::Gif),
        ("generators/firefly.tiff", RasterFormat::Tiff),
        ("generators/gemini.png", RasterFormat::Png),
        ("generators/imagen.jpg", RasterFormat::Jpeg),
        ("editors/photoshop-fill.jpg", RasterFormat::Jpeg),
    ];
    for (name, format) in formats {
        let mut bytes = fixture::bytes(name);
        for cut in (0..bytes.len()).step_by(61) {
            std::hint::black_box(read(&bytes[..cut], format));
        }
        for at in (0..bytes.len()).step_by(17) {
            let byte = std::mem::replace(&mut bytes[at], 0xff);
            std::hint::black_box(read(&bytes, format));
            bytes[at] = byte;
        }
    }
}
