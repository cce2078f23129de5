//! The report in Markdown.

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
        "A method behind `dyn` has its result ready, or waits once. It is awaited in a boxed async block on \
         `futures::executor::block_on`. From which share of ready results on does `ValueFuture` pay?\n\n\
         * If a contender is less than {} faster, the difference is *not noticeable*. If it is {CLEAR} times as fast, it *clearly \
         pays*.\n\
         * The rule of thumb for `ValueTask` of .NET: below {low} % do not bother, above {high} % it clearly pays. Here the rule \
         holds if a contender is {CLEAR} times as fast from a share above {low} % on, and that share is at most {high} %.\n\
         * Each allocator, with one thread and with two, is a case. The sentences hold in all cases. Shares between the measured \
         ones are interpolated.\n\
         * The contenders: `#[async_trait]` of `async-trait`; `Box::pin(ready(..))` or `Box::pin(async ..)` as a `BoxFuture`; \
         `Either<Ready<T>, BoxFuture<T>>`; `ValueFuture::ready` with `boxed`, or with `pooled`; and `#[async_trait]` of this crate \
         with `#[ready]`.\n\n\
         ## In short\n\n{}\
         ![Times relative to `BoxFuture`, by the share of ready results](break_even.svg)\n\n\
         The chart has the minima on one thread.\n\n\
         ## Where it begins to pay\n\n\
         The last columns have the least and the greatest speedup of all cases.\n\n{}{}{}{}{}{}",
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
         A pending call does other work too: system calls, messages, the scheduler. Each cell has the share from which on the mean \
         call with that work is {} faster. Below that share, the difference is not noticeable. The work is processor time. The \
         results have {} bytes, and the calls run on one thread. If the allocators have different shares, the cell has the greater one.\n\n{}",
        noticeable(),
        RESULTS[0].0,
        table(&header, &rows)
    )
}

fn times(figures: &Figures, plan: &Plan) -> String {
    let [one, two] = plan.rounds.map(|rounds| rounds * plan.processes);
    let mut text = format!(
        "## Times\n\n\
         Each cell has the minimum and the median time of a call in ns: of {one} rounds on one thread, or of {two} rounds on two \
         threads that call the same object. The contenders take turns, in {} processes for each allocator. On two threads, the time \
         of the slower one counts.\n\n",
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
        "## Allocations\n\nEach cell has the number of allocations of a call, and their bytes. They are the same for all cases.\n\n",
    );
    for (Situation { result, .. }, costs) in figures.costs().into_iter().take(RESULTS.len()) {
        let (bytes, name) = RESULTS[result];
        let _ = writeln!(text, "{bytes} bytes (`{name}`)\n");
        text += &by_share(&costs, |cost| format!("{:.2} / {:.1}", cost.allocations, cost.bytes));
    }
    text
}

/// Returns a table with a row for each name, and cells for each of the columns.
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
         Each cell has the growth of the resident memory in bytes for each of {} calls: while all of them are pending, and after \
         they were dropped. It includes the vector that holds the futures. Each contender has its own process.\n\n{table}",
        plan.pending_calls,
    )
}

fn latencies(figures: &Figures, plan: &Plan) -> String {
    let mut text = format!(
        "## Latency\n\n\
         Percentiles of the times of single calls in ns. Each figure is the median of {} passes, with {} calls on each thread. The \
         results have {} bytes, and {SHARE} % of them are ready. Each call is timed, so each figure includes the cost of the clock. \
         The last row is a call that does nothing.\n\n",
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
