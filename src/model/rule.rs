//! Rules: what a test wants done to which requests and orders, and how often.
//!
//! A rule is plain data. `when` says what it is about, [`Rule::matches`] alone decides that;
//! `skip`, `times` and `probability` say which of the matches it takes; `then` says what it
//! does to them. A rule is about calls (requests that come in, and those of ours that go out) or
//! about orders, never both, so that its counts mean one thing.

mod action;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::glob::{glob, glob_ignoring_case};
pub use super::ids::RuleId;
use super::picture::VerdictSource;
pub use action::{
    Fault, ForcedOutcome, ProcessingMode, ResultKind, RuleAction, Signature, StubBody,
    StubResponse, WebhookEffect,
};

/// A rule as it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub name: Option<String>,
    /// The key of the account it is about; none: all accounts, and requests that are nobody's.
    pub account: Option<String>,
    pub when: RuleCondition,
    /// So many matches it lets pass first.
    pub skip: u64,
    /// So often it is applied; none: without end.
    pub times: Option<u64>,
    /// The chance that it is applied to a match that it did not skip, 0 to 1.
    pub probability: f64,
    pub then: RuleAction,
}

/// What a rule is about, each a glob (see [`glob`]); none: any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleCondition {
    /// The operation's name, such as `bizmori.createAiDetection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Requests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path as it was sent, without the query. Requests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The name of any of the order's files, or of the file that a call of ours is about, in any
    /// case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The URL of the webhook that a delivery goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
}

/// What stuntdouble itself calls. Rules know each by a name, as they know the front doors'
/// operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboundCall {
    /// An attempt at delivering a webhook.
    WebhookDelivery,
    /// An output is put where its client wants it: zero copy.
    ZeroCopyPut,
    /// A file is downloaded that a URL names.
    FileFetch,
}

impl OutboundCall {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WebhookDelivery, Self::ZeroCopyPut, Self::FileFetch];

    /// The name in `when.operation`.
    #[must_use]
    pub const fn operation(self) -> &'static str {
        match self {
            Self::WebhookDelivery => "webhook.deliver",
            Self::ZeroCopyPut => "zeroCopy.put",
            Self::FileFetch => "file.fetch",
        }
    }
}

/// What rules settled of an order when it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeOverride {
    /// None: the control plane has, by hand.
    pub rule: Option<RuleId>,
    pub outcome: ForcedOutcome,
}

impl OutcomeOverride {
    /// Basis of what follows from the outcome.
    #[must_use]
    pub fn basis(&self) -> VerdictSource {
        self.rule.map_or(VerdictSource::Manual, VerdictSource::Rule)
    }
}

/// What a rule has come across.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleCounts {
    /// Its matches, those that it let pass included.
    pub matched: u64,
    /// Those that it was applied to.
    pub applied: u64,
}

/// What may be ruled.
#[derive(Debug, Clone, Copy)]
pub struct MatchInput<'a> {
    pub operation: &'a str,
    /// The key of the account whose it is.
    pub account: Option<&'a str>,
    pub subject: MatchTarget<'a>,
}

/// A request before it is answered, a call of ours before it is made, or an order as it is made.
#[derive(Debug, Clone, Copy)]
pub enum MatchTarget<'a> {
    Request {
        method: &'a str,
        path: &'a str,
    },
    Outbound {
        call: OutboundCall,
        /// Of a delivery: where to.
        webhook_url: Option<&'a str>,
        /// Of any other: the file it is about.
        file_name: Option<&'a str>,
    },
    Order {
        makes: ResultKind,
        file_names: &'a [&'a str],
    },
}

impl Rule {
    /// Whether the rule is about that.
    #[must_use]
    pub fn matches(&self, input: &MatchInput<'_>) -> bool {
        let when = &self.when;
        let is_about = match input.subject {
            MatchTarget::Request { method, path } => {
                self.targets_requests()
                    && pattern_matches(when.method.as_ref(), method)
                    && pattern_matches(when.path.as_ref(), path)
            }
            MatchTarget::Outbound {
                call,
                webhook_url,
                file_name,
            } => {
                self.targets_call(call)
                    && when
                        .webhook_url
                        .as_ref()
                        .is_none_or(|pattern| webhook_url.is_some_and(|url| glob(pattern, url)))
                    && names_a_file(when.file_name.as_ref(), file_name)
            }
            MatchTarget::Order { makes, file_names } => {
                self.then.affects_orders()
                    && self.then.fits(makes)
                    && names_a_file(when.file_name.as_ref(), file_names.iter().copied())
            }
        };
        let account = self.account.as_deref();
        is_about
            && account.is_none_or(|account| input.account == Some(account))
            && pattern_matches(when.operation.as_ref(), input.operation)
    }

    /// Whether it may be about requests that come in.
    #[must_use]
    pub fn targets_requests(&self) -> bool {
        let when = &self.when;
        let only_outgoing = when.webhook_url.is_some() || when.file_name.is_some();
        self.then.affects_calls() && self.then.webhook.is_none() && !only_outgoing
    }

