//! Octets in, the body of an answer out; the body of a request in, its octets out, if they are not too many.

use std::{
    convert::Infallible,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

/// A body that is there at once.
pub(super) struct Whole(Bytes);

impl Whole {
    pub(super) fn new(octets: Vec<u8>) -> Self {
        Self(octets.into())
    }
}

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let octets = std::mem::take(&mut self.0);
        Poll::Ready((!octets.is_empty()).then(|| Ok(Frame::data(octets))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

/// Why a body was not taken.
pub(super) enum Bad {
    /// It has more octets than may be, or says so.
    TooLarge,
    /// It ends too early, or is no body.
    Unreadable(anyhow::Error),
}

/// All of a body, up to so many octets. One that says that it has more is not read.
///
/// # Errors
/// Where they are more, or the client does not send them.
pub(super) async fn collect(mut body: Incoming, most: usize) -> Result<Vec<u8>, Bad> {
    if body.size_hint().lower() > most as u64 {
        return Err(Bad::TooLarge);
    }
    let mut octets = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|error| Bad::Unreadable(error.into()))?;
        octets.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        if octets.len() > most {
            return Err(Bad::TooLarge);
        }
    }
    Ok(octets)
}
