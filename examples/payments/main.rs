//! A client that pays twice because of late answers. If its ids are keys of a pool, it pays once.
//!
//! ```text
//! cargo run --release --example payments [-- --payments N --rounds N --late PERCENT]
//! ```
//!
//! The client drops an attempt that has timed out, and repeats it. The bank then pays once. If the bank denies a payment, the
//! client orders it again. But some answers come late. If the id of an attempt is the index of a slot, a late answer ends the
//! next attempt in that slot. So the client orders a paid payment again (`not paid once`), or takes the answer to another
//! payment as a confirmation (`wrong`). If the id is the key of a [`Pool`], the pool refuses the late answer. A second
//! await by value does not compile (`src/compile_fail.rs`), and by reference it panics. Without keys it returns another answer.

mod bank;
mod calls;
#[path = "../common/mod.rs"]
mod common;
#[cfg(test)]
mod tests;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    process::ExitCode,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
};

use bank::{Answer, Outcome, Request, serve};
use calls::{Calls, Indices, Keys};
use clap::Parser;
use common::{Contender, Cost, contest, happens, print_table};
use futures::future::join_all;
use pollster::block_on;
use value_future::Pool;

#[derive(Parser)]
#[command(about = "Late answers of a bank: indices of slots against keys of a pool")]
struct Options {
    /// Payments of each client, in all rounds.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    payments: u32,
    /// Rounds, in which the clients take turns. The first is not measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..))]
    rounds: u32,
    /// Percentage of attempts that time out, and are answered later. At most 90, so that a payment ends.
    #[arg(long, default_value_t = 1, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(..=90))]
    late: u8,
}

/// The number of concurrent payments.
const PAYERS: usize = 64;

/// Pays, and returns the confirmation.
async fn pay<C: Calls>(calls: &C, bank: &SyncSender<Request>, payment: usize, late: u8) -> Answer {
    let mut is_repeated = false;
    loop {
        let (id, reply) = calls.begin();
        let is_late = happens(late.into());
        bank.send(Request { id, payment, is_repeated, is_late }).expect("the bank is running");
        is_repeated = is_late;
        if is_late {
            drop(reply); // The attempt has timed out.
        } else if let Some(answer) = reply.await.filter(|answer| answer.is_paid) {
            return answer;
        }
    }
}

/// Makes payments, and adds their results to the outcome.
fn round<C: Calls>(calls: &C, payments: usize, late: u8, outcome: &mut Outcome) -> u64 {
    let (bank, requests) = sync_channel(1 << 10);
    let bank_thread =
        || serve(requests, payments, |id, answer| calls.answer(id, answer), &mut *outcome);
    let wrong: usize = thread::scope(|scope| {
        scope.spawn(bank_thread);
        let bank = bank; // Dropping it hangs up.
        let payer = async |first: usize| {
            let mut wrong = 0;
            for payment in (first..payments).step_by(PAYERS) {
                wrong += usize::from(pay(calls, &bank, payment, late).await.payment != payment);
            }
            wrong
        };
        block_on(join_all((0..PAYERS).map(&payer))).iter().sum()
    });
    outcome.payments += payments;
    outcome.wrong += wrong;
    payments as u64
}

/// Awaits a reply again after another attempt has reused its slot. By value, this would not compile.
fn await_again<C: Calls>(calls: &C) -> String {
    let (id, mut reply) = calls.begin();
    let _ = calls.answer(id, Answer { payment: 1, is_paid: true });
    block_on(&mut reply);
    let (id, _other) = calls.begin();
    let _ = calls.answer(id, Answer { payment: 2, is_paid: true });
    match catch_unwind(AssertUnwindSafe(|| block_on(&mut reply))) {
        Ok(answer) => format!("payment {}", answer.map_or(0, |answer| answer.payment)),
        Err(_) => "panics".into(),
    }
}

fn main() -> ExitCode {
    let Options { payments, rounds, late } = Options::parse();
    let each = payments.div_ceil(rounds) as usize;
    let (indices, keys) = (Indices::default(), Keys(Pool::new()));
    let [mut by_index, mut by_key] = [Outcome::default(); 2];
    let contenders = vec![
        Contender::new("index of a slot", || round(&indices, each, late, &mut by_index)),
        Contender::new("key of a pool", || round(&keys, each, late, &mut by_key)),
    ];
    let costs = contest("payments", rounds - 1, contenders);
    // The panic of `await_again` is expected, and needs no backtrace.
    set_hook(Box::new(|panic| eprintln!("the second await: {panic}")));
    let again = [await_again(&Indices::default()), await_again(&keys)];
    let rows = costs.iter().zip([by_index, by_key]).zip(again).map(|((cost, outcome), again)| {
        let Outcome { payments, not_once, wrong, late, refused, stale } = outcome;
        let counts = [payments, late, refused, stale, not_once, wrong].map(|n| n.to_string());
        cost.cells(&costs[1]).into_iter().chain(counts).chain([again]).collect()
    });
    let counted =
        ["payments", "late answers", "refused", "stale", "not paid once", "wrong", "second await"];
    print_table(&[&Cost::HEADER[..], &counted].concat(), rows);
    let is_right = by_key.not_once + by_key.wrong == 0 && by_key.refused == by_key.late;
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
