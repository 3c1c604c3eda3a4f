//! Styles, of which plain declarations are kept: known properties, values without quotes.
//!
//! Promises: what is kept cannot be read as anything else; a rule's selector is simple, and
//! what styling all elements takes is bounded before it is begun; a style sheet leads to no
//! element but gradients.

use crate::model::picture::Defect;

/// Properties of what is drawn.
const PROPERTIES: &[&str] = &[
    "clip-rule",
    "color",
    "color-interpolation",
    "display",
    "fill",
    "fill-opacity",
    "fill-rule",
    "isolation",
    "mix-blend-mode",
    "opacity",
    "overflow",
    "paint-order",
    "shape-rendering",
    "stop-color",
    "stop-opacity",
    "stroke",
    "stroke-dasharray",
    "stroke-dashoffset",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-miterlimit",
    "stroke-opacity",
    "stroke-width",
    "transform",
    "transform-origin",
    "vector-effect",
    "visibility",
];
/// The parts of one selector, as in `g.a > path`.
const PARTS_MAX: usize = 3;
/// Declarations of all rules, those of a rule once for each selector.
const DECLARATIONS_MAX: u64 = 100_000;
/// Elements times declarations: each may apply to each.
const MATCHES_MAX: u64 = 10_000_000;
/// Elements times what selectors look at.
const TESTS_MAX: u64 = 100_000_000;
/// Declarations times the bytes of all rules: the reader counts lines from the start at the end
/// of each.
const LINES_BYTES_MAX: u64 = 1_000_000_000;
/// What a value that is looked for in the elements around counts for.
const INHERITED: u64 = 20;
/// Of a value in a rule: each element that it applies to has a copy.
const VALUE_BYTES_MAX: usize = 128;
/// The classes of one element, and the longest.
const CLASSES_MAX: usize = 32;
const CLASS_BYTES_MAX: usize = 64;

/// Whether a property says how something is drawn and, gradients apart, refers to nothing.
pub fn is_property(name: &str) -> bool {
    PROPERTIES.contains(&name)
}

/// The plain declarations of a style, each ended by `;`, of each property the one that holds.
pub fn plain(style: &str) -> String {
    written(&holding(declarations(style)))
}

fn written(declarations: &[(&str, &str)]) -> String {
    let parts = declarations.iter();
    parts
        .flat_map(|(name, value)| [name, ":", value, ";"])
        .collect()
}

/// Of each property that is drawn the declaration that holds: the last, or the first that is
/// important.
fn holding<'s>(declarations: impl Iterator<Item = (&'s str, &'s str)>) -> Vec<(&'s str, &'s str)> {
    let mut held: Vec<(&str, &str)> = Vec::new();
    for (name, value) in declarations.filter(|(name, _)| is_property(name)) {
        match held.iter_mut().find(|(other, _)| *other == name) {
            Some((_, before)) if before.contains('!') => {}
            Some((_, before)) => *before = value,
            None => held.push((name, value)),
        }
    }
    held
}

/// What a style says of one property.
pub fn values<'s>(style: &'s str, property: &'s str) -> impl Iterator<Item = &'s str> {
    declarations(style)
        .filter(move |(name, _)| *name == property)
        .map(|(_, value)| value)
}

fn declarations(style: &str) -> impl Iterator<Item = (&str, &str)> {
    style.split(';').filter_map(|declaration| {
        let (name, value) = declaration.split_once(':')?;
        let value = value.trim();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || " \t\r\n#().,%+-_!".contains(c);
        (!value.is_empty() && value.chars().all(is_plain)).then_some((name.trim(), value))
    })
}

/// All style sheets of a document as one, each of its rules with one selector.
#[derive(Debug, Default)]
pub struct Sheet {
    /// What it says.
    pub text: String,
    /// Of all rules.
    declarations: u64,
    /// What selectors look at in an element, by how many of their parts are looked for among
    /// all the elements around it.
    tests: [u64; PARTS_MAX],
}

impl Sheet {
    /// Takes the rules of one style sheet.
    ///
    /// # Errors
    /// [`Defect::TooLarge`] once there are more than [`DECLARATIONS_MAX`].
    pub fn add(&mut self, sheet: &str) -> Result<(), Defect> {
        let sheet = without_comments(sheet);
        let mut rest = sheet.as_str();
        while let Some((selectors, after)) = rest.split_once('{') {
            let Some((body, after)) = after.split_once('}') else {
                break;
            };
            rest = after;
            // what stands before it may be an at-rule without a body
            let selectors = selectors.rsplit(['}', ';']).next().unwrap_or_default();
            let (body, declarations) = body_of(body);
            if declarations == 0 {
                continue;
            }
            for selector in selectors.split(',').filter(|selector| is_simple(selector)) {
                self.declarations += declarations;
                if self.declarations > DECLARATIONS_MAX {
                    return Err(too_many());
                }
                self.note(selector);
                self.text.extend([selector.trim(), "{", &body, "}"]);
            }
        }
        Ok(())
    }

    fn note(&mut self, selector: &str) {
        let among_all = parts(selector).count() - 1 - selector.matches('>').count().min(1);
        let tests = 1 + selector.matches(['.', '#']).count();
        self.tests[among_all.min(PARTS_MAX - 1)] += tests as u64;
    }

