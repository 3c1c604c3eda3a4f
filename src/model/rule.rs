//! Rules: effects on the requests, outbound calls and orders that match a condition.
//!
//! A rule is plain data. `when` is the condition, which [`Rule::matches`] alone evaluates. `skip`,
//! `times` and `probability` select the matches to which the rule is applied. `then` has the effects. A
//! rule affects either calls (requests and outbound calls) or orders, never both, so that its counts
//! are unambiguous.

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

/// Rule in the form in which it was created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub name: Option<String>,
    /// Key of the account to which the rule applies. `None`: all accounts, and requests without account.
    pub account: Option<String>,
    /// `false` if the rule matches nothing until it is enabled.
    #[serde(default = "enabled_by_default")]
    pub enabled: bool,
    pub when: RuleCondition,
    /// Number of matches that are skipped before the rule is applied.
    pub skip: u64,
    /// Number of times the rule is applied. `None`: no limit.
    pub times: Option<u64>,
    /// Probability (0 to 1) that the rule is applied to a match that is not skipped.
    pub probability: f64,
    pub then: RuleAction,
}

fn enabled_by_default() -> bool {
    true
}

/// Condition of a rule. Each field is a glob; a missing field matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleCondition {
    /// Name of the operation, such as `bizmori.createAiDetection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// HTTP method. Requests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path as sent, without the query. Requests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Name of a file of the order, or of the file of an outbound call. Case does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// URL of the webhook to which a delivery is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
}

/// An HTTP call of the server. Rules match it by an operation name, like the operations of the APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboundCall {
    /// An attempt to deliver a webhook.
    WebhookDelivery,
    /// Delivery of an output to the client's storage (zero copy).
    ZeroCopyPut,
    /// Download of an input file by its URL.
    FileFetch,
}

impl OutboundCall {
    pub const ALL: [Self; 3] = [Self::WebhookDelivery, Self::ZeroCopyPut, Self::FileFetch];

    /// Returns the name that `when.operation` matches.
    #[must_use]
    pub const fn operation(self) -> &'static str {
        match self {
            Self::WebhookDelivery => "webhook.deliver",
            Self::ZeroCopyPut => "zeroCopy.put",
            Self::FileFetch => "file.fetch",
        }
    }
}

/// Outcome of an order, forced by a rule or by the control API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeOverride {
    /// The rule that forces the outcome. `None`: the control API.
    pub rule: Option<RuleId>,
    pub outcome: ForcedOutcome,
}

impl OutcomeOverride {
    /// Returns the source that verdicts and headers name.
    #[must_use]
    pub fn source(&self) -> VerdictSource {
        self.rule.map_or(VerdictSource::Manual, VerdictSource::Rule)
    }
}

/// Counts of a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleCounts {
    /// Number of matches, including skipped ones.
    pub matched: u64,
    /// Number of matches to which the rule was applied.
    pub applied: u64,
}

/// Facts against which rules are matched.
#[derive(Debug, Clone, Copy)]
pub struct MatchInput<'a> {
    pub operation: &'a str,
    /// Key of the account. `None` if there is no account.
    pub account: Option<&'a str>,
    pub subject: MatchTarget<'a>,
}

/// A request before it is handled, an outbound call before it is sent, or an order being created.
#[derive(Debug, Clone, Copy)]
pub enum MatchTarget<'a> {
    Request {
        method: &'a str,
        path: &'a str,
    },
    Outbound {
        call: OutboundCall,
        /// Receiver of a webhook delivery. `None` for other calls.
        webhook_url: Option<&'a str>,
        /// File that is sent or fetched. `None` for webhook deliveries.
        file_name: Option<&'a str>,
    },
    Order {
        result_kind: ResultKind,
        file_names: &'a [&'a str],
    },
}