    /// Whether it may be about such calls of ours: only where it names them, by their operation or
    /// by what they alone have.
    #[must_use]
    pub fn targets_call(&self, call: OutboundCall) -> bool {
        let (when, delivers) = (&self.when, call == OutboundCall::WebhookDelivery);
        let of_delivery = when.webhook_url.is_some() || self.then.webhook.is_some();
        let is_named = match &when.operation {
            Some(pattern) => glob(pattern, call.operation()),
            None => of_delivery,
        };
        let others = when.method.is_some() || when.path.is_some();
        let fits = if delivers {
            when.file_name.is_none()
        } else {
            !of_delivery
        };
        self.then.affects_calls() && is_named && !others && fits
    }
}

fn pattern_matches(pattern: Option<&String>, text: &str) -> bool {
    pattern.is_none_or(|pattern| glob(pattern, text))
}

/// Returns `true` if one of the file names matches the pattern, or there is no pattern.
fn names_a_file<'t>(
    pattern: Option<&String>,
    file_names: impl IntoIterator<Item = &'t str>,
) -> bool {
    pattern.is_none_or(|pattern| {
        let mut file_names = file_names.into_iter();
        file_names.any(|name| glob_ignoring_case(pattern, name))
    })
}

#[cfg(test)]
mod tests {
    use super::super::picture::Label;
    use super::*;

    fn rule(when: RuleCondition, then: RuleAction) -> Rule {
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
        let when = RuleCondition {
            operation: glob("bizmori.*"),
            method: glob("GET"),
            path: glob("/api/*"),
            ..RuleCondition::default()
        };
        let delay_ms = Some(1);
        let rule = rule(
            when,
            RuleAction {
                delay_ms,
                ..RuleAction::default()
            },
        );
        let matches = |operation, account, method, path| {
            let subject = MatchTarget::Request { method, path };
            rule.matches(&MatchInput {
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
        let order = MatchTarget::Order {
            makes: ResultKind::Detection,
            file_names: &[],
        };
        assert!(!rule.matches(&MatchInput {
            operation,
            account,
            subject: order
        }));
    }

    #[test]
    fn a_rule_to_orders_matches_those_that_can_come_to_its_outcome() {
        let when = RuleCondition {
            file_name: Some("*_x.png".to_owned()),
            ..RuleCondition::default()
        };
        let of = |outcome| {
            let outcome = Some(outcome);
            rule(
                when.clone(),
                RuleAction {
                    outcome,
                    ..RuleAction::default()
                },
            )
        };
        let all = [
            ResultKind::Outputs,
            ResultKind::Detection,
            ResultKind::Extraction,
            ResultKind::Document,
            ResultKind::BulkItems,
        ];
        let matched = |rule: &Rule, file_names: &[&str]| {
            all.map(|makes| {
                rule.matches(&MatchInput {
                    operation: "any.operation",
                    account: Some("mine"),
                    subject: MatchTarget::Order { makes, file_names },
                })
            })
        };
        let failed = ForcedOutcome::Failed {
            code: None,
            message: None,
        };
        let text = ForcedOutcome::WatermarkText { text: None };
        let result = ForcedOutcome::FinalResult {
            label: Label::Ai,
            probability: None,
        };
        for (outcome, expected) in [
            (failed, [true, true, true, true, true]),
            (
                ForcedOutcome::Probability { probability: 0.5 },
                [false, true, false, true, true],
            ),
            (text, [false, false, true, false, false]),
            (result, [false, false, false, true, true]),
            (
                ForcedOutcome::AnalysisFailed,
                [false, false, false, true, false],
            ),
        ] {
            let rule = of(outcome);
            assert_eq!(matched(&rule, &["a.jpg", "b_x.png"]), expected);
            assert_eq!(matched(&rule, &["B_X.PNG"]), expected, "in any case");
            assert_eq!(matched(&rule, &["a.jpg"]), [false; 5]);
        }
    }
    #[test]
    fn calls_of_ours_are_ruled_where_they_are_named_alone() {
        let of = |operation: Option<&str>, webhook_url: Option<&str>, webhook: bool| {
            let when = RuleCondition {
                operation: operation.map(str::to_owned),
                webhook_url: webhook_url.map(str::to_owned),
                ..RuleCondition::default()
            };
            let on = WebhookEffect {
                drop: true,
                ..WebhookEffect::default()
            };
            let then = RuleAction {
                fault: (!webhook).then_some(Fault::Reset),
                webhook: webhook.then_some(on),
                ..RuleAction::default()
            };
            let rule = rule(when, then);
            let calls = OutboundCall::ALL.map(|call| rule.targets_call(call));
            (rule.targets_requests(), calls)
        };
        let delivery = [true, false, false];
        assert_eq!(of(None, None, false), (true, [false; 3]));
        assert_eq!(of(None, None, true), (false, delivery));
        assert_eq!(of(None, Some("*/hook"), false), (false, delivery));
        assert_eq!(of(Some("webhook.*"), None, false).1, delivery);
        assert_eq!(of(Some("file.fetch"), None, false).1, [false, false, true]);
        assert_eq!(of(Some("file.fetch"), None, true).1, [false; 3]);
        assert_eq!(of(Some("*"), None, false), (true, [true; 3]));
    }
}
