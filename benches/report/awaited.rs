//! Writes the section about futures that are pending once, for results of several types.

use std::io;

use super::{
    comparison::{Column, comparison},
    measured::Measured,
    numbers::{and, count, range, ratio},
};
use crate::{
    contenders::{
        awaited::{BOX_PIN, BOXED, EAGER, POOLED},
        ready::Value,
    },
    harness::awaited::{COMPLETION, METHOD, OTHERS, title},
};

const TEXT: &str = "\
## Pending results

The futures in these tables are pending once. They are awaited in a boxed async block (`--only awaited,`).

The first table has the futures of a method behind `dyn`. `ours eager` polls its future once in the call (`ValueFuture::eager`).
`bare future` has as much space for its result as a value future has, but no slot and no vtable:
";

const COMPLETIONS: &str = "\
The next table has completions, which a `dyn Fn` creates. `oneshot`, `tokio` and `futures` are the one-shot channels of these crates. A
boxed receiver and an erased completion have types that a method behind `dyn` can return. An erased completion is a `ValueFuture` or a
`LocalValueFuture`.
";

const OTHER_FUTURES: &str = "\
The last table has a shared future with one awaiter, and the next item of a stream:
";

const NOTES: &str = "\
A value future contains space for its result, and `.await` moves the whole future twice. When a pending value future completes, `.await`
copies the result once more. So large results take longer than with a box. A
`Completion` that is awaited directly, not as a `ValueFuture`, contains no space for the result.
";

/// Calls a generic function for each type of results. Returns an array.
macro_rules! for_each_value {
    ($function:ident($($argument:expr),*)) => {
        [
            $function::<u64>($($argument),*),
            $function::<[u64; 1]>($($argument),*),
            $function::<io::Result<usize>>($($argument),*),
            $function::<String>($($argument),*),
            $function::<io::Result<Vec<u8>>>($($argument),*),
            $function::<[u64; 8]>($($argument),*),
            $function::<Result<[u64; 8], ()>>($($argument),*),
            $function::<[u64; 32]>($($argument),*),
            $function::<[u64; 128]>($($argument),*),
        ]
    };
}

fn column<V: Value>(what: &str) -> Column {
    Column::of_type::<V>(title::<V>(what))
}

/// Returns the name of a type of results, its size, and the title of its table of methods.
fn method<V: Value>() -> (&'static str, usize, String) {
    (V::NAME, size_of::<V>(), title::<V>(METHOD))
}

/// Returns a sentence that says for which types of results a contender is at least 5 % slower than a box.
fn slower(measured: &Measured, contender: &str) -> String {
    let methods = for_each_value!(method()).into_iter();
    let slow = methods.filter(|(_, _, title)| measured.ratio(title, [contender, BOX_PIN]) >= 1.05);
    let names: Vec<_> = slow.map(|(name, ..)| format!("`{name}`")).collect();
    if names.is_empty() {
        format!(
            "For none of these results, `{contender}` is slower than `{BOX_PIN}` by 5 % or more."
        )
    } else {
        format!("For {}, `{contender}` is slower than `{BOX_PIN}` by 5 % or more.", and(&names))
    }
}

/// Compares `boxed` with `Box::pin`, for results of at most 64 bytes. Returns the sentences.
fn boxed(measured: &Measured) -> String {
    let methods = for_each_value!(method()).into_iter();
    let small: Vec<_> = methods.filter(|(_, size, _)| *size <= 64).map(|(.., it)| it).collect();
    let ratios = small.iter().map(|title| measured.ratio(title, [BOXED, BOX_PIN]));
    let bytes = |title: &String, name| measured.row(title, name).bytes;
    let more = small.iter().map(|title| bytes(title, BOXED) - bytes(title, BOX_PIN));
    format!(
        "`{BOXED}` takes {} times as long as `{BOX_PIN}` for results of up to 64 bytes. Its one allocation is {} bytes larger.",
        range(ratios, ratio),
        range(more, count),
    )
}

pub(super) fn section(measured: &Measured) -> String {
    let columns = |what| for_each_value!(column(what));
    let tables = [METHOD, COMPLETION, OTHERS]
        .map(|what| comparison(measured, "an operation", &columns(what)));
    let [methods, completions, others] = tables;
    format!(
        "{TEXT}\n{methods}* {}\n* {}\n* {}\n* {}\n\n{NOTES}\n{COMPLETIONS}\n{completions}{OTHER_FUTURES}\n{others}",
        slower(measured, POOLED),
        slower(measured, EAGER),
        slower(measured, BOXED),
        boxed(measured),
    )
}
