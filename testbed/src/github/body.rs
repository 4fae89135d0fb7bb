//! The body of an answer: whole, in slow pieces, or cut off.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Pieces with pauses.
pub(super) struct Pieces {
    /// The remaining pieces.
    pieces: VecDeque<Bytes>,
    /// The remaining length by `content-length`.
    left: u64,
    /// Pause before each piece except the first.
    gap: Duration,
    /// The current pause.
    sleep: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Pieces {
    /// The whole body at once.
    pub(super) fn whole(text: String) -> Self {
        let left = text.len() as u64;
        Self { pieces: VecDeque::from([Bytes::from(text)]), left, gap: Duration::ZERO, sleep: None }
    }

    /// Ten pieces with this pause between them.
    pub(super) fn slow(text: String, gap: Duration) -> Self {
        let (left, size) = (text.len() as u64, text.len().div_ceil(10).max(1));
        let pieces = text.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
        Self { pieces, left, gap, sleep: None }
    }

    /// The first half; then the connection breaks.
    pub(super) fn half(text: String) -> Self {
        let (left, half) = (text.len() as u64 + 1, text.len() / 2);
        let pieces = VecDeque::from([Bytes::copy_from_slice(&text.as_bytes()[..half])]);
        Self { pieces, left, gap: Duration::ZERO, sleep: None }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(sleep) = &mut self.sleep {
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.sleep = None;
        }
        let Some(piece) = self.pieces.pop_front() else {
            let whole = self.left == 0;
            return Poll::Ready((!whole).then(|| Err(io::Error::other("cut by a fault"))));
        };
        if !self.gap.is_zero() {
            self.sleep = Some(Box::pin(crate::clock::sleep(self.gap)));
        }
        self.left -= piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
