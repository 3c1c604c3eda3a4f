//! Ids by which the control plane names an order's blobs.
//!
//! An id is the base64url form of the first bytes of SHA-256 of the blob's key, followed by the order's
//! id. It names nothing but a blob of that order, so no id reaches another file.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::fs::File;

use super::{Orders, blob_keys};
use crate::engine::{HeaderFacts, InputFile};
use crate::model::ids::AccountId;
use crate::storage::blobs::Blob;
use crate::storage::db::InternalError;

/// Bytes of the digest in an id. The keys of one order differ in it.
const DIGEST_BYTES: usize = 8;

/// Open blob of an order.
#[derive(Debug)]
pub struct OpenBlob {
    pub account: AccountId,
    /// File name of the input or output.
    pub name: String,
    pub blob: Blob,
    /// Open at the start of the content.
    pub file: File,
    /// Facts by the content, whatever its uploader says.
    pub facts: HeaderFacts,
}

/// Returns the id of the order's blob under `key`.
pub(super) fn blob_id(order_id: &str, key: &str) -> String {
    let mut bytes = digest(key).to_vec();
    bytes.extend_from_slice(order_id.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn digest(key: &str) -> [u8; DIGEST_BYTES] {
    let full = Sha256::digest(key);
    std::array::from_fn(|index| full[index])
}

/// Splits an id into the digest of the key and the order's id. `None` if the id is malformed.
fn parse(id: &str) -> Option<([u8; DIGEST_BYTES], String)> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(id).ok()?;
    let (digest, order_id) = bytes.split_first_chunk()?;
    Some((*digest, String::from_utf8(order_id.to_vec()).ok()?))
}

impl Orders {
    /// Opens the blob with this id. `None` if there is no such blob, or not any more.
    ///
    /// # Errors
    /// Returns an error if the database or the disk fails.
    pub async fn open_blob(&self, id: &str) -> Result<Option<OpenBlob>, InternalError> {
        let Some((wanted, order_id)) = parse(id) else {
            return Ok(None);
        };
        let Some(order) = self.db.order(&order_id).await? else {
            return Ok(None);
        };
        let keys = order.blob_keys();
        let Some(key) = keys.into_iter().find(|key| digest(key) == wanted) else {
            return Ok(None);
        };
        let bucket = order.vendor.bucket();
        let opened = self.blobs.open_blob(order.account, bucket, key).await;
        let Some((blob, file)) = opened.map_err(InternalError::broken)? else {
            return Ok(None);
        };
        let header = file.try_clone().await.map_err(InternalError::broken)?;
        let content = InputFile {
            file: header.into_std().await.into(),
            bytes: blob.meta.bytes,
            zip_entry: None,
        };
        let facts = self.engine.header_facts(content).await;
        let of_upload = order.files.iter().find(|file| file.key == key);
        let name = of_upload.map_or_else(|| blob_keys::file_name(key), |file| file.name.as_str());
        Ok(Some(OpenBlob {
            account: order.account,
            name: name.to_owned(),
            blob,
            file,
            facts: facts.map_err(InternalError::broken)?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_returns_the_parts_of_an_id_and_none_of_other_texts() {
        for order_id in ["42", "0190-ab", "an id/\u{e9}"] {
            let id = blob_id(order_id, "results/42/1/a.jpg");
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            assert!(id.chars().all(is_plain), "{id}");
            let parts = (digest("results/42/1/a.jpg"), order_id.to_owned());
            assert_eq!(parse(&id), Some(parts));
        }
        for other in ["", "AAAA", "a.b", "../../etc/passwd", "%00", "____________"] {
            let no_order = parse(other).is_none_or(|(_, order_id)| order_id.len() <= 1);
            assert!(no_order, "{other}");
        }
    }
}
