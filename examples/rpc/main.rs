//! A client with many concurrent calls on one connection, over TCP and in process. It keeps its calls in a pool whose
//! keys are the ids on the wire, or in the map of channels that everyone writes.
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
mod wire;

use std::{io, iter, process::ExitCode, sync::Mutex, time::Instant};

use clap::Parser;
use client::{Client, TIMEOUT};
use common::{Contender, Cost, Faults, Latencies, Rounds, answer, contest, print_table};
use futures::{StreamExt, future::join_all, stream::FuturesUnordered};
use pending::{Channels, Pending};
use tokio::{runtime::Runtime, task::unconstrained};
use value_future::Pool;

#[derive(Parser)]
#[command(about = "Calls over one connection: keys of a pool against a map of channels")]
struct Options {
    #[command(flatten)]
    rounds: Rounds,
    #[command(flatten)]
    faults: Faults,
}

/// Makes calls, and returns their number. Each caller makes its next call when it has an answer.
fn round<P: Pending>(
    runtime: &Runtime,
    client: &Client<P>,
    callers: u64,
    calls: u64,
    latencies: &Mutex<Latencies>,
) -> u64 {
    let each = calls.div_ceil(callers);
    let caller = |caller: u64| async move {
        for question in caller * each..(caller + 1) * each {
            // Reading the clock would be a large part of a call, so few calls are timed.
            let begun = (question % 64 == 0).then(Instant::now);
            match client.call(question).await {
                Ok(answered) if answered == answer(question) => {}
                Ok(_) => client.counts.add("misdelivered"),
                Err(reason) => client.counts.add(reason),
            }
            if let Some(begun) = begun {
                latencies.lock().unwrap().add(begun.elapsed());
            }
        }
    };
    let mut running: FuturesUnordered<_> = (0..callers).map(caller).collect();
    // All callers are one task. Without `unconstrained`, it would yield after 128 calls by tokio's channels.
    runtime.block_on(unconstrained(async { while running.next().await.is_some() {} }));
    callers * each
}

/// Loses the connection while calls wait. Returns how many of them fail at once, if the next call is answered.
fn lose_connection<P: Pending>(runtime: &Runtime, client: &Client<P>) -> Option<usize> {
    let questions = iter::once(wire::HANG_UP).chain(1..1_000);
    let waiting = join_all(questions.map(|question| client.call(question)));
    runtime.block_on(async {
        let answers = tokio::time::timeout(TIMEOUT, waiting).await.ok()?;
        let lost = answers.iter().filter(|answer| **answer == Err("connection lost")).count();
        (client.call(7).await == Ok(answer(7))).then_some(lost)
    })
}

/// Measures both clients. Returns their rows, and the number of answers that went to another call.
fn compare(options: &Options, over_tcp: bool, callers: u32) -> io::Result<(Vec<Vec<String>>, u64)> {
    let place = format!("{}, {callers} callers", if over_tcp { "TCP" } else { "in process" });
    let runtime = &tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let Options { rounds: Rounds { calls, rounds }, faults } = *options;
    let (keys, channels) = if over_tcp {
        (
            Client::<Pool<Option<u64>>>::over_tcp(runtime, faults)?,
            Client::<Channels>::over_tcp(runtime, faults)?,
        )
    } else {
        (Client::in_process(callers as usize, faults), Client::in_process(callers as usize, faults))
    };
    let latencies = [Latencies::new(), Latencies::new()].map(Mutex::new);
    let contenders = vec![
        Contender::new("keys of a pool", || {
            round(runtime, &keys, callers.into(), calls, &latencies[0])
        }),
        Contender::new("map of channels", || {
            round(runtime, &channels, callers.into(), calls, &latencies[1])
        }),
    ];
    let costs = contest(&place, rounds, contenders);
    let lost = if over_tcp {
        [lose_connection(runtime, &keys), lose_connection(runtime, &channels)]
    } else {
        [None; 2]
    };
    let row = |index: usize, faults: String| {
        let mut cells = costs[index].cells(&costs[0]);
        cells[0] = format!("{}, {place}", costs[index].name);
        cells.insert(1, format!("{:.0}", 1e9 / costs[index].min));
        cells.push(latencies[index].lock().unwrap().percentiles());
        cells.push(lost[index].map_or(String::new(), |lost| lost.to_string()));
        cells.push(faults);
        cells
    };
    let rows = vec![row(0, keys.counts.to_string()), row(1, channels.counts.to_string())];
    Ok((rows, keys.counts.get("misdelivered")))
}

fn run(options: &Options) -> io::Result<u64> {
    let mut header = Cost::HEADER.to_vec();
    header.insert(1, "calls/s");
    header.extend(["p50 / p99 / p99.9 µs", "of 1000 failed at once", "faults"]);
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
    match run(&Options::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(misdelivered) => {
            eprintln!("rpc: {misdelivered} answers went to another call");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("rpc: {error}");
            ExitCode::FAILURE
        }
    }
}
