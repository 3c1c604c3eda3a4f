//! JSON listings that are serialised piece by piece, at the speed at which the client reads.
//!
//! A listing may be large and its client slow. The server holds one piece per client in memory, not the
//! whole listing.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;

/// Size from which on a piece is sent.
const PIECE_BYTES_MIN: usize = 32 * 1024;

/// Error that aborts a listing.
pub type StreamError = Box<dyn std::error::Error + Send + Sync>;

/// Serialises an item of a listing.
///
/// # Errors
/// Returns the error of serde if the item cannot be serialised.
pub fn serialize_item(item: &impl Serialize) -> Result<Vec<u8>, StreamError> {
    Ok(serde_json::to_vec(item)?)
}

/// Returns a response with `frame` as JSON. `items` are written into the empty list `field` of `frame`.
/// An error after the first piece aborts the response.
///
/// # Errors
/// Returns the error of an item in the first piece, or of serialising `frame`.
pub async fn stream_listing(
    frame: &impl Serialize,
    field: &str,
    items: impl Stream<Item = Result<Vec<u8>, StreamError>> + Send + 'static,
) -> Result<Response, StreamError> {
    let (head, tail) = split_at_list(frame, field)?;
    let mut pieces = Box::pin(listing_pieces(head, items, tail));
    let first = pieces.next().await.transpose()?.unwrap_or_default();
    // Most listings are one piece: their response has a Content-Length.
    let body = match pieces.next().await {
        None => Body::from(first),
        Some(second) => Body::from_stream(stream::iter([Ok(first), second]).chain(pieces)),
    };
    let json = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, json)], body).into_response())
}

/// Returns the JSON of `frame` before and after the place of the items in the empty list `field`.
fn split_at_list(frame: &impl Serialize, field: &str) -> Result<(Vec<u8>, Vec<u8>), StreamError> {
    let mut head = serde_json::to_string(frame)?;
    let empty_list = format!("\"{field}\":[]");
    let missing = || format!("the listing has no empty list {field}");
    let position = head.find(&empty_list).ok_or_else(missing)? + empty_list.len() - 1;
    let tail = head.split_off(position);
    Ok((head.into_bytes(), tail.into_bytes()))
}

/// Returns the pieces of a listing. Each piece is serialised when it is polled.
fn listing_pieces(
    head: Vec<u8>,
    items: impl Stream<Item = Result<Vec<u8>, StreamError>> + Send + 'static,
    tail: Vec<u8>,
) -> impl Stream<Item = Result<Bytes, StreamError>> + Send + 'static {
    struct StreamState<S> {
        items: S,
        piece: Vec<u8>,
        tail: Vec<u8>,
        is_first: bool,
    }
    let state = StreamState {
        items: Box::pin(items),
        piece: head,
        tail,
        is_first: true,
    };
    stream::unfold(Some(state), async |state| {
        let mut state = state?;
        while state.piece.len() < PIECE_BYTES_MIN {
            match state.items.next().await {
                Some(Ok(item)) => {
                    if !state.is_first {
                        state.piece.push(b',');
                    }
                    state.is_first = false;
                    state.piece.extend_from_slice(&item);
                }
                Some(Err(error)) => {
                    tracing::error!(%error, "writing a listing failed");
                    return Some((Err(error), None));
                }
                None => {
                    state.piece.append(&mut state.tail);
                    return Some((Ok(state.piece.into()), None));
                }
            }
        }
        let piece = std::mem::take(&mut state.piece);
        // Items rarely have to wait, so other tasks get a chance to run between two pieces.
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

    /// Returns a listing of `count` items of 1 KiB each, and a counter of serialised items.
    async fn listing(count: usize) -> (Response, Arc<AtomicUsize>) {
        let serialised = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&serialised);
        let items = stream::iter(0..count).map(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            serialize_item(&"x".repeat(1_022))
        });
        let frame = StreamedListing {
            items: Vec::new(),
            next: Some(7),
        };
        let response = stream_listing(&frame, "items", items)
            .await
            .expect("a listing");
        (response, serialised)
    }

    #[tokio::test]
    async fn listing_of_any_length_equals_the_json_of_the_whole() {
        for count in [0, 1, 31, 32, 33, 1_000] {
            let (response, _) = listing(count).await;
            let body = response.into_body().collect().await.expect("a body");
            let whole = StreamedListing {
                items: vec!["x".repeat(1_022); count],
                next: Some(7),
            };
            let expected = serde_json::to_string(&whole).expect("JSON");
            assert!(body.to_bytes() == expected, "{count} items");
        }
    }

    #[tokio::test]
    async fn listing_that_is_not_read_is_not_serialised() {
        let (response, serialised) = listing(10_000).await;
        assert!(
            serialised.load(Ordering::Relaxed) <= 70,
            "more than two pieces"
        );
        let mut body = response.into_body();
        assert!(body.size_hint().exact().is_none());
        for read in 1..=5 {
            let frame = body.frame().await.expect("a frame");
            assert!(frame.expect("data").into_data().expect("data").len() < 2 * PIECE_BYTES_MIN);
            assert!(serialised.load(Ordering::Relaxed) <= 32 * (read + 2));
        }
    }

    #[tokio::test]
    async fn listing_of_one_piece_has_a_length() {
        let (response, _) = listing(9).await;
        assert!(response.body().size_hint().exact().is_some());
    }

    #[tokio::test]
    async fn error_in_first_piece_is_returned_and_a_later_one_aborts_the_body() {
        let frame = StreamedListing {
            items: Vec::new(),
            next: None,
        };
        let broken = || Err(StreamError::from("broken"));
        let failed = stream_listing(&frame, "items", stream::iter([broken()])).await;
        assert!(failed.is_err());
        let items = [
            serialize_item(&"x".repeat(99_999)),
            serialize_item(&"y".repeat(99_999)),
            broken(),
        ];
        let response = stream_listing(&frame, "items", stream::iter(items))
            .await
            .expect("the first pieces");
        assert!(response.into_body().collect().await.is_err());
    }
}
