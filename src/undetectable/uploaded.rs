//! The objects that clients name by URL, in `/detect` and `/bulk-upload`.

use percent_encoding::percent_decode_str;

use super::error::{Code, Refusal};
use crate::accounts::Account;
use crate::orders::Uploaded;
use crate::web::Verbs;

/// Where in a URL an object's key begins.
const KEY_BEGINS: &str = "uploads/";

/// The account's object that the URL means; nothing is fetched.
///
/// # Errors
/// If the URL means none, or nothing is there.
pub async fn find(verbs: &Verbs, account: &Account, url: &str) -> Result<Uploaded, Refusal> {
    let missing = |line: &str| Refusal::new(Code::FileMetadata, format!("url: {line}"));
    let Some(key) = key_in(url) else {
        return Err(missing("has no uploads/ in its path, and is not fetched"));
    };
    let found = verbs.orders.uploaded(account, &key).await?;
    found.ok_or_else(|| missing(&format!("this key has uploaded nothing to {key}")))
}

/// The object's key in any URL that clients make of it, whatever its scheme, host and bucket.
fn key_in(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let path = percent_decode_str(path).decode_utf8().ok()?;
    path.rfind(KEY_BEGINS).map(|begin| path[begin..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_url_leads_to_the_key() {
        let key = "uploads/0f0e-1_20260312-100000_a.jpg";
        for url in [
            format!("https://ai-image-detector-prod.nyc3.digitaloceanspaces.com/{key}"),
            format!("https://ai-image-detector-dev.nyc3.digitaloceanspaces.com/{key}"),
            format!("http://127.0.0.1:8080/{key}"),
            format!("http://mock:8080/_s3/ai-image-detector-prod/{key}"),
            format!("http://mock:8080/_s3/ai-image-detector-prod/{key}?X-Amz-Date=1&x=uploads/y"),
            format!("http://ai-image-detector-prod.localhost:8080/{key}"),
            format!("https://host.invalid:99999999/{key}#part"),
            key.to_owned(),
            key.replace('/', "%2F"),
            format!("https://host/uploads/{key}"),
        ] {
            assert_eq!(key_in(&url).as_deref(), Some(key), "{url}");
        }
        for url in ["", "https://host/a.jpg", "https://host/?uploads/a", "%ff"] {
            assert_eq!(key_in(url), None, "{url}");
        }
    }
}
