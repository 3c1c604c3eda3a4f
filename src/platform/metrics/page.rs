//! Prometheus' text format, version 0.0.4: families of samples, each told what it is before its
//! samples come.

use std::fmt::{Display, Write};

/// What a page is.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page in the making.
#[derive(Debug, Default)]
pub struct MetricsText(String);

/// What the samples of a family are.
#[derive(Debug, Clone, Copy)]
pub enum MetricType {
    /// Grows, from 0 on at each start.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How many were no more than some value.
    Histogram,
}

/// Samples of one name.
#[derive(Debug)]
pub struct MetricFamily<'p> {
    page: &'p mut String,
    name: &'static str,
}

/// A label's name and value.
pub type MetricLabel<'l> = (&'static str, &'l str);

impl MetricsText {
    /// Begins a family; `help` is a sentence for people.
    pub fn family(
        &mut self,
        name: &'static str,
        kind: MetricType,
        help: &'static str,
    ) -> MetricFamily<'_> {
        let kind = match kind {
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            MetricType::Histogram => "histogram",
        };
        let help = escaped(help, false);
        put(&mut self.0, format_args!("# HELP {name} {help}\n"));
        put(&mut self.0, format_args!("# TYPE {name} {kind}\n"));
        let page = &mut self.0;
        MetricFamily { page, name }
    }

    /// As it is served.
    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }
}

impl MetricFamily<'_> {
    /// Adds a sample.
    pub fn sample(&mut self, labels: &[MetricLabel<'_>], value: impl Display) {
        self.line("", labels, value);
    }

    /// Adds a histogram: `counts` are of what was no more than each of `bounds_us` and more than
    /// the one before, and of what was more than all; `sum` is that of all values.
    pub fn histogram(
        &mut self,
        label: MetricLabel<'_>,
        bounds_us: &[u64],
        counts: &[u64],
        sum: &impl Display,
    ) {
        let mut all = 0;
        for (at, count) in counts.iter().enumerate() {
            all += count;
            let bound = bounds_us.get(at).map(|us| seconds_of_ns(us * 1_000));
            let bound = bound.map_or("+Inf".to_owned(), |bound| bound.to_string());
            self.line("_bucket", &[label, ("le", &bound)], all);
        }
        self.line("_sum", &[label], sum);
        self.line("_count", &[label], all);
    }

    fn line(&mut self, suffix: &str, labels: &[MetricLabel<'_>], value: impl Display) {
        put(self.page, format_args!("{}{suffix}", self.name));
        for (at, (name, text)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let text = escaped(text, true);
            put(self.page, format_args!("{before}{name}=\"{text}\""));
        }
        if !labels.is_empty() {
            self.page.push('}');
        }
        put(self.page, format_args!(" {value}\n"));
    }
}

fn put(page: &mut String, what: std::fmt::Arguments<'_>) {
    page.write_fmt(what).expect("a string takes all");
}

/// Where quotes end a text they are escaped, too.
fn escaped(text: &str, is_quoted: bool) -> String {
    let text = text.replace('\\', r"\\").replace('\n', r"\n");
    if is_quoted {
        text.replace('"', r#"\""#)
    } else {
        text
    }
}

/// Nanoseconds as seconds, exact to what a double is.
#[expect(
    clippy::cast_precision_loss,
    reason = "a number of the format is a double"
)]
pub(super) fn seconds_of_ns(nanoseconds: u64) -> impl Display {
    nanoseconds as f64 / 1e9
}

/// Milliseconds as seconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "a number of the format is a double"
)]
pub(super) fn seconds_of_ms(milliseconds: i64) -> impl Display {
    milliseconds as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_the_format_says() {
        let mut page = MetricsText::default();
        page.family("a_total", MetricType::Counter, "One\\\n\"two\".")
            .sample(&[("b", "x\"y\\\nz"), ("c", "")], 7);
        page.family("d", MetricType::Gauge, "Here.").sample(&[], -1);
        page.family("e_seconds", MetricType::Histogram, "Long.")
            .histogram(("f", "g"), &[500, 2_500_000], &[1, 0, 2], &0.5);
        let expected = r#"# HELP a_total One\\\n"two".
# TYPE a_total counter
a_total{b="x\"y\\\nz",c=""} 7
# HELP d Here.
# TYPE d gauge
d -1
# HELP e_seconds Long.
# TYPE e_seconds histogram
e_seconds_bucket{f="g",le="0.0005"} 1
e_seconds_bucket{f="g",le="2.5"} 1
e_seconds_bucket{f="g",le="+Inf"} 3
e_seconds_sum{f="g"} 0.5
e_seconds_count{f="g"} 3
"#;
        assert_eq!(page.finish(), expected);
    }
}
