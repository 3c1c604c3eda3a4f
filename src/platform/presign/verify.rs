//! Verifies presigned requests, including their expiry.

use std::sync::Arc;

use super::canonical::{canonical_path, canonical_query, parameters, string_to_sign};
use super::signed_request::{PresignedRequest, SignedRequest};
use super::{ALGORITHM, EXPIRES_S_MAX, KnownHosts, Signer, UNSIGNED_PAYLOAD, explain_mismatch};
use crate::model::time::Timestamp;
use crate::platform::clock;

/// Longest time by which an `X-Amz-Date` may be ahead of the account's clock.
const CLOCK_SKEW_MS_MAX: i64 = 15 * 60 * 1000;

/// Reason why a request is refused, with S3's error code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyError {
    /// The request has no signature: `AccessDenied`.
    Unsigned,
    /// The signature is in the `Authorization` header, which is not supported: `AccessDenied`.
    HeaderAuthUnsupported,
    /// The request has a Signature Version 2: `InvalidRequest`.
    SignatureV2,
    /// The parameters are malformed: `AuthorizationQueryParametersError`. Holds S3's message.
    MalformedQuery(String),
    /// The access key is not the server's: `InvalidAccessKeyId`. Holds the key's id.
    UnknownAccessKey(String),
    /// The date is over 15 minutes in the future: `AccessDenied`, "Request is not yet valid".
    NotYetValid {
        /// Value of `X-Amz-Date`.
        date: Timestamp,
        /// Expiry of the URL.
        expires: Timestamp,
    },
    /// The URL has expired: `AccessDenied`, "Request has expired".
    Expired {
        /// Value of `X-Amz-Expires`.
        expires_s: u32,
        /// Expiry of the URL.
        expires: Timestamp,
    },
    /// The host is not among the signed headers: `AccessDenied`.
    HostNotSigned,
    /// The signature does not match: `SignatureDoesNotMatch`.
    Mismatch(Box<SignatureMismatch>),
}

/// Facts about a signature that does not match its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureMismatch {
    /// Id of the access key in the request.
    pub key_id: String,
    /// Signature in the request.
    pub signature: String,
    /// Canonical request that the server computed, with the `Host` of the request.
    pub canonical_request: String,
    /// String that the server signed for the comparison.
    pub string_to_sign: String,
    /// Message that names the difference, as far as it is known.
    pub diagnosis: String,
}

impl Signer {
    /// Verifies `request` at `now`, the current time of the account. The signature must be valid for the
    /// `Host` of the request or, unless `strict_host` is set, for a host of `known`. Any region is
    /// accepted: it is a setting of the client and part of the signed string.
    ///
    /// # Errors
    /// Returns the first error in S3's order: missing signature, malformed parameters, unknown access
    /// key, time, and signature. Signatures are compared in constant time.
    pub fn verify(
        &self,
        request: &PresignedRequest<'_>,
        now: Timestamp,
        known: &KnownHosts,
        strict_host: bool,
    ) -> Result<(), VerifyError> {
        let auth = QueryAuth::parse(request.query).map_err(|error| {
            let authorization = (request.header)("authorization").unwrap_or_default();
            if error == VerifyError::Unsigned && authorization.starts_with("AWS") {
                VerifyError::HeaderAuthUnsupported
            } else {
                error
            }
        })?;
        let (date, expires_s) = (auth.date()?, auth.expires_s()?);
        let (key_id, scope) = auth.credential()?;
        if key_id != self.key_id {
            return Err(VerifyError::UnknownAccessKey(key_id.to_owned()));
        }
        let expires = date.plus_ms(i64::from(expires_s) * 1000);
        if date > now.plus_ms(CLOCK_SKEW_MS_MAX) {
            return Err(VerifyError::NotYetValid { date, expires });
        }
        if now >= expires {
            return Err(VerifyError::Expired { expires_s, expires });
        }
        let signed = auth.signed_request(request, scope)?;
        let known = known.list();
        if signed.verifies_for_host(self, request.host)
            || (!strict_host
                && known
                    .iter()
                    .any(|host| signed.verifies_for_host(self, host)))
        {
            return Ok(());
        }
        Err(self.mismatch(&signed, &known, strict_host))
    }

    fn mismatch(
        &self,
        signed: &SignedRequest<'_>,
        known: &[Arc<str>],
        strict_host: bool,
    ) -> VerifyError {
        let request = signed.request;
        let canonical_request = signed.canonical(request.method, request.host, None);
        VerifyError::Mismatch(Box::new(SignatureMismatch {
            key_id: self.key_id.clone(),
            signature: signed.signature.clone(),
            string_to_sign: string_to_sign(&signed.date, &signed.scope, &canonical_request),
            canonical_request,
            diagnosis: explain_mismatch::explain_mismatch(self, signed, known, strict_host),
        }))
    }
}

/// Parameters of a query that has each parameter of the signature exactly once.
struct QueryAuth {
    /// All parameters, decoded.
    all: Vec<(Vec<u8>, Vec<u8>)>,
    credential: String,
    date: String,
    expires: String,
    signed_headers: String,
    signature: String,
}

