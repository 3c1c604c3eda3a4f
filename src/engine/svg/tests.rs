use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::engine::fixture;

fn svg(body: &str) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="50">{body}</svg>"#
    )
}

fn render(text: &str) -> Result<RgbImage, FileDefect> {
    let mut memory = fixture::memory();
    Drawing::read(text.as_bytes(), &mut memory)?.draw(&mut memory)
}

fn assert_placeholder(what: &str, text: &str) {
    assert_eq!(is_plain(text.as_bytes()), Ok(false), "{what}");
}

#[test]
fn draw_plain_fixture_has_its_size_and_colours() {
    let drawing =
        Drawing::read(&fixture::bytes("plain.svg"), &mut fixture::memory()).expect("an SVG");
    assert_eq!(drawing.sides_px(), (640, 480));
    let picture = drawing.draw(&mut fixture::memory()).expect("a picture");
    assert_eq!(picture.dimensions(), (640, 480));
    let pixel = |x, y| picture.get_pixel(x, y).0;
    assert_eq!(pixel(0, 0), [255, 255, 255], "a round corner, on white");
    assert_eq!(pixel(320, 346), [0x1d, 0x1b, 0x1a], "the nose");
    assert_eq!(pixel(239, 244), pixel(400, 244), "the eyes");
}

#[test]
fn drawing_size_comes_from_the_root_element_and_is_limited_when_drawn() {
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
        let longer_drawn = picture.width().max(picture.height());
        assert_eq!(longer_drawn, longer, "{attributes}");
        assert_eq!(declared_px(text.as_bytes()), Some(sides), "{attributes}");
    }
    for attributes in [r#"width="0" height="9""#, r#"width="-1" height="9""#] {
        let text = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" {attributes}/>"#);
        let read = Drawing::read(text.as_bytes(), &mut fixture::memory());
        assert!(matches!(read, Err(FileDefect::Corrupt(_))), "{attributes}");
        assert_eq!(declared_px(text.as_bytes()), None, "{attributes}");
    }
    assert_eq!(declared_px(b"<svg/>"), None);
}

