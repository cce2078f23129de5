//! Writes the section *In short*. Its table is also in the README. `tests/benchmarks.rs` checks that the two tables are equal.

use std::io;

use super::{
    markdown::table,
    measured::Measured,
    numbers::{count, nanoseconds, range},
};
use crate::{
    contenders::{
        attribute::{ASYNC_TRAIT, ATTRIBUTE},
        awaited::{OURS_ERASED, TOKIO_BOXED},
        ready::Value,
    },
    harness::{
        attribute::{self, BEFORE_THE_BODY, IN_THE_BODY, PENDING},
        awaited::{self, COMPLETION},
    },
};

/// A row of the summary: its label, the kind of measured table from which its figures come, and the name of the contender in these tables.
/// There is a measured table of each kind for each type of results.
struct Line {
    label: &'static str,
    kind: Kind,
    contender: &'static str,
}

enum Kind {
    Attribute(&'static str),
    Completion,
}

impl Kind {
    fn title<V: Value>(&self) -> String {
        match self {
            Kind::Attribute(what) => attribute::title::<V>(what),
            Kind::Completion => awaited::title::<V>(COMPLETION),
        }
    }
}

const LINES: [Line; 8] = [
    Line {
        label: "result available at the call: `async-trait`",
        kind: Kind::Attribute(BEFORE_THE_BODY),
        contender: ASYNC_TRAIT,
    },
    Line {
        label: "result available at the call: **`#[ready]`**",
        kind: Kind::Attribute(BEFORE_THE_BODY),
        contender: ATTRIBUTE,
    },
    Line {
        label: "result found by the body: `async-trait`",
        kind: Kind::Attribute(IN_THE_BODY),
        contender: ASYNC_TRAIT,
    },
    Line {
        label: "result found by the body: **`async_trait`**",
        kind: Kind::Attribute(IN_THE_BODY),
        contender: ATTRIBUTE,
    },
    Line {
        label: "pending once: `async-trait`",
        kind: Kind::Attribute(PENDING),
        contender: ASYNC_TRAIT,
    },
    Line {
        label: "pending once: **`async_trait`**",
        kind: Kind::Attribute(PENDING),
        contender: ATTRIBUTE,
    },
    Line {
        label: "one-shot: `tokio` oneshot, boxed",
        kind: Kind::Completion,
        contender: TOKIO_BOXED,
    },
    Line {
        label: "one-shot: **`Completion`** as a `ValueFuture`",
        kind: Kind::Completion,
        contender: OURS_ERASED,
    },
];

pub(super) fn section(measured: &Measured) -> String {
    let header = ["min ns of a call, behind `dyn`", "`u64`", "`io::Result<usize>`", "allocations"];
    let rows = LINES.map(|Line { label, kind, contender }| {
        let titles = [kind.title::<u64>(), kind.title::<io::Result<usize>>()];
        let rows = titles.map(|title| measured.row(&title, contender));
        let allocations = range(rows.map(|row| row.allocations), count);
        let [first, second] = rows.map(|row| nanoseconds(row.min));
        vec![label.into(), first, second, allocations]
    });
    format!("## In short\n\n{}", table(&header.map(Into::into), &rows))
}
