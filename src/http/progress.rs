//! Progress of a connection, and the deadlines that follow from it.
//!
//! A connection passes through four phases: silent until its first byte, receiving the head of a
//! request, in flight until the response has been flushed, and idle. Silent and idle connections and
//! incomplete heads have a deadline. A request in flight has none, so a handler may take its time; only
//! a write that the client does not accept has one. Request bodies have their own timeout
//! (see [`super::request_body`]).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Timeouts of a connection. `None` sets no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConnectionTimeouts {
    /// Longest time from accept to the first byte, and from the first byte to the end of the head.
    pub header: Option<Duration>,
    /// Longest time between two requests.
    pub idle: Option<Duration>,
    /// Longest time between two pieces of a request body.
    pub body: Option<Duration>,
    /// Longest time in which the client accepts no byte of a write.
    pub write: Option<Duration>,
}

impl ConnectionTimeouts {
    /// Returns the interval at which [`Progress::expired`] checks the connection. The shortest timeout
    /// suffices: a deadline that starts during the interval ends after it.
    fn interval(&self) -> Option<Duration> {
        let all = [self.header, self.idle, self.write];
        all.into_iter().flatten().min()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No byte has been received yet.
    Silent,
    /// Part of a request's head has been received.
    Head,
    /// At least one request has no flushed response yet.
    InFlight,
    /// All responses have been flushed, and no byte has been received since.
    Idle,
}

/// Progress of one connection.
#[derive(Debug)]
pub(super) struct Progress(Mutex<ProgressState>);

#[derive(Debug)]
struct ProgressState {
    phase: Phase,
    /// Start of the phase.
    since: Instant,
    /// Requests whose responses have not been flushed. More than one if the client pipelines.
    in_flight: u32,
    /// Time since which a write has been waiting for the client. `None` if no write waits.
    write_blocked_since: Option<Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self(Mutex::new(ProgressState {
            phase: Phase::Silent,
            since: Instant::now(),
            in_flight: 0,
            write_blocked_since: None,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, ProgressState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that bytes were received.
    pub(super) fn received(&self) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Silent | Phase::Idle) {
            state.enter(Phase::Head);
        }
    }

    /// Records whether a write waits for the client.
    pub(super) fn set_write_blocked(&self, is_blocked: bool) {
        let mut state = self.lock();
        if !is_blocked {
            state.write_blocked_since = None;
        } else if state.write_blocked_since.is_none() {
            state.write_blocked_since = Some(Instant::now());
        }
    }

    /// Records that a request has begun. The request is in flight until the guard is dropped.
    pub(super) fn begin_request(self: &Arc<Self>) -> InFlight {
        let mut state = self.lock();
        state.in_flight += 1;
        state.enter(Phase::InFlight);
        drop(state);
        InFlight(Arc::clone(self))
    }

    /// Returns the phase and its start.
    pub(super) fn phase(&self) -> (Phase, Instant) {
        let state = self.lock();
        (state.phase, state.since)
    }

    /// Waits until a deadline has passed. Waits forever if no timeout is set.
    pub(super) async fn expired(&self, timeouts: &ConnectionTimeouts) {
        let Some(interval) = timeouts.interval() else {
            return std::future::pending().await;
        };
        loop {
            let now = Instant::now();
            let deadline = self.lock().deadline(timeouts);
            if deadline.is_some_and(|deadline| deadline <= now) {
                return;
            }
            let latest = now + interval;
            let next = deadline.map_or(latest, |deadline| deadline.min(latest));
            tokio::time::sleep_until(next.into()).await;
        }
    }
}

impl ProgressState {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }

    fn deadline(&self, timeouts: &ConnectionTimeouts) -> Option<Instant> {
        let timeout = match self.phase {
            Phase::Silent | Phase::Head => timeouts.header,
            Phase::Idle => timeouts.idle,
            Phase::InFlight => None,
        };
        let phase_deadline = timeout.map(|timeout| self.since + timeout);
        let blocked = self.write_blocked_since.zip(timeouts.write);
        let write_deadline = blocked.map(|(since, timeout)| since + timeout);
        phase_deadline.into_iter().chain(write_deadline).min()
    }
}

/// Guard of a request in flight.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Progress>);

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.in_flight -= 1;
        if state.in_flight == 0 {
            state.enter(Phase::Idle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(1);

    fn timeouts() -> ConnectionTimeouts {
        ConnectionTimeouts {
            header: Some(TIMEOUT),
            idle: Some(2 * TIMEOUT),
            body: None,
            write: Some(3 * TIMEOUT),
        }
    }

    /// Returns the time from the start of the phase to the deadline.
    fn remaining(progress: &Progress) -> Option<Duration> {
        let state = progress.lock();
        let deadline = state.deadline(&timeouts());
        deadline.map(|deadline| deadline - state.since)
    }

    #[test]
    fn deadline_of_each_phase_follows_its_timeout() {
        let progress = Arc::new(Progress::new());
        assert_eq!(remaining(&progress), Some(TIMEOUT));
        progress.received();
        assert_eq!(remaining(&progress), Some(TIMEOUT));
        let request = progress.begin_request();
        assert_eq!(remaining(&progress), None, "a handler may take its time");
        drop(request);
        assert_eq!(remaining(&progress), Some(2 * TIMEOUT));
        assert_eq!(progress.phase().0, Phase::Idle);
    }

    #[test]
    fn received_in_head_phase_does_not_move_the_deadline() {
        let progress = Progress::new();
        progress.received();
        let started = progress.phase();
        progress.received();
        assert_eq!(progress.phase(), started);
    }

    #[test]
    fn drop_of_one_pipelined_request_leaves_the_other_in_flight() {
        let progress = Arc::new(Progress::new());
        let (first, second) = (progress.begin_request(), progress.begin_request());
        drop(first);
        assert_eq!(progress.phase().0, Phase::InFlight);
        drop(second);
        assert_eq!(progress.phase().0, Phase::Idle);
    }

    #[test]
    fn blocked_write_has_a_deadline_until_the_client_accepts_bytes() {
        let progress = Arc::new(Progress::new());
        let _request = progress.begin_request();
        progress.set_write_blocked(true);
        let since = progress.lock().write_blocked_since;
        progress.set_write_blocked(true);
        assert_eq!(
            progress.lock().write_blocked_since,
            since,
            "the second call moved the start"
        );
        assert!(remaining(&progress).is_some());
        progress.set_write_blocked(false);
        assert_eq!(remaining(&progress), None);
    }
}
