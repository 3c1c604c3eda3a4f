//! JSON listings that are serialised piece by piece, as the client reads them.
//!
//! A listing may be large and its client slow. The server holds one piece of it at a time, and not
//! the whole of it for each client.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;

/// Size of a piece, from which on it is sent.
const PIECE_BYTES: usize = 32 * 1024;

type StreamError = Box<dyn std::error::Error + Send + Sync>;

/// Serialises an item of a listing.
///
/// # Errors
/// If its type cannot be serialised.
pub fn item(item: &impl Serialize) -> Result<Vec<u8>, StreamError> {
    Ok(serde_json::to_vec(item)?)
}

/// Answers with `frame` as JSON, whose list `field` is empty and is filled with `items`. An error
/// after the first pieces breaks the response off.
///
/// # Errors
/// If there is an error among the first items.
pub async fn streamed(
    frame: &impl Serialize,
    field: &str,
    items: impl Stream<Item = Result<Vec<u8>, StreamError>> + Send + 'static,
) -> Result<Response, StreamError> {
    let (begin, end) = split(frame, field)?;
    let mut pieces = Box::pin(pieces(begin, items, end));
    let first = pieces.next().await.transpose()?.unwrap_or_default();
    // Most listings are one piece, whose length can be told.
    let body = match pieces.next().await {
        None => Body::from(first),
        Some(second) => Body::from_stream(stream::iter([Ok(first), second]).chain(pieces)),
    };
    let json = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, json)], body).into_response())
}

/// Returns the JSON of `frame` up to the items of its empty list, and from there on.
fn split(frame: &impl Serialize, field: &str) -> Result<(Vec<u8>, Vec<u8>), StreamError> {
    let mut text = serde_json::to_string(frame)?;
    let empty = format!("\"{field}\":[]");
    let missing = || format!("the listing has no empty list {field}");
    let end = text.find(&empty).ok_or_else(missing)? + empty.len() - 1;
    let rest = text.split_off(end);
    Ok((text.into_bytes(), rest.into_bytes()))
}

/// Pieces of the listing, each made when it is asked for.
fn pieces(
    begin: Vec<u8>,
    items: impl Stream<Item = Result<Vec<u8>, StreamError>> + Send + 'static,
    end: Vec<u8>,
) -> impl Stream<Item = Result<Bytes, StreamError>> + Send + 'static {
    struct StreamState<S> {
        items: S,
        piece: Vec<u8>,
        end: Vec<u8>,
        is_first: bool,
    }
    let state = StreamState {
        items: Box::pin(items),
        piece: begin,
        end,
        is_first: true,
    };
    stream::unfold(Some(state), async |state| {
        let mut state = state?;
        while state.piece.len() < PIECE_BYTES {
            match state.items.next().await {
                Some(Ok(item)) => {
                    if !state.is_first {
                        state.piece.push(b',');
                    }
                    state.is_first = false;
                    state.piece.extend_from_slice(&item);
                }
                Some(Err(error)) => {
                    tracing::error!(%error, "a listing cannot be written");
                    return Some((Err(error), None));
                }
                None => {
                    state.piece.append(&mut state.end);
                    return Some((Ok(state.piece.into()), None));
                }
            }
        }
        let piece = std::mem::take(&mut state.piece);
        // Items are at hand at once: others have a turn between two pieces.
        tokio::task::yield_now().await;
        Some((Ok(piece.into()), Some(state)))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body::Body as _;
    use http_body_util::BodyExt;

    use super::*;

    #[derive(Serialize)]
    struct StreamedListing {
        items: Vec<String>,
        next: Option<u8>,
    }

    /// A listing of `count` items of 1 KiB each, and a count of those that were serialised.
    async fn listing(count: usize) -> (Response, Arc<AtomicUsize>) {
        let serialised = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&serialised);
        let items = stream::iter(0..count).map(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            item(&"x".repeat(1_022))
        });
        let frame = StreamedListing {
            items: Vec::new(),
            next: Some(7),
        };
        let response = streamed(&frame, "items", items).await.expect("a listing");
        (response, serialised)
    }

    #[tokio::test]
    async fn listing_of_any_length_is_the_json_of_the_whole() {
        for count in [0, 1, 31, 32, 33, 1_000] {
            let (response, _) = listing(count).await;
            let body = response.into_body().collect().await.expect("a body");
            let expected = StreamedListing {
                items: vec!["x".repeat(1_022); count],
                next: Some(7),
            };
            let expected = serde_json::to_string(&expected).expect("JSON");
            assert!(body.to_bytes() == expected, "{count}");
        }
    }

    #[tokio::test]
    async fn listing_that_is_not_read_is_not_serialised() {
        let (response, serialised) = listing(10_000).await;
        assert!(serialised.load(Ordering::Relaxed) <= 70, "two pieces");
        let mut body = response.into_body();
        assert!(body.size_hint().exact().is_none());
        for read in 1..=5 {
            let frame = body.frame().await.expect("a frame");
            assert!(frame.expect("data").into_data().expect("data").len() < 2 * PIECE_BYTES);
            assert!(serialised.load(Ordering::Relaxed) <= 32 * (read + 2));
        }
    }

    #[tokio::test]
    async fn short_listing_has_a_length() {
        let (response, _) = listing(9).await;
        assert!(response.body().size_hint().exact().is_some());
    }

    #[tokio::test]
    async fn error_of_the_first_item_is_returned_and_a_later_one_breaks_off() {
        let frame = StreamedListing {
            items: Vec::new(),
            next: None,
        };
        let broken = || Err(StreamError::from("broken"));
        let refused = streamed(&frame, "items", stream::iter([broken()])).await;
        assert!(refused.is_err());
        let items = [
            item(&"x".repeat(99_999)),
            item(&"y".repeat(99_999)),
            broken(),
        ];
        let response = streamed(&frame, "items", stream::iter(items)).await;
        let response = response.expect("its first items");
        assert!(response.into_body().collect().await.is_err());
    }
}
