//! Presigned URLs of blobs, for the origin that the client can reach.

use std::sync::Arc;

use crate::model::order::Vendor;
use crate::model::time::Timestamp;
use crate::platform::presign::{HOSTS_MAX, KnownHosts, PresignParams, Signer};
use crate::storage::db::{self, Db, InternalError};

/// Lifetime of a URL for GET, in seconds.
pub const GET_URL_TTL_S: u32 = 3_600;

/// Creates presigned URLs, and remembers the hosts they were created for.
#[derive(Debug, Clone)]
pub struct PresignedUrls {
    signer: Arc<Signer>,
    hosts: Arc<KnownHosts>,
    db: Db,
}

impl PresignedUrls {
    /// Loads the hosts that earlier processes registered. URLs are signed by `signer`.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn load(
        signer: Arc<Signer>,
        hosts: Arc<KnownHosts>,
        db: Db,
    ) -> Result<Self, InternalError> {
        let stored = db::accounts::hosts(&mut db.read().await?).await?;
        hosts.load(stored.iter().map(String::as_str));
        Ok(Self { signer, hosts, db })
    }

    /// Registers a host, so that signatures for it are accepted, also after a restart. To be called
    /// before a URL for the host is created.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn register_host(&self, host: &str) -> Result<(), InternalError> {
        if self.hosts.remember(host) {
            let mut tx = self.db.begin().await?;
            db::accounts::insert_host(&mut tx, host, HOSTS_MAX).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Returns a URL for GET, valid for [`GET_URL_TTL_S`].
    #[must_use]
    pub fn get_url(&self, origin: &str, vendor: Vendor, key: &str, now: Timestamp) -> String {
        self.signer.presign(&get(origin, vendor, key, now))
    }

    /// Returns a URL for GET, valid for `expires_s`, whose response is a download called `name`.
    #[must_use]
    pub fn download_url(
        &self,
        origin: &str,
        vendor: Vendor,
        key: &str,
        name: &str,
        now: Timestamp,
        expires_s: u32,
    ) -> String {
        let disposition = attachment(name);
        let response_content_disposition = Some(disposition.as_str());
        self.signer.presign(&PresignParams {
            expires_s,
            response_content_disposition,
            ..get(origin, vendor, key, now)
        })
    }

    /// Returns a URL for PUT, valid for `expires_s`. `None` as `content_type` accepts any type.
    #[must_use]
    pub fn upload_url(
        &self,
        origin: &str,
        vendor: Vendor,
        key: &str,
        now: Timestamp,
        expires_s: u32,
        content_type: Option<&str>,
    ) -> String {
        self.signer.presign(&PresignParams {
            content_type,
            ..put(origin, vendor, key, now, expires_s)
        })
    }

    /// Returns a URL for PUT of any type, valid for `expires_s`. The client must send `x-amz-acl:
    /// private`.
    #[must_use]
    pub fn upload_url_private_acl(
        &self,
        origin: &str,
        vendor: Vendor,
        key: &str,
        now: Timestamp,
        expires_s: u32,
    ) -> String {
        self.signer.presign(&PresignParams {
            signed_headers: &[("x-amz-acl", "private")],
            ..put(origin, vendor, key, now, expires_s)
        })
    }
}

fn get<'a>(origin: &'a str, vendor: Vendor, key: &'a str, now: Timestamp) -> PresignParams<'a> {
    PresignParams {
        method: "GET",
        origin,
        bucket: vendor.bucket(),
        key,
        expires_s: GET_URL_TTL_S,
        now,
        content_type: None,
        signed_headers: &[],
        response_content_disposition: None,
    }
}

fn put<'a>(
    origin: &'a str,
    vendor: Vendor,
    key: &'a str,
    now: Timestamp,
    expires_s: u32,
) -> PresignParams<'a> {
    PresignParams {
        method: "PUT",
        expires_s,
        ..get(origin, vendor, key, now)
    }
}

/// Returns a `Content-Disposition` header (RFC 6266) that preserves `name` in `filename*`.
#[must_use]
pub fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() && !"\"\\%;".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let exact = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}
