//! Publishes the counters of pools and of a `Ratio` with the crate `metrics`, and prints them as a table.
//!
//! ```text
//! cargo run --release --features ratio,trace --example metrics [-- --calls N --ready PERCENT]
//! ```
//!
//! A service answers most calls from memory, and asks a device for the other answers. The program publishes the counters while the service
//! runs. At the end, the program leaks a completer. With the feature `trace`, the program then prints the line that rented the operation of
//! this completer. Without the feature `ratio`, the counters of the `Ratio` are 0.

#![allow(clippy::cast_precision_loss, reason = "gauges are `f64`")]

#[path = "../common/mod.rs"]
mod common;
#[cfg(test)]
mod tests;

use std::mem;

use clap::Parser;
use common::{Progress, chance, print_table};
use futures::executor::block_on;
use metrics::{counter, gauge, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;
use value_future::{
    FuturePool, Pool, Ratio, ValueFuture, future_pool::FuturePoolStats, pool::Stats,
    ratio::RatioStats,
};

#[derive(Parser)]
#[command(
    about = "Publishes the counters of pools and of a `Ratio` for Prometheus (features: ratio, trace)"
)]
struct Options {
    /// Number of calls of the service.
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    calls: u64,
    /// Percentage of the calls that the service answers from memory.
    #[arg(long, default_value_t = 95.0, value_name = "PERCENT", value_parser = common::percent)]
    ready: f64,
}

trait Service: Sync {
    fn get(&self, key: u64) -> ValueFuture<'_, Option<u64>>;
}

/// A service that answers some calls from memory, and asks a device for the other answers.
struct CachedDevice {
    /// The percentage of ready calls.
    ready: f64,
    operations: Pool<Option<u64>>,
    futures: FuturePool,
    get_ratio: Ratio,
}

impl CachedDevice {
    fn new(ready: f64) -> Self {
        let (operations, futures) = (Pool::new(), FuturePool::new());
        CachedDevice { ready, operations, futures, get_ratio: Ratio::new() }
    }
}

impl Service for CachedDevice {
    fn get(&self, key: u64) -> ValueFuture<'_, Option<u64>> {
        if chance(self.ready) {
            return ValueFuture::ready(Some(key));
        }
        self.futures.pooled(async move {
            let (completer, completion) = self.operations.rent();
            let operation = completer.into_key();
            // The call is pending once, as if the device needed time.
            tokio::task::yield_now().await;
            self.operations.complete_key(operation, Some(key)).expect("the operation is pending");
            completion.await
        })
    }
}

fn publish_operations(stats: &Stats) {
    counter!("operations_rented").absolute(stats.rented);
    counter!("operations_cancelled").absolute(stats.cancelled);
    counter!("operations_refused_keys").absolute(stats.refused_keys);
    counter!("operations_allocations").absolute(stats.allocations);
    gauge!("operations_live").set(stats.live as f64);
    gauge!("operations_capacity").set(stats.capacity as f64);
}

fn publish_futures(stats: &FuturePoolStats) {
    counter!("futures_rented").absolute(stats.rented);
    counter!("futures_boxed").absolute(stats.boxed);
    counter!("futures_allocations").absolute(stats.allocations);
    gauge!("futures_live").set(stats.live as f64);
    gauge!("futures_bytes").set(stats.bytes as f64);
}

fn publish_ratio(stats: &RatioStats) {
    counter!("get_ready").absolute(stats.ready);
    counter!("get_pending").absolute(stats.pending);
    counter!("get_cancelled").absolute(stats.cancelled);
    counter!("get_allocations_saved").absolute(stats.allocations_saved());
    gauge!("get_ready_share").set(stats.ready_share());
}

fn publish(device: &CachedDevice) {
    publish_operations(&device.operations.stats());
    publish_futures(&device.futures.stats());
    publish_ratio(&device.get_ratio.stats());
}

/// Calls the service, and publishes the counters up to a hundred times.
fn serve(device: &CachedDevice, calls: u64) {
    let service: &dyn Service = device;
    let mut progress = Progress::new("calls", calls);
    let run = async {
        for call in 1..=calls {
            assert_eq!(device.get_ratio.measure(service.get(call)).await, Some(call));
            if call % calls.div_ceil(100) == 0 || call == calls {
                publish(device);
                progress.update(call);
            }
        }
    };
    block_on(run);
}

fn main() {
    let options = Options::parse();
    let device = CachedDevice::new(options.ready);
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, || serve(&device, options.calls));
    eprintln!("get: {}", device.get_ratio.stats());

    // A simulated bug: the consumer of this operation would wait forever.
    let (completer, completion) = device.operations.rent();
    mem::forget(completer);
    for operation in device.operations.live_operations() {
        eprintln!("leak: {operation}");
    }
    drop(completion);

    let text = recorder.handle().render();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut rows: Vec<_> = lines.map(|line| line.split(' ').map(String::from).collect()).collect();
    rows.retain(|row: &Vec<String>| row.len() == 2);
    rows.sort();
    print_table(&["metric", "value"], rows);
}
