//! Verification: compares the recorded requests with those that a test expects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::{Exchange, Journal, JournalBody, StatusFilter, json};
use crate::model::glob::{glob, glob_ignoring_case};

/// Maximum number of near misses in a verdict.
const NEAR_MISSES_MAX: usize = 3;
/// Maximum number of differences of a near miss.
const DIFFERENCES_MAX: usize = 20;

/// Conditions on requests. A request matches if all of them hold. Texts are globs.
#[derive(Debug, Clone, Default)]
pub struct RequestMatcher {
    pub operation: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
    /// Glob for the value of a field or parameter `fileName` or `file_name`, anywhere in the body
    /// or the query. Ignores case.
    pub file_name: Option<String>,
    pub status: Option<StatusFilter>,
    /// Query parameters by name.
    pub query: BTreeMap<String, String>,
    /// Headers by name, in any case.
    pub headers: BTreeMap<String, String>,
    /// JSON that the body must contain: of objects at least these fields, of arrays exactly these
    /// elements.
    pub body: Option<Box<RawValue>>,
}

/// Expected number of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountRange {
    pub min: u64,
    /// `None` if there is no maximum.
    pub max: Option<u64>,
}

/// Result of a verification.
#[derive(Debug, Clone)]
pub enum VerifyVerdict {
    Satisfied {
        count: u64,
    },
    Unsatisfied {
        count: u64,
        near: Vec<NearMiss>,
    },
    /// Evicted requests could change the verdict.
    Indeterminate {
        count: u64,
        evicted: u64,
    },
}

/// Request that does not match.
#[derive(Debug, Clone)]
pub struct NearMiss {
    pub exchange: Arc<Exchange>,
    /// One message per field, with the expected and the actual value.
    pub differences: Vec<String>,
}

impl VerifyVerdict {
    /// `true` if no later request can change the verdict.
    const fn is_final(&self, expected: CountRange) -> bool {
        match self {
            Self::Satisfied { .. } => expected.max.is_none(),
            Self::Unsatisfied { count, .. } => *count >= expected.min,
            Self::Indeterminate { .. } => false,
        }
    }
}

impl Journal {
    /// Checks that the number of stored requests that match is in `count`, for one account or all.
    #[must_use]
    pub fn verify(
        &self,
        account: Option<&str>,
        matcher: &RequestMatcher,
        count: CountRange,
    ) -> VerifyVerdict {
        let store = self.store();
        let all: Vec<_> = store.newest_first(account).cloned().collect();
        let evicted = store.evicted(account);
        drop(store);
        verdict(&all, evicted, matcher, count)
    }

    /// Like [`Self::verify`], but waits up to `timeout` of real time until the verdict is final.
    pub async fn verify_within(
        &self,
        account: Option<&str>,
        matcher: &RequestMatcher,
        count: CountRange,
        timeout: Duration,
    ) -> VerifyVerdict {
        let deadline = tokio::time::Instant::now() + timeout;
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let verdict = self.verify(account, matcher, count);
            if verdict.is_final(count) || tokio::time::timeout_at(deadline, changed).await.is_err()
            {
                return verdict;
            }
        }
    }
}

/// Compares all requests with the matcher. `all` has the newest first; `evicted` more are not
/// stored any more.
fn verdict(
    all: &[Arc<Exchange>],
    evicted: u64,
    matcher: &RequestMatcher,
    expected_count: CountRange,
) -> VerifyVerdict {
    let mut count = 0;
    let mut misses = Vec::new();
    for exchange in all {
        let differences = matcher.differences(exchange);
        if differences.is_empty() {
            count += 1;
        } else {
            misses.push((exchange, differences));
        }
    }
    let too_many = |count| expected_count.max.is_some_and(|max| count > max);
    let count_max = count + evicted;
    if !too_many(count) && count >= expected_count.min && !too_many(count_max) {
        return VerifyVerdict::Satisfied { count };
    }
    if too_many(count) {
        let near = Vec::new();
        return VerifyVerdict::Unsatisfied { count, near };
    }
    if count_max >= expected_count.min && evicted > 0 {
        return VerifyVerdict::Indeterminate { count, evicted };
    }
    misses.sort_by_key(|(_, differences)| differences.len());
    let near = misses
        .into_iter()
        .take(NEAR_MISSES_MAX)
        .map(|(exchange, differences)| NearMiss {
            exchange: Arc::clone(exchange),
            differences,
        })
        .collect();
    VerifyVerdict::Unsatisfied { count, near }
}

