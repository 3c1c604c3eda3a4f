//! How the numbers are printed: one line each, aligned, with the target where there is one.

use std::fmt::Display;
use std::time::Duration;

/// What a number ought to be; missing it is said and no failure, machines being noisy.
#[derive(Clone, Copy)]
pub enum Threshold {
    /// As much or more.
    AtLeast(f64),
    /// As much or less.
    AtMost(f64),
    /// Less.
    Below(f64),
}

impl Threshold {
    fn verdict(self, value: f64) -> String {
        let (sign, bound, met) = match self {
            Self::AtLeast(bound) => ("≥", bound, value >= bound),
            Self::AtMost(bound) => ("≤", bound, value <= bound),
            Self::Below(bound) => ("<", bound, value < bound),
        };
        let word = if met { "met" } else { "MISSED" };
        format!("target {sign} {bound}: {word}")
    }
}

/// Begins a section.
pub fn heading(text: impl Display) {
    println!("\n{text}");
}

/// A number with its unit and, where there is one, its target.
pub fn number(what: impl Display, value: f64, unit: &str, target: Option<Threshold>) {
    let digits = if value >= 1000.0 { 0 } else { 2 };
    let verdict = target.map_or_else(String::new, |target| target.verdict(value));
    let line = format!("  {what:<46} {value:>12.digits$} {unit:<6} {verdict}");
    println!("{}", line.trim_end());
}

/// A count of bytes, printed in MB (10⁶ bytes).
pub fn megabytes(what: impl Display, bytes: u64, target: Option<Threshold>) {
    number(what, to_megabytes(bytes), "MB", target);
}

/// The heads of [`percentiles`]' columns.
pub fn percentile_heads() {
    println!("  {:<46} {:>12} {:>12}", "operation", "p50 ms", "p99 ms");
}

/// The median and the 99th percentile of `samples`, in milliseconds.
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

/// The middle one, or the mean of the two in the middle; not a number where there is none.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// A span in milliseconds.
pub fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

/// How many a second.
pub fn per_second(count: u32, span: Duration) -> f64 {
    f64::from(count) / span.as_secs_f64()
}

/// Bytes in MB (10⁶ bytes); kilobytes are exact enough.
fn to_megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX)) / 1000.0
}
