//! Jobs: due rows that move something on. One row per kind and subject.

use super::ids::AccountId;
use super::time::Timestamp;

/// What a job does, and so what its subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Brings an order in progress to its end; the subject is the order.
    Process,
    /// Lets an order's retention pass; the subject is the order.
    Expire,
    /// Lets the retention of an upload of Undetectable's pass that no document is of; the subject
    /// is the upload.
    ExpireUpload,
    /// Fails an order whose uploads have not come in time; the subject is the order.
    ExpireUploads,
    /// Fails a v2 watermark order that has not started when v2 ends; the subject is the order.
    Sunset,
    /// Makes a report; the subject is the order and the locale, `42/ko-KR`.
    Report,
    /// Sends what is due to an endpoint, in order; the subject is the endpoint.
    Deliver,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Process,
        Self::Expire,
        Self::ExpireUpload,
        Self::ExpireUploads,
        Self::Sunset,
        Self::Report,
        Self::Deliver,
    ];

    /// The kind's name, in SQL and in the control plane's answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "order.process",
            Self::Expire => "order.expire",
            Self::ExpireUpload => "upload.expire",
            Self::ExpireUploads => "order.expireUploads",
            Self::Sunset => "order.sunset",
            Self::Report => "order.report",
            Self::Deliver => "webhook.deliver",
        }
    }

    /// Somebody waits for what comes of it: a clock that jumps leaps there. The others end what
    /// nobody has taken up or fetched, and come when their time has passed.
    #[must_use]
    pub const fn is_foreground(self) -> bool {
        match self {
            Self::Process | Self::Report | Self::Deliver => true,
            Self::Expire | Self::ExpireUpload | Self::ExpireUploads | Self::Sunset => false,
        }
    }

    /// Returns true if the job decodes or draws pictures, which can take so much memory that the process
    /// is killed: its starts are counted in its row. A count costs a commit, so the others have none.
    #[must_use]
    pub const fn can_kill(self) -> bool {
        match self {
            Self::Process | Self::Report => true,
            Self::Expire
            | Self::ExpireUpload
            | Self::ExpireUploads
            | Self::Sunset
            | Self::Deliver => false,
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A job as it stands in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Never used twice: who records a job's end deletes or moves this very row, and who finds
    /// it gone has been overtaken by a reset and writes nothing.
    pub id: i64,
    pub account: AccountId,
    pub kind: JobKind,
    pub subject: String,
    /// By the account's clock.
    pub due_at: Timestamp,
    /// Number of starts that did not end, as far as the row knows.
    pub starts: u32,
}
