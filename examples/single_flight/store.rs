//! [`Files`], a slow store of small files: each load has a delay of two milliseconds.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{io, path::PathBuf, sync::Arc, time::Duration};

use crate::common::chance;

pub(crate) type Value = Arc<[u8]>;

pub(crate) trait Store: Send + Sync + 'static {
    fn load(&self, key: usize) -> impl Future<Output = io::Result<Value>> + Send;
}

/// Counters of one cache: its lookups, its loads, and their results.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) lookups: AtomicUsize,
    pub(crate) pending: AtomicUsize,
    pub(crate) loads: AtomicUsize,
    pub(crate) errors: AtomicUsize,
    pub(crate) cancelled: AtomicUsize,
    pub(crate) wrong: AtomicUsize,
}

pub(crate) struct Files {
    pub(crate) folder: PathBuf,
    /// Percentage of loads that fail, because they look for a missing file.
    pub(crate) faults: f64,
    pub(crate) counts: Counts,
}

impl Store for Files {
    async fn load(&self, key: usize) -> io::Result<Value> {
        self.counts.loads.fetch_add(1, Relaxed);
        tokio::time::sleep(Duration::from_millis(2)).await;
        let name = if chance(self.faults) { "missing".into() } else { (key % 200).to_string() };
        tokio::fs::read(self.folder.join(name)).await.map(Value::from)
    }
}
