//! The code that both stacks share: the backend, and the parts of the layers without futures.

use std::{cell::Cell, collections::HashMap, future::pending, sync::Mutex, time::Duration};

use tower::BoxError;

/// A page consists of its number.
pub(crate) type Page = usize;
pub(crate) type Answer = Result<Page, BoxError>;

pub(crate) const CONCURRENT: usize = 64;
pub(crate) const RETRIES: usize = 4;
pub(crate) const TIMEOUT: Duration = Duration::from_millis(2);
pub(crate) const CACHEABLE: usize = 1_000; // The cache keeps pages with smaller numbers.

/// The innermost service. Of the given percentage of the requests, it fails half, and never answers the others.
pub(crate) async fn fetch(number: usize, faults: f64) -> Answer {
    tokio::task::yield_now().await;
    if !crate::common::happens(faults) {
        return Ok(number);
    }
    if fastrand::bool() { Err("the backend failed".into()) } else { pending().await }
}

thread_local!(pub(crate) static ERRORS: Cell<u64> = const { Cell::new(0) });

/// The log: it counts the errors of this thread.
pub(crate) fn log(answer: Answer) -> Answer {
    answer.inspect_err(|_| ERRORS.set(ERRORS.get() + 1))
}

#[derive(Default)]
pub(crate) struct Pages(Mutex<HashMap<usize, Page>>);

impl Pages {
    pub(crate) fn get(&self, number: usize) -> Option<Page> {
        self.0.lock().expect("no panic under the lock").get(&number).copied()
    }

    pub(crate) fn keep(&self, page: Page) -> Page {
        if page < CACHEABLE {
            self.0.lock().expect("no panic under the lock").insert(page, page);
        }
        page
    }
}
