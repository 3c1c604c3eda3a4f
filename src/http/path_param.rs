//! The parameters of a path.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

/// The one parameter of a path, decoded; U+FFFD where it is no UTF-8, which names nothing.
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

/// The two parameters of a path, decoded; U+FFFD both where one is no UTF-8.
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
