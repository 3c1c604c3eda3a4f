//! What is counted while the server runs, for `GET /_mock/metrics`.
//!
//! Counting takes no lock and, but for an operation's first answer, no memory: each count is an
//! atomic number, found by its place. The labels are closed sets (operations, statuses, kinds of
//! jobs), so what is kept has a bound; no label is an account's. What there is at the moment, such
//! as jobs that wait, is not counted here: it is asked for when somebody wants to see it.
//!
//! The crates for this are larger than what is needed of them, and find a count by hashing its
//! labels under a lock, or speak `OpenMetrics`, which is another format.

mod page;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::model::job::JobKind;
use crate::model::time::Timestamp;
use crate::platform::clock;
pub use page::{MEDIA_TYPE, MetricType, MetricsText};

/// Requests are told apart by what took up to so many microseconds, as Prometheus' clients do by
/// default, with two steps below, as most answers here take less than their least.
const BUCKETS_US: [u64; 13] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000,
];
/// Statuses are from 100 on, so many at most.
const STATUSES: usize = 500;

/// What came of an attempt at a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// It was answered 2xx.
    Accepted,
    /// It was answered otherwise.
    Refused,
    /// No answer came.
    Unanswered,
    /// A rule had it not made.
    Dropped,
}

/// In that order.
const ATTEMPTED: [&str; 4] = ["accepted", "refused", "unanswered", "dropped"];

/// How a delivery came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    Sent,
    Failed,
}

/// In that order.
const DELIVERED: [&str; 2] = ["sent", "failed"];

/// The counts. Clones share them.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<MetricsInner>);

#[derive(Debug)]
struct MetricsInner {
    /// When counting began, by the real time.
    started_at: Timestamp,
    operations: Box<[OperationMetrics]>,
    in_flight: AtomicI64,
    /// By the places of [`JobKind::ALL`].
    jobs: [JobMetrics; JobKind::ALL.len()],
    attempts: [AtomicU64; ATTEMPTED.len()],
    deliveries: [AtomicU64; DELIVERED.len()],
}

/// One operation's answers.
#[derive(Debug)]
struct OperationMetrics {
    operation: &'static str,
    /// By status; there from the first answer on.
    statuses: OnceLock<Box<[AtomicU64]>>,
    /// By the places of [`BUCKETS_US`], and what took longer. Each answer is in one.
    buckets: [AtomicU64; BUCKETS_US.len() + 1],
    nanoseconds: AtomicU64,
}

/// One kind's jobs.
#[derive(Debug, Default)]
struct JobMetrics {
    run: AtomicU64,
    failed: AtomicU64,
}

/// An operation's place among the counts.
#[derive(Debug, Clone, Copy)]
pub struct OperationIndex(usize);

/// A request that is being answered.
#[derive(Debug)]
pub struct InFlightRequest<'m> {
    metrics: &'m MetricsInner,
    operation: OperationIndex,
    started_at: Instant,
    is_finished: bool,
}

fn add(to: &AtomicU64, more: u64) {
    to.fetch_add(more, Ordering::Relaxed);
}

fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

impl Metrics {
    /// Counts of the requests to these operations, and of all else, from 0 on.
    #[must_use]
    pub fn new(operations: impl IntoIterator<Item = &'static str>) -> Self {
        let answered = |operation| OperationMetrics {
            operation,
            statuses: OnceLock::new(),
            buckets: Default::default(),
            nanoseconds: AtomicU64::default(),
        };
        let mut operations: Vec<_> = operations.into_iter().map(answered).collect();
        operations.sort_unstable_by_key(|it| it.operation);
        Self(Arc::new(MetricsInner {
            started_at: clock::real_now(),
            operations: operations.into_boxed_slice(),
            in_flight: AtomicI64::default(),
            jobs: Default::default(),
            attempts: Default::default(),
            deliveries: Default::default(),
        }))
    }

    /// The operation's place, to be looked up once.
    ///
    /// # Panics
    /// If it is not one of those that are counted, which is a mistake in the program.
    #[must_use]
    pub fn operation_index(&self, operation: &str) -> OperationIndex {
        let operations = &self.0.operations;
        let found = operations.binary_search_by_key(&operation, |it| it.operation);
        OperationIndex(found.expect("every operation is counted"))
    }