impl Rule {
    /// `true` if the rule is enabled and matches `input`.
    #[must_use]
    pub fn matches(&self, input: &MatchInput<'_>) -> bool {
        if !self.enabled {
            return false;
        }
        let when = &self.when;
        let is_target = match input.subject {
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
                    && matches_any_file(when.file_name.as_ref(), file_name)
            }
            MatchTarget::Order {
                result_kind,
                file_names,
            } => {
                self.then.affects_orders()
                    && self.then.is_applicable_to(result_kind)
                    && matches_any_file(when.file_name.as_ref(), file_names.iter().copied())
            }
        };
        let account = self.account.as_deref();
        is_target
            && account.is_none_or(|account| input.account == Some(account))
            && pattern_matches(when.operation.as_ref(), input.operation)
    }

    /// `true` if the rule can match incoming requests.
    #[must_use]
    pub fn targets_requests(&self) -> bool {
        let when = &self.when;
        let is_outbound_only = when.webhook_url.is_some() || when.file_name.is_some();
        self.then.affects_calls() && self.then.webhook.is_none() && !is_outbound_only
    }

    /// `true` if the rule can match this outbound call. The rule has to name the call by `operation`, or
    /// have a condition or effect that only webhook deliveries have.
    #[must_use]
    pub fn targets_call(&self, call: OutboundCall) -> bool {
        let when = &self.when;
        let is_delivery_only = when.webhook_url.is_some() || self.then.webhook.is_some();
        let is_named = match &when.operation {
            Some(pattern) => glob(pattern, call.operation()),
            None => is_delivery_only,
        };
        let is_request_only = when.method.is_some() || when.path.is_some();
        let has_conditions_of_call = match call {
            OutboundCall::WebhookDelivery => when.file_name.is_none(),
            OutboundCall::ZeroCopyPut | OutboundCall::FileFetch => !is_delivery_only,
        };
        self.then.affects_calls() && is_named && !is_request_only && has_conditions_of_call
    }
}

fn pattern_matches(pattern: Option<&String>, text: &str) -> bool {
    pattern.is_none_or(|pattern| glob(pattern, text))
}

/// `true` if one of the file names matches the pattern, or if there is no pattern.
fn matches_any_file<'t>(
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
            enabled: true,
            when,
            skip: 0,
            times: None,
            probability: 1.0,
            then,
        }
    }

    #[test]
    fn request_rule_matches_only_if_all_conditions_match() {
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
            result_kind: ResultKind::Detection,
            file_names: &[],
        };
        assert!(!rule.matches(&MatchInput {
            operation,
            account,
            subject: order
        }));
    }

    #[test]
    fn order_rule_matches_orders_that_can_have_its_outcome() {
        let when = RuleCondition {
            file_name: Some("*_x.png".to_owned()),
            ..RuleCondition::default()
        };
        let rule_with = |outcome| {
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
        let matches = |rule: &Rule, file_names: &[&str]| {
            all.map(|result_kind| {
                rule.matches(&MatchInput {
                    operation: "any.operation",
                    account: Some("mine"),
                    subject: MatchTarget::Order {
                        result_kind,
                        file_names,
                    },
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
            let rule = rule_with(outcome);
            assert_eq!(matches(&rule, &["a.jpg", "b_x.png"]), expected);
            assert_eq!(matches(&rule, &["B_X.PNG"]), expected, "upper case");
            assert_eq!(matches(&rule, &["a.jpg"]), [false; 5]);
        }
    }

    #[test]
    fn outbound_calls_match_only_rules_that_name_them() {
        let targets = |operation: Option<&str>, webhook_url: Option<&str>, webhook: bool| {
            let when = RuleCondition {
                operation: operation.map(str::to_owned),
                webhook_url: webhook_url.map(str::to_owned),
                ..RuleCondition::default()
            };
            let effect = WebhookEffect {
                drop: true,
                ..WebhookEffect::default()
            };
            let then = RuleAction {
                fault: (!webhook).then_some(Fault::Reset),
                webhook: webhook.then_some(effect),
                ..RuleAction::default()
            };
            let rule = rule(when, then);
            let calls = OutboundCall::ALL.map(|call| rule.targets_call(call));
            (rule.targets_requests(), calls)
        };
        let delivery = [true, false, false];
        assert_eq!(targets(None, None, false), (true, [false; 3]));
        assert_eq!(targets(None, None, true), (false, delivery));
        assert_eq!(targets(None, Some("*/hook"), false), (false, delivery));
        assert_eq!(targets(Some("webhook.*"), None, false).1, delivery);
        assert_eq!(
            targets(Some("file.fetch"), None, false).1,
            [false, false, true]
        );
        assert_eq!(targets(Some("file.fetch"), None, true).1, [false; 3]);
        assert_eq!(targets(Some("*"), None, false), (true, [true; 3]));
    }
}
