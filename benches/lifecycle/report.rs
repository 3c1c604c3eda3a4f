//! Output of the results: one aligned line each, with the target if there is one.

use std::fmt::Display;
use std::time::Duration;

/// Target of a number. Missing it is printed but is no error, because machines are noisy.
#[derive(Clone, Copy)]
pub enum Threshold {
    /// The bound or more.
    AtLeast(f64),
    /// The bound or less.
    AtMost(f64),
    /// Less than the bound.
    Below(f64),
}

impl Threshold {
    fn verdict(self, value: f64) -> String {
        let (sign, bound, is_met) = match self {
            Self::AtLeast(bound) => ("≥", bound, value >= bound),
            Self::AtMost(bound) => ("≤", bound, value <= bound),
            Self::Below(bound) => ("<", bound, value < bound),
        };
        let word = if is_met { "met" } else { "MISSED" };
        format!("target {sign} {bound}: {word}")
    }
}

/// Prints the heading of a section.
pub fn heading(text: impl Display) {
    println!("\n{text}");
}

/// Prints a number with its unit and its target.
pub fn number(what: impl Display, value: f64, unit: &str, target: Option<Threshold>) {
    let digits = if value >= 1000.0 { 0 } else { 2 };
    let verdict = target.map_or_else(String::new, |target| target.verdict(value));
    let line = format!("  {what:<46} {value:>12.digits$} {unit:<6} {verdict}");
    println!("{}", line.trim_end());
}

/// Prints a number of bytes in MB (10⁶ bytes).
pub fn megabytes(what: impl Display, bytes: u64, target: Option<Threshold>) {
    number(what, to_megabytes(bytes), "MB", target);
}

/// Prints the column headings of [`percentiles`].
pub fn percentile_header() {
    println!("  {:<46} {:>12} {:>12}", "operation", "p50 ms", "p99 ms");
}

/// Prints the median and the 99th percentile of `samples` in milliseconds.
pub fn percentiles(what: impl Display, samples: &mut [Duration]) {
    samples.sort_unstable();
    let at = |percent: usize| {
        let rank = (samples.len() * percent).div_ceil(100).max(1);
        samples
            .get(rank - 1)
            .map_or(f64::NAN, |sample| milliseconds(*sample))
    };
    println!("  {what:<46} {:>12.2} {:>12.2}", at(50), at(99));
}

/// Returns the median: the middle value, or the mean of the two middle ones. NaN if there is none.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Converts a duration to milliseconds.
pub fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

/// Returns the number of events per second.
pub fn per_second(count: u32, span: Duration) -> f64 {
    f64::from(count) / span.as_secs_f64()
}

/// Converts bytes to MB (10⁶ bytes) with three decimals.
fn to_megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX)) / 1000.0
}
