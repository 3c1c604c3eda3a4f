//! Counters of the running server, for `GET /_mock/metrics`.
//!
//! Counting takes no lock, and allocates only for the first response of an operation: each counter is an
//! atomic number with a fixed index. Labels are closed sets (operations, statuses, job kinds), so memory
//! is bounded. No label names an account. Current values, such as the number of pending jobs, are not
//! counted here: the control API reads them when the page is requested.
//!
//! The crates for this hash labels under a lock, or write `OpenMetrics`, which is another format.

mod page;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::model::job::JobKind;
use crate::model::time::Timestamp;
use crate::platform::clock;
pub use page::{MEDIA_TYPE, MetricType, MetricsText};

/// Upper bounds of the buckets of request durations, in microseconds: the defaults of Prometheus'
/// clients and two smaller ones, because most responses take less than 5 ms.
const BUCKETS_US: [u64; 13] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000,
];
/// Number of status counters of an operation, for the statuses 100 to 599.
const STATUSES: usize = 500;

/// Result of an attempt to deliver a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The receiver answered 2xx.
    Accepted,
    /// The receiver answered with another status.
    Refused,
    /// There was no response.
    Unanswered,
    /// A rule dropped the attempt.
    Dropped,
}

/// Labels of [`AttemptOutcome`], in the order of its variants.
const ATTEMPT_LABELS: [&str; 4] = ["accepted", "refused", "unanswered", "dropped"];

/// Final result of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    Sent,
    Failed,
}

/// Labels of [`DeliveryOutcome`], in the order of its variants.
const DELIVERY_LABELS: [&str; 2] = ["sent", "failed"];

/// The counters. Clones share them.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<MetricsInner>);

#[derive(Debug)]
struct MetricsInner {
    /// Start of the server, in real time.
    started_at: Timestamp,
    /// Sorted by name.
    operations: Box<[OperationMetrics]>,
    in_flight: AtomicI64,
    /// Indexed as [`JobKind::ALL`].
    jobs: [JobMetrics; JobKind::ALL.len()],
    attempts: [AtomicU64; ATTEMPT_LABELS.len()],
    deliveries: [AtomicU64; DELIVERY_LABELS.len()],
}

/// Counters of the responses of an operation.
#[derive(Debug)]
struct OperationMetrics {
    operation: &'static str,
    /// Indexed by status minus 100. Allocated at the first response.
    statuses: OnceLock<Box<[AtomicU64]>>,
    /// Indexed as [`BUCKETS_US`]; the last one counts longer durations. Not cumulative.
    buckets: [AtomicU64; BUCKETS_US.len() + 1],
    /// Sum of the durations.
    nanoseconds: AtomicU64,
}

/// Counters of a kind of job.
#[derive(Debug, Default)]
struct JobMetrics {
    run: AtomicU64,
    errors: AtomicU64,
}

/// Index of an operation's counters.
#[derive(Debug, Clone, Copy)]
pub struct OperationIndex(usize);

