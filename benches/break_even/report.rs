//! Writes the report `docs/break_even.md`.

use std::fmt::Write as _;

use super::{
    allocator::ALLOCATORS,
    conclusions::{self, WORK, noticeable},
    data::{
        ASYNC_TRAIT, BOX_FUTURE, CONTENDERS, Cost, Costs, Figures, OURS, RESULTS, Resident, SHARES,
        Situation,
    },
    latencies::{CLOCK, SHARE},
    markdown::table,
    processes::Plan,
    rounding::from_percent,
    verdict::{CLEAR, Comparison, NOTICEABLE, RULE},
};

/// Returns the report, without its title.
pub(crate) fn report(figures: &Figures, plan: &Plan) -> String {
    let [low, high] = RULE;
    format!(
        "A method behind `dyn` has its result ready, or waits once. Its future is awaited in a boxed async block, which \
         `futures::executor::block_on` runs. How many of the results must be ready for `ValueFuture` to pay?\n\n\
         * A contender of this crate is *noticeably faster* than its rival (`BoxFuture` or `async-trait`) if it is at least {} faster. \
         If it is at least {CLEAR} times as fast, it *clearly pays*.\n\
         * The rule of thumb for `ValueTask` of .NET: if less than {low} % of the results are ready, do not bother. If more than \
         {high} % are ready, `ValueTask` clearly pays. For each contender of this crate, the bench computes the share of ready results \
         above which the contender clearly pays. The rule holds if this share is above {low} % and at most {high} %.\n\
         * A *case* is an allocator and a number of threads (one or two). A *comparison* is one contender of this crate against one \
         rival, in one case and for one type of results. If a sentence in the section *In short* does not say otherwise, it holds in \
         all cases. Between two measured shares, the times are interpolated.\n\
         * The contenders: `async-trait` is the attribute of the crate `async-trait`. `BoxFuture` is `Box::pin(ready(..))` or \
         `Box::pin(async ..)`. `Either` is `Either<Ready<T>, BoxFuture<T>>`. `ours boxed` is `ValueFuture::ready` if the result is \
         ready, and otherwise `ValueFuture::boxed`. `ours pooled` is the same with `ValueFuture::pooled` instead of \
         `ValueFuture::boxed`. `ours #[ready]` is the attribute `async_trait` of this crate, with `#[ready]`.\n\n\
         ## In short\n\n{}\
         ![Times relative to `BoxFuture`, by the share of ready results](break_even.svg)\n\n\
         The chart shows the minimum times of calls on one thread.\n\n\
         ## Where it begins to pay\n\n\
         The first three columns of figures are shares of ready results. Below the first share, the contender is not noticeably faster \
         in any case. From the second share on, it is noticeably faster in all cases. From the third share on, it is at least {CLEAR} \
         times as fast in all cases. Each of the other columns has the least and the greatest speedup of all cases, at the share in its \
         header. A speedup is the time of the rival, divided by the time of the contender.\n\n{}{}{}{}{}{}",
        noticeable(),
        conclusions::in_short(figures),
        conclusions::tables(figures),
        with_work(figures),
        times(figures, plan),
        allocations(figures),
        memory(figures, plan),
        latencies(figures, plan),
    )
}

/// Returns a table with a column for each contender, and a row for each share.
fn by_share(costs: &Costs, cell: impl Fn(&Cost) -> String) -> String {
    let names = CONTENDERS.iter().map(|name| format!("`{name}`"));
    let header: Vec<_> = [String::from("ready")].into_iter().chain(names).collect();
    let row = |(share, costs): (u32, &[Cost; CONTENDERS.len()])| {
        [format!("{share} %")].into_iter().chain(costs.iter().map(&cell)).collect()
    };
    let rows: Vec<_> = SHARES.into_iter().zip(costs).map(row).collect();
    table(&header, &rows)
}

fn with_work(figures: &Figures) -> String {
    let costs = figures.costs();
    let pairs =
        || [BOX_FUTURE, ASYNC_TRAIT].into_iter().flat_map(|rival| OURS.map(|it| [it, rival]));
    let name = |[ours, rival]: [usize; 2]| {
        format!("`{}`, against `{}`", CONTENDERS[ours], CONTENDERS[rival])
    };
    let header: Vec<_> = [String::from("work")].into_iter().chain(pairs().map(name)).collect();
    let rows = WORK.map(|(work, name)| {
        let cell = |pair| {
            let from = |allocator: &&'static str| {
                let costs = &costs[&Situation { allocator, threads: 1, result: 0 }];
                Comparison::new(costs, pair, |cost| cost.min).pays_from(NOTICEABLE, work)
            };
            let shares = ALLOCATORS.iter().map(from).collect::<Option<Vec<_>>>();
            shares.map_or("never".into(), |it| from_percent(it.into_iter().fold(0.0, f64::max)))
        };
        [name.into()].into_iter().chain(pairs().map(cell)).collect()
    });
    format!(
        "## With work\n\n\
         In a program, a pending call also does other work: system calls, messages, the scheduler. Here, the processor time of this \
         work is added to the measured times of pending calls. Each cell has a share of ready results. From this share on, a call \
         is on average at least {} faster. If the allocators have different shares, the cell has the greatest share. The results have {} \
         bytes, and the calls run on one thread. (The section *In short* has the least share of all cases with 8 or 24 bytes.)\n\n{}",
        noticeable(),
        RESULTS[0].0,
        table(&header, &rows)
    )
}

