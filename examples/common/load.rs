//! Generates the load of the program `rpc`: runs concurrent callers, and records the errors and latencies of their calls.

use std::{sync::Mutex, time::Instant};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{runtime::Runtime, task::unconstrained};

use super::{EventCounts, Latencies};

/// Records the errors and the latencies of calls.
pub(crate) struct Load {
    pub(crate) counts: EventCounts,
    pub(crate) latencies: Mutex<Latencies>,
}

impl Load {
    pub(crate) fn new() -> Self {
        Load { counts: EventCounts::default(), latencies: Mutex::new(Latencies::new()) }
    }

    /// Runs at least `calls` calls, which are numbered from 0. Each of the `callers` makes one call at a time. Returns the number of calls,
    /// which is a multiple of `callers`.
    pub(crate) fn run(
        &self,
        runtime: &Runtime,
        callers: u64,
        calls: u64,
        call: impl AsyncFn(u64) -> Result<(), &'static str>,
    ) -> u64 {
        let calls_per_caller = calls.div_ceil(callers);
        let caller = async |caller: u64| {
            for number in caller * calls_per_caller..(caller + 1) * calls_per_caller {
                // Only every 64th call is timed, because reading the clock takes a noticeable share of the time of a call.
                let start = (number % 64 == 0).then(Instant::now);
                if let Err(error) = call(number).await {
                    self.counts.add(error);
                }
                if let Some(start) = start {
                    self.latencies.lock().unwrap().add(start.elapsed());
                }
            }
        };
        let mut running: FuturesUnordered<_> = (0..callers).map(caller).collect();
        // All callers run in one task. Without `unconstrained`, tokio's cooperative budget would make this task yield after 128 calls.
        runtime.block_on(unconstrained(async { while running.next().await.is_some() {} }));
        callers * calls_per_caller
    }
}
