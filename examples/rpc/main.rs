//! A client with many concurrent calls on one connection: with the keys of a pool as the ids on the wire, and with the
//! map of channels that everyone writes.
//!
//! ```text
//! cargo run --release --example rpc [-- --calls N --hostile]
//! ```
//!
//! The peer is in this process, and then behind a TCP socket. With `--hostile` it drops replies, sends them late, twice, out of
//! order, and with ids that it made up. At the end it hangs up, and every call that waits has to fail at once.

#![allow(clippy::cast_precision_loss, reason = "counts and nanoseconds, all of them below 2^52")]

#[path = "../common/mod.rs"]
mod common;
mod pending;
mod wire;

use std::{
    collections::BTreeMap,
    io,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use clap::Parser;
use common::{Faults, Latencies, Progress, allocated, print_table};
use pending::{Answer, Channels, Error, Keys, Pending};
use tokio::{
    net::{TcpListener, TcpStream},
    task::LocalSet,
};
use wire::{Frame, Outbox, Peer, answer, connect};

#[derive(Parser, Clone)]
#[command(about = "Calls over one connection: keys of a pool against a map of channels")]
struct Options {
    /// Calls of each contender in each round.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    calls: u64,
    /// Rounds, in which the contenders take turns.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// A peer that drops, delays, duplicates, reorders and forges 1 % of the replies each.
    #[arg(long)]
    hostile: bool,
    #[command(flatten)]
    faults: Faults,
}

impl Options {
    fn faults(&self) -> Faults {
        if self.hostile {
            Faults { drop: 1.0, late: 1.0, twice: 1.0, forge: 1.0 }
        } else {
            self.faults
        }
    }
}

const PATIENCE: Duration = Duration::from_millis(20);

struct Client<P> {
    pending: P,
    outbox: Arc<Outbox>,
    refused: Mutex<BTreeMap<&'static str, u64>>,
    /// Without faults there is no timeout: every call is answered.
    has_timeout: bool,
}

impl<P: Pending> Client<P> {
    async fn call(&self, question: u64) -> Answer {
        let (id, wait) = self.pending.begin();
        self.outbox.send([id, question]);
        if !self.has_timeout {
            return wait.await;
        }
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or(Err(Error::TimedOut))
    }

    fn reply(&self, [id, answer]: Frame) {
        if let Err(why) = self.pending.reply(id, answer) {
            *self.refused.lock().expect("no panic under the lock").entry(why).or_default() += 1;
        }
    }
}

/// What a round has shown.
struct Outcome {
    calls_per_second: f64,
    allocations: f64,
    latencies: Latencies,
    timed_out: u64,
    misdelivered: u64,
    refused: BTreeMap<&'static str, u64>,
}

/// Makes calls by so many callers at a time, then hangs up.
async fn round<P: Pending>(options: &Options, over_tcp: bool, callers: u64) -> io::Result<Outcome> {
    let faults = options.faults();
    let client = Arc::new(Client {
        pending: P::new(),
        outbox: Arc::default(),
        refused: Mutex::default(),
        has_timeout: faults.is_hostile(),
    });
    let peer = Peer::new(faults, PATIENCE);
    let (outbox, replied) = (Arc::clone(&client.outbox), Arc::clone(&client));
    let reply = move |frame| replied.reply(frame);
    let connection = if over_tcp {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let stream = TcpStream::connect(listener.local_addr()?).await?;
        tokio::task::spawn_local(peer.serve(listener));
        tokio::task::spawn_local(async move {
            connect(stream, outbox, reply).await.expect("the connection works")
        })
    } else {
        tokio::task::spawn_local(peer.serve_here(outbox, reply))
    };
    let each = options.calls.div_ceil(callers);
    let caller = |client: Arc<Client<P>>, first: u64, mut latencies: Latencies| async move {
        let (mut timed_out, mut misdelivered) = (0, 0);
        for question in first..first + each {
            let begun = Instant::now();
            match client.call(question).await {
                Ok(answered) => misdelivered += u64::from(answered != answer(question)),
                Err(_) => timed_out += 1,
            }
            latencies.add(begun.elapsed());
        }
        (latencies, timed_out, misdelivered)
    };
    // The pool is warm, and the vectors have their size, when the clock starts.
    caller(Arc::clone(&client), 0, Latencies::new()).await;
    let spawn = |n| {
        let calls = caller(Arc::clone(&client), n * each, Latencies::new());
        tokio::task::spawn_local(calls)
    };
    let callers: Vec<_> = (0..callers).map(spawn).collect();
    let (begun, allocated) = (Instant::now(), allocated());
    let (mut latencies, mut timed_out, mut misdelivered) = (Latencies::new(), 0, 0);
    for caller in callers {
        let (times, late, wrong) = caller.await?;
        latencies.merge(&times);
        timed_out += late;
        misdelivered += wrong;
    }
    let calls = latencies.count();
    let allocations = (self::allocated() - allocated).count as f64 / calls as f64;
    let calls_per_second = calls as f64 / begun.elapsed().as_secs_f64();
    connection.abort();
    let refused = client.refused.lock().expect("no panic under the lock").clone();
    Ok(Outcome { calls_per_second, allocations, latencies, timed_out, misdelivered, refused })
}

/// Returns how many of the calls that wait when the peer hangs up fail at once.
async fn hang_up<P: Pending>() -> usize {
    const CALLS: u64 = 1_000;
    let pending = P::new();
    let waits: Vec<_> = (0..CALLS).map(|_| pending.begin().1).collect();
    pending.close();
    let all = futures::future::join_all(waits);
    let failed = tokio::time::timeout(Duration::from_secs(1), all).await.unwrap_or_default();
    failed.iter().filter(|answer| **answer == Err(Error::ConnectionLost)).count()
}

/// The outcomes of the rounds of one contender with one transport and so many callers.
fn row(
    name: &str,
    over_tcp: bool,
    callers: u64,
    mut outcomes: Vec<Outcome>,
    failed: usize,
) -> Vec<String> {
    outcomes.sort_by(|a, b| a.calls_per_second.total_cmp(&b.calls_per_second));
    let middle = &outcomes[outcomes.len() / 2];
    let best = &outcomes[outcomes.len() - 1];
    let sum = |figure: fn(&Outcome) -> u64| outcomes.iter().map(figure).sum::<u64>().to_string();
    let mut refused = BTreeMap::new();
    for (why, count) in outcomes.iter().flat_map(|outcome| &outcome.refused) {
        *refused.entry(why).or_insert(0) += count;
    }
    let refused = refused.iter().map(|(why, count)| format!("{count} {why}")).collect::<Vec<_>>();
    let place = if over_tcp { "TCP" } else { "in process" };
    vec![
        format!("{name}, {place}, {callers} callers"),
        format!("{:.0}", middle.calls_per_second),
        format!("{:.0}", best.calls_per_second),
        middle.latencies.percentiles(),
        format!("{:.3}", middle.allocations),
        sum(|outcome| outcome.timed_out),
        refused.join(", "),
        sum(|outcome| outcome.misdelivered),
        failed.to_string(),
    ]
}

async fn run(options: &Options) -> io::Result<(Vec<Vec<String>>, u64)> {
    let mut rows = Vec::new();
    let mut misdelivered = 0;
    for (over_tcp, callers) in [(false, 1), (false, 256), (true, 1), (true, 256)] {
        let place = if over_tcp { "over TCP" } else { "in process" };
        let mut progress =
            Progress::new(format!("{callers} callers {place}, rounds"), options.rounds.into());
        let (mut keys, mut channels) = (Vec::new(), Vec::new());
        for done in 1..=options.rounds {
            keys.push(round::<Keys>(options, over_tcp, callers).await?);
            channels.push(round::<Channels>(options, over_tcp, callers).await?);
            progress.at(done.into());
        }
        misdelivered += keys.iter().map(|outcome| outcome.misdelivered).sum::<u64>();
        rows.push(row(Keys::NAME, over_tcp, callers, keys, hang_up::<Keys>().await));
        rows.push(row(Channels::NAME, over_tcp, callers, channels, hang_up::<Channels>().await));
    }
    Ok((rows, misdelivered))
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime.and_then(|runtime| LocalSet::new().block_on(&runtime, run(&options)));
    let (rows, misdelivered) = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            eprintln!("rpc: {error}");
            return ExitCode::FAILURE;
        }
    };
    let header = [
        "",
        "calls/s, median",
        "best",
        "p50 / p99 / p99.9 µs",
        "allocations a call",
        "timed out",
        "replies refused",
        "misdelivered",
        "of 1000 failed at hang-up",
    ];
    print_table(&header, rows);
    if misdelivered == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<R>(test: impl Future<Output = R>) -> R {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, test)
    }

    fn options(arguments: &[&str]) -> Options {
        Options::parse_from(["rpc", "--calls", "2000", "--rounds", "1"].iter().chain(arguments))
    }

    #[test]
    fn a_friendly_peer_answers_every_call() {
        for over_tcp in [false, true] {
            let outcome = with(round::<Keys>(&options(&[]), over_tcp, 16)).unwrap();
            assert_eq!((outcome.timed_out, outcome.misdelivered, outcome.refused.len()), (0, 0, 0));
        }
    }

    #[test]
    fn a_hostile_peer_misdelivers_nothing() {
        let options = options(&["--drop", "2", "--late", "2", "--twice", "5", "--forge", "5"]);
        for over_tcp in [false, true] {
            let outcome = with(round::<Keys>(&options, over_tcp, 64)).unwrap();
            assert_eq!(outcome.misdelivered, 0);
            assert!(outcome.timed_out > 0 && !outcome.refused.is_empty());
        }
    }

    #[test]
    fn all_calls_fail_when_the_peer_hangs_up() {
        assert_eq!(with(hang_up::<Keys>()), 1_000);
        assert_eq!(with(hang_up::<Channels>()), 1_000);
    }

    #[test]
    fn wrong_arguments_are_refused_with_code_2() {
        for arguments in [["rpc", "--calls", "0"], ["rpc", "--drop", "101"], ["rpc", "--late", "x"]]
        {
            assert_eq!(
                Options::try_parse_from(arguments).err().map(|error| error.exit_code()),
                Some(2)
            );
        }
    }
}