/// A request in flight.
#[derive(Debug)]
pub struct InFlightRequest<'m> {
    metrics: &'m MetricsInner,
    operation: OperationIndex,
    started_at: Instant,
    is_finished: bool,
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Metrics {
    /// Returns the time at which the server started, in real time.
    #[must_use]
    pub fn started_at(&self) -> Timestamp {
        self.0.started_at
    }

    /// Creates counters that are 0, with the operations of these names.
    #[must_use]
    pub fn new(operations: impl IntoIterator<Item = &'static str>) -> Self {
        let operation_metrics = |operation| OperationMetrics {
            operation,
            statuses: OnceLock::new(),
            buckets: Default::default(),
            nanoseconds: AtomicU64::default(),
        };
        let mut operations: Vec<_> = operations.into_iter().map(operation_metrics).collect();
        operations.sort_unstable_by_key(|metrics| metrics.operation);
        Self(Arc::new(MetricsInner {
            started_at: clock::real_now(),
            operations: operations.into_boxed_slice(),
            in_flight: AtomicI64::default(),
            jobs: Default::default(),
            attempts: Default::default(),
            deliveries: Default::default(),
        }))
    }

    /// Returns the index of an operation. The middleware looks it up once per route.
    ///
    /// # Panics
    /// Panics if the operation was not passed to [`Self::new`], which is a programming error.
    #[must_use]
    pub fn operation_index(&self, operation: &str) -> OperationIndex {
        let index = self
            .0
            .operations
            .binary_search_by_key(&operation, |metrics| metrics.operation);
        OperationIndex(index.expect("every operation is counted"))
    }

    /// Counts a request as in flight until the returned guard is dropped.
    #[must_use]
    pub fn start_request(&self, operation: OperationIndex) -> InFlightRequest<'_> {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlightRequest {
            metrics: &self.0,
            operation,
            started_at: Instant::now(),
            is_finished: false,
        }
    }

    /// Counts a run of a job. `is_done` is `false` if an internal error stopped the job, which will be
    /// retried.
    pub fn record_job(&self, kind: JobKind, is_done: bool) {
        let index = JobKind::ALL.iter().position(|known| *known == kind);
        if let Some(metrics) = index.and_then(|index| self.0.jobs.get(index)) {
            let counter = if is_done {
                &metrics.run
            } else {
                &metrics.errors
            };
            add(counter, 1);
        }
    }

    /// Counts an attempt to deliver a webhook.
    pub fn record_attempt(&self, outcome: AttemptOutcome) {
        add(&self.0.attempts[outcome as usize], 1);
    }

    /// Counts a delivery that has ended.
    pub fn record_delivery(&self, outcome: DeliveryOutcome) {
        add(&self.0.deliveries[outcome as usize], 1);
    }

    /// Returns the number of answered requests, and of those answered with a status of 400 or more.
    #[must_use]
    pub fn totals(&self) -> (u64, u64) {
        self.0
            .operations
            .iter()
            .filter_map(|metrics| metrics.statuses.get())
            .fold((0, 0), |(all, refused), statuses| {
                let sum = |counts: &[AtomicU64]| counts.iter().map(read).sum::<u64>();
                (all + sum(statuses), refused + sum(&statuses[300..]))
            })
    }

    /// Writes all counters to `page`.
    pub fn write(&self, page: &mut MetricsText) {
        let inner = &self.0;
        inner.write_requests(page);
        inner.write_jobs(page);
        inner.write_webhooks(page);
        let seconds = page::seconds_of_ms(inner.started_at.ms());
        let help = "Start of the server, in seconds since 1970.";
        page.family("process_start_time_seconds", MetricType::Gauge, help)
            .sample(&[], seconds);
    }
}

impl MetricsInner {
    fn record_response(&self, operation: OperationIndex, status: u16, elapsed: Duration) {
        let Some(metrics) = self.operations.get(operation.0) else {
            return;
        };
        let statuses = metrics.statuses.get_or_init(|| {
            std::iter::repeat_with(AtomicU64::default)
                .take(STATUSES)
                .collect()
        });
        let index = usize::from(status).saturating_sub(100).min(STATUSES - 1);
        add(&statuses[index], 1);
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let fits = |us: &u64| nanoseconds <= us * 1_000;
        let bucket = BUCKETS_US.iter().position(fits);
        add(&metrics.buckets[bucket.unwrap_or(BUCKETS_US.len())], 1);
        add(&metrics.nanoseconds, nanoseconds);
    }

