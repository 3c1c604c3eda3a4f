//! Judging a presigned request.

use std::sync::Arc;

use super::canonical::{canonical_path, canonical_query, parameters, string_to_sign};
use super::presented::{Request, SignedRequest};
use super::{ALGORITHM, EXPIRES_S_MAX, KnownHosts, Signer, UNSIGNED_PAYLOAD, explain_mismatch};
use crate::model::time::Timestamp;
use crate::platform::clock;

/// How far ahead of the server's clock an `X-Amz-Date` may be.
const CLOCK_SKEW_MS_MAX: i64 = 15 * 60 * 1000;

/// Why a request is not let in; the names are those of S3's errors, or their messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyError {
    /// No signature at all: `AccessDenied`.
    Unsigned,
    /// A signature in the `Authorization` header, where we take none: `AccessDenied`.
    HeaderAuthUnsupported,
    /// Signature Version 2: `InvalidRequest`.
    SignatureV2,
    /// `AuthorizationQueryParametersError`, with S3's message.
    MalformedQuery(String),
    /// `InvalidAccessKeyId`: signed with the key of someone else.
    UnknownAccessKey(String),
    /// `AccessDenied`, "Request is not yet valid": dated over 15 minutes ahead of now.
    NotYetValid {
        /// Its `X-Amz-Date`.
        date: Timestamp,
        /// When it would expire.
        expires: Timestamp,
    },
    /// `AccessDenied`, "Request has expired".
    Expired {
        /// Its `X-Amz-Expires`.
        expires_s: u32,
        /// When it expired.
        expires: Timestamp,
    },
    /// `AccessDenied`: the host is not among the signed headers.
    HostNotSigned,
    /// `SignatureDoesNotMatch`.
    Mismatch(Box<SignatureMismatch>),
}

/// A signature that is not that of the request it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureMismatch {
    /// The key it says it is made with.
    pub key_id: String,
    /// The signature that came.
    pub signature: String,
    /// What we took the request to be, by the `Host` it arrived with.
    pub canonical_request: String,
    /// What we signed to compare.
    pub string_to_sign: String,
    /// What differs, in one line, as far as can be told.
    pub diagnosis: String,
}

impl Signer {
    /// Judges `request` at the account's `now`, by the `Host` it arrived with and, unless
    /// `strict_host`, by every host of `known`.
    ///
    /// The region may be any: it is the client's setting, and part of what is signed.
    ///
    /// # Errors
    /// In S3's order: no signature, malformed parameters, another's key, the time, and the
    /// signature itself, compared in constant time.
    pub fn verify(
        &self,
        request: &Request<'_>,
        now: Timestamp,
        known: &KnownHosts,
        strict_host: bool,
    ) -> Result<(), VerifyError> {
        let parameters = QueryAuth::of(request.query).map_err(|refusal| {
            let authorization = (request.header)("authorization").unwrap_or_default();
            if refusal == VerifyError::Unsigned && authorization.starts_with("AWS") {
                VerifyError::HeaderAuthUnsupported
            } else {
                refusal
            }
        })?;
        let (date, expires_s) = (parameters.date()?, parameters.expires_s()?);
        let (key_id, scope) = parameters.credential()?;
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
        let presented = parameters.presented(request, scope)?;
        let known = known.list();
        if presented.verifies_for_host(self, request.host)
            || (!strict_host
                && known
                    .iter()
                    .any(|host| presented.verifies_for_host(self, host)))
        {
            return Ok(());
        }
        Err(self.mismatch(&presented, &known, strict_host))
    }

    fn mismatch(
        &self,
        presented: &SignedRequest<'_>,
        known: &[Arc<str>],
        strict_host: bool,
    ) -> VerifyError {
        let request = presented.request;
        let canonical_request = presented.canonical(request.method, request.host, None);
        VerifyError::Mismatch(Box::new(SignatureMismatch {
            key_id: self.key_id.clone(),
            signature: presented.signature.clone(),
            string_to_sign: string_to_sign(&presented.date, &presented.scope, &canonical_request),
            canonical_request,
            diagnosis: explain_mismatch::explain_mismatch(self, presented, known, strict_host),
        }))
    }
}

/// The query's parameters, the six of the signature being there once each.
struct QueryAuth {
    all: Vec<(Vec<u8>, Vec<u8>)>,
    six: [String; 6],
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
    fn of(query: &str) -> Result<Self, VerifyError> {
        let all = parameters(query);
        let values = |name: &str| -> Vec<String> {
            all.iter()
                .filter(|(of, _)| of == name.as_bytes())
                .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
                .collect()
        };
        let mut six = <[String; 6]>::default();
        let mut missing = 0;
        for (place, name) in six.iter_mut().zip(REQUIRED_PARAMETERS) {
            let mut values = values(name);
            if values.len() > 1 {
                return Err(malformed(format!("{name} appears more than once")));
            }
            *place = values.pop().unwrap_or_default();
            missing += usize::from(place.is_empty());
        }
        if missing == REQUIRED_PARAMETERS.len() {
            let outdated = !values("AWSAccessKeyId").is_empty();
            return Err(if outdated {
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
        if six[0] != ALGORITHM {
            return Err(malformed(format!(
                "X-Amz-Algorithm only supports \"{ALGORITHM}\""
            )));
        }
        Ok(Self { all, six })
    }

    fn date(&self) -> Result<Timestamp, VerifyError> {
        clock::parse_amz_date(&self.six[2]).ok_or_else(|| {
            malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
        })
    }

    fn expires_s(&self) -> Result<u32, VerifyError> {
        let Ok(expires_s) = self.six[3].parse::<i64>() else {
            return Err(malformed("X-Amz-Expires should be a number"));
        };
        let Ok(expires_s) = u32::try_from(expires_s.min(i64::from(u32::MAX))) else {
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

    /// The key's id, and the scope behind it.
    fn credential(&self) -> Result<(&str, &str), VerifyError> {
        const PARSING: &str = "Error parsing the X-Amz-Credential parameter;";
        let credential = self.six[1].as_str();
        // a key's id may have slashes, the scope has three
        let Some(cut) = credential.rmatch_indices('/').nth(3).map(|(at, _)| at) else {
            return Err(malformed(format!(
                "{PARSING} the Credential is mal-formed; expecting \
                 \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."
            )));
        };
        let (key_id, scope) = (&credential[..cut], &credential[cut + 1..]);
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
        let date = self.six[2].as_str();
        if date.split('T').next() != Some(day) {
            return Err(malformed(format!(
                "{PARSING} incorrect date \"{day}\". This date is not the same as X-Amz-Date: \
                 \"{date}\"."
            )));
        }
        Ok((key_id, scope))
    }

    fn presented<'a>(
        &self,
        request: &Request<'a>,
        scope: &str,
    ) -> Result<SignedRequest<'a>, VerifyError> {
        let headers: Vec<(String, Option<String>)> = self.six[4]
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
                let mut signed = headers.iter();
                signed
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
            date: self.six[2].clone(),
            scope: scope.to_owned(),
            signature: self.six[5].clone(),
        })
    }
}

fn malformed(message: impl Into<String>) -> VerifyError {
    VerifyError::MalformedQuery(message.into())
}