const REQUIRED_PARAMETERS: [&str; 6] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
];

impl QueryAuth {
    fn parse(query: &str) -> Result<Self, VerifyError> {
        let all = parameters(query);
        let values_of = |name: &str| -> Vec<String> {
            all.iter()
                .filter(|(parameter, _)| parameter == name.as_bytes())
                .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
                .collect()
        };
        let mut required = <[String; 6]>::default();
        let mut missing = 0;
        for (slot, name) in required.iter_mut().zip(REQUIRED_PARAMETERS) {
            let mut values = values_of(name);
            if values.len() > 1 {
                return Err(malformed(format!("{name} appears more than once")));
            }
            *slot = values.pop().unwrap_or_default();
            missing += usize::from(slot.is_empty());
        }
        if missing == REQUIRED_PARAMETERS.len() {
            let is_version_2 = !values_of("AWSAccessKeyId").is_empty();
            return Err(if is_version_2 {
                VerifyError::SignatureV2
            } else {
                VerifyError::Unsigned
            });
        }
        if missing > 0 {
            return Err(malformed(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, \
                 X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and \
                 X-Amz-Expires parameters.",
            ));
        }
        let [
            algorithm,
            credential,
            date,
            expires,
            signed_headers,
            signature,
        ] = required;
        if algorithm != ALGORITHM {
            return Err(malformed(format!(
                "X-Amz-Algorithm only supports \"{ALGORITHM}\""
            )));
        }
        Ok(Self {
            all,
            credential,
            date,
            expires,
            signed_headers,
            signature,
        })
    }

    fn date(&self) -> Result<Timestamp, VerifyError> {
        clock::parse_amz_date(&self.date).ok_or_else(|| {
            malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
        })
    }

    fn expires_s(&self) -> Result<u32, VerifyError> {
        let Ok(parsed) = self.expires.parse::<i64>() else {
            return Err(malformed("X-Amz-Expires should be a number"));
        };
        let Ok(expires_s) = u32::try_from(parsed.min(i64::from(u32::MAX))) else {
            return Err(malformed("X-Amz-Expires must be non-negative"));
        };
        if expires_s > EXPIRES_S_MAX {
            return Err(malformed(format!(
                "X-Amz-Expires must be less than a week (in seconds); that is, the given \
                 X-Amz-Expires must be less than {EXPIRES_S_MAX} seconds"
            )));
        }
        Ok(expires_s)
    }

    /// Returns the id of the access key, and the scope.
    fn credential(&self) -> Result<(&str, &str), VerifyError> {
        const PARSING: &str = "Error parsing the X-Amz-Credential parameter;";
        let credential = self.credential.as_str();
        // The id may contain slashes. The scope has three, and one separates it from the id.
        let Some(cut) = credential.rmatch_indices('/').nth(3).map(|(at, _)| at) else {
            return Err(malformed(format!(
                "{PARSING} the Credential is mal-formed; expecting \
                 \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."
            )));
        };
        let key_id = &credential[..cut];
        let scope = &credential[cut + 1..];
        let mut parts = scope.split('/');
        let mut part = || parts.next().unwrap_or_default();
        let (day, _region, service, terminal) = (part(), part(), part(), part());
        if service != "s3" {
            return Err(malformed(format!(
                "{PARSING} incorrect service \"{service}\". This endpoint belongs to \"s3\"."
            )));
        }
        if terminal != "aws4_request" {
            return Err(malformed(format!(
                "{PARSING} incorrect terminal \"{terminal}\". This endpoint uses \"aws4_request\"."
            )));
        }
        let date = self.date.as_str();
        if date.split('T').next() != Some(day) {
            return Err(malformed(format!(
                "{PARSING} incorrect date \"{day}\". This date is not the same as X-Amz-Date: \
                 \"{date}\"."
            )));
        }
        Ok((key_id, scope))
    }

    fn signed_request<'a>(
        &self,
        request: &PresignedRequest<'a>,
        scope: &str,
    ) -> Result<SignedRequest<'a>, VerifyError> {
        let headers: Vec<(String, Option<String>)> = self
            .signed_headers
            .split(';')
            .map(|name| (name.to_owned(), (request.header)(name)))
            .collect();
        if !headers.iter().any(|(name, _)| name == "host") {
            return Err(VerifyError::HostNotSigned);
        }
        let payload = self
            .all
            .iter()
            .find(|(name, _)| name == b"X-Amz-Content-Sha256")
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .or_else(|| {
                let mut headers = headers.iter();
                headers
                    .find(|(name, _)| name == "x-amz-content-sha256")?
                    .1
                    .clone()
            });
        Ok(SignedRequest {
            request: *request,
            path: canonical_path(request.path),
            query: canonical_query(&self.all),
            payload: payload.unwrap_or_else(|| UNSIGNED_PAYLOAD.to_owned()),
            headers,
            date: self.date.clone(),
            scope: scope.to_owned(),
            signature: self.signature.clone(),
        })
    }
}

fn malformed(message: impl Into<String>) -> VerifyError {
    VerifyError::MalformedQuery(message.into())
}
