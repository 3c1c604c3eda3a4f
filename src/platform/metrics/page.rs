//! Prometheus' text format, version 0.0.4: families of samples, each with its type and help text.

use std::fmt::{Display, Write};

/// Media type of the page.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Builder of a page.
#[derive(Debug, Default)]
pub struct MetricsText(String);

/// Type of a family.
#[derive(Debug, Clone, Copy)]
pub enum MetricType {
    /// Only grows. Starts at 0 with the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by upper bounds.
    Histogram,
}

/// Samples with the same name.
#[derive(Debug)]
pub struct MetricFamily<'p> {
    page: &'p mut String,
    name: &'static str,
}

/// Name and value of a label.
pub type MetricLabel<'l> = (&'static str, &'l str);

impl MetricsText {
    /// Starts a family. `help` is a sentence for people.
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

    /// Returns the text of the page.
    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }
}

impl MetricFamily<'_> {
    pub fn sample(&mut self, labels: &[MetricLabel<'_>], value: impl Display) {
        self.line("", labels, value);
    }

    /// Adds a histogram. `counts` has the number of values in each interval that ends at a bound of
    /// `bounds_us`, and last the number of larger values. `sum` is the sum of all values.
    pub fn histogram(
        &mut self,
        label: MetricLabel<'_>,
        bounds_us: &[u64],
        counts: &[u64],
        sum: &impl Display,
    ) {
        let mut cumulative = 0;
        for (index, count) in counts.iter().enumerate() {
            cumulative += count;
            let bound = bounds_us.get(index).map_or_else(
                || "+Inf".to_owned(),
                |us| seconds_of_ns(us * 1_000).to_string(),
            );
            self.line("_bucket", &[label, ("le", &bound)], cumulative);
        }
        self.line("_sum", &[label], sum);
        self.line("_count", &[label], cumulative);
    }

    fn line(&mut self, suffix: &str, labels: &[MetricLabel<'_>], value: impl Display) {
        put(self.page, format_args!("{}{suffix}", self.name));
        for (index, (name, value)) in labels.iter().enumerate() {
            let separator = if index == 0 { '{' } else { ',' };
            let escaped = escaped(value, true);
            put(self.page, format_args!("{separator}{name}=\"{escaped}\""));
        }
        if !labels.is_empty() {
            self.page.push('}');
        }
        put(self.page, format_args!(" {value}\n"));
    }
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text)
        .expect("writing to a String cannot fail");
}

/// Escapes backslashes and line feeds, and quotes too if the text is quoted.
fn escaped(text: &str, is_quoted: bool) -> String {
    let text = text.replace('\\', r"\\").replace('\n', r"\n");
    if is_quoted {
        text.replace('"', r#"\""#)
    } else {
        text
    }
}

/// Returns nanoseconds as seconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of the format are doubles"
)]
pub(super) fn seconds_of_ns(nanoseconds: u64) -> impl Display {
    nanoseconds as f64 / 1e9
}

/// Returns milliseconds as seconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of the format are doubles"
)]
pub(super) fn seconds_of_ms(milliseconds: i64) -> impl Display {
    milliseconds as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finish_returns_the_text_format() {
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
