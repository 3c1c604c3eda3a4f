//! Content negotiation: a request whose `Accept` excludes the media type of the response gets 406.

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
const IMAGE_TYPES: [&str; 2] = ["image/jpeg", "image/png"];

/// Handler that is called only if `Accept` admits its response.
#[derive(Debug, Clone, Copy)]
pub struct RequireAccept<H> {
    handler: H,
    accepts: fn(&HeaderMap) -> bool,
    /// Reason of the 406.
    reason: &'static str,
}

/// Wraps a handler that responds with JSON.
pub fn accepts_json<H>(handler: H) -> RequireAccept<H> {
    RequireAccept {
        handler,
        accepts: |headers| accepts(headers, JSON),
        reason: "Accept: excludes application/json",
    }
}

/// Wraps a handler that responds with an image. `Accept` may admit JSON instead: its errors are JSON.
pub fn accepts_image<H>(handler: H) -> RequireAccept<H> {
    RequireAccept {
        handler,
        accepts: |headers| {
            accepts(headers, JSON) || IMAGE_TYPES.iter().any(|image| accepts(headers, image))
        },
        reason: "Accept: excludes image/jpeg, image/png and application/json",
    }
}

impl<H: Handler<T, AppState>, T: 'static> Handler<T, AppState> for RequireAccept<H> {
    type Future = Either<Ready<Response>, H::Future>;

    fn call(self, request: Request, state: AppState) -> Self::Future {
        if (self.accepts)(request.headers()) {
            return Either::Right(self.handler.call(request, state));
        }
        let error = ApiError::not_acceptable(self.reason);
        Either::Left(ready(error.into_response()))
    }
}

/// Returns `true` if `Accept` admits `media_type`. The most specific range that matches decides
/// (RFC 9110 §12.5.1). A missing header admits everything.
fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let main_type = media_type.split('/').next().unwrap_or_default();
    let mut has_ranges = false;
    let mut best: Option<(usize, bool)> = None;
    let values = headers.get_all(ACCEPT).iter();
    for item in values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        let mut parts = item.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default().to_ascii_lowercase();
        has_ranges |= !range.is_empty();
        let specificity = match range.as_str() {
            "*/*" => 1,
            range if range == media_type => 3,
            range if range.strip_suffix("/*") == Some(main_type) => 2,
            _ => continue,
        };
        let is_accepted = parts.all(|parameter| !is_zero_quality(parameter));
        if best.is_none_or(|(known, _)| specificity > known) {
            best = Some((specificity, is_accepted));
        }
    }
    best.map_or(!has_ranges, |(_, is_accepted)| is_accepted)
}

fn is_zero_quality(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    let without_zeros = value.trim().trim_start_matches('0');
    name.trim().eq_ignore_ascii_case("q")
        && (without_zeros.is_empty()
            || without_zeros
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
    fn accepts_follows_the_most_specific_range() {
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
