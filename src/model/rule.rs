//! Rules: what a test wants done to which requests and orders, and how often.
//!
//! A rule is plain data. `when` says what it is about, [`Rule::matches`] alone decides that;
//! `skip`, `times` and `probability` say which of the matches it takes; `then` says what it
//! does to them. A rule is about requests or about orders, never both, so that its counts mean
//! one thing.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::glob::glob;
use super::picture::Label;
use super::work::Work;

/// A rule's number, in the order they were made, never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(pub i64);

impl fmt::Display for RuleId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// A rule as it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub name: Option<String>,
    /// The key of the account it is about; none: all accounts, and requests that are nobody's.
    pub account: Option<String>,
    pub when: When,
    /// So many matches it lets pass first.
    pub skip: u64,
    /// So often it is applied; none: without end.
    pub times: Option<u64>,
    /// The chance that it is applied to a match that it did not skip, 0 to 1.
    pub probability: f64,
    pub then: Then,
}

/// What a rule is about, each a glob (see [`glob`]); none: any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct When {
    /// The operation's name, such as `bizmori.createAiDetection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Requests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path as it was sent, without the query. Requests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The name of any of the order's files. Orders only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
}

/// What a rule does; one of them at least.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Then {
    /// To requests: real milliseconds before anything is done about it.
    pub delay_ms: Option<u32>,
    /// To requests: the answer, in place of the front door's.
    pub respond: Option<Respond>,
    /// To orders: what comes of it.
    pub outcome: Option<Outcome>,
}

impl Then {
    /// Whether it is done to requests; else it is to orders.
    #[must_use]
    pub const fn is_to_requests(&self) -> bool {
        self.delay_ms.is_some() || self.respond.is_some()
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Respond {
    /// 200 to 599.
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Option<Body>,
}

/// An answer's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "text")]
pub enum Body {
    /// JSON, byte for byte.
    Json(String),
    Text(String),
}

/// What comes of an order, whatever its files are called and are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Outcome {
    Failed {
        /// The vendor's code; none: its general one for such orders.
        code: Option<String>,
        /// One line for people.
        message: Option<String>,
    },
    /// The chance that the picture was made by a machine, 0 to 1; the label follows from it.
    Probability { probability: f64 },
    /// What stands in the file; none: no watermark.
    WatermarkText { text: Option<String> },
    FinalResult {
        label: Label,
        /// None: what is usual for the label.
        probability: Option<f64>,
    },
}

impl Outcome {
    /// Whether such an order can come to this.
    #[must_use]
    pub const fn fits(&self, makes: Makes) -> bool {
        match self {
            Self::Failed { .. } => true,
            Self::Probability { .. } => matches!(makes, Makes::Detection | Makes::Document),
            Self::WatermarkText { .. } => matches!(makes, Makes::Extraction),
            Self::FinalResult { .. } => matches!(makes, Makes::Document),
        }
    }
}

/// What an operation's orders come to, if it makes any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Makes {
    /// Files.
    Outputs,
    /// A judgement of a picture.
    Detection,
    /// What watermark stands in a file.
    Extraction,
    /// An Undetectable document, or each picture of a bulk: a judgement in their words.
    Document,
    /// A report on an order that has been made.
    Report,
}

impl From<&Work> for Makes {
    fn from(work: &Work) -> Self {
        match work {
            Work::AntiAi { .. } | Work::WatermarkEmbed => Self::Outputs,
            Work::WatermarkExtract => Self::Extraction,
            Work::AiDetection { .. } => Self::Detection,
            Work::Document(_) | Work::Bulk(_) => Self::Document,
        }
    }
}

/// What rules settled of an order when it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ruled {
    pub rule: RuleId,
    pub outcome: Outcome,
}

/// What a rule has come across.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Its matches, those that it let pass included.
    pub seen: u64,
    /// Those that it was applied to.
    pub hits: u64,
}

/// What may be ruled.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub operation: &'a str,
    /// The key of the account whose it is.
    pub account: Option<&'a str>,
    pub subject: Subject<'a>,
}

