//! Jobs: rows with a due time. There is one row per kind and subject.

use super::ids::AccountId;
use super::time::Timestamp;

/// Kind of a job. Determines the meaning of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Processes an order in progress. Subject: the order.
    Process,
    /// Expires an order at the end of its retention period. Subject: the order.
    Expire,
    /// Removes an Undetectable upload that no document uses, at the end of its retention period.
    /// Subject: the upload.
    ExpireUpload,
    /// Fails an order whose files were not uploaded in time. Subject: the order.
    ExpireUploads,
    /// Fails a v2 watermark order that has not started when v2 is shut down. Subject: the order.
    Sunset,
    /// Generates a report. Subject: the order and the locale, such as `42/ko-KR`.
    Report,
    /// Sends the due deliveries of an endpoint in order. Subject: the endpoint.
    Deliver,
}

impl JobKind {
    pub const ALL: [Self; 7] = [
        Self::Process,
        Self::Expire,
        Self::ExpireUpload,
        Self::ExpireUploads,
        Self::Sunset,
        Self::Report,
        Self::Deliver,
    ];

    /// Returns the kind's name in SQL and in the control API.
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

    /// `true` if a client waits for the job. A clock in mode `jump` jumps to the due times of such jobs.
    /// The other kinds are cleanup, and run when their time has come.
    #[must_use]
    pub const fn is_foreground(self) -> bool {
        match self {
            Self::Process | Self::Report | Self::Deliver => true,
            Self::Expire | Self::ExpireUpload | Self::ExpireUploads | Self::Sunset => false,
        }
    }

    /// `true` if the job decodes or draws pictures, and may need enough memory for the process to be
    /// killed. The starts of such a job are counted in its row. A count costs a commit, so other jobs
    /// have none.
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

    /// Returns the kind of this name. `None` if there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Job {
    /// Returns the id of the order that the subject names. `None` if the subject is an upload or an
    /// endpoint.
    #[must_use]
    pub fn order(&self) -> Option<&str> {
        match self.kind {
            JobKind::Process | JobKind::Expire | JobKind::ExpireUploads | JobKind::Sunset => {
                Some(&self.subject)
            }
            JobKind::Report => self.subject.rsplit_once('/').map(|(order, _)| order),
            JobKind::ExpireUpload | JobKind::Deliver => None,
        }
    }
}

/// A row of the job table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Never reused. Recording the result of a job deletes or reschedules the row with this id. If the
    /// row no longer exists, a reset has removed it, and nothing is recorded.
    pub id: i64,
    pub account: AccountId,
    pub kind: JobKind,
    pub subject: String,
    /// Due time by the account's clock.
    pub due_at: Timestamp,
    /// Number of counted starts whose end was not recorded.
    pub starts: u32,
}
