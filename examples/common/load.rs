//! Callers that make calls, and what they see.

use std::{sync::Mutex, time::Instant};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{runtime::Runtime, task::unconstrained};

use super::{Counts, Latencies};

/// What callers have seen.
pub(crate) struct Load {
    pub(crate) counts: Counts,
    pub(crate) latencies: Mutex<Latencies>,
}

impl Load {
    pub(crate) fn new() -> Self {
        Load { counts: Counts::default(), latencies: Mutex::new(Latencies::new()) }
    }

    /// Makes numbered calls, and returns how many. Each caller makes its next call when its last one has ended. Counts
    /// the errors.
    pub(crate) fn run(
        &self,
        runtime: &Runtime,
        callers: u64,
        calls: u64,
        call: impl AsyncFn(u64) -> Result<(), &'static str>,
    ) -> u64 {
        let each = calls.div_ceil(callers);
        let caller = async |caller: u64| {
            for number in caller * each..(caller + 1) * each {
                // Reading the clock would be a large part of a call, so few calls are timed.
                let begun = (number % 64 == 0).then(Instant::now);
                if let Err(error) = call(number).await {
                    self.counts.add(error);
                }
                if let Some(begun) = begun {
                    self.latencies.lock().unwrap().add(begun.elapsed());
                }
            }
        };
        let mut running: FuturesUnordered<_> = (0..callers).map(caller).collect();
        // All callers are one task. Without `unconstrained`, it would yield after 128 calls by tokio's channels.
        runtime.block_on(unconstrained(async { while running.next().await.is_some() {} }));
        callers * each
    }
}