    /// Checks that a document of so many elements, nested so deep, is styled in time.
    ///
    /// # Errors
    /// [`Defect::TooLarge`].
    pub fn check(&self, elements: u64, depth: u32) -> Result<(), Defect> {
        let (mut tests, mut around) = (0_u64, 1_u64);
        for some in self.tests {
            tests = tests.saturating_add(some.saturating_mul(around));
            around = around.saturating_mul(u64::from(depth));
        }
        let is_in_time = elements.saturating_mul(self.declarations) <= MATCHES_MAX
            && elements.saturating_mul(tests) <= TESTS_MAX
            && self.declarations.saturating_mul(self.text.len() as u64) <= LINES_BYTES_MAX;
        if is_in_time { Ok(()) } else { Err(too_many()) }
    }
}

fn too_many() -> Defect {
    Defect::TooLarge("the SVG has too many styles".to_owned())
}

/// A rule's plain declarations, and what they count for.
fn body_of(body: &str) -> (String, u64) {
    let held = holding(declarations(body).filter(|(_, value)| value.len() <= VALUE_BYTES_MAX));
    let cost = |(_, value): &(&str, &str)| {
        let is_looked_for = value.starts_with("inherit");
        if is_looked_for { INHERITED } else { 1 }
    };
    (written(&held), held.iter().map(cost).sum())
}

/// The classes of an element that rules are found by.
pub fn classes(class: &str) -> String {
    let names = class.split_ascii_whitespace();
    let names = names.filter(|name| name.len() <= CLASS_BYTES_MAX);
    names.take(CLASSES_MAX).collect::<Vec<_>>().join(" ")
}

fn without_comments(sheet: &str) -> String {
    let mut kept = String::with_capacity(sheet.len());
    let mut rest = sheet;
    while let Some((before, comment)) = rest.split_once("/*") {
        kept.push_str(before);
        kept.push(' ');
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

fn is_simple(selector: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " \t\r\n.#*>_-".contains(c);
    let ends_in_a_part = |end: &str| !end.trim().starts_with('>') && !end.trim().ends_with('>');
    selector.chars().all(is_plain)
        && (1..=PARTS_MAX).contains(&parts(selector).count())
        && ends_in_a_part(selector)
}

fn parts(selector: &str) -> impl Iterator<Item = &str> {
    let parts = selector.split(|c: char| c.is_ascii_whitespace() || c == '>');
    parts.filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_declarations_are_kept_and_nothing_else() {
        let style = "fill:#fff;font-family:'x;stroke:red';filter:url(#f);\
                     stroke : url(#g) ;clip-path:url(#c);opacity:.5 !important";
        let expected = "fill:#fff;stroke:url(#g);opacity:.5 !important;";
        assert_eq!(plain(style), expected);
        assert_eq!(values(style, "clip-path").collect::<Vec<_>>(), ["url(#c)"]);
        let twice = "fill:a;stroke:b !important;fill:c;stroke:d;stroke:e!important";
        assert_eq!(plain(twice), "fill:c;stroke:b !important;");
        for nothing in [
            "",
            "fill",
            "fill:",
            "fill:a{b",
            "fill:\\75rl(#a)",
            "fill:/**/red",
        ] {
            assert_eq!(plain(nothing), "", "{nothing}");
        }
    }

    #[test]
    fn rules_are_kept_whose_selectors_are_simple() {
        let sheet = "@import url(x);/* { */.a,g > .b{fill:red}@media print{.c{fill:blue}}\
                     .d:hover{fill:red} * * * *{fill:red} #e{filter:url(#f)} rect{mask:url(#m);fill:url(#g)}";
        let mut all = Sheet::default();
        all.add(sheet).expect("few rules");
        let expected = ".a{fill:red;}g > .b{fill:red;}rect{fill:url(#g);}";
        assert_eq!(all.text, expected);
        all.add("a{fill:red").expect("no rule");
        all.add(">a{fill:red}a>{fill:red}>{fill:red}")
            .expect("no rule");
        assert_eq!(all.text, expected);
    }

    #[test]
    fn what_styling_takes_is_counted() {
        let of = |css: &str| {
            let mut sheet = Sheet::default();
            sheet.add(css).map(|()| sheet)
        };
        let plain = of("a,.b,.c{fill:red;stroke:red}").expect("few rules");
        assert_eq!(plain.check(MATCHES_MAX / 6, 100), Ok(()));
        assert!(plain.check(MATCHES_MAX / 6 + 1, 1).is_err());
        let around = of("g .a.b > *, * * *{fill:red}").expect("few rules");
        assert_eq!(around.tests, [0, 3, 1]);
        assert_eq!(around.check(1000, 100), Ok(()));
        assert!(around.check(10_000, 100).is_err());
        assert!(of(&format!("{}a{{fill:a;stroke:b}}", "a,".repeat(50_000))).is_err());
        let lines = of(&"a{fill:b}".repeat(12_000)).expect("not many rules");
        assert!(lines.check(1, 1).is_err());
        let long = of(&format!("a{{fill:{}}}", "x".repeat(1000))).expect("no rule");
        assert_eq!(long.text, "");
        assert_eq!(classes(" a  b\n"), "a b");
        assert_eq!(classes(&"a ".repeat(1000)).len(), 2 * CLASSES_MAX - 1);
    }
}
