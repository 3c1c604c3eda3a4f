//! What is too much is refused, and the most that is not is bounded work: what there is to do is
//! counted, not timed.

use std::fmt::Write as _;

use resvg::usvg::roxmltree;

use super::*;

/// It is refused before anything is made of it but its sifted text.
fn too_large(what: &str, text: &str) {
    let found = sift::sifted(text.as_bytes()).err();
    assert!(
        matches!(found, Some(Defect::TooLarge(_))),
        "{what}: {found:?}"
    );
}

#[test]
fn bombs_are_defects() {
    let mut laughs = "<!DOCTYPE svg [<!ENTITY a0 'ha'>".to_owned();
    for level in 1..=9 {
        let _ = write!(
            laughs,
            "<!ENTITY a{level} '{}'>",
            format!("&a{};", level - 1).repeat(10)
        );
    }
    too_large("a billion laughs", &format!("{laughs}]><svg>&a9;</svg>"));
    let long = "x".repeat(100_000);
    let doctype = format!("<!DOCTYPE svg [<!ENTITY a '{long}'>]>");
    too_large(
        "a long entity, often",
        &format!("{doctype}<svg>{}</svg>", "&a;".repeat(1000)),
    );
    too_large("tags nested deep", &svg(&"<g>".repeat(100_000)));
    too_large(
        "many attributes",
        &svg(&format!(
            "<g {}/>",
            (0..300)
                .map(|n| format!("a{n}='' "))
                .collect::<Vec<_>>()
                .concat()
        )),
    );
    let mut uses = r#"<g id="u0"><rect/></g>"#.to_owned();
    let mut chain = String::new();
    let mut clips = String::new();
    for level in 1..=12 {
        let ten = format!(r##"<use href="#u{}"/>"##, level - 1).repeat(10);
        let _ = write!(uses, r#"<g id="u{level}">{ten}</g>"#);
        let clipped = format!(r#"<rect clip-path="url(#c{})"/>"#, level - 1).repeat(10);
        let _ = write!(clips, r#"<clipPath id="c{level}">{clipped}</clipPath>"#);
    }
    for level in 1..2000 {
        let _ = write!(chain, r##"<use id="n{level}" href="#n{}"/>"##, level + 1);
    }
    too_large("uses of uses", &svg(&uses));
    too_large(
        "clips of clips",
        &svg(&format!(r#"<clipPath id="c0"><rect/></clipPath>{clips}"#)),
    );
    too_large("a chain of uses", &svg(&chain));
    too_large("more elements than are drawn", &svg(&"<g/>".repeat(60_000)));
    let rules = (0..5000)
        .map(|n| format!(".c{n}{{fill:red}}"))
        .collect::<Vec<_>>()
        .concat();
    too_large(
        "many styles",
        &svg(&format!("<style>{rules}</style>{}", "<g/>".repeat(10_000))),
    );
    too_large("a file too long", &svg(&" ".repeat(17 << 20)));
    for circle in [
        r##"<g id="a"><use href="#a"/></g>"##,
        r##"<use id="a" href="#b"/><use id="b" href="#a"/>"##,
        r#"<clipPath id="c"><rect clip-path="url(#c)"/></clipPath>"#,
    ] {
        assert!(
            matches!(drawn(&svg(circle)), Err(Defect::Corrupt(_))),
            "{circle}"
        );
    }
}

/// Ten properties.
const TEN: &str = "color:a;display:a;fill:a;fill-rule:a;isolation:a;opacity:a;overflow:a;\
                   stroke:a;stroke-width:a;visibility:a;";

#[test]
fn style_sheets_that_multiply_are_refused() {
    let refused = |what: &str, css: String, elements: usize| {
        let elements = "<g/>".repeat(elements);
        too_large(what, &svg(&format!("<style>{css}</style>{elements}")));
    };
    let selectors = "g,".repeat(15_000);
    let many = "fill:a;".repeat(4_000);
    refused(
        "selectors times declarations",
        format!("{selectors}g{{{TEN}}}"),
        1,
    );
    refused(
        "selectors times one, often",
        format!("{selectors}g{{{many}}}"),
        1,
    );
    refused(
        "declarations times elements",
        format!("g{{{TEN}}}").repeat(30),
        49_000,
    );
    let inherited = TEN.replace(":a", ":inherit");
    refused(
        "values looked for around",
        format!("g{{{inherited}}}").repeat(2),
        49_000,
    );
    refused("many rules", ".a{fill:red}\n".repeat(40_000), 1);
    let css = ".x * g{fill:red}".repeat(20);
    let (open, close) = ("<g>".repeat(95), "</g>".repeat(95));
    let deep = format!("{open}{}{close}", "<g/>".repeat(40_000));
    too_large(
        "selectors of what is far around",
        &svg(&format!("<style>{css}</style>{deep}")),
    );
}

/// What there is to do to style a drawing, as the text says that the reader is given.
#[derive(Debug, Default)]
struct Work {
    /// Elements times the declarations that each is given at most; those that are looked for in the
    /// elements around it count for twenty.
    matches: usize,
    /// Elements times what selectors look at in each, and around it.
    tests: usize,
    /// Declarations times the style sheet's bytes.
    lines: usize,
    /// Of a value in a rule.
    longest: usize,
    /// Of one element: classes, and declarations of its own.
    classes: usize,
    own: usize,
}

impl Work {
    fn of(sifted: &str) -> Self {
        let document = roxmltree::Document::parse(sifted).expect("it can be read");
        let elements = || document.descendants().filter(roxmltree::Node::is_element);
        let count = elements().count();
        let depth = elements().map(|it| it.ancestors().count() - 1).max();
        let depth = u32::try_from(depth.unwrap_or_default()).expect("few");
        let sheets = elements().filter(|it| it.has_tag_name("style"));
        let css: String = sheets.filter_map(|it| it.text()).collect();
        let (mut work, mut declared) = (Self::default(), 0);
        for (selector, body) in css.split('}').filter_map(|rule| rule.split_once('{')) {
            let values = body.split(';').filter_map(|it| it.split_once(':'));
            for (_, value) in values {
                declared += 1;
                work.matches += if value == "inherit" { 20 } else { 1 };
                work.longest = work.longest.max(value.len());
            }
            let around = selector.split_whitespace().count() - 1;
            let around = usize::try_from(depth)
                .expect("few")
                .pow(u32::try_from(around).expect("few"));
            work.tests += around * (1 + selector.matches(['.', '#']).count());
        }
        work.matches *= count;
        work.tests *= count;
        work.lines = declared * css.len();
        let most = |name, parted: fn(&str) -> usize| {
            let said = elements().filter_map(|it| it.attribute(name));
            said.map(parted).max().unwrap_or_default()
        };
        work.classes = most("class", |it| it.split_whitespace().count());
        work.own = most("style", |it| it.matches(';').count());
        work
    }
}

#[test]
fn the_most_styles_that_are_taken_are_bounded_work() {
    let most = |what: &str, css: String, elements: &str| {
        let text = svg(&format!("<style>{css}</style>{elements}"));
        let work = Work::of(&sift::sifted(text.as_bytes()).expect(what));
        assert!(work.matches <= 10_000_000, "{what}: {work:?}");
        assert!(work.tests <= 100_000_000, "{what}: {work:?}");
        assert!(work.lines <= 1_000_000_000, "{what}: {work:?}");
        assert!(work.longest <= 128, "{what}: {work:?}");
        assert!(work.classes <= 32 && work.own <= 27, "{what}: {work:?}");
        let picture = drawn(&text);
        assert!(picture.is_ok(), "{what}: {picture:?}");
    };
    let groups = "<g/>".repeat(49_000);
    let many = "fill:a;".repeat(1_000_000);
    most("one rule", format!("g{{{many}}}"), &groups);
    most("rules", format!("g{{{TEN}}}").repeat(20), &groups);
    most("looked for", "g{fill:inherit}".repeat(10), &groups);
    let long = "x".repeat(8 << 20);
    most("a long value", format!("g{{fill:{long}}}"), &groups);
    let classes = format!(r#"<g class="{}"/>"#, "a ".repeat(1 << 20));
    most("classes", ".b{fill:red}".repeat(8_000), &classes);
    most(
        "an attribute",
        String::new(),
        &format!(r#"<g style="{many}"/>"#),
    );
    let attribute = format!(r#"<g style="{}"/>"#, "fill:a;".repeat(146));
    most("attributes", String::new(), &attribute.repeat(5_000));
    let (open, close) = ("<g>".repeat(90), "</g>".repeat(90));
    let deep = format!("{open}{}{close}", "<g/>".repeat(1_000));
    most("far around", ".x * g{fill:red}".repeat(5), &deep);
}

/// Smaller than its 2,000 pixels by as much as there is to draw, or not at all.
#[test]
fn what_is_slow_is_drawn_smaller() {
    let large = |body: &str| {
        format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2000 2000">{body}</svg>"#)
    };
    let all = r#"<rect width="2000" height="2000" fill="red" opacity=".5"/>"#;
    let lines = (0..200_000)
        .map(|n| format!("V{}H{}", n % 2 * 2000, f64::from(n) / 100.0))
        .collect::<Vec<_>>()
        .concat();
    let path = |attributes: &str| large(&format!(r#"<path d="M0 0{lines}" {attributes}/>"#));
    for (what, width_px, text) in [
        ("many large shapes", Some(36), large(&all.repeat(20_000))),
        ("layers in layers", Some(844), large(&format!("{}{all}{}", r#"<g opacity=".9">"#.repeat(90), "</g>".repeat(90)))),
        ("many edges", Some(84), path("")),
        ("many dashes", None, large(&r#"<path d="M0 0L2000 2000M0 2000L2000 0" stroke="red" stroke-dasharray=".001"/>"#.repeat(200))),
        ("thick strokes", None, path(r#"stroke="red" stroke-width="900" stroke-linejoin="round""#)),
        ("filters", Some(475), large(&r#"<filter id="f"><feGaussianBlur stdDeviation="900"/></filter><rect width="2000" height="2000" filter="url(#f)"/>"#.repeat(500))),
    ] {
        match (drawn(&text), width_px) {
            (Ok(picture), Some(width_px)) => assert_eq!(picture.width(), width_px, "{what}"),
            (Err(Defect::TooLarge(_)), None) => {}
            (other, _) => panic!("{what}: {other:?}"),
        }
    }
}

/// As many levels as are taken of each kind of nesting, on a stack as blocking threads have.
#[test]
fn the_deepest_drawing_that_is_taken_fits_the_stack() {
    for (kind, nested) in kinds() {
        let taken = |levels: &usize| sift::sifted(svg(&nested(*levels)).as_bytes()).is_ok();
        let deepest = (1..110).rev().find(taken).expect(kind);
        assert!((30..100).contains(&deepest), "{kind}: {deepest}");
        let text = svg(&nested(deepest));
        let drawing = std::thread::Builder::new()
            .stack_size(2 * 1024 * 1024)
            .spawn(move || drawn(&text).map(|_| ()))
            .expect("a thread");
        let found = drawing.join().expect(kind);
        assert!(
            matches!(found, Ok(()) | Err(Defect::TooLarge(_))),
            "{kind}: {found:?}"
        );
    }
}

/// A body nested so deep.
type Nested = Box<dyn Fn(usize) -> String>;

fn kinds() -> [(&'static str, Nested); 9] {
    let shape = r#"<rect width="100" height="50"/>"#;
    let groups = |attributes: &str| -> Nested {
        let open = format!("<g {attributes}>");
        Box::new(move |levels| format!("{}{shape}{}", open.repeat(levels), "</g>".repeat(levels)))
    };
    // each level is led to by the next; the last is used
    let chain = |first: &'static str, level: &'static str, used: &'static str| -> Nested {
        Box::new(move |levels| {
            let mut body = first.to_owned();
            for at in 1..=levels {
                let level = level.replace("{at}", &at.to_string());
                body += &level.replace("{before}", &(at - 1).to_string());
            }
            body + &used.replace("{last}", &levels.to_string())
        })
    };
    [
        ("groups", groups("opacity='.99'")),
        (
            "svg in svg",
            Box::new(move |levels| {
                format!(
                    "{}{shape}{}",
                    "<svg x='1' width='90' height='40'>".repeat(levels),
                    "</svg>".repeat(levels)
                )
            }),
        ),
        (
            "masks of masks",
            chain(
                "<mask id='m0'><rect width='9' height='9' fill='#fff'/></mask>",
                "<mask id='m{at}' mask='url(#m{before})'><rect width='9' height='9' fill='#fff'/></mask>",
                "<rect width='9' height='9' mask='url(#m{last})'/>",
            ),
        ),
        (
            "masks in masks",
            chain(
                "<mask id='m0'><rect width='9' height='9' fill='#fff'/></mask>",
                "<mask id='m{at}'><rect width='9' height='9' fill='#fff' mask='url(#m{before})'/></mask>",
                "<rect width='9' height='9' mask='url(#m{last})'/>",
            ),
        ),
        (
            "clips of clips",
            chain(
                "<clipPath id='c0'><rect width='9' height='9'/></clipPath>",
                "<clipPath id='c{at}' clip-path='url(#c{before})'><rect width='9' height='9'/></clipPath>",
                "<rect width='9' height='9' clip-path='url(#c{last})'/>",
            ),
        ),
        (
            "clips in clips",
            chain(
                "<clipPath id='c0'><rect width='9' height='9'/></clipPath>",
                "<clipPath id='c{at}'><rect width='9' height='9' clip-path='url(#c{before})'/></clipPath>",
                "<rect width='9' height='9' clip-path='url(#c{last})'/>",
            ),
        ),
        (
            "uses of uses",
            chain(
                "<rect id='u0' width='9' height='9'/>",
                "<use id='u{at}' href='#u{before}' opacity='.9'/>",
                "<use href='#u{last}'/>",
            ),
        ),
        (
            "uses in groups",
            chain(
                "<rect id='u0' width='9' height='9'/>",
                "<g id='u{at}' opacity='.9'><use href='#u{before}' opacity='.9'/></g>",
                "<use href='#u{last}'/>",
            ),
        ),
        (
            "uses in symbols",
            chain(
                "<symbol id='u0'><rect width='9' height='9'/></symbol>",
                "<symbol id='u{at}' viewBox='0 0 9 9'><use href='#u{before}' width='9' height='9' opacity='.9'/></symbol>",
                "<use href='#u{last}'/>",
            ),
        ),
    ]
}
