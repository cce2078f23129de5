//! A payment client whose bank answers some requests late. With slot indices as ids, late answers corrupt payments. With the
//! keys of a [`Pool`] as ids, the pool refuses each late answer, and each payment is executed once.
//!
//! ```text
//! cargo run --release --example payments [-- --payments N --rounds N --late PERCENT]
//! ```
//!
//! The client drops an attempt that has timed out, and repeats it. The bank recognizes a repeated attempt, and does not pay a
//! second time. If the bank declines a payment, the client orders it again. If the id of an attempt is the index of a slot, and
//! an attempt of payment A has timed out, an attempt of payment B may use the same slot. Then the client takes a late answer about A as the
//! answer about B. If this answer says *declined*, the client orders B again, although the bank may have executed B. If this answer
//! confirms A, the client takes B as confirmed. The column `wrong` counts payments that were
//! confirmed by the answer to another payment. The column `not paid once` counts payments that were executed more than once, or never. The
//! column `stale` counts the refused answers that came after another attempt had reused the slot.
//!
//! The column `second await` shows what happens if the client awaits a reply twice, by reference. With keys, the second await
//! panics. With slot indices, it returns the answer to another payment. A second await by value does not compile: see
//! `src/compile_fail.rs`.

mod attempts;
mod bank;
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

use attempts::{Attempts, PoolKeys, SlotIndices};
use bank::{Answer, Outcome, Request, serve};
use clap::Parser;
use common::{Contender, chance, measure, print_costs};
use futures::future::join_all;
use pollster::block_on;
use value_future::Pool;

#[derive(Parser)]
#[command(about = "Compares ids when answers are late: indices of slots against keys of a pool")]
struct Options {
    /// Number of payments of each client, in all rounds together.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    payments: u32,
    /// Number of rounds. In each round, each client runs once. The first round is a warm-up.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..))]
    rounds: u32,
    /// Percentage of attempts that time out, and that the bank answers late. At most 90, so that payments end.
    #[arg(long, default_value_t = 1, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(..=90))]
    late: u8,
}

/// The number of payments that run concurrently.
const PAYERS: usize = 64;
type Bank = SyncSender<Request>;

/// Orders a payment again and again, until an answer confirms it. Returns this answer.
async fn pay<A: Attempts>(attempts: &A, bank: &Bank, payment: usize, late: u8) -> Answer {
    let mut is_repeated = false;
    loop {
        let (id, reply) = attempts.begin();
        let is_late = chance(late.into());
        bank.send(Request { id, payment, is_repeated, is_late }).expect("the bank is running");
        is_repeated = is_late;
        if is_late {
            drop(reply); // The attempt has timed out.
        } else if let Some(answer) = reply.await.filter(|answer| answer.is_paid) {
            return answer;
        }
    }
}

/// Runs one round of payments, and adds its counts to the outcome. Returns the number of payments.
fn run_round<A: Attempts>(attempts: &A, payments: usize, late: u8, outcome: &mut Outcome) -> u64 {
    let (bank, requests) = sync_channel(1 << 10);
    let bank_thread =
        || serve(requests, payments, |id, answer| attempts.answer(id, answer), &mut *outcome);
    let wrong: usize = thread::scope(|scope| {
        scope.spawn(bank_thread);
        let bank = bank; // `bank` is moved into this scope, so that its drop ends the bank's thread.
        let payer = async |first: usize| {
            let mut wrong = 0;
            for payment in (first..payments).step_by(PAYERS) {
                wrong += usize::from(pay(attempts, &bank, payment, late).await.payment != payment);
            }
            wrong
        };
        block_on(join_all((0..PAYERS).map(&payer))).iter().sum()
    });
    outcome.payments += payments;
    outcome.wrong += wrong;
    payments as u64
}

/// Awaits a reply a second time, after another attempt has reused its slot. Returns the result of the second await as text.
fn second_await<A: Attempts>(attempts: &A) -> String {
    let (id, mut reply) = attempts.begin();
    let _ = attempts.answer(id, Answer { payment: 1, is_paid: true });
    block_on(&mut reply);
    let (id, _other) = attempts.begin();
    let _ = attempts.answer(id, Answer { payment: 2, is_paid: true });
    match catch_unwind(AssertUnwindSafe(|| block_on(&mut reply))) {
        Ok(answer) => format!("payment {}", answer.map_or(0, |answer| answer.payment)),
        Err(_) => "panics".into(),
    }
}

fn main() -> ExitCode {
    let Options { payments, rounds, late } = Options::parse();
    let payments = payments.div_ceil(rounds) as usize;
    let (indices, keys) = (SlotIndices::default(), PoolKeys(Pool::new()));
    let [mut by_index, mut by_key] = [Outcome::default(); 2];
    let contenders = vec![
        Contender::new("index of a slot", || run_round(&indices, payments, late, &mut by_index)),
        Contender::new("key of a pool", || run_round(&keys, payments, late, &mut by_key)),
    ];
    let costs = measure("payments", rounds - 1, contenders);
    // The panic of `second_await` is expected, so the hook prints no backtrace.
    set_hook(Box::new(|panic| eprintln!("the second await: {panic}")));
    let again = [second_await(&SlotIndices::default()), second_await(&keys)];
    let rows = costs.iter().zip([by_index, by_key]).zip(again).map(|((cost, outcome), again)| {
        let Outcome { payments, not_once, wrong, late, refused, stale } = outcome;
        let counts = [payments, late, refused, stale, not_once, wrong].map(|n| n.to_string());
        cost.row(&costs[1], counts.into_iter().chain([again]))
    });
    let columns =
        ["payments", "late answers", "refused", "stale", "not paid once", "wrong", "second await"];
    print_costs(&columns, rows);
    let is_correct = by_key.not_once + by_key.wrong == 0 && by_key.refused == by_key.late;
    if is_correct { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