fn times(figures: &Figures, plan: &Plan) -> String {
    let [one, two] = plan.rounds.map(|rounds| rounds * plan.processes);
    let mut text = format!(
        "## Times\n\n\
         Each cell has the minimum and the median time of a call in ns. The times are from {one} rounds on one thread, or from {two} \
         rounds on two threads that call the same object. With two threads, the time of the slower thread is used. For each table, \
         {} processes measured the times. The median in a cell is the median of the medians of these processes. The contenders take \
         turns.\n\n",
        plan.processes
    );
    for (Situation { allocator, threads, result }, costs) in figures.costs() {
        let (bytes, name) = RESULTS[result];
        let _ = writeln!(text, "{allocator}, threads: {threads}, {bytes} bytes (`{name}`)\n");
        text += &by_share(&costs, |cost| format!("{:.1} / {:.1}", cost.min, cost.median));
    }
    text
}

fn allocations(figures: &Figures) -> String {
    let mut text = String::from(
        "## Allocations\n\nEach cell has the number of allocations of a call, and the sum of their bytes. The figures are the same in \
         all cases.\n\n",
    );
    for (Situation { result, .. }, costs) in figures.costs().into_iter().take(RESULTS.len()) {
        let (bytes, name) = RESULTS[result];
        let _ = writeln!(text, "{bytes} bytes (`{name}`)\n");
        text += &by_share(&costs, |cost| format!("{:.2} / {:.1}", cost.allocations, cost.bytes));
    }
    text
}

/// Returns a table. It has a row for each name, and `cells` returns the other cells of a row.
fn by_contender<'n>(
    first: &str,
    columns: Vec<String>,
    names: impl IntoIterator<Item = &'n str>,
    cells: impl Fn(usize) -> Vec<String>,
) -> String {
    let header: Vec<_> = [first.to_owned()].into_iter().chain(columns).collect();
    let row =
        |(contender, name)| [format!("`{name}`")].into_iter().chain(cells(contender)).collect();
    let rows: Vec<_> = names.into_iter().enumerate().map(row).collect();
    table(&header, &rows)
}

fn memory(figures: &Figures, plan: &Plan) -> String {
    let resident = &figures.resident;
    if resident.values().any(|all| all.len() < CONTENDERS.len()) {
        return "## Memory\n\nThe system does not report the resident memory.\n\n".into();
    }
    let column =
        |(allocator, result): &(&str, usize)| format!("{} bytes, {allocator}", RESULTS[*result].0);
    let cell = |it: &Resident| format!("{:.0} / {:.0}", it.held, it.dropped);
    let table = by_contender("", resident.keys().map(column).collect(), CONTENDERS, |contender| {
        resident.values().map(|all| cell(&all[contender])).collect()
    });
    format!(
        "## Memory\n\n\
         Each cell has two figures: the growth of the resident memory while {} calls are pending, and the growth that remains after \
         their futures were dropped. Both figures are in bytes per call. The first figure includes the vector that holds the futures. \
         A separate process measured each cell.\n\n{table}",
        plan.pending_calls,
    )
}

fn latencies(figures: &Figures, plan: &Plan) -> String {
    let mut text = format!(
        "## Latency\n\n\
         The figures are percentiles of the times of single calls, in ns. Each figure is the median of {} passes. A pass has {} calls \
         on each thread. The results have {} bytes, and {SHARE} % of them are ready. Each call is timed, so each figure includes the \
         cost of the clock. The last row shows this cost: its call does nothing.\n\n",
        plan.passes, plan.timed_calls, RESULTS[0].0,
    );
    for threads in [1, 2] {
        let columns = ALLOCATORS.iter().flat_map(|allocator| {
            ["p50", "p99", "p99.99"].map(|percentile| format!("{allocator}: {percentile}"))
        });
        let first = format!("threads: {threads}");
        let names = CONTENDERS.into_iter().chain([CLOCK]);
        text += &by_contender(&first, columns.collect(), names, |contender| {
            let latencies =
                ALLOCATORS.iter().map(|it| figures.latencies[&(*it, threads)][contender]);
            latencies.flat_map(|it| [it.p50, it.p99, it.p99_99].map(|it| it.to_string())).collect()
        });
    }
    text
}