    /// A request has come.
    #[must_use]
    pub fn start_request(&self, place: OperationIndex) -> InFlightRequest<'_> {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlightRequest {
            metrics: &self.0,
            operation: place,
            started_at: Instant::now(),
            is_finished: false,
        }
    }

    /// A job was run, or could not be and is tried again.
    pub fn record_job(&self, kind: JobKind, is_done: bool) {
        let place = JobKind::ALL.iter().position(|known| *known == kind);
        if let Some(ended) = place.and_then(|place| self.0.jobs.get(place)) {
            add(if is_done { &ended.run } else { &ended.failed }, 1);
        }
    }

    /// An attempt at a webhook was made.
    pub fn record_attempt(&self, attempted: AttemptOutcome) {
        add(&self.0.attempts[attempted as usize], 1);
    }

    /// A delivery has come to its end.
    pub fn record_delivery(&self, delivered: DeliveryOutcome) {
        add(&self.0.deliveries[delivered as usize], 1);
    }

    /// Requests answered so far, and those of them that were refused: with a status of 400 or
    /// more.
    #[must_use]
    pub fn totals(&self) -> (u64, u64) {
        let statuses = self.0.operations.iter().filter_map(|it| it.statuses.get());
        statuses.fold((0, 0), |(all, refused), statuses| {
            let sum = |counts: &[AtomicU64]| counts.iter().map(read).sum::<u64>();
            (all + sum(statuses), refused + sum(&statuses[300..]))
        })
    }

    /// Writes down all that was counted.
    pub fn write(&self, page: &mut MetricsText) {
        let inner = &self.0;
        inner.write_requests(page);
        inner.write_jobs(page);
        inner.write_webhooks(page);
        let seconds = page::seconds_of_ms(inner.started_at.ms());
        let help = "When the server started, in seconds since 1970.";
        page.family("process_start_time_seconds", MetricType::Gauge, help)
            .sample(&[], seconds);
    }
}

impl MetricsInner {
    fn record_response(&self, place: OperationIndex, status: u16, took: Duration) {
        let Some(answered) = self.operations.get(place.0) else {
            return;
        };
        let statuses = answered.statuses.get_or_init(|| {
            let none = std::iter::repeat_with(AtomicU64::default);
            none.take(STATUSES).collect()
        });
        let status = usize::from(status).saturating_sub(100).min(STATUSES - 1);
        add(&statuses[status], 1);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let fits = |us: &u64| nanoseconds <= us * 1_000;
        let bucket = BUCKETS_US.iter().position(fits);
        add(&answered.buckets[bucket.unwrap_or(BUCKETS_US.len())], 1);
        add(&answered.nanoseconds, nanoseconds);
    }

    fn write_requests(&self, page: &mut MetricsText) {
        let input_of = || {
            let all = self.operations.iter();
            all.filter_map(|it| Some((it, it.statuses.get()?)))
        };
        let help = "Requests answered, by operation and status.";
        let mut family = page.family("stuntdouble_http_requests_total", MetricType::Counter, help);
        for (of, statuses) in input_of() {
            let counts = statuses.iter().map(read).zip(100..);
            for (count, status) in counts.filter(|(count, _)| *count > 0) {
                let status: u16 = status;
                let labels = [("operation", of.operation), ("status", &status.to_string())];
                family.sample(&labels, count);
            }
        }
        let name = "stuntdouble_http_request_duration_seconds";
        let help = "Time from a request's head to its answer's head, by operation.";
        let mut family = page.family(name, MetricType::Histogram, help);
        for (of, _) in input_of() {
            let counts = of.buckets.each_ref().map(read);
            let sum = page::seconds_of_ns(read(&of.nanoseconds));
            family.histogram(("operation", of.operation), &BUCKETS_US, &counts, &sum);
        }
        let help = "Requests that are being answered, this one included.";
        page.family(
            "stuntdouble_http_requests_in_flight",
            MetricType::Gauge,
            help,
        )
        .sample(&[], self.in_flight.load(Ordering::Relaxed));
    }

