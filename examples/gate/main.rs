//! A fair, cancel-safe semaphore on a `Pool` of completions: `gate.rs`, with about 110 lines of code.
//!
//! ```text
//! cargo run --release --example gate [-- --calls N --rounds N --every N]
//! ```
//!
//! A call takes a vacant permit by one atomic operation, and returns it as an inline result. If there is none, the call rents an
//! operation of the pool, and puts its completer into a queue. The table compares the semaphore with those of `tokio` and
//! `async-lock`. Each call acquires a permit and releases it. Behind `dyn`, the futures of the other two are boxed. In the parts
//! with contention, every 100th call has to wait. The last column says which is served first: a waiting task, or a new call.

#[path = "../common/mod.rs"]
mod common;
mod gate;
#[cfg(test)]
mod tests;

use std::{hint::black_box, pin::pin, process::ExitCode, task::Poll, thread};

use async_lock::Semaphore as AsyncLock;
use clap::Parser;
use common::{Contender, Cost, contest, print_table};
use futures::{
    future::{BoxFuture, join_all},
    poll,
};
use gate::{Gate, Permit};
use pollster::block_on;
use tokio::sync::Semaphore as Tokio;
use value_future::ValueFuture;

#[derive(Parser)]
#[command(about = "A semaphore on a pool, against those of tokio and async-lock")]
struct Options {
    /// Calls of each thread in each round.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    calls: u64,
    /// Rounds, in which the contenders take turns.
    #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// In the parts with contention, every N-th call has to wait.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
}

/// A type-erased `acquire`.
type DynAcquire<'s, F> = &'s (dyn Fn() -> F + Sync);

/// Acquires and releases a permit `calls` times. Each `every`-th time it takes all permits first, so that it has to wait.
async fn call<F: Future>(acquire: impl Fn() -> F, calls: u64, every: u64) {
    let mut held = Vec::new();
    for n in 1..=calls {
        if n % every != 0 {
            black_box(&acquire().await);
            continue;
        }
        let mut next = pin!(acquire());
        while let Poll::Ready(permit) = poll!(next.as_mut()) {
            held.push(permit);
            next.set(acquire());
        }
        held.clear();
        black_box(&next.await);
    }
}

/// Returns `true` if a released permit goes to the waiting task, and not to a new call.
async fn is_fair<F: Future>(acquire: impl Fn() -> F, permits: u64) -> bool {
    let mut held = join_all((0..permits).map(|_| acquire())).await;
    let mut waiter = pin!(acquire());
    assert!(poll!(waiter.as_mut()).is_pending());
    held.pop();
    let new_call = poll!(pin!(acquire()));
    new_call.is_pending() && poll!(waiter).is_ready()
}

/// Returns a contender, and whether it is fair. Each of the threads makes `calls` calls in each round.
fn contender<'c, F: Future>(
    name: &'static str,
    acquire: impl Fn() -> F + Sync + 'c,
    [threads, calls, every]: [u64; 3],
) -> (Contender<'c>, bool) {
    let is_fair = block_on(is_fair(&acquire, threads));
    let run = move || {
        let thread = || block_on(Box::pin(call(&acquire, calls, every)));
        thread::scope(|scope| {
            (1..threads).for_each(|_| drop(scope.spawn(thread)));
            thread();
        });
        calls
    };
    (Contender::new(name, run), is_fair)
}

/// Returns the rows of a part of the table, or `None` if the gate has lost a permit.
fn part(title: &str, rounds: u32, plan: [u64; 3]) -> Option<Vec<Vec<String>>> {
    let permits = usize::try_from(plan[0]).expect("few threads");
    let (gate, tokio, lock) = (Gate::new(permits), Tokio::new(permits), AsyncLock::new(permits));
    let dyn_gate: DynAcquire<'_, ValueFuture<'_, Permit<'_>>> = &|| gate.acquire();
    let dyn_tokio: DynAcquire<'_, BoxFuture<'_, _>> = &|| Box::pin(tokio.acquire());
    let dyn_lock: DynAcquire<'_, BoxFuture<'_, _>> = &|| Box::pin(lock.acquire());
    let (contenders, fair): (Vec<_>, Vec<_>) = [
        contender("gate", || gate.acquire(), plan),
        contender("tokio", || tokio.acquire(), plan),
        contender("async-lock", || lock.acquire(), plan),
        contender("dyn gate", black_box(dyn_gate), plan),
        contender("dyn tokio", black_box(dyn_tokio), plan),
        contender("dyn async-lock", black_box(dyn_lock), plan),
    ]
    .into_iter()
    .unzip();
    let costs = contest(title, rounds, contenders);
    let row = |(index, is_fair): (usize, bool)| {
        let mut cells = costs[index].cells(&costs[index / 3 * 3]);
        cells[0] = format!("{title}, {}", cells[0]);
        cells.push(if is_fair { "waiting task" } else { "new call" }.into());
        cells
    };
    let rows = fair.into_iter().enumerate().map(row).collect();
    (gate.available_permits() == permits).then_some(rows)
}

fn main() -> ExitCode {
    let Options { calls, rounds, every } = Options::parse();
    let mut rows = Vec::new();
    let waits = format!(", 1 call in {every} waits");
    for (threads, name) in [(1, "1 thread"), (2, "2 threads")] {
        for (every, contention) in [(u64::MAX, ""), (every, &waits)] {
            let title = format!("{name}{contention}");
            let Some(part) = part(&title, rounds, [threads, calls, every]) else {
                eprintln!("gate: a permit was lost");
                return ExitCode::FAILURE;
            };
            rows.extend(part);
        }
    }
    let mut header = Cost::HEADER.to_vec();
    header.push("served first");
    print_table(&header, rows);
    ExitCode::SUCCESS
}
