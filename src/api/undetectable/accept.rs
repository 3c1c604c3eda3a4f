//! `Accept`: this vendor answers JSON, or a picture where one is asked for, and who takes neither
//! is told so.

use std::future::{Ready, ready};

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::{IntoResponse, Response};
use futures_util::future::Either;

use super::error::ApiError;
use crate::http::AppState;

const JSON: &str = "application/json";
/// What the pictures are that are drawn.
const IMAGE_TYPES: [&str; 2] = ["image/jpeg", "image/png"];

/// A handler for those who take what it answers.
#[derive(Debug, Clone, Copy)]
pub struct RequireAccept<H> {
    handler: H,
    accepts: fn(&HeaderMap) -> bool,
    /// What is said to all others.
    reason: &'static str,
}

/// The handler, for those who take JSON.
pub fn accepts_json<H>(handler: H) -> RequireAccept<H> {
    RequireAccept {
        handler,
        accepts: |headers| accepts(headers, JSON),
        reason: "Accept: excludes application/json, which every answer here is",
    }
}

/// The handler, for those who take pictures; its errors are JSON, so who takes that will do.
pub fn accepts_image<H>(handler: H) -> RequireAccept<H> {
    RequireAccept {
        handler,
        accepts: |headers| {
            accepts(headers, JSON) || IMAGE_TYPES.iter().any(|picture| accepts(headers, picture))
        },
        reason: "Accept: excludes image/jpeg, image/png and application/json",
    }
}

impl<H: Handler<T, AppState>, T: 'static> Handler<T, AppState> for RequireAccept<H> {
    type Future = Either<Ready<Response>, H::Future>;

    fn call(self, request: Request, context: AppState) -> Self::Future {
        if (self.accepts)(request.headers()) {
            return Either::Right(self.handler.call(request, context));
        }
        let refusal = ApiError::not_acceptable(self.reason);
        Either::Left(ready(refusal.into_response()))
    }
}

/// The most specific range that the type falls under decides (RFC 9110, 12.5.1); who says nothing
/// takes everything.
fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let of_its_kind = media_type.split('/').next().unwrap_or_default();
    let mut is_named = false;
    let mut best: Option<(usize, bool)> = None;
    let values = headers.get_all(ACCEPT).iter();
    for item in values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        let mut parts = item.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default().to_ascii_lowercase();
        is_named |= !range.is_empty();
        let specific = match range.as_str() {
            "*/*" => 1,
            range if range == media_type => 3,
            range if range.strip_suffix("/*") == Some(of_its_kind) => 2,
            _ => continue,
        };
        let is_accepted = parts.all(|parameter| !is_zero_quality(parameter));
        if best.is_none_or(|(known, _)| specific > known) {
            best = Some((specific, is_accepted));
        }
    }
    best.map_or(!is_named, |(_, is_accepted)| is_accepted)
}

fn is_zero_quality(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    let zero = value.trim().trim_start_matches('0');
    name.trim().eq_ignore_ascii_case("q")
        && (zero.is_empty()
            || zero
                .strip_prefix('.')
                .is_some_and(|rest| rest.chars().all(|c| c == '0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts_header(accept: &str) -> bool {
        let headers = [(ACCEPT, accept.parse().expect("a value"))];
        accepts(&HeaderMap::from_iter(headers), JSON)
    }

    #[test]
    fn json_is_excluded_only_by_who_says_so() {
        assert!(accepts(&HeaderMap::new(), JSON));
        for accept in [
            "",
            "*/*",
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/*",
            "text/html, */*;q=0.1",
            "text/html, application/json;q=0.001",
            "*/*;q=0, application/json",
            "application/json; q=1.000",
        ] {
            assert!(accepts_header(accept), "{accept}");
        }
        for accept in [
            "text/html",
            "image/*",
            "application/xml",
            "application/json;q=0",
            "application/json; q=0.000, */*",
            "application/*;q=0, */*",
            "*/*;q=0",
        ] {
            assert!(!accepts_header(accept), "{accept}");
        }
    }
}