    fn write_requests(&self, page: &mut MetricsText) {
        let used_operations = || {
            let all = self.operations.iter();
            all.filter_map(|metrics| Some((metrics, metrics.statuses.get()?)))
        };
        let help = "Requests answered, by operation and status.";
        let mut family = page.family("stuntdouble_http_requests_total", MetricType::Counter, help);
        for (metrics, statuses) in used_operations() {
            let counts = statuses.iter().map(read).zip(100..);
            for (count, status) in counts.filter(|(count, _)| *count > 0) {
                let status: u16 = status;
                let labels = [
                    ("operation", metrics.operation),
                    ("status", &status.to_string()),
                ];
                family.sample(&labels, count);
            }
        }
        let name = "stuntdouble_http_request_duration_seconds";
        let help = "Time from the request's head to the response's head, by operation.";
        let mut family = page.family(name, MetricType::Histogram, help);
        for (metrics, _) in used_operations() {
            let counts = metrics.buckets.each_ref().map(read);
            let sum = page::seconds_of_ns(read(&metrics.nanoseconds));
            family.histogram(("operation", metrics.operation), &BUCKETS_US, &counts, &sum);
        }
        let help = "Requests in flight, including this one.";
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
        for (kind, metrics) in JobKind::ALL.iter().zip(&self.jobs) {
            family.sample(&[("kind", kind.name())], read(&metrics.run));
        }
        let help = "Internal errors that stopped a job, which is retried, by kind.";
        let mut family = page.family("stuntdouble_job_errors_total", MetricType::Counter, help);
        for (kind, metrics) in JobKind::ALL.iter().zip(&self.jobs) {
            family.sample(&[("kind", kind.name())], read(&metrics.errors));
        }
    }

    fn write_webhooks(&self, page: &mut MetricsText) {
        let help = "Attempts to deliver webhooks, by result.";
        let mut family = page.family(
            "stuntdouble_webhook_attempts_total",
            MetricType::Counter,
            help,
        );
        for (result, count) in ATTEMPT_LABELS.iter().zip(&self.attempts) {
            family.sample(&[("result", result)], read(count));
        }
        let help = "Webhook deliveries that have ended, by result.";
        let mut family = page.family(
            "stuntdouble_webhook_deliveries_total",
            MetricType::Counter,
            help,
        );
        for (result, count) in DELIVERY_LABELS.iter().zip(&self.deliveries) {
            family.sample(&[("result", result)], read(count));
        }
    }
}

impl InFlightRequest<'_> {
    /// Returns the time since the start of the request.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started_at.elapsed()
    }

    /// Counts the response, sent after `elapsed`.
    pub fn finish(mut self, status: u16, elapsed: Duration) {
        self.is_finished = true;
        self.metrics
            .record_response(self.operation, status, elapsed);
    }
}

impl Drop for InFlightRequest<'_> {
    /// Counts a response of 500 if the handler panicked. A request whose client hung up is not counted.
    fn drop(&mut self) {
        if !self.is_finished && std::thread::panicking() {
            self.metrics
                .record_response(self.operation, 500, self.started_at.elapsed());
        }
        self.metrics.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finish_counts_the_duration_in_the_smallest_fitting_bucket() {
        let metrics = Metrics::new(["b", "a"]);
        let index = metrics.operation_index("a");
        for us in [0, 500, 501, 10_000_000, 10_000_001] {
            let request = metrics.start_request(index);
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
            let index = metrics.operation_index(operation);
            metrics.start_request(index).finish(status, Duration::ZERO);
        }
        assert_eq!(metrics.totals(), (5, 2));
    }

    #[test]
    fn write_clamps_statuses_and_leaves_out_abandoned_requests() {
        let metrics = Metrics::new(["a"]);
        let index = metrics.operation_index("a");
        for status in [0, 1000] {
            metrics.start_request(index).finish(status, Duration::ZERO);
        }
        drop(metrics.start_request(index));
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
    fn panic_of_handler_counts_a_response_of_500() {
        let metrics = Metrics::new(["a"]);
        let index = metrics.operation_index("a");
        let thread_metrics = metrics.clone();
        let thread = std::thread::spawn(move || {
            let _request = thread_metrics.start_request(index);
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        let statuses = metrics.0.operations[0].statuses.get().expect("a response");
        assert_eq!(read(&statuses[400]), 1);
        assert_eq!(metrics.0.in_flight.load(Ordering::Relaxed), 0);
    }
}
