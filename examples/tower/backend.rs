//! The backend, and the code that `layers` and `boxed_layers` share.

use std::{cell::Cell, collections::HashMap, future::pending, sync::Mutex, time::Duration};

use tower::BoxError;

/// A page. It consists of its number only.
pub(crate) type Page = usize;
pub(crate) type Answer = Result<Page, BoxError>;

/// The bound of the layer `limit`, and the number of concurrent callers.
pub(crate) const CONCURRENT: usize = 64;
pub(crate) const RETRIES: usize = 4;
pub(crate) const TIMEOUT: Duration = Duration::from_millis(2);
pub(crate) const CACHEABLE: usize = 1_000; // The cache stores only pages with smaller numbers.

/// Returns a page. `faults` is the percentage of requests with a fault. Half of these requests fail, and the other half hang.
pub(crate) async fn fetch(number: usize, faults: f64) -> Answer {
    tokio::task::yield_now().await;
    if !crate::common::chance(faults) {
        return Ok(number);
    }
    if fastrand::bool() { Err("the backend failed".into()) } else { pending().await }
}

thread_local!(pub(crate) static ERRORS: Cell<u64> = const { Cell::new(0) });
/// Counts an error, where a real service would write a log. Each thread has its own counter.
pub(crate) fn log(answer: Answer) -> Answer {
    answer.inspect_err(|_| ERRORS.set(ERRORS.get() + 1))
}

#[derive(Default)]
pub(crate) struct PageCache(Mutex<HashMap<usize, Page>>);

impl PageCache {
    pub(crate) fn get(&self, number: usize) -> Option<Page> {
        self.0.lock().expect("no panic under the lock").get(&number).copied()
    }

    /// Stores a page if it is cacheable, and returns it.
    pub(crate) fn insert(&self, page: Page) -> Page {
        if page < CACHEABLE {
            self.0.lock().expect("no panic under the lock").insert(page, page);
        }
        page
    }
}
