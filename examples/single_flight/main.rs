//! A cache in front of a slow store, behind a `dyn` trait: `ValueFuture::share` and `WeakShared` against `moka`.
//!
//! ```text
//! cargo run --release --example single_flight [-- --rounds N --faults PERCENT]
//! ```
//!
//! A hit is an inline result. The first caller of a missing key begins a load, and all callers of the key await it. They
//! own the load, and poll it. If the first caller is cancelled, the others go on (with `moka`, one of them loads again).
//! If all are cancelled, the load is dropped. An error reaches all callers in an `Arc`, and is not cached. Values expire.
//! The table compares what both caches do. `moka` does more: it bounds its size, evicts and notifies.

mod cache;
#[path = "../common/mod.rs"]
mod common;
mod store;
#[cfg(test)]
mod tests;
mod traffic;
mod twin;

use std::sync::{Arc, atomic::Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, error::Error, fs, num::NonZero, process};

use cache::{Cache, SingleFlight};
use clap::Parser;
use common::{Contender, Cost, contest, percent, print_table};
use store::{Counts, Files, Store};
use traffic::Traffic;
use twin::Moka;

#[derive(Parser)]
#[command(about = "A cache in front of a slow store: shared value futures against moka")]
struct Options {
    /// Rounds of 200,000 lookups, in which the contenders take turns.
    #[arg(long, default_value = "30")]
    rounds: NonZero<u32>,
    /// Percentage of the loads that do not find their file, and of the waiting callers that give up after a millisecond.
    #[arg(long, default_value = "5", value_name = "PERCENT", value_parser = percent)]
    faults: f64,
}

/// Compares the caches. Each cache has its own store. Returns a row for each cache.
fn compare(traffic: &Traffic) -> Result<Vec<Vec<String>>, String> {
    let Options { faults, rounds } = traffic.options;
    let files = |()| Files { folder: traffic.folder.clone(), faults, counts: Counts::default() };
    let stores = [(); 3].map(files).map(Arc::new);
    let [first, second, third] = stores.clone();
    let time_to_live = Duration::from_secs(1);
    let ours: &dyn Cache = &Arc::new(SingleFlight::new(first, time_to_live, Instant::now));
    let new_moka = |()| moka::future::Cache::builder().time_to_live(time_to_live).build();
    let [boxed, direct] = [(); 2].map(new_moka);
    let moka: &dyn twin::Cache = &Moka(boxed, second);
    let direct = async |key| match direct.get(&key).await {
        Some(value) => Ok(value),
        None => Box::pin(direct.try_get_with(key, third.load(key))).await,
    };
    let [first, second, third] = stores.each_ref().map(|store| &store.counts);
    let contenders = vec![
        Contender::new("value future", || traffic.round(first, |key| ours.get(key))),
        Contender::new("moka, async-trait", || traffic.round(second, |key| moka.get(key))),
        Contender::new("moka, static call", || traffic.round(third, direct)),
    ];
    let title = if traffic.new_keys { "new keys in each round" } else { "same keys" };
    let costs = contest(title, rounds.get(), contenders);
    let row = |(cost, counts): (&Cost, &Counts)| {
        let Counts { lookups, waits, loads, errors, cancelled, wrong } = counts;
        if wrong.load(Relaxed) > 0 {
            return Err(format!("{}: wrong results of lookups: {wrong:?}", cost.name));
        }
        let mut cells = cost.cells(&costs[0]);
        cells[0] = format!("{title}: {}", cost.name);
        let hits = 1_000_000 - 1_000_000 * waits.load(Relaxed) / lookups.load(Relaxed);
        let [loads, errors, cancelled] = [loads, errors, cancelled].map(|of| of.load(Relaxed));
        cells.extend([hits, loads, errors, cancelled].map(|count| count.to_string()));
        Ok(cells)
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
    // A few keys are looked up often.
    let keys = (0..200_000).map(|_| fastrand::usize(0..=fastrand::usize(0..200))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut traffic = Traffic { options, folder, runtime, keys, new_keys: false };
    let same_keys = compare(&traffic);
    traffic.new_keys = true;
    let new_keys = compare(&traffic);
    fs::remove_dir_all(&traffic.folder)?;
    let columns = ["hits per million", "loads", "errors", "cancelled"];
    print_table(&[&Cost::HEADER[..], &columns].concat(), [same_keys?, new_keys?].concat());
    Ok(())
}
