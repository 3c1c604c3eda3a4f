//! Calls a minute: a window of the account's clock, and how many came in it.
//!
//! A window begins with the first call that is counted after the last one ended. A clock that is
//! set back to before its beginning begins another.

use crate::model::account::Plan;
use crate::model::time::Timestamp;
use crate::platform::clock::iso;

const WINDOW_MS: i64 = 60_000;

/// The minute that was begun last.
#[derive(Debug, Default)]
pub(super) struct RateWindow {
    started_at: Option<Timestamp>,
    calls: u32,
}

/// Why a call is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimited {
    plan: Plan,
    calls_max: u32,
    window_started_at: Timestamp,
    /// Whole seconds until the window ends, from 1.
    pub retry_after_s: u64,
}

impl RateLimited {
    /// One line that says what is used up, and since when.
    #[must_use]
    pub fn message(&self) -> String {
        let (plan, max) = (self.plan.name(), self.calls_max);
        let filter = if self.plan.requests_per_minute() == Some(max) {
            format!("plan {plan}")
        } else {
            format!("plan {plan}, requestsPerMinute set")
        };
        let since = iso(self.window_started_at);
        format!("{filter}: the {max} calls of the minute that began at {since} are used up")
    }
}

impl RateWindow {
    /// Counts a call at `now`, of which a minute takes `calls_max`.
    pub(super) fn count(
        &mut self,
        now: Timestamp,
        plan: Plan,
        calls_max: u32,
    ) -> Result<(), RateLimited> {
        let still = |began_at: &Timestamp| (0..WINDOW_MS).contains(&now.since_ms(*began_at));
        let began_at = self.started_at.filter(still).unwrap_or_else(|| {
            self.calls = 0;
            now
        });
        self.started_at = Some(began_at);
        if self.calls < calls_max {
            self.calls += 1;
            return Ok(());
        }
        let left_ms = WINDOW_MS - now.since_ms(began_at);
        Err(RateLimited {
            plan,
            calls_max,
            window_started_at: began_at,
            retry_after_s: u64::try_from(left_ms).unwrap_or(0).div_ceil(1_000).max(1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_ms(1_773_309_600_007);

    fn after(window: &mut RateWindow, ms: i64) -> Result<(), u64> {
        let counted = window.count(T0.plus_ms(ms), Plan::Free, 2);
        counted.map_err(|too_many| too_many.retry_after_s)
    }

    #[test]
    fn a_window_is_a_minute_from_its_first_call() {
        let mut window = RateWindow::default();
        assert_eq!(after(&mut window, 0), Ok(()));
        assert_eq!(after(&mut window, 59_000), Ok(()));
        assert_eq!(after(&mut window, 59_000), Err(1));
        assert_eq!(after(&mut window, 59_999), Err(1));
        assert_eq!(after(&mut window, 60_000), Ok(()), "the next one");
        assert_eq!(after(&mut window, 60_000), Ok(()));
        assert_eq!(after(&mut window, 60_000), Err(60));
        assert_eq!(after(&mut window, 60_001), Err(60), "rounded up");
        assert_eq!(after(&mut window, 61_000), Err(59));
    }

    #[test]
    fn a_clock_set_back_begins_a_window() {
        let mut window = RateWindow::default();
        for _ in 0..2 {
            assert_eq!(after(&mut window, 0), Ok(()));
        }
        assert_eq!(after(&mut window, 0), Err(60));
        assert_eq!(after(&mut window, -1), Ok(()));
        assert_eq!(after(&mut window, 59_998), Ok(()));
        assert_eq!(after(&mut window, 59_998), Err(1));
    }

    #[test]
    fn the_ends_of_time_are_no_panic() {
        let mut window = RateWindow::default();
        for ms in [i64::MIN, i64::MAX, i64::MIN] {
            let at = Timestamp::from_ms(ms);
            assert_eq!(window.count(at, Plan::Free, 1), Ok(()), "{ms}");
        }
    }

    #[test]
    fn none_at_all_are_taken_where_none_are_set() {
        let refused = RateWindow::default().count(T0, Plan::Pro, 0);
        let line = refused.expect_err("none is taken").message();
        assert_eq!(
            line,
            "plan pro, requestsPerMinute set: the 0 calls of the minute that began at 2026-03-12T10:00:00.007Z are used up"
        );
    }
}
