//! Codes of the control plane's errors.

use axum::http::StatusCode;

/// Defines [`ControlErrorCode`] by one line for each code: variant, name and HTTP status.
macro_rules! error_codes {
    ($($variant:ident = $name:literal, $status:ident;)*) => {
        /// Code of an error, which decides the HTTP status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ControlErrorCode {
            $($variant,)*
        }

        impl ControlErrorCode {
            /// Every code, in alphabetical order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Value of `code` in the error body.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)*
                }
            }
        }
    };
}

error_codes! {
    AccountGone = "account_gone", CONFLICT;
    AmbiguousInbox = "ambiguous_inbox", CONFLICT;
    BadBody = "bad_body", BAD_REQUEST;
    BadCount = "bad_count", BAD_REQUEST;
    BadDuration = "bad_duration", BAD_REQUEST;
    BadFixtures = "bad_fixtures", BAD_REQUEST;
    BadHost = "bad_host", BAD_REQUEST;
    BadInbox = "bad_inbox", BAD_REQUEST;
    BadInstant = "bad_instant", BAD_REQUEST;
    BadKey = "bad_key", BAD_REQUEST;
    BadName = "bad_name", BAD_REQUEST;
    BadNow = "bad_now", BAD_REQUEST;
    BadQuery = "bad_query", BAD_REQUEST;
    BadRule = "bad_rule", BAD_REQUEST;
    BadWhen = "bad_when", BAD_REQUEST;
    ClockFrozen = "clock_frozen", CONFLICT;
    CrossOrigin = "cross_origin", FORBIDDEN;
    DiskFull = "disk_full", INTERNAL_SERVER_ERROR;
    Evicted = "evicted", CONFLICT;
    FilesMissing = "files_missing", CONFLICT;
    ForbiddenOrigin = "forbidden_origin", FORBIDDEN;
    InboxEvicted = "inbox_evicted", GONE;
    InboxGone = "inbox_gone", CONFLICT;
    Internal = "internal", INTERNAL_SERVER_ERROR;
    JournalDisabled = "journal_disabled", CONFLICT;
    MessageTooLarge = "message_too_large", BAD_REQUEST;
    OrderAlreadyEnded = "order_already_ended", CONFLICT;
    OutcomeNotApplicable = "outcome_not_applicable", BAD_REQUEST;
    TlsDisabled = "tls_disabled", NOT_FOUND;
    TooManyRules = "too_many_rules", BAD_REQUEST;
    TooManySnapshots = "too_many_snapshots", CONFLICT;
    TooManyStreams = "too_many_streams", SERVICE_UNAVAILABLE;
    TwoAccounts = "two_accounts", BAD_REQUEST;
    Unauthorized = "unauthorized", UNAUTHORIZED;
    UnknownAccount = "unknown_account", NOT_FOUND;
    UnknownBlob = "unknown_blob", NOT_FOUND;
    UnknownDelivery = "unknown_delivery", NOT_FOUND;
    UnknownHost = "unknown_host", MISDIRECTED_REQUEST;
    UnknownOrder = "unknown_order", NOT_FOUND;
    UnknownRequest = "unknown_request", NOT_FOUND;
    UnknownRoute = "unknown_route", NOT_FOUND;
    UnknownRule = "unknown_rule", NOT_FOUND;
    UnknownSnapshot = "unknown_snapshot", NOT_FOUND;
}
