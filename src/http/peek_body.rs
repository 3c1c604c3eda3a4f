//! A look at a request's body ahead of its handler.

use axum::body::Body;
use axum::extract::Request;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;

use super::body::JSON_BYTES_MAX;

/// The body, which the request keeps; none if it does not come whole, or is larger than any
/// JSON that is taken. The request can be read as before in any case.
pub async fn peek_body(request: &mut Request) -> Option<Bytes> {
    let mut body = std::mem::take(request.body_mut());
    let mut read = BytesMut::new();
    let broken = loop {
        match body.frame().await {
            None => {
                let whole = read.freeze();
                *request.body_mut() = Body::from(whole.clone());
                return Some(whole);
            }
            Some(Err(error)) => break Some(Err(error)),
            Some(Ok(frame)) => read.extend_from_slice(&frame.into_data().unwrap_or_default()),
        }
        if read.len() > JSON_BYTES_MAX {
            break None;
        }
    };
    let begin = stream::iter(Some(Ok(read.freeze())).into_iter().chain(broken));
    *request.body_mut() = Body::from_stream(begin.chain(body.into_data_stream()));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn peeked(body: Body) -> (Option<usize>, Result<usize, axum::Error>) {
        let mut request = Request::new(body);
        let length = peek_body(&mut request).await.map(|bytes| bytes.len());
        let read = request.into_body().collect().await;
        (length, read.map(|read| read.to_bytes().len()))
    }

    #[tokio::test]
    async fn what_was_looked_at_can_be_read_as_before() {
        let (length, read) = peeked(Body::from("{}")).await;
        assert_eq!((length, read.ok()), (Some(2), Some(2)));
        let (length, read) = peeked(Body::empty()).await;
        assert_eq!((length, read.ok()), (Some(0), Some(0)));
        let parts = stream::iter(0..9).map(|_| Ok::<_, axum::Error>(vec![0; 1024 * 1024]));
        let (length, read) = peeked(Body::from_stream(parts)).await;
        assert_eq!((length, read.ok()), (None, Some(9 * 1024 * 1024)));
        let broken = [Ok("{"), Err(std::io::Error::other("gone")), Ok("}")];
        let (length, read) = peeked(Body::from_stream(stream::iter(broken))).await;
        assert!(length.is_none() && read.is_err());
    }
}
