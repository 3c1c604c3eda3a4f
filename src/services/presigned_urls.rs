//! Links to blobs: presigned URLs, made for the origin their reader can reach.

use std::sync::Arc;

use crate::model::order::Vendor;
use crate::model::time::Timestamp;
use crate::platform::presign::{HOSTS_MAX, KnownHosts, PresignParams, Signer};
use crate::storage::db::{self, Db, InternalError};

/// Seconds a link to something that can be read lives.
pub const GET_URL_TTL_S: u32 = 3_600;

/// Makes presigned URLs, and remembers for which hosts.
#[derive(Debug, Clone)]
pub struct PresignedUrls {
    signer: Arc<Signer>,
    hosts: Arc<KnownHosts>,
    db: Db,
}

impl PresignedUrls {
    /// Links signed by `signer`; the hosts of earlier ones are remembered.
    ///
    /// # Errors
    /// If those hosts cannot be read.
    pub async fn load(
        signer: Arc<Signer>,
        hosts: Arc<KnownHosts>,
        db: Db,
    ) -> Result<Self, InternalError> {
        let stored = db::accounts::hosts(&mut db.read().await?).await?;
        hosts.load(stored.iter().map(String::as_str));
        Ok(Self { signer, hosts, db })
    }

    /// Links will be made for that host: a signature over it counts from now on, restarts
    /// included.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn register_host(&self, host: &str) -> Result<(), InternalError> {
        if self.hosts.remember(host) {
            let mut tx = self.db.begin().await?;
            db::accounts::insert_host(&mut tx, host, HOSTS_MAX).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Where an object can be read for an hour.
    #[must_use]
    pub fn get_url(&self, origin: &str, vendor: Vendor, key: &str, now: Timestamp) -> String {
        self.signer.presign(&get(origin, vendor, key, now))
    }

    /// Where an object can be read for so long, to be saved under that name.
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

    /// Where an object can be put for so long, as any type or as `content_type` alone.
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

    /// Where an object can be put for so long, as any type, by who says `x-amz-acl: private`.
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

/// Returns a `Content-Disposition` that keeps any name whole (RFC 6266).
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