#[test]
fn shapes_gradients_and_inline_styles_are_drawn() {
    let all = r#"width="100" height="50""#;
    for body in [
        format!(r#"<rect {all} fill="red"/>"#),
        format!(r#"<rect {all} style="fill:red;stroke:none"/>"#),
        format!(r#"<rect {all} fill="red" clip-path="url(#none)"/>"#),
        format!(
            r##"<linearGradient id="g"><stop stop-color="red"/></linearGradient>
            <radialGradient id="h" xlink:href="#g"/><rect {all} fill="url(#h)"/>"##
        ),
        format!(r#"<a href="http://example.com/"><g><rect {all} fill="red"/></g></a>"#),
        format!(r#"<metadata><image/><text>t</text></metadata><rect {all} fill="red"/>"#),
        format!(r#"<s:view xmlns:s="urn:s"><s:image/><image/></s:view><rect {all} fill="red"/>"#),
        format!(r#"<rect {all} fill="red" onload="run()"/>"#),
        format!(r#"<rect {all} style="fill:red;color-interpolation-filters:linearRGB"/>"#),
    ] {
        let picture = render(&svg(&body)).expect(&body);
        assert_eq!(picture.get_pixel(50, 25).0, [255, 0, 0], "{body}");
    }
    let prefixed = r#"<svg:svg xmlns:svg="http://www.w3.org/2000/svg" width="9" height="9"><svg:rect width="9" height="9" fill="red"/></svg:svg>"#;
    let picture = render(prefixed).expect("an SVG");
    assert_eq!(picture.get_pixel(4, 4).0, [255, 0, 0]);
}

#[test]
fn svg_with_other_content_gets_a_placeholder() {
    assert_eq!(is_plain(&fixture::bytes("illustrator.svg")), Ok(false));
    let sides = declared_px(&fixture::bytes("illustrator.svg"));
    assert_eq!(sides, Some((200, 100)));
    for body in [
        "<style>.a{fill:red}</style>",
        "<metadata><x:style xmlns:x='urn:x'>*{fill:red}</x:style></metadata>",
        "<text>text</text>",
        "<image href='file:///etc/passwd'/>",
        "<image href='data:image/png;base64,iVBORw0KGgo='/>",
        "<use href='#a'/>",
        "<symbol/>",
        "<switch/>",
        "<pattern/>",
        "<filter/>",
        "<mask/>",
        "<clipPath/>",
        "<marker/>",
        "<script>run()</script>",
        "<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>text</p></foreignObject>",
        "<animate/>",
        "<svg width='1' height='1'/>",
        "<g><x:image xmlns:x='http://www.w3.org/2000/svg'/></g>",
        "<g xmlns:x='http://www.w3.org/2000/sv&#103;'><x:image/></g>",
        "<s:view xmlns:s='urn:s'/><image/>",
        "<rect filter='blur(9)'/>",
        "<rect xmlns:x='http://www.w3.org/2000/svg' x:filter='blur(9)'/>",
        "<g style='filter:sepia(1)'/>",
        "<g style='fil&#116;er:sepia(1)'/>",
        "<g style='fill:red!importantfilter:sepia(1)'/>",
        "<g style='fill:red;/**/*FILTER :sepia(1)'/>",
        "<g xmlns:x='http://www.w3.org/2000/svg' x:style='filter:blur(9)'/>",
    ] {
        assert_placeholder(body, &svg(body));
    }
    let declared = "<!DOCTYPE svg [<!ENTITY a '<image/>'>]><svg width='1' height='1'>&a;</svg>";
    assert_placeholder("an entity", declared);
}

#[test]
fn svg_beyond_a_limit_gets_a_placeholder() {
    let mut laughs = "<!DOCTYPE svg [<!ENTITY a0 'ha'>".to_owned();
    for level in 1..=9 {
        let ten = format!("&a{};", level - 1).repeat(10);
        let _ = write!(laughs, "<!ENTITY a{level} '{ten}'>");
    }
    assert_placeholder("a billion laughs", &format!("{laughs}]><svg>&a9;</svg>"));
    let groups = |levels: usize| svg(&("<g>".repeat(levels) + &"</g>".repeat(levels)));
    let attributes = |count: usize| {
        let list: Vec<_> = (0..count).map(|n| format!("a{n}='' ")).collect();
        svg(&format!("<g {}/>", list.concat()))
    };
    let stops = |count: usize| {
        let list = "<stop/>".repeat(count);
        svg(&format!("<linearGradient>{list}</linearGradient>"))
    };
    let kib = "9 ".repeat(512);
    for (what, largest, too_large) in [
        (
            "bytes",
            svg(&" ".repeat(3 << 20)),
            svg(&" ".repeat(4 << 20)),
        ),
        ("levels", groups(63), groups(64)),
        (
            "elements",
            svg(&"<g/>".repeat(19_999)),
            svg(&"<g/>".repeat(20_000)),
        ),
        ("attributes", attributes(64), attributes(65)),
        (
            "gradients",
            svg(&"<linearGradient/>".repeat(256)),
            svg(&"<radialGradient/>".repeat(257)),
        ),
        ("stops", stops(256), stops(257)),
        (
            "dashes",
            svg(&format!("<g stroke-dasharray='{}'/>", kib.repeat(4))),
            svg(&format!("<g stroke-dasharray='{}9'/>", kib.repeat(4))),
        ),
        (
            "paths",
            svg(&format!("<path d='{}'/>", kib.repeat(1_024))),
            svg(&format!("<path d='{}'/>", kib.repeat(1_025))),
        ),
    ] {
        assert_eq!(is_plain(largest.as_bytes()), Ok(true), "{what}");
        assert_placeholder(what, &too_large);
        // Documents at the limits render fast enough.
        assert!(render(&largest).is_ok(), "{what}");
    }
    let deep = "<g>".repeat(1_000_000) + &"</g>".repeat(1_000_000);
    assert_placeholder("a million levels", &svg(&deep));
}

#[test]
fn malformed_svg_is_corrupt() {
    for text in [
        "<svg>",
        "<svg><g></svg>",
        "<svg a=1/>",
        "<svg><image",
        "<svg><!-- ",
        "",
    ] {
        let read = is_plain(text.as_bytes());
        assert!(
            matches!(read, Err(FileDefect::Corrupt(_))),
            "{text}: {read:?}"
        );
    }
    assert!(matches!(
        is_plain(b"<svg>\xff</svg>"),
        Err(FileDefect::Corrupt(_))
    ));
}

#[test]
fn gradients_with_reference_cycles_or_long_chains_are_drawn() {
    let mut chain = String::new();
    for level in 0..256 {
        let next = (level + 1) % 256;
        let _ = write!(
            chain,
            r##"<linearGradient id="g{level}" href="#g{next}"/>"##
        );
    }
    let body = chain + r#"<rect width="100" height="50" fill="url(#g0)"/>"#;
    assert!(render(&svg(&body)).is_ok());
}

/// Slow documents are rendered smaller than their 2,000 pixels, or rejected.
#[test]
fn slow_svg_is_drawn_smaller_or_too_large() {
    let large = |body: &str| {
        format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2000 2000">{body}</svg>"#)
    };
    let all = r#"<rect width="2000" height="2000" fill="red" opacity=".5"/>"#;
    let lines: Vec<_> = (0..80_000)
        .map(|n| format!("V{}H{}", n % 2 * 2000, f64::from(n) / 100.0))
        .collect();
    let data = lines.concat();
    let path = |attributes: &str| large(&format!(r#"<path d="M0 0{data}" {attributes}/>"#));
    let layers = format!(
        "{}{all}{}",
        r#"<g opacity=".9">"#.repeat(60),
        "</g>".repeat(60)
    );
    let dashes = r#"<path d="M0 0L2000 2000M0 2000L2000 0" stroke="red" stroke-dasharray=".001"/>"#;
    let thick = r#"stroke="red" stroke-width="900" stroke-linejoin="round""#;
    for (what, is_drawn, text) in [
        ("many large shapes", true, large(&all.repeat(19_000))),
        ("layers in layers", true, large(&layers)),
        ("many edges", true, path("")),
        ("many dashes", false, large(&dashes.repeat(200))),
        ("thick strokes", false, path(thick)),
    ] {
        match render(&text) {
            Ok(picture) => assert!(is_drawn && picture.width() < 2_000, "{what}"),
            Err(FileDefect::TooLarge(_)) => assert!(!is_drawn, "{what}"),
            Err(other) => panic!("{what}: {other:?}"),
        }
    }
}

/// The deepest nesting that is accepted fits the stack of a blocking thread.
#[test]
fn deepest_svg_fits_the_stack() {
    let open = "<g opacity='.99'>".repeat(62);
    let text = svg(&format!(
        "{open}<rect width='100' height='50'/>{}",
        "</g>".repeat(62)
    ));
    let drawing = std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(move || render(&text).map(|_| ()))
        .expect("a thread");
    assert_eq!(drawing.join().expect("no overflow"), Ok(()));
}

#[test]
fn is_svg_accepts_svg_root_elements_only() {
    for text in [
        "<svg/>",
        "<svg:svg xmlns:svg=''>",
        "\u{feff} \n<?xml version='1.0'?><!-- <svg> --><!DOCTYPE svg [<!ENTITY a 'b'>]>\n<svg\n>",
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
        length in 0_usize..3000,
    ) {
        let mut bytes = fixture::bytes("plain.svg");
        for (at, with) in flips {
            let at = at % bytes.len();
            bytes[at] = with;
        }
        bytes.truncate(length);
        let _ = declared_px(&bytes);
        if let Ok(drawing) = Drawing::read(&bytes, &mut fixture::memory()) {
            let _ = drawing.draw(&mut fixture::memory());
        }
    }

    #[test]
    fn tags_in_any_order_never_panic(tags in prop::collection::vec(0_usize..12, 0..30)) {
        let parts = [
            "<g>", "</g>", "<g transform='scale(1e20)'>", "<rect id='a' width='9' height='1e9'/>",
            "<path d='M1e38 0L-1e38 1z' stroke='red'/>", "<linearGradient id='g' href='#g'>", "</linearGradient>",
            "<stop offset='9'/>", "<circle r='1e30' fill='url(#g)'/>", "<g opacity='.1'>", "<!-- -->", "<metadata>",
        ];
        let body: String = tags.into_iter().map(|tag| parts[tag]).collect();
        let _ = render(&svg(&body));
    }
}
