//! A client that makes many concurrent calls to one peer, over one TCP connection or in process. The pending calls are operations of a
//! [`Pool`]. The ids on the wire are the keys of these operations. The program measures the pool against a map from ids to one-shot
//! channels.
//!
//! ```text
//! cargo run --release --example rpc [-- --calls N --hostile]
//! ```
//!
//! With `--hostile`, the peer drops, delays, duplicates, reorders and forges replies, and calls have a timeout. After each measurement over
//! TCP, the peer closes the connection. All pending calls then fail at once, and the client connects again.

mod client;
#[path = "../common/mod.rs"]
mod common;
mod pending_calls;
#[cfg(test)]
mod tests;

use std::{io, iter, process::ExitCode, time::Duration};

use clap::Parser;
use client::Client;
use common::{Contender, Cost, Faults, Load, Rounds, answer, measure, print_table};
use common::{connection::HANG_UP, exit_code};
use futures::future::join_all;
use pending_calls::{ChannelMap, PendingCalls};
use tokio::runtime::Runtime;
use value_future::Pool;

#[derive(Parser)]
#[command(about = "Measures calls over one connection: keys of a pool against a map of channels")]
struct Options {
    #[command(flatten)]
    rounds: Rounds,
    #[command(flatten)]
    faults: Faults,
}

/// Makes the peer close the connection while 1000 calls are pending. Returns the number of calls that then fail. Returns `None` if the
/// client is in process, if a call hangs for a second, or if the client does not connect again.
fn lose_connection<P: PendingCalls>(runtime: &Runtime, client: &Client<P>) -> Option<usize> {
    let questions = iter::once(HANG_UP).chain(1..1_000);
    if !client.is_over_tcp() {
        return None;
    }
    let calls = join_all(questions.map(|question| client.call(question)));
    runtime.block_on(async {
        let answers = tokio::time::timeout(Duration::from_secs(1), calls).await.ok()?;
        let failed = answers.iter().filter(|answer| **answer == Err("connection lost")).count();
        (client.call(7).await == Ok(answer(7))).then_some(failed)
    })
}

/// Calls [`lose_connection`], and returns the row of the client. `cells` are the first cells of the row.
fn row(runtime: &Runtime, client: &Client<impl PendingCalls>, cells: Vec<String>) -> Vec<String> {
    let Load { counts, latencies } = &client.load;
    let misdelivered = counts.get("misdelivered").to_string();
    let percentiles = latencies.lock().unwrap().percentiles();
    let failed = lose_connection(runtime, client).map(|failed| failed.to_string());
    let more = [misdelivered, percentiles, failed.unwrap_or_default(), counts.to_string()];
    cells.into_iter().chain(more).collect()
}

/// Measures both clients. Returns their rows, and the number of answers that the pool misdelivered.
fn compare(options: &Options, over_tcp: bool, callers: u64) -> io::Result<(Vec<Vec<String>>, u64)> {
    let runtime = &tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let keys = Client::<Pool<Option<u64>>>::new(runtime, over_tcp, callers, options.faults)?;
    let channels = Client::<ChannelMap>::new(runtime, over_tcp, callers, options.faults)?;
    let Rounds { calls, rounds } = options.rounds;
    let contenders = vec![
        Contender::new("keys of a pool", || keys.run_round(runtime, callers, calls)),
        Contender::new("map of channels", || channels.run_round(runtime, callers, calls)),
    ];
    let transport = format!("{}, callers: {callers}", if over_tcp { "TCP" } else { "in process" });
    let costs = measure(&transport, rounds, contenders);
    let cells = |cost: &Cost| {
        let mut cells = cost.cells(&costs[0]);
        cells.insert(1, transport.clone());
        cells.insert(2, format!("{:.0}", 1e9 / cost.min));
        cells
    };
    let rows =
        vec![row(runtime, &keys, cells(&costs[0])), row(runtime, &channels, cells(&costs[1]))];
    Ok((rows, keys.load.counts.get("misdelivered")))
}

/// Measures all transports, and prints the table. Returns an error if the pool has misdelivered an answer.
fn run(options: &Options) -> io::Result<bool> {
    let mut header = Cost::HEADER.to_vec();
    header.splice(1..1, ["transport", "calls/s"]);
    header.extend(["misdelivered", "p50 / p99 / p99.9 µs", "failed at once, of 1000", "faults"]);
    // With faults, a single caller would spend most of its time waiting for timeouts.
    let few = if options.faults.any() { 64 } else { 1 };
    let (mut rows, mut misdelivered) = (Vec::new(), 0);
    for (over_tcp, callers) in [(false, few), (false, 256), (true, few), (true, 256)] {
        let (pair, count) = compare(options, over_tcp, callers)?;
        rows.extend(pair);
        misdelivered += count;
    }
    print_table(&header, rows);
    let error = || io::Error::other(format!("{misdelivered} answers were misdelivered"));
    if misdelivered > 0 { Err(error()) } else { Ok(true) }
}

fn main() -> ExitCode {
    let options = Options::parse();
    exit_code("rpc", || run(&options))
}
