use super::*;
use crate::engine::fixture;

#[test]
fn each_fixture_says_where_it_comes_from() {
    let generator = |name: &str| Provenance::Generator(name.to_owned());
    for (name, provenance) in [
        ("photo.jpg", Provenance::Camera("NIKON D750".to_owned())),
        ("camera.jpg", Provenance::Camera("Canon EOS R5".to_owned())),
        (
            "plain.webp",
            Provenance::Camera("Google Pixel 8".to_owned()),
        ),
        (
            "editor.jpg",
            Provenance::Editor("Adobe Photoshop 25.1 (Windows)".to_owned()),
        ),
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
        let source = fixture::source(name);
        assert_eq!(of_media(&source.bytes, source.media), provenance, "{name}");
    }
}