/// A request before it is answered, or an order as it is made.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    Request {
        method: &'a str,
        path: &'a str,
    },
    Order {
        makes: Makes,
        file_names: &'a [&'a str],
    },
}

impl Rule {
    /// Whether the rule is about that.
    #[must_use]
    pub fn matches(&self, asked: &Asked<'_>) -> bool {
        let when = &self.when;
        let named = |names: &[&str]| {
            when.file_name.is_none() || names.iter().any(|name| fits(when.file_name.as_ref(), name))
        };
        let is_about = match asked.subject {
            Subject::Request { method, path } => {
                self.then.is_to_requests()
                    && fits(when.method.as_ref(), method)
                    && fits(when.path.as_ref(), path)
            }
            Subject::Order { makes, file_names } => {
                let outcome = self.then.outcome.as_ref();
                outcome.is_some_and(|outcome| outcome.fits(makes)) && named(file_names)
            }
        };
        let account = self.account.as_deref();
        is_about
            && account.is_none_or(|account| asked.account == Some(account))
            && fits(when.operation.as_ref(), asked.operation)
    }
}

fn fits(pattern: Option<&String>, text: &str) -> bool {
    pattern.is_none_or(|pattern| glob(pattern, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(when: When, then: Then) -> Rule {
        Rule {
            name: None,
            account: Some("mine".to_owned()),
            when,
            skip: 0,
            times: None,
            probability: 1.0,
            then,
        }
    }

    #[test]
    fn a_rule_to_requests_matches_by_all_that_it_says() {
        let glob = |text: &str| Some(text.to_owned());
        let when = When {
            operation: glob("bizmori.*"),
            method: glob("GET"),
            path: glob("/api/*"),
            file_name: None,
        };
        let delay_ms = Some(1);
        let rule = rule(
            when,
            Then {
                delay_ms,
                ..Then::default()
            },
        );
        let matches = |operation, account, method, path| {
            let subject = Subject::Request { method, path };
            rule.matches(&Asked {
                operation,
                account,
                subject,
            })
        };
        let (operation, account) = ("bizmori.getOrder", Some("mine"));
        assert!(matches(operation, account, "GET", "/api/v2/orders/1"));
        assert!(!matches("storage.get", account, "GET", "/api/v2"));
        assert!(!matches(operation, Some("other"), "GET", "/api/v2"));
        assert!(!matches(operation, None, "GET", "/api/v2"));
        assert!(!matches(operation, account, "HEAD", "/api/v2"));
        assert!(!matches(operation, account, "GET", "/apis"));
        let order = Subject::Order {
            makes: Makes::Detection,
            file_names: &[],
        };
        assert!(!rule.matches(&Asked {
            operation,
            account,
            subject: order
        }));
    }

    #[test]
    fn a_rule_to_orders_matches_those_that_can_come_to_its_outcome() {
        let when = When {
            file_name: Some("*_x.png".to_owned()),
            ..When::default()
        };
        let of = |outcome| {
            let outcome = Some(outcome);
            rule(
                when.clone(),
                Then {
                    outcome,
                    ..Then::default()
                },
            )
        };
        let all = [
            Makes::Outputs,
            Makes::Detection,
            Makes::Extraction,
            Makes::Document,
        ];
        let matched = |rule: &Rule, file_names: &[&str]| {
            all.map(|makes| {
                rule.matches(&Asked {
                    operation: "any.operation",
                    account: Some("mine"),
                    subject: Subject::Order { makes, file_names },
                })
            })
        };
        let failed = Outcome::Failed {
            code: None,
            message: None,
        };
        let text = Outcome::WatermarkText { text: None };
        let result = Outcome::FinalResult {
            label: Label::Ai,
            probability: None,
        };
        for (outcome, expected) in [
            (failed, [true, true, true, true]),
            (
                Outcome::Probability { probability: 0.5 },
                [false, true, false, true],
            ),
            (text, [false, false, true, false]),
            (result, [false, false, false, true]),
        ] {
            let rule = of(outcome);
            assert_eq!(matched(&rule, &["a.jpg", "b_x.png"]), expected);
            assert_eq!(matched(&rule, &["a.jpg"]), [false; 4]);
        }
    }
}
