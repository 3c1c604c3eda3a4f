//! Strict parser of the Prometheus text format 0.0.4. Panics on malformed text.

use std::collections::{BTreeMap, BTreeSet};

pub type ParsedLabels = BTreeMap<String, String>;

/// Samples of one family, by full name and labels.
#[derive(Debug, Default)]
pub struct ParsedFamily {
    pub kind: String,
    pub samples: BTreeMap<(String, ParsedLabels), String>,
}

/// Families of a page, by name.
#[derive(Debug, Default)]
pub struct ParsedMetrics(pub BTreeMap<String, ParsedFamily>);

impl ParsedMetrics {
    /// Returns the value of a sample that is a whole number. Panics if there is no such sample.
    pub fn value(&self, family: &str, labels: &[(&str, &str)]) -> u64 {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let labels: ParsedLabels = labels.iter().map(pair).collect();
        let samples = &self.0[family].samples;
        let found = samples.get(&(family.to_owned(), labels.clone()));
        count(found.unwrap_or_else(|| panic!("no {family} {labels:?}: {samples:#?}")))
    }

    /// Returns the sum of the samples called `name` in a family.
    pub fn sum(&self, family: &str, name: &str) -> u64 {
        let samples = self.0[family].samples.iter();
        let named = samples.filter(|((sample, _), _)| sample == name);
        named.map(|(_, value)| count(value)).sum()
    }

    /// Returns every value of a label, in all families.
    pub fn values(&self, label: &str) -> BTreeSet<&str> {
        let samples = self.0.values().flat_map(|family| family.samples.keys());
        let values = samples.filter_map(|(_, labels)| labels.get(label));
        values.map(String::as_str).collect()
    }
}

/// Parses a whole number.
pub fn count(value: &str) -> u64 {
    value
        .parse()
        .unwrap_or_else(|_| panic!("not a whole number: {value}"))
}

fn number(value: &str) -> f64 {
    value
        .parse()
        .unwrap_or_else(|_| panic!("not a number: {value}"))
}

fn is_name(name: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty() && name.chars().all(rest)
}

/// Parses a page. Panics on malformed text.
pub fn parse(text: &str) -> ParsedMetrics {
    assert!(text.ends_with('\n'), "the last line ends with a newline");
    let mut page = ParsedMetrics::default();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let help = line
            .strip_prefix("# HELP ")
            .unwrap_or_else(|| panic!("expected HELP: {line}"));
        let (name, words) = help.split_once(' ').expect("a name and a description");
        assert!(is_name(name) && !words.is_empty(), "{line}");
        let type_line = lines.next().expect("a line after HELP");
        let kind = type_line
            .strip_prefix(&format!("# TYPE {name} "))
            .unwrap_or_else(|| panic!("expected TYPE after HELP: {type_line}"));
        let mut family = ParsedFamily {
            kind: kind.to_owned(),
            ..ParsedFamily::default()
        };
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let (sample, labels, value) = sample(line);
            let earlier = family.samples.insert((sample, labels), value);
            assert_eq!(earlier, None, "duplicate sample: {line}");
        }
        check(name, &family);
        let earlier = page.0.insert(name.to_owned(), family);
        assert!(earlier.is_none(), "duplicate family {name}");
    }
    page
}

/// Parses one line: `name{label="value",…} value`.
fn sample(line: &str) -> (String, ParsedLabels, String) {
    let end = line.find(['{', ' ']).expect("a name");
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = ParsedLabels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, quoted) = rest.split_once("=\"").expect("a label");
            assert!(is_name(label), "{line}");
            let (value, after) = read_quoted(quoted);
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            rest = after;
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').expect("an end of labels");
    }
    let value = rest.strip_prefix(' ').expect("a blank before the value");
    assert!(number(value).is_finite(), "{line}");
    (name.to_owned(), labels, value.to_owned())
}

/// Reads a quoted label value. Returns it and the text after its closing quote.
fn read_quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match letters.next() {
                Some((_, 'n')) => '\n',
                Some((_, letter @ ('\\' | '"'))) => letter,
                other => panic!("invalid escape {other:?} in {text}"),
            }),
            letter => value.push(letter),
        }
    }
    panic!("unterminated value: {text}");
}

fn check(name: &str, family: &ParsedFamily) {
    let is_plain = family.samples.keys().all(|(sample, _)| sample == name);
    match family.kind.as_str() {
        "counter" => {
            let unit = name.ends_with("_total");
            assert!(unit && is_plain, "{name}: {family:?}");
            family.samples.values().for_each(|value| {
                count(value);
            });
        }
        "gauge" => assert!(is_plain && !name.ends_with("_total"), "{name}: {family:?}"),
        "histogram" => check_histogram(name, family),
        kind => panic!("{name} is a {kind}"),
    }
}

/// Asserts that bucket counts grow with their bounds, and that the last bucket is the total.
fn check_histogram(name: &str, family: &ParsedFamily) {
    assert!(name.ends_with("_seconds"), "{name}");
    let mut buckets: BTreeMap<ParsedLabels, Vec<(f64, u64)>> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    let mut sums = BTreeMap::new();
    for ((sample, labels), value) in &family.samples {
        let mut series = labels.clone();
        let bound = series.remove("le");
        match (sample.strip_prefix(name), bound) {
            (Some("_bucket"), Some(bound)) => {
                let bound = number(&bound.replace("+Inf", "inf"));
                buckets
                    .entry(series)
                    .or_default()
                    .push((bound, count(value)));
            }
            (Some("_count"), None) => assert!(counts.insert(series, count(value)).is_none()),
            (Some("_sum"), None) => assert!(sums.insert(series, number(value)).is_none()),
            other => panic!("{sample} {labels:?}: {other:?}"),
        }
    }
    assert!(buckets.keys().eq(counts.keys()) && buckets.keys().eq(sums.keys()));
    for (series, mut buckets) in buckets {
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        assert!(buckets.is_sorted_by(|one, next| one.0 < next.0 && one.1 <= next.1));
        let (bound, all) = buckets.last().expect("a bucket");
        assert!(bound.is_infinite() && *all == counts[&series], "{series:?}");
        assert!(sums[&series] >= 0.0, "{series:?}");
    }
}
