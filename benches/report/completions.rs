//! The section of one-shot completions.

use super::{
    comparison::{Column, comparison},
    measured::Measured,
    numbers::grouped,
};
use crate::{
    contenders::completion::many_pending,
    harness::completions::{
        BY_KEY, CANCELLED, COMPLETED_FIRST, LOCAL_CANCELLED, LOCAL_COMPLETED_FIRST,
        LOCAL_ROUND_TRIP, MANY_PENDING, OTHER_THREAD, REPLACED, ROUND_TRIP, TWO_THREADS,
    },
};

const TEXT: &str = "\
## One-shot completions

A round trip is: rent or create, pending poll, complete, ready poll, return (`--only completion,`). An erased completion is polled as
a `ValueFuture`, and a boxed one as a boxed future. The floor is two exchanges, a waker and a value, without renting, returning or
checks. `Event` and `EventPool` are types of `events_once`. `multishot` serves one operation at a time:
";

const LOCAL: &str = "\
On one thread:
";

const BY_KEYS: &str = "\
By key, as for replies over a wire. The other contenders store their senders in a map:
";

const PENDING: &str = "\
A round trip while other operations are pending. The columns are their number:
";

const REPLACING: &str = "\
Completing a random pending operation, and beginning another one. The slot of one of a million is in no cache of the processor:
";

/// Returns the columns of a table with one row for each number of pending operations.
fn by_number(title: &str) -> [Column; many_pending::PENDING.len()] {
    many_pending::PENDING.map(|number| {
        #[expect(clippy::cast_precision_loss, reason = "there are at most a million")]
        let label = grouped(number as f64);
        Column::new(label, title).with_suffix(many_pending::with("", number))
    })
}

pub(super) fn section(measured: &Measured) -> String {
    let shared = [
        Column::new("round trip", ROUND_TRIP),
        Column::new("completed first", COMPLETED_FIRST),
        Column::new("cancelled", CANCELLED),
        Column::new("two threads, each", TWO_THREADS)
            .with_suffix(crate::contenders::completion::two_threads::on_two("")),
        Column::new("to another thread", OTHER_THREAD),
    ];
    let local = [
        Column::new("round trip", LOCAL_ROUND_TRIP),
        Column::new("completed first", LOCAL_COMPLETED_FIRST),
        Column::new("cancelled", LOCAL_CANCELLED),
    ];
    let by_key = [Column::new("time", BY_KEY)];
    let table = |columns: &[Column]| comparison(measured, "an operation", columns);
    format!(
        "{TEXT}\n{}{LOCAL}\n{}{BY_KEYS}\n{}{PENDING}\n{}{REPLACING}\n{}",
        table(&shared),
        table(&local),
        table(&by_key),
        table(&by_number(MANY_PENDING)),
        table(&by_number(REPLACED)),
    )
}
