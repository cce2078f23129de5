//! A client with many concurrent calls on one connection, over TCP and in process. It keeps its calls in a pool whose
//! keys are the ids on the wire. The alternative is a map from ids to one-shot channels.
//!
//! ```text
//! cargo run --release --example rpc [-- --calls N --hostile]
//! ```
//!
//! With `--hostile`, the peer drops replies, sends them late, twice, in another order, and with ids that it made up. Calls
//! then have a timeout. At the end the connection is lost: all calls fail at once, and the client connects again.

mod client;
#[path = "../common/mod.rs"]
mod common;
mod pending;
#[cfg(test)]
mod tests;

use std::{io, iter, process::ExitCode, time::Duration};

use clap::Parser;
use client::Client;
use common::{Contender, Cost, Faults, Rounds, answer, contest, print_table, wire::HANG_UP};
use futures::future::join_all;
use pending::{Channels, Pending};
use tokio::runtime::Runtime;
use value_future::Pool;

#[derive(Parser)]
#[command(about = "Calls over one connection: keys of a pool against a map of channels")]
struct Options {
    #[command(flatten)]
    rounds: Rounds,
    #[command(flatten)]
    faults: Faults,
}

/// Makes calls, and returns their number.
fn round<P: Pending>(runtime: &Runtime, client: &Client<P>, callers: u64, calls: u64) -> u64 {
    client.load.run(runtime, callers, calls, async |question| {
        let answered = client.call(question).await?;
        if answered == answer(question) { Ok(()) } else { Err("misdelivered") }
    })
}

/// Loses the connection while calls wait. Returns how many fail at once, or `None` if the client is in process or stays broken.
fn lose_connection<P: Pending>(runtime: &Runtime, client: &Client<P>) -> Option<usize> {
    let questions = iter::once(HANG_UP).chain(1..1_000);
    if !client.is_over_tcp() {
        return None;
    }
    let waiting = join_all(questions.map(|question| client.call(question)));
    runtime.block_on(async {
        let answers = tokio::time::timeout(Duration::from_secs(1), waiting).await.ok()?;
        let lost = answers.iter().filter(|answer| **answer == Err("connection lost")).count();
        (client.call(7).await == Ok(answer(7))).then_some(lost)
    })
}

/// Returns the cells of a client: its cost, what its callers have seen, and what happens when the connection is lost.
fn row<P: Pending>(runtime: &Runtime, client: &Client<P>, mut cells: Vec<String>) -> Vec<String> {
    cells.push(client.load.counts.get("misdelivered").to_string());
    cells.push(client.load.latencies.lock().unwrap().percentiles());
    let lost = lose_connection(runtime, client).map(|lost| lost.to_string());
    cells.extend([lost.unwrap_or_default(), client.load.counts.to_string()]);
    cells
}

/// Measures both clients. Returns their rows, and the number of answers that the pool gave to another call.
fn compare(options: &Options, over_tcp: bool, callers: u64) -> io::Result<(Vec<Vec<String>>, u64)> {
    let runtime = &tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let keys = Client::<Pool<Option<u64>>>::new(runtime, over_tcp, callers, options.faults)?;
    let channels = Client::<Channels>::new(runtime, over_tcp, callers, options.faults)?;
    let Rounds { calls, rounds } = options.rounds;
    let contenders = vec![
        Contender::new("keys of a pool", || round(runtime, &keys, callers, calls)),
        Contender::new("map of channels", || round(runtime, &channels, callers, calls)),
    ];
    let transport = format!("{}, callers: {callers}", if over_tcp { "TCP" } else { "in process" });
    let costs = contest(&transport, rounds, contenders);
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

fn run(options: &Options) -> io::Result<u64> {
    let mut header = Cost::HEADER.to_vec();
    header.splice(1..1, ["transport", "calls/s"]);
    header.extend(["misdelivered", "p50 / p99 / p99.9 µs", "failed at once, of 1000", "faults"]);
    // With faults, a single caller would mostly wait for timeouts.
    let few = if options.faults.any() { 64 } else { 1 };
    let (mut rows, mut misdelivered) = (Vec::new(), 0);
    for (over_tcp, callers) in [(false, few), (false, 256), (true, few), (true, 256)] {
        let (compared, wrong) = compare(options, over_tcp, callers)?;
        rows.extend(compared);
        misdelivered += wrong;
    }
    print_table(&header, rows);
    Ok(misdelivered)
}

fn main() -> ExitCode {
    let failure = match run(&Options::parse()) {
        Ok(0) => return ExitCode::SUCCESS,
        Ok(misdelivered) => format!("{misdelivered} answers went to another call"),
        Err(error) => error.to_string(),
    };
    eprintln!("rpc: {failure}");
    ExitCode::FAILURE
}
