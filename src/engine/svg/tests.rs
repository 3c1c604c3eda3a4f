use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::engine::fixture;

fn svg(body: &str) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="50">{body}</svg>"#
    )
}

fn drawn(text: &str) -> Result<RgbImage, Defect> {
    Drawing::read(text.as_bytes())?.draw()
}

/// What the middle of a drawing shows.
fn middle(body: &str) -> [u8; 3] {
    let picture = drawn(&svg(body)).expect(body);
    picture.get_pixel(50, 25).0
}

#[test]
fn the_fixtures_are_drawn_in_their_size() {
    let drawing = Drawing::read(&fixture::bytes("plain.svg")).expect("an SVG");
    assert_eq!(drawing.sides_px(), (640, 480));
    let picture = drawing.draw().expect("a picture");
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
    let drawing = Drawing::read(&fixture::bytes("illustrator.svg")).expect("an SVG");
    assert_eq!(drawing.sides_px(), (200, 100));
    let picture = drawing.draw().expect("a picture");
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
        let drawing = Drawing::read(text.as_bytes()).expect(attributes);
        assert_eq!(drawing.sides_px(), sides, "{attributes}");
        let picture = drawing.draw().expect(attributes);
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
            Drawing::read(text.as_bytes()),
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
            r##"<linearGradient id="g"><stop stop-color="red"/></linearGradient><rect {all} fill="url(#g)"/>"##
        ),
        format!(
            r##"<clipPath id="c"><circle cx="50" cy="25" r="9"/></clipPath><rect {all} style="fill:red;clip-path:url(#c)"/>"##
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
        format!(r##"<clipPath id="c"/><rect {all} clip-path="url(#c)"/>"##),
        r#"<use href="other.svg#r"/>"#.to_owned(),
        r#"<text x="50" y="25" font-size="40">text</text>"#.to_owned(),
        format!(r#"<script>rect()</script><foreignObject {all}>html</foreignObject>"#),
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

/// Each is refused, or drawn, in time; and none refused by chance.
#[test]
fn bombs_are_defects_or_drawn_in_time() {
    let too_large = |what: &str, text: String| {
        let began = Instant::now();
        let found = drawn(&text).err();
        assert!(
            matches!(found, Some(Defect::TooLarge(_))),
            "{what}: {found:?}"
        );
        assert!(
            began.elapsed() < Duration::from_secs(6),
            "{what}: {:?}",
            began.elapsed()
        );
    };
    let mut laughs = "<!DOCTYPE svg [<!ENTITY a0 'ha'>".to_owned();
    for level in 1..=9 {
        let _ = write!(
            laughs,
            "<!ENTITY a{level} '{}'>",
            format!("&a{};", level - 1).repeat(10)
        );
    }
    too_large("a billion laughs", format!("{laughs}]><svg>&a9;</svg>"));
    let long = "x".repeat(100_000);
    let doctype = format!("<!DOCTYPE svg [<!ENTITY a '{long}'>]>");
    too_large(
        "a long entity, often",
        format!("{doctype}<svg>{}</svg>", "&a;".repeat(1000)),
    );
    too_large("tags nested deep", svg(&"<g>".repeat(100_000)));
    too_large(
        "many attributes",
        svg(&format!(
            "<g {}/>",
            (0..300).map(|n| format!("a{n}='' ")).collect::<String>()
        )),
    );
    let mut uses = r#"<g id="u0"><rect/></g>"#.to_owned();
    let mut chain = String::new();
    let mut clips = String::new();
    for level in 1..=12 {
        let used = format!(r##"<use href="#u{}"/>"##, level - 1).repeat(10);
        let _ = write!(uses, r#"<g id="u{level}">{used}</g>"#);
        let clipped = format!(r##"<rect clip-path="url(#c{})"/>"##, level - 1).repeat(10);
        let _ = write!(clips, r#"<clipPath id="c{level}">{clipped}</clipPath>"#);
    }
    for level in 1..2000 {
        let _ = write!(chain, r##"<use id="n{level}" href="#n{}"/>"##, level + 1);
    }
    too_large("uses of uses", svg(&uses));
    too_large(
        "clips of clips",
        svg(&format!(r#"<clipPath id="c0"><rect/></clipPath>{clips}"#)),
    );
    too_large("a chain of uses", svg(&chain));
    too_large("more elements than are drawn", svg(&"<g/>".repeat(60_000)));
    let rules: String = (0..5000).map(|n| format!(".c{n}{{fill:red}}")).collect();
    too_large(
        "many styles",
        svg(&format!("<style>{rules}</style>{}", "<g/>".repeat(10_000))),
    );
    too_large("a file too long", svg(&" ".repeat(17 << 20)));
    for circle in [
        r##"<g id="a"><use href="#a"/></g>"##,
        r##"<use id="a" href="#b"/><use id="b" href="#a"/>"##,
        r##"<clipPath id="c"><rect clip-path="url(#c)"/></clipPath>"##,
    ] {
        assert!(
            matches!(drawn(&svg(circle)), Err(Defect::Corrupt(_))),
            "{circle}"
        );
    }
}

#[test]
fn what_is_slow_is_drawn_smaller() {
    let large = |body: &str| {
        format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2000 2000">{body}</svg>"#)
    };
    let all = r#"<rect width="2000" height="2000" fill="red" opacity=".5"/>"#;
    let lines: String = (0..200_000)
        .map(|n| format!("V{}H{}", n % 2 * 2000, f64::from(n) / 100.0))
        .collect();
    let path = |attributes: &str| large(&format!(r#"<path d="M0 0{lines}" {attributes}/>"#));
    for (what, text) in [
        ("many large shapes", large(&all.repeat(20_000))),
        ("layers in layers", large(&format!("{}{all}{}", r#"<g opacity=".9">"#.repeat(90), "</g>".repeat(90)))),
        ("many edges", path("")),
        ("many dashes", large(&r#"<path d="M0 0L2000 2000M0 2000L2000 0" stroke="red" stroke-dasharray=".001"/>"#.repeat(200))),
        ("thick strokes", path(r#"stroke="red" stroke-width="900" stroke-linejoin="round""#)),
        ("filters", large(&r#"<filter id="f"><feGaussianBlur stdDeviation="900"/></filter><rect width="2000" height="2000" filter="url(#f)"/>"#.repeat(500))),
    ] {
        let began = Instant::now();
        match drawn(&text) {
            Ok(picture) => assert!(picture.width() <= SIDE_PX_MAX, "{what}"),
            Err(defect) => assert!(matches!(defect, Defect::TooLarge(_)), "{what}: {defect:?}"),
        }
        assert!(began.elapsed() < Duration::from_secs(15), "{what}: {:?}", began.elapsed());
    }
}

#[test]
fn the_deepest_drawing_that_is_taken_fits_the_stack() {
    let deep = |levels: usize| {
        svg(&format!(
            "{}<rect width=\"100\" height=\"50\"/>{}",
            "<g opacity='.99'>".repeat(levels),
            "</g>".repeat(levels)
        ))
    };
    let worked = std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(move || drawn(&deep(97)).is_ok())
        .map(std::thread::JoinHandle::join);
    assert!(matches!(worked, Ok(Ok(true))));
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
        if let Ok(drawing) = Drawing::read(&bytes) {
            let _ = drawing.draw();
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
