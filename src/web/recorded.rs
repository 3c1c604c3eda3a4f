//! Bodies that are written down in the journal as they pass by.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::HeaderMap;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::journal::{Head, Recording};

/// The body, recorded, if there is anything to record and where to.
pub(super) fn recorded(body: Body, record: impl FnOnce() -> Option<Recording>) -> Body {
    if http_body::Body::is_end_stream(&body) {
        return body;
    }
    match record() {
        Some(recording) => Body::new(Recorded { body, recording }),
        None => body,
    }
}

/// The headers as the journal keeps them.
pub(super) fn head(headers: &HeaderMap) -> Head {
    Head::of(|| {
        let lines = headers.iter();
        lines.map(|(name, value)| (name.as_str(), value.as_bytes()))
    })
}

struct Recorded {
    body: Body,
    recording: Recording,
}

impl http_body::Body for Recorded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(piece) = frame.data_ref()
        {
            self.recording.take(piece);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
