//! Whether what was asked is what a test wants to have been asked, and where it is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::{Exchange, JournalBody, StatusFilter, json};
use crate::model::glob::{glob, glob_ignoring_case};

/// So many near misses are told.
const NEAR_MISSES_MAX: usize = 3;
/// So many differences of one.
const DIFFERENCES_MAX: usize = 20;

/// Requests that are wanted: those that are all of this. Texts are globs.
#[derive(Debug, Clone, Default)]
pub struct RequestMatcher {
    pub operation: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
    /// A `fileName` or `file_name`, anywhere in the body or in the query, in any case.
    pub file_name: Option<String>,
    pub status: Option<StatusFilter>,
    /// Parameters, by name.
    pub query: BTreeMap<String, String>,
    /// By name, in any case.
    pub headers: BTreeMap<String, String>,
    /// What the JSON body has, at least: of objects these fields, of arrays all elements.
    pub body: Option<Box<RawValue>>,
}

/// How many are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountRange {
    pub min: u64,
    /// None: any number.
    pub max: Option<u64>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub enum VerifyVerdict {
    Satisfied {
        count: u64,
    },
    Unsatisfied {
        count: u64,
        near: Vec<NearMiss>,
    },
    /// So many that are kept no more could change the verdict.
    Indeterminate {
        count: u64,
        evicted: u64,
    },
}

/// A request that is not quite what was wanted.
#[derive(Debug, Clone)]
pub struct NearMiss {
    pub exchange: Arc<Exchange>,
    /// Each names the field, what it is and what was wanted.
    pub differences: Vec<String>,
}

impl VerifyVerdict {
    /// Whether nothing that is still to come changes it.
    pub(super) const fn is_final(&self, wanted: CountRange) -> bool {
        match self {
            Self::Satisfied { .. } => wanted.max.is_none(),
            Self::Unsatisfied { count, .. } => *count >= wanted.min,
            Self::Indeterminate { .. } => false,
        }
    }
}

/// `all` are the newest first; so many more were let go.
pub(super) fn verdict(
    all: &[Arc<Exchange>],
    evicted: u64,
    wanted: &RequestMatcher,
    wanted_count: CountRange,
) -> VerifyVerdict {
    let mut count = 0;
    let mut misses = Vec::new();
    for exchange in all {
        let differences = wanted.differences(exchange);
        if differences.is_empty() {
            count += 1;
        } else {
            misses.push((exchange, differences));
        }
    }
    let too_many = |count| wanted_count.max.is_some_and(|max| count > max);
    let most = count + evicted;
    if !too_many(count) && count >= wanted_count.min && !too_many(most) {
        return VerifyVerdict::Satisfied { count };
    }
    if too_many(count) {
        let near = Vec::new();
        return VerifyVerdict::Unsatisfied { count, near };
    }
    if most >= wanted_count.min && evicted > 0 {
        return VerifyVerdict::Indeterminate { count, evicted };
    }
    misses.sort_by_key(|(_, differences)| differences.len());
    let near = misses.into_iter().take(NEAR_MISSES_MAX);
    let near = near.map(|(exchange, differences)| NearMiss {
        exchange: Arc::clone(exchange),
        differences,
    });
    VerifyVerdict::Unsatisfied {
        count,
        near: near.collect(),
    }
}

impl RequestMatcher {
    /// Where the request is not what is wanted; nowhere: it is.
    #[must_use]
    pub fn differences(&self, exchange: &Exchange) -> Vec<String> {
        let mut found = Vec::new();
        let mut text = |field: &str, wanted: Option<&String>, is: Option<&str>| {
            let Some(wanted) = wanted else {
                return;
            };
            if !is.is_some_and(|is| glob(wanted, is)) {
                let is = is.map_or("not there".to_owned(), json::shown);
                found.push(format!("{field}: {is}, wanted {}", json::shown(wanted)));
            }
        };
        text(
            "operation",
            self.operation.as_ref(),
            Some(exchange.operation),
        );
        text("method", self.method.as_ref(), Some(exchange.method()));
        text("path", self.path.as_ref(), Some(exchange.path()));
        let query: Vec<(String, String)> = pairs(exchange);
        for (name, wanted) in &self.query {
            let mut values = query.iter().filter(|(key, _)| key == name);
            let fitting = values.clone().find(|(_, value)| glob(wanted, value));
            let is = fitting.or_else(|| values.next());
            let is = is.map(|(_, value)| value.as_str());
            text(&format!("query.{name}"), Some(wanted), is);
        }
        let headers: Vec<(String, String)> = exchange.request_head().iter().collect();
        for (name, wanted) in &self.headers {
            let mut values = headers
                .iter()
                .filter(|(key, _)| key.eq_ignore_ascii_case(name));
            let fitting = values.clone().find(|(_, value)| glob(wanted, value));
            let is = fitting.or_else(|| values.next());
            let is = is.map(|(_, value)| value.as_str());
            text(&format!("headers.{name}"), Some(wanted), is);
        }
        if let Some(wanted) = self.status
            && !wanted.matches(exchange.status())
        {
            let is = exchange.status();
            let is = is.map_or("not answered".to_owned(), |status| status.to_string());
            found.push(format!("status: {is}, wanted {wanted}"));
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
        let sent = exchange.request_body();
        let body = match &sent {
            JournalBody::Text(text) => json::parse(text),
            JournalBody::None
            | JournalBody::Pending
            | JournalBody::Truncated(..)
            | JournalBody::Binary(_) => None,
        };
        if let Some(wanted) = &self.file_name {
            let names = query.iter();
            let names = names.filter(|(name, _)| matches!(name.as_str(), "fileName" | "file_name"));
            let mut names: Vec<String> = names.map(|(_, value)| value.clone()).collect();
            if let Some(body) = body {
                json::collect_file_names(body, &mut names);
            }
            if !names.iter().any(|name| glob_ignoring_case(wanted, name)) {
                let is = match names.first() {
                    None => "not there".to_owned(),
                    Some(name) => json::shown(name),
                };
                found.push(format!("fileName: {is}, wanted {}", json::shown(wanted)));
            }
        }
        match (&self.body, body) {
            (None, _) => {}
            (Some(wanted), Some(body)) => json::compare("body", body, wanted, found),
            (Some(wanted), None) => {
                let is = match &sent {
                    JournalBody::None => "there is none",
                    JournalBody::Pending => "has not come yet",
                    JournalBody::Truncated(..) => "is too long to be kept",
                    JournalBody::Text(_) | JournalBody::Binary(_) => "is no JSON",
                };
                found.push(format!("body: {is}, wanted {}", json::shown(wanted.get())));
            }
        }
    }
}

fn pairs(exchange: &Exchange) -> Vec<(String, String)> {
    let query = exchange.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}