impl RequestMatcher {
    /// Returns the conditions that the request does not meet. Empty if the request matches.
    #[must_use]
    pub fn differences(&self, exchange: &Exchange) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |field: &str, expected: Option<&String>, actual: Option<&str>| {
            let Some(expected) = expected else {
                return;
            };
            if !actual.is_some_and(|actual| glob(expected, actual)) {
                found.push(difference(field, expected, actual));
            }
        };
        let operation = Some(exchange.operation);
        compare("operation", self.operation.as_ref(), operation);
        compare("method", self.method.as_ref(), Some(exchange.method()));
        compare("path", self.path.as_ref(), Some(exchange.path()));
        let query = query_parameters(exchange);
        for (name, expected) in &self.query {
            let values = query.iter().filter(|(key, _)| key == name);
            let actual = best_match(values, expected);
            compare(&format!("query.{name}"), Some(expected), actual);
        }
        let headers: Vec<(String, String)> = exchange.request_head().iter().collect();
        for (name, expected) in &self.headers {
            let values = headers
                .iter()
                .filter(|(key, _)| key.eq_ignore_ascii_case(name));
            let actual = best_match(values, expected);
            compare(&format!("headers.{name}"), Some(expected), actual);
        }
        if let Some(expected) = self.status
            && !expected.matches(exchange.status())
        {
            let status = exchange.status();
            let actual = status.map_or("no response".to_owned(), |status| status.to_string());
            found.push(format!("status: expected {expected}, got {actual}"));
        }
        if self.file_name.is_some() || self.body.is_some() {
            self.body_differences(exchange, &query, &mut found);
        }
        found.truncate(DIFFERENCES_MAX);
        found
    }

    fn body_differences(
        &self,
        exchange: &Exchange,
        query: &[(String, String)],
        found: &mut Vec<String>,
    ) {
        let request_body = exchange.request_body();
        let json = match &request_body {
            JournalBody::Text(text) => json::parse(text),
            JournalBody::None
            | JournalBody::Pending
            | JournalBody::Truncated(..)
            | JournalBody::Binary(_) => None,
        };
        if let Some(expected) = &self.file_name {
            let mut names: Vec<String> = query
                .iter()
                .filter(|(name, _)| matches!(name.as_str(), "fileName" | "file_name"))
                .map(|(_, value)| value.clone())
                .collect();
            if let Some(json) = json {
                json::collect_file_names(json, &mut names);
            }
            if !names.iter().any(|name| glob_ignoring_case(expected, name)) {
                let actual = names.first().map(String::as_str);
                found.push(difference("fileName", expected, actual));
            }
        }
        match (&self.body, json) {
            (None, _) => {}
            (Some(expected), Some(actual)) => json::compare("body", actual, expected, found),
            (Some(expected), None) => {
                let problem = match &request_body {
                    JournalBody::None => "missing",
                    JournalBody::Pending => "not received yet",
                    JournalBody::Truncated(..) => "too long to be stored",
                    JournalBody::Text(_) | JournalBody::Binary(_) => "not JSON",
                };
                let expected = json::truncated(expected.get());
                found.push(format!("body: {problem}, expected {expected}"));
            }
        }
    }
}

/// Returns a message for a field with another value than expected. `None` is a missing field.
fn difference(field: &str, expected: &str, actual: Option<&str>) -> String {
    let expected = json::truncated(expected);
    match actual {
        Some(actual) => format!(
            "{field}: expected {expected}, got {}",
            json::truncated(actual)
        ),
        None => format!("{field}: missing, expected {expected}"),
    }
}

/// Returns the first value that matches the glob `expected`, else the first value.
fn best_match<'v>(
    mut values: impl Iterator<Item = &'v (String, String)> + Clone,
    expected: &str,
) -> Option<&'v str> {
    let matching = values.clone().find(|(_, value)| glob(expected, value));
    let best = matching.or_else(|| values.next());
    best.map(|(_, value)| value.as_str())
}

fn query_parameters(exchange: &Exchange) -> Vec<(String, String)> {
    let query = exchange.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}
