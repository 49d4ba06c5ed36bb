//! The smallest executor: polls until it is done. Whoever is pending has to wake, or has waited for nothing.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs to the end.
pub fn block_on<F: Future>(future: F) -> F::Output {
    poll_times(future, usize::MAX).expect("it was polled until it was done")
}

/// Polls so many times at most, and drops it then.
pub fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let flag = Arc::new(Flag::default());
    let waker = Waker::from(flag.clone());
    let mut future = pin!(future);
    for _ in 0..times {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        assert!(flag.0.swap(false, Ordering::Relaxed), "nobody will ever wake it");
        thread::yield_now();
    }
    None
}
