//! Real time: the operating system's wall clock, anchored to its monotonic clock.
//!
//! Real time never goes back. The wall clock is read once, and the monotonic clock counts from there, so
//! setting the wall clock back does not postpone any due time.
//!
//! The monotonic clock stops while a machine is suspended or a virtual machine is paused. The wall clock
//! is ahead afterwards, and real time follows it forward, so that presigned URLs and certificates have
//! the right dates.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use crate::model::time::Timestamp;

/// Lead of the wall clock from which on real time follows it, in nanoseconds. NTP corrects
/// smaller differences by changing the speed of both clocks.
const FOLLOWED_LEAD_NS: i64 = 2_000_000_000;

/// Returns the real time, which never goes back while the process runs.
#[must_use]
pub fn real_now() -> Timestamp {
    static ANCHOR: LazyLock<Anchor> = LazyLock::new(|| Anchor::new(wall_ns(), Instant::now()));
    // The wall clock is read first: if the process is stopped between the two readings, the wall clock
    // seems to be behind, which is ignored, and not ahead.
    let wall_ns = wall_ns();
    ANCHOR.read(wall_ns, Instant::now())
}

/// Reads the operating system's wall clock, in nanoseconds since 1970.
fn wall_ns() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

/// Real time, tied to the monotonic clock.
#[derive(Debug)]
struct Anchor {
    started: Instant,
    /// Real time at `started`, in nanoseconds since 1970. Never decreases.
    real_ns_at_start: AtomicI64,
}

impl Anchor {
    fn new(wall_ns: i64, monotonic: Instant) -> Self {
        Self {
            started: monotonic,
            real_ns_at_start: AtomicI64::new(wall_ns),
        }
    }

    /// Returns the real time for a reading of both clocks.
    fn read(&self, wall_ns: i64, monotonic: Instant) -> Timestamp {
        let elapsed = monotonic.saturating_duration_since(self.started);
        let elapsed_ns = i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX);
        let known = self.real_ns_at_start.load(Ordering::SeqCst);
        let followed = follow(known, elapsed_ns, wall_ns);
        let real_ns_at_start = if followed > known {
            let before = self.real_ns_at_start.fetch_max(followed, Ordering::SeqCst);
            before.max(followed)
        } else {
            known
        };
        let real_ns = real_ns_at_start.saturating_add(elapsed_ns);
        Timestamp::from_ms(real_ns.div_euclid(1_000_000))
    }
}

/// Returns the corrected real time at the anchor, given its current value, the time elapsed since then,
/// and the wall clock. Moves forward if the wall clock is ahead by more than [`FOLLOWED_LEAD_NS`], and
/// never back.
const fn follow(real_ns_at_start: i64, elapsed_ns: i64, wall_ns: i64) -> i64 {
    let lead_ns = wall_ns.saturating_sub(real_ns_at_start.saturating_add(elapsed_ns));
    if lead_ns > FOLLOWED_LEAD_NS {
        real_ns_at_start.saturating_add(lead_ns)
    } else {
        real_ns_at_start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_ms(1_773_309_600_007);
    const SECOND_NS: i64 = 1_000_000_000;
    const WALL_NS: i64 = AT.ms() * 1_000_000;

    /// Reads an anchor that was set at [`AT`], after `elapsed_s`, with a wall clock that is `lead_s`
    /// ahead of the monotonic clock. Returns milliseconds since [`AT`].
    fn read_after(anchor: &Anchor, elapsed_s: i64, lead_s: i64) -> i64 {
        let elapsed = std::time::Duration::from_secs(elapsed_s.unsigned_abs());
        let wall_ns = WALL_NS + (elapsed_s + lead_s) * SECOND_NS;
        anchor.read(wall_ns, anchor.started + elapsed).since_ms(AT)
    }

    #[test]
    fn real_now_after_a_step_back_of_the_wall_clock_counts_on() {
        let anchor = Anchor::new(WALL_NS, Instant::now());
        assert_eq!(read_after(&anchor, 0, 0), 0);
        assert_eq!(read_after(&anchor, 10, -3_600), 10_000);
        assert_eq!(read_after(&anchor, 11, -86_400), 11_000);
        assert_eq!(read_after(&anchor, 12, 0), 12_000);
    }

    #[test]
    fn real_now_after_a_suspend_follows_the_wall_clock_and_stays_there() {
        let anchor = Anchor::new(WALL_NS, Instant::now());
        assert_eq!(read_after(&anchor, 10, 2), 10_000, "not more than 2 s");
        assert_eq!(read_after(&anchor, 10, 3), 13_000);
        assert_eq!(read_after(&anchor, 20, 3_600), 3_620_000);
        assert_eq!(read_after(&anchor, 21, 0), 3_621_000, "never back");
        assert_eq!(read_after(&anchor, 22, 3_602), 3_622_000);
        assert_eq!(read_after(&anchor, 23, 3_603), 3_626_000);
    }

    #[test]
    fn real_now_at_the_ends_of_the_wall_clock_does_not_panic() {
        for (wall_ns, then_ns) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN)] {
            let anchor = Anchor::new(wall_ns, Instant::now());
            let first = anchor.read(wall_ns, anchor.started);
            let later = anchor.started + std::time::Duration::from_secs(1);
            assert!(anchor.read(then_ns, later) >= first);
        }
    }

    #[test]
    fn real_now_is_the_wall_clock_and_grows() {
        let mut last = real_now();
        let wall = Timestamp::from_ms(wall_ns() / 1_000_000);
        assert!(wall.since_ms(last).abs() < 60_000, "{wall:?} {last:?}");
        for _ in 0..10_000 {
            let now = real_now();
            assert!(now >= last);
            last = now;
        }
    }
}
