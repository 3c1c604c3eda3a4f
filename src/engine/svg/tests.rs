mod limits;

use proptest::prelude::*;

use super::*;
use crate::engine::fixture;

fn svg(body: &str) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="50">{body}</svg>"#
    )
}

fn drawn(text: &str) -> Result<RgbImage, Defect> {
    let mut memory = fixture::memory();
    Drawing::read(text.as_bytes(), &mut memory)?.draw(&mut memory)
}

/// What the middle of a drawing shows.
fn middle(body: &str) -> [u8; 3] {
    let picture = drawn(&svg(body)).expect(body);
    picture.get_pixel(50, 25).0
}

#[test]
fn the_fixtures_are_drawn_in_their_size() {
    let drawing =
        Drawing::read(&fixture::bytes("plain.svg"), &mut fixture::memory()).expect("an SVG");
    assert_eq!(drawing.sides_px(), (640, 480));
    let picture = drawing.draw(&mut fixture::memory()).expect("a picture");
    assert_eq!(picture.dimensions(), (640, 480));
    assert_eq!(
        picture.get_pixel(0, 0).0,
        [255, 255, 255],
        "clipped, on white"
    );
    assert_eq!(
        picture.get_pixel(320, 346).0,
        [0x1d, 0x1b, 0x1a],
        "the nose"
    );
    assert_eq!(
        picture.get_pixel(239, 244).0,
        picture.get_pixel(400, 244).0,
        "the eyes"
    );
    let drawing =
        Drawing::read(&fixture::bytes("illustrator.svg"), &mut fixture::memory()).expect("an SVG");
    assert_eq!(drawing.sides_px(), (200, 100));
    let picture = drawing.draw(&mut fixture::memory()).expect("a picture");
    assert_eq!(
        picture.get_pixel(100, 50).0,
        [0x33, 0x66, 0xcc],
        "by style and entity"
    );
    assert_eq!(
        picture.get_pixel(5, 5).0,
        [255, 255, 255],
        "no picture within"
    );
}

#[test]
fn a_size_is_the_documents_and_what_is_drawn_is_bounded() {
    for (attributes, sides) in [
        (r#"width="24" height="24""#, (24, 24)),
        (r#"viewBox="0 0 300 150""#, (300, 150)),
        (r#"width="50" viewBox="0 0 10 20""#, (50, 100)),
        (r#"width="1in" height="25.4mm""#, (96, 96)),
        (r#"width="0.2" height="3""#, (1, 3)),
        (r#"width="8000" height="4000""#, (8000, 4000)),
    ] {
        let text = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" {attributes}><path d="M0 0h9v9z"/></svg>"#
        );
        let drawing = Drawing::read(text.as_bytes(), &mut fixture::memory()).expect(attributes);
        assert_eq!(drawing.sides_px(), sides, "{attributes}");
        let picture = drawing.draw(&mut fixture::memory()).expect(attributes);
        let longer = sides.0.max(sides.1).min(SIDE_PX_MAX);
        assert_eq!(
            picture.width().max(picture.height()),
            longer,
            "{attributes}"
        );
    }
    for attributes in [r#"width="0" height="9""#, r#"width="-1" height="9""#] {
        let text = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" {attributes}/>"#);
        assert!(matches!(
            Drawing::read(text.as_bytes(), &mut fixture::memory()),
            Err(Defect::Corrupt(_))
        ));
    }
}

#[test]
fn shapes_gradients_clips_masks_and_styles_are_drawn() {
    let red = [255, 0, 0];
    let all = r#"width="100" height="50""#;
    for body in [
        format!(r#"<rect {all} fill="red"/>"#),
        format!(r#"<style>.a{{fill:red}}</style><rect {all} class="a"/>"#),
        format!(r#"<rect {all} style="fill:red;filter:url(#none)"/>"#),
        format!(r#"<rect {all} fill="red" filter="url(#none)" clip-path="url(#none)"/>"#),
        format!(r##"<defs><rect id="r" {all} fill="red"/></defs><use xlink:href="#r"/>"##),
        format!(
            r#"<linearGradient id="g"><stop stop-color="red"/></linearGradient><rect {all} fill="url(#g)"/>"#
        ),
        format!(
            r#"<clipPath id="c"><circle cx="50" cy="25" r="9"/></clipPath><rect {all} style="fill:red;clip-path:url(#c)"/>"#
        ),
        format!(
            r##"<mask id="m"><rect {all} fill="#fff"/></mask><rect {all} fill="red" mask="url(#m)"/>"##
        ),
        format!(r#"<a href="http://example.com/"><switch><rect {all} fill="red"/></switch></a>"#),
    ] {
        assert_eq!(middle(&body), red, "{body}");
    }
    let white = [255, 255, 255];
    for body in [
        format!(r#"<rect {all} fill="url(http://example.com/x.svg#g)"/>"#),
        format!(r#"<image {all} href="data:image/png;base64,iVBORw0KGgo="/>"#),
        format!(r#"<clipPath id="c"/><rect {all} clip-path="url(#c)"/>"#),
        r#"<use href="other.svg#r"/>"#.to_owned(),
        r#"<text x="50" y="25" font-size="40">text</text>"#.to_owned(),
        format!(r"<script>rect()</script><foreignObject {all}>html</foreignObject>"),
    ] {
        assert_eq!(middle(&body), white, "{body}");
    }
}

#[test]
fn what_begins_like_an_svg_is_one() {
    for text in [
        "<svg/>",
        "<svg:svg xmlns:svg=''>",
        "\u{feff} \n<?xml version='1.0'?><!-- <svg> --><!DOCTYPE svg [<!ENTITY a '>'>]>\n<svg\n",
    ] {
        assert!(is_svg(text.as_bytes()), "{text}");
    }
    for text in [
        "",
        "<",
        "<svg",
        "<svgz/>",
        "<html><svg/>",
        "svg",
        "<!-- <svg/>",
        "\u{1f}\u{8b}<svg/>",
    ] {
        assert!(!is_svg(text.as_bytes()), "{text}");
    }
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(
        flips in prop::collection::vec((0_usize..1600, any::<u8>()), 0..6),
        kept in 0_usize..3000,
    ) {
        let mut bytes = fixture::bytes("plain.svg");
        for (at, with) in flips {
            let at = at % bytes.len();
            bytes[at] = with;
        }
        bytes.truncate(kept);
        if let Ok(drawing) = Drawing::read(&bytes, &mut fixture::memory()) {
            let _ = drawing.draw(&mut fixture::memory());
        }
    }

    #[test]
    fn tags_in_any_order_never_panic(tags in prop::collection::vec(0_usize..14, 0..30)) {
        let parts = [
            "<g>", "</g>", "<svg viewBox='0 0 1 1'>", "</svg>", "<use href='#a'/>", "<rect id='a' width='9' height='1e9'/>",
            "<mask id='b'>", "</mask>", "<path d='M1e38 0L-1e38 1z' stroke='red'/>", "<g mask='url(#b)'>",
            "<clipPath id='c'>", "</clipPath>", "<g clip-path='url(#c)' transform='scale(1e20)'>", "<!-- -->",
        ];
        let body: String = tags.into_iter().map(|tag| parts[tag]).collect();
        let _ = drawn(&svg(&body));
    }
}
