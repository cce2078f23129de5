//! Concurrent callers, with the errors and the latencies of their calls.

use std::{sync::Mutex, time::Instant};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{runtime::Runtime, task::unconstrained};

use super::{Counts, Latencies};

/// The errors and the latencies of all calls so far.
pub(crate) struct Load {
    pub(crate) counts: Counts,
    pub(crate) latencies: Mutex<Latencies>,
}

impl Load {
    pub(crate) fn new() -> Self {
        Load { counts: Counts::default(), latencies: Mutex::new(Latencies::new()) }
    }

    /// Makes calls with consecutive numbers, and counts their errors. Each caller makes one call at a time. Returns the
    /// number of calls.
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
                // Reading the clock would be a large part of a call, so only every 64th call is timed.
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
        // All callers run in one task. Without `unconstrained`, tokio's channels would make it yield after 128 calls.
        runtime.block_on(unconstrained(async { while running.next().await.is_some() {} }));
        callers * each
    }
}
