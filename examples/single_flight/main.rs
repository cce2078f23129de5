//! A cache in front of a slow store, behind a `dyn` trait. Concurrent callers of a missing key share one load, with the help of
//! `ValueFuture::share` and `WeakShared`. The program measures this cache against `moka`.
//!
//! ```text
//! cargo run --release --example single_flight [-- --rounds N --faults PERCENT]
//! ```
//!
//! A hit is an inline result. The first caller of a missing key creates a load, and all callers of the key own and poll it. If
//! the first caller is cancelled, the load continues. (With `moka`, another caller starts the load again.) If all callers are cancelled,
//! the load is dropped. If a load fails, all callers get the error, in an `Arc`. The cache does not store errors, and its values expire.
//! `moka` can do more: bound its size, evict entries and notify listeners.

#[path = "../common/mod.rs"]
mod common;
mod moka_cache;
mod single_flight;
mod store;
#[cfg(test)]
mod tests;
mod traffic;

use std::sync::{Arc, atomic::Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, error::Error, fs, num::NonZero, process};

use clap::Parser;
use common::{Contender, Cost, measure, percent, print_costs};
use moka_cache::{BoxedCache, MokaCache};
use single_flight::{Cache, SingleFlight};
use store::{Counts, Files, Store};
use traffic::Traffic;

#[derive(Parser)]
#[command(about = "Measures a cache in front of a slow store: shared value futures against moka")]
struct Options {
    /// Number of rounds. In each round, each contender does 200,000 lookups.
    #[arg(long, default_value = "30")]
    rounds: NonZero<u32>,
    /// Percentage of loads that fail, and of pending lookups that the caller cancels after a millisecond.
    #[arg(long, default_value = "5", value_name = "PERCENT", value_parser = percent)]
    faults: f64,
}

/// Measures the caches, each with its own store. Returns a row for each cache.
fn compare(traffic: &Traffic) -> Result<Vec<Vec<String>>, String> {
    let Options { faults, rounds } = traffic.options;
    let files = |()| Files { folder: traffic.folder.clone(), faults, counts: Counts::default() };
    let stores = [(); 3].map(files).map(Arc::new);
    let [first, second, third] = stores.clone();
    let time_to_live = Duration::from_secs(1);
    let value: &dyn Cache = &Arc::new(SingleFlight::new(first, time_to_live, Instant::now));
    let new_moka = |()| moka::future::Cache::builder().time_to_live(time_to_live).build();
    let [boxed, direct] = [(); 2].map(new_moka);
    let moka: &dyn BoxedCache = &MokaCache(boxed, second);
    let direct = async |key| match direct.get(&key).await {
        Some(value) => Ok(value),
        None => Box::pin(direct.try_get_with(key, third.load(key))).await,
    };
    let [first, second, third] = stores.each_ref().map(|store| &store.counts);
    let contenders = vec![
        Contender::new("value future", || traffic.run_round(first, |key| value.get(key))),
        Contender::new("moka, async-trait", || traffic.run_round(second, |key| moka.get(key))),
        Contender::new("moka, static call", || traffic.run_round(third, direct)),
    ];
    let title = if traffic.new_keys { "new keys in each round" } else { "same keys" };
    let costs = measure(title, rounds.get(), contenders);
    let row = |(cost, counts): (&Cost, &Counts)| {
        let Counts { lookups, pending, loads, errors, cancelled, wrong } = counts;
        if wrong.load(Relaxed) > 0 {
            return Err(format!("{}: lookups with wrong values: {wrong:?}", cost.name));
        }
        let hits = 1_000_000 - 1_000_000 * pending.load(Relaxed) / lookups.load(Relaxed);
        let [loads, errors, cancelled] = [loads, errors, cancelled].map(|n| n.load(Relaxed));
        let counts = [hits, loads, errors, cancelled].map(|count| count.to_string());
        let mut row = cost.row(&costs[0], counts);
        row[0] = format!("{title}: {}", cost.name);
        Ok(row)
    };
    costs.iter().zip([first, second, third]).map(row).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let folder = env::temp_dir().join(format!("single_flight-{}", process::id()));
    fs::create_dir_all(&folder)?;
    for key in 0..200_usize {
        fs::write(folder.join(key.to_string()), key.to_le_bytes())?;
    }
    // A few keys are frequent.
    let keys = (0..200_000).map(|_| fastrand::usize(0..=fastrand::usize(0..200))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut traffic = Traffic { options, folder, runtime, keys, new_keys: false };
    let same_keys = compare(&traffic);
    traffic.new_keys = true;
    let new_keys = compare(&traffic);
    fs::remove_dir_all(&traffic.folder)?;
    let columns = ["hits per million", "loads", "errors", "cancelled"];
    print_costs(&columns, [same_keys?, new_keys?].concat());
    Ok(())
}
