//! Several calls in parallel, without tasks of their own: dropping the whole drops each call.

use std::future::{Future, poll_fn};
use std::task::Poll;

/// Runs all work in parallel; the outputs have the order of the work.
pub(super) async fn join_all<F: Future>(work: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut going: Vec<_> = work.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        let mut waiting = false;
        for (future, output) in going.iter_mut().filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(value) => *output = Some(value),
                Poll::Pending => waiting = true,
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    going.into_iter().filter_map(|(_, output)| output).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn outputs_keep_the_order_of_the_work() {
        let work = (0..5u32).map(|number| async move {
            for _ in number..5 {
                tokio::task::yield_now().await;
            }
            number
        });
        assert_eq!(join_all(work).await, [0, 1, 2, 3, 4]);
        assert!(join_all(std::iter::empty::<std::future::Ready<u8>>()).await.is_empty());
    }
}