    fn write_jobs(&self, page: &mut MetricsText) {
        let help = "Jobs that were run, by kind.";
        let mut family = page.family("stuntdouble_jobs_run_total", MetricType::Counter, help);
        for (kind, ended) in JobKind::ALL.iter().zip(&self.jobs) {
            family.sample(&[("kind", kind.name())], read(&ended.run));
        }
        let help = "Job runs that ended in an error and are retried, by kind.";
        let mut family = page.family("stuntdouble_job_errors_total", MetricType::Counter, help);
        for (kind, ended) in JobKind::ALL.iter().zip(&self.jobs) {
            family.sample(&[("kind", kind.name())], read(&ended.failed));
        }
    }

    fn write_webhooks(&self, page: &mut MetricsText) {
        let help = "Attempts at webhooks, by what came of them.";
        let mut family = page.family(
            "stuntdouble_webhook_attempts_total",
            MetricType::Counter,
            help,
        );
        for (result, count) in ATTEMPTED.iter().zip(&self.attempts) {
            family.sample(&[("result", result)], read(count));
        }
        let help = "Deliveries of webhooks that have come to their end, by how.";
        let mut family = page.family(
            "stuntdouble_webhook_deliveries_total",
            MetricType::Counter,
            help,
        );
        for (result, count) in DELIVERED.iter().zip(&self.deliveries) {
            family.sample(&[("result", result)], read(count));
        }
    }
}

impl InFlightRequest<'_> {
    /// How long it has taken so far.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started_at.elapsed()
    }

    /// It was answered after so long.
    pub fn finish(mut self, status: u16, took: Duration) {
        self.is_finished = true;
        self.metrics.record_response(self.operation, status, took);
    }
}

impl Drop for InFlightRequest<'_> {
    /// Who is gone before the answer is not counted; where the handler panicked, 500 is answered.
    fn drop(&mut self) {
        if !self.is_finished && std::thread::panicking() {
            self.metrics
                .record_response(self.operation, 500, self.started_at.elapsed());
        }
        self.metrics.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The bytes of memory that the process has, where the system tells.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    let message = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = message
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_in_the_bucket_that_it_just_fits() {
        let metrics = Metrics::new(["b", "a"]);
        let place = metrics.operation_index("a");
        for us in [0, 500, 501, 10_000_000, 10_000_001] {
            let request = metrics.start_request(place);
            request.finish(200, Duration::from_micros(us));
        }
        let counts = metrics.0.operations[0].buckets.each_ref().map(read);
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert!(metrics.0.operations[1].statuses.get().is_none());
    }

    #[test]
    fn totals_count_statuses_from_400_on_as_refused() {
        let metrics = Metrics::new(["a", "b", "c"]);
        assert_eq!(metrics.totals(), (0, 0));
        for (operation, status) in [("a", 200), ("a", 399), ("a", 400), ("b", 503), ("b", 304)] {
            let place = metrics.operation_index(operation);
            metrics.start_request(place).finish(status, Duration::ZERO);
        }
        assert_eq!(metrics.totals(), (5, 2));
    }

    #[test]
    fn a_status_beyond_those_there_are_is_the_last_and_who_is_gone_is_not_counted() {
        let metrics = Metrics::new(["a"]);
        let place = metrics.operation_index("a");
        for status in [0, 1000] {
            metrics.start_request(place).finish(status, Duration::ZERO);
        }
        drop(metrics.start_request(place));
        let mut page = MetricsText::default();
        metrics.write(&mut page);
        let text = page.finish();
        for line in [
            "stuntdouble_http_requests_total{operation=\"a\",status=\"100\"} 1\n",
            "stuntdouble_http_requests_total{operation=\"a\",status=\"599\"} 1\n",
            "stuntdouble_http_requests_in_flight 0\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn a_panic_is_an_answer_of_500() {
        let metrics = Metrics::new(["a"]);
        let place = metrics.operation_index("a");
        let counted = metrics.clone();
        let ended = std::thread::spawn(move || {
            let _request = counted.start_request(place);
            panic!("on purpose");
        });
        assert!(ended.join().is_err());
        let statuses = metrics.0.operations[0].statuses.get().expect("an answer");
        assert_eq!(read(&statuses[400]), 1);
        assert_eq!(metrics.0.in_flight.load(Ordering::Relaxed), 0);
    }
}
