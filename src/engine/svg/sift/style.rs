//! Styles, of which plain declarations are kept: known properties, values without quotes.
//!
//! Promises: what is kept cannot be read as anything else; a rule's selector is simple, so
//! that matching takes no time; a style sheet leads to no element but gradients.

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

/// Whether a property says how something is drawn and, gradients apart, refers to nothing.
pub fn is_property(name: &str) -> bool {
    PROPERTIES.contains(&name)
}

/// The plain declarations of a style, each ended by `;`.
pub fn plain(style: &str) -> String {
    let mut plain = String::new();
    for (name, value) in declarations(style) {
        if is_property(name) {
            plain.extend([name, ":", value, ";"]);
        }
    }
    plain
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

/// The rules of a style sheet, each a selector and its plain declarations.
pub fn rules(sheet: &str) -> Vec<String> {
    let sheet = without_comments(sheet);
    let mut rest = sheet.as_str();
    let mut rules = Vec::new();
    while let Some((selector, after)) = rest.split_once('{') {
        let Some((body, after)) = after.split_once('}') else {
            break;
        };
        rest = after;
        // what stands before it may be an at-rule without a body
        let selector = selector.rsplit(['}', ';']).next().unwrap_or_default();
        let plain = plain(body);
        if is_simple(selector) && !plain.is_empty() {
            rules.push(format!("{}{{{plain}}}", selector.trim()));
        }
    }
    rules
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

fn is_simple(selectors: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " \t\r\n.#,*>_-".contains(c);
    selectors.chars().all(is_plain)
        && selectors.split(',').all(|selector| {
            let parts = selector.split(|c: char| c.is_ascii_whitespace() || c == '>');
            (1..=PARTS_MAX).contains(&parts.filter(|part| !part.is_empty()).count())
        })
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
        let expected = [".a,g > .b{fill:red;}", "rect{fill:url(#g);}"];
        assert_eq!(rules(sheet), expected);
        assert!(rules("a{fill:red").is_empty());
    }
}
