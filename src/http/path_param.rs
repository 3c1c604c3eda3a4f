//! Extractors for path parameters that never reject. axum's `Path` rejects invalid UTF-8, which would
//! bypass the API's error format.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

/// The only parameter of a path, percent-decoded. U+FFFD if it is not UTF-8; no resource has that name.
#[derive(Debug)]
pub struct PathParam(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathParam {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        let unreadable = || char::REPLACEMENT_CHARACTER.to_string();
        Ok(Self(read.map_or_else(|_| unreadable(), |Path(text)| text)))
    }
}

/// The two parameters of a path, percent-decoded. Both are U+FFFD if one of them is not UTF-8.
#[derive(Debug)]
pub struct PathParamPair(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathParamPair {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let read = Path::<(String, String)>::from_request_parts(parts, state).await;
        let unreadable = || char::REPLACEMENT_CHARACTER.to_string();
        Ok(read.map_or_else(
            |_| Self(unreadable(), unreadable()),
            |Path((first, second))| Self(first, second),
        ))
    }
}
