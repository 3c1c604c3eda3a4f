//! Rate limit: calls per minute of an account, in windows of its clock.
//!
//! A window starts with the first call after the previous window has ended. If the clock is set
//! back to before the start of the window, a new window starts.

use crate::model::account::Plan;
use crate::model::time::Timestamp;
use crate::platform::clock::iso;

const WINDOW_MS: i64 = 60_000;

/// Window that was started last.
#[derive(Debug, Default)]
pub(super) struct RateWindow {
    started_at: Option<Timestamp>,
    calls: u32,
}

/// Error of a call that exceeds the rate limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimited {
    plan: Plan,
    calls_max: u32,
    window_started_at: Timestamp,
    /// Whole seconds until the window ends, at least 1.
    pub retry_after_s: u64,
}

impl RateLimited {
    /// Returns a message with the limit and the start of the window.
    #[must_use]
    pub fn message(&self) -> String {
        let (plan, max) = (self.plan.name(), self.calls_max);
        let source = if self.plan.requests_per_minute() == Some(max) {
            format!("plan {plan}")
        } else {
            format!("plan {plan}, with requestsPerMinute set")
        };
        let started_at = iso(self.window_started_at);
        format!(
            "{source}: rate limit reached, {max} calls in the minute that started at {started_at}"
        )
    }
}

impl RateWindow {
    /// Counts a call at `now`. `calls_max` is the limit of a window.
    pub(super) fn count(
        &mut self,
        now: Timestamp,
        plan: Plan,
        calls_max: u32,
    ) -> Result<(), RateLimited> {
        let is_current = |at: &Timestamp| (0..WINDOW_MS).contains(&now.since_ms(*at));
        let started_at = self.started_at.filter(is_current).unwrap_or_else(|| {
            self.calls = 0;
            now
        });
        self.started_at = Some(started_at);
        if self.calls < calls_max {
            self.calls += 1;
            return Ok(());
        }
        let left_ms = WINDOW_MS - now.since_ms(started_at);
        Err(RateLimited {
            plan,
            calls_max,
            window_started_at: started_at,
            retry_after_s: u64::try_from(left_ms).unwrap_or(0).div_ceil(1_000).max(1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_ms(1_773_309_600_007);

    fn count_after(window: &mut RateWindow, ms: i64) -> Result<(), u64> {
        let result = window.count(T0.plus_ms(ms), Plan::Free, 2);
        result.map_err(|error| error.retry_after_s)
    }

    #[test]
    fn count_within_a_minute_of_the_first_call_is_limited() {
        let mut window = RateWindow::default();
        assert_eq!(count_after(&mut window, 0), Ok(()));
        assert_eq!(count_after(&mut window, 59_000), Ok(()));
        assert_eq!(count_after(&mut window, 59_000), Err(1));
        assert_eq!(count_after(&mut window, 59_999), Err(1));
        assert_eq!(count_after(&mut window, 60_000), Ok(()), "the next one");
        assert_eq!(count_after(&mut window, 60_000), Ok(()));
        assert_eq!(count_after(&mut window, 60_000), Err(60));
        assert_eq!(count_after(&mut window, 60_001), Err(60), "rounded up");
        assert_eq!(count_after(&mut window, 61_000), Err(59));
    }

    #[test]
    fn count_after_the_clock_was_set_back_starts_a_window() {
        let mut window = RateWindow::default();
        for _ in 0..2 {
            assert_eq!(count_after(&mut window, 0), Ok(()));
        }
        assert_eq!(count_after(&mut window, 0), Err(60));
        assert_eq!(count_after(&mut window, -1), Ok(()));
        assert_eq!(count_after(&mut window, 59_998), Ok(()));
        assert_eq!(count_after(&mut window, 59_998), Err(1));
    }

    #[test]
    fn count_at_the_limits_of_time_does_not_panic() {
        let mut window = RateWindow::default();
        for ms in [i64::MIN, i64::MAX, i64::MIN] {
            let at = Timestamp::from_ms(ms);
            assert_eq!(window.count(at, Plan::Free, 1), Ok(()), "{ms}");
        }
    }

    #[test]
    fn count_with_a_limit_of_zero_is_rejected() {
        let result = RateWindow::default().count(T0, Plan::Pro, 0);
        let message = result.expect_err("the limit is zero").message();
        assert_eq!(
            message,
            "plan pro, with requestsPerMinute set: rate limit reached, 0 calls in the minute that started at 2026-03-12T10:00:00.007Z"
        );
    }
}
