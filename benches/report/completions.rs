//! The section about one-shot completions.

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

In a round trip (`--only completion,`), an operation is rented or created, polled while it is pending, completed, polled again, and
returned to its pool or freed. In the column `completed first`, the operation is completed before the first poll. In the column
`cancelled`, the consumer is dropped while the operation is pending. In the column `two threads, each`, two threads make round trips at
the same time, and the figure is the time of one round trip of one thread. In the column `to another thread`, one thread awaits the
operations, and another thread completes them.

An erased completion is polled as a `ValueFuture` or a `LocalValueFuture`, and a boxed completion as a boxed future. In the rows with
`through &mut dyn`, the consumer is polled through a `&mut dyn Future`. The contender `floor` does only the least work of a completion:
it makes two atomic exchanges, and stores a waker and a value. It uses one slot for all operations of a thread, and detects no misuse.
`Event` and `EventPool` are types of `events_once`. `multishot` serves one operation at a time.
";

const LOCAL: &str = "\
The next table has the types that stay on one thread:
";

const BY_KEYS: &str = "\
In the next table, the operations are completed by a number, for example the id of a request on a wire. In this crate, the number is a
key. The other contenders store their senders in a `HashMap` or a `Slab`:
";

const PENDING: &str = "\
The next table has round trips while other operations are pending. The columns are the numbers of pending operations:
";

const REPLACING: &str = "\
In the last table, a random pending operation is completed, and a new operation is begun. If a million operations are pending, the slot
of a random operation is usually not in the CPU caches:
";

/// Returns one column for each number of pending operations. The figures of all columns are in one measured table.
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
