//! Measures `Gate`, a fair and cancel-safe semaphore, against the semaphores of `tokio` and `async-lock`.
//!
//! `gate.rs` implements `Gate` on a `Pool`, in about 110 lines of code. A call acquires an available permit by one atomic operation, and
//! returns it as an inline result. If no permit is available, the call rents an operation, and queues its completer.
//!
//! ```text
//! cargo run --release --example gate [-- --calls N --rounds N --every N]
//! ```
//!
//! Each measured call acquires a permit, and releases it. In the rows `dyn`, `acquire` is called behind `dyn`. The futures of the other two
//! semaphores are then boxed. In the rows with contention, every 100th call waits (option `--every`). The column `served first` names the
//! caller that gets a released permit: the waiting task, or a new call.

#[path = "../common/mod.rs"]
mod common;
mod gate;
#[cfg(test)]
mod tests;

use std::{hint::black_box, pin::pin, process::ExitCode, task::Poll, thread};

use async_lock::Semaphore as AsyncLockSemaphore;
use clap::Parser;
use common::{Contender, measure, print_costs};
use futures::{
    future::{BoxFuture, join_all},
    poll,
};
use gate::{Gate, Permit};
use pollster::block_on;
use tokio::sync::Semaphore as TokioSemaphore;
use value_future::ValueFuture;

#[derive(Parser)]
#[command(about = "Measures a semaphore on a pool against the semaphores of tokio and async-lock")]
struct Options {
    /// Number of calls of each thread in each round.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    calls: u64,
    /// Number of rounds. In each round, each contender runs once.
    #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// In the rows with contention, every N-th call waits.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
}

/// The numbers of threads and of calls, and the option `every`.
type Plan = [u64; 3];

/// A type-erased `acquire`.
type DynAcquire<'s, F> = &'s (dyn Fn() -> F + Sync);

/// Acquires and releases a permit `calls` times. Before each `every`-th call, the task acquires all permits, so that this call waits.
async fn run_calls<F: Future>(acquire: impl Fn() -> F, calls: u64, every: u64) {
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

/// Returns a contender, and `true` if it is fair. In each round, each thread makes `calls` calls.
fn contender<'c, F: Future>(
    name: &'static str,
    acquire: impl Fn() -> F + Sync + 'c,
    [threads, calls, every]: Plan,
) -> (Contender<'c>, bool) {
    let is_fair = block_on(is_fair(&acquire, threads));
    let run = move || {
        let thread = || block_on(Box::pin(run_calls(&acquire, calls, every)));
        thread::scope(|scope| {
            (1..threads).for_each(|_| drop(scope.spawn(thread)));
            thread();
        });
        calls
    };
    (Contender::new(name, run), is_fair)
}

/// Measures all contenders. Returns their rows, or `None` if the gate has lost a permit.
fn measure_rows(title: &str, rounds: u32, plan: Plan) -> Option<Vec<Vec<String>>> {
    let permits = usize::try_from(plan[0]).expect("a small number");
    let (gate, tokio, lock) =
        (Gate::new(permits), TokioSemaphore::new(permits), AsyncLockSemaphore::new(permits));
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
    let costs = measure(title, rounds, contenders);
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
            let Some(measured) = measure_rows(&title, rounds, [threads, calls, every]) else {
                eprintln!("gate: a permit was lost");
                return ExitCode::FAILURE;
            };
            rows.extend(measured);
        }
    }
    print_costs(&["served first"], rows);
    ExitCode::SUCCESS
}
