//! Does the cost of an operation depend on the number of threads, of pools or of pending operations?
//!
//! ```text
//! cargo bench --bench flat                  # prints all tables; takes a minute
//! cargo bench --bench flat -- --short       # measures a few columns; fails if a row grows
//! cargo bench --bench flat -- --only pools  # measures one table
//! ```
//!
//! The tables are named `memory`, `threads`, `age`, `pools`, `slots`, `bursts` and `longest`. Most times are minima of several rounds, in
//! ns per operation. The table `slots` also prints the mean time of a new operation, which is from one round. The times of the longest
//! calls are maxima. Together with the maxima, the bench prints the longest call of a *control*, which uses no pool. The control shows how
//! long the system interrupts the program.

#[path = "harness/memory.rs"]
mod memory;

use std::{
    collections::VecDeque,
    future::pending,
    hint::black_box,
    process::ExitCode,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use clap::Parser;
use value_future::{Completer, Completion, FuturePool, Pool, ValueFuture};

type Completions = Pool<Option<u64>>;
type Ends = (Completer<Option<u64>>, Completion<Option<u64>>);

/// A row grows if its greatest time is more than this factor times its first time, plus 30 ns. (`bursts` compares its greatest time with
/// this factor times the median, and does not add 30 ns.) On a shared machine, a short run cannot distinguish a smaller growth from noise.
const FACTOR: f64 = 3.0;

#[derive(Parser)]
struct Options {
    /// Measures a few columns, and fails if a row grows.
    #[arg(long)]
    short: bool,
    /// Measures only this table.
    #[arg(long, value_name = "TABLE", value_parser = TABLES.map(|(name, _)| name))]
    only: Option<String>,
    /// Cargo passes this option to every bench.
    #[arg(long = "bench", hide = true)]
    _bench: bool,
}

impl Options {
    /// Returns the columns of a table. In a short run, the table has only the first two columns.
    fn columns<const N: usize>(&self, all: [usize; N]) -> Vec<usize> {
        if self.short { all.into_iter().take(2).collect() } else { all.into() }
    }
}

/// A table of times. The rows are the measured operations. The columns are the numbers of threads, pools or operations.
struct Table {
    title: &'static str,
    columns: Vec<usize>,
    rows: Vec<(&'static str, Vec<f64>)>,
}

impl Table {
    fn new(title: &'static str, columns: Vec<usize>) -> Self {
        eprintln!("{title} …");
        Table { title, columns, rows: vec![] }
    }

    fn add(&mut self, row: &'static str, figure: f64) {
        match self.rows.iter_mut().find(|(name, _)| *name == row) {
            Some((_, figures)) => figures.push(figure),
            None => self.rows.push((row, vec![figure])),
        }
    }

    /// Prints the table. Returns a text for each row that grows.
    fn finish(self) -> Vec<String> {
        print!("\n| {} |", self.title);
        self.columns.iter().for_each(|column| print!(" {column} |"));
        print!("\n|---|");
        self.columns.iter().for_each(|_| print!("---:|"));
        println!();
        let mut grown = vec![];
        for (row, figures) in self.rows {
            print!("| {row} |");
            for figure in &figures {
                print!(" {figure:.1} |");
            }
            println!();
            let worst = figures.iter().copied().fold(0.0, f64::max);
            if worst > figures[0] * FACTOR + 30.0 {
                grown.push(format!("{}: {row}: from {:.1} to {worst:.1}", self.title, figures[0]));
            }
        }
        grown
    }
}

/// Returns the minimum time of 20 calls, divided by the number of operations of a call.
fn least(operations: u32, mut call: impl FnMut()) -> f64 {
    let rounds = (0..20).map(|_| {
        let begin = Instant::now();
        call();
        begin.elapsed()
    });
    nanos(rounds.min().expect("there are rounds")) / f64::from(operations)
}

#[expect(clippy::cast_precision_loss, reason = "the number is far below 2^52")]
/// Returns the time of one call, divided by the number of operations of this call.
fn once(operations: usize, call: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    call();
    nanos(begin.elapsed()) / operations as f64
}

#[expect(clippy::cast_precision_loss, reason = "the number is far below 2^52")]
fn nanos(time: Duration) -> f64 {
    time.as_nanos() as f64
}

fn rent_and_drop(pool: &Completions) {
    drop(black_box(pool.rent()));
}

/// Measures an operation, in runs of 2,000 operations, one after the other.
fn operation(pool: &Completions) -> f64 {
    least(2000, || (0..2000).for_each(|_| rent_and_drop(pool)))
}

/// Returns a bounded pool, and the operations that use all of its slots.
fn full_pool() -> (Completions, VecDeque<Ends>) {
    let pool = Completions::builder().max_slots(16).build();
    let ends = (0..16).map(|_| pool.rent()).collect();
    (pool, ends)
}

/// Measures a step in a full pool: an operation ends, a new operation begins, and the pool refuses one more operation.
fn replace_in_full_pool(pool: &Completions, ends: &mut VecDeque<Ends>) -> f64 {
    least(2000, || {
        for _ in 0..2000 {
            drop(ends.pop_front());
            ends.push_back(pool.rent());
            assert!(black_box(pool.try_rent()).is_err());
        }
    })
}

/// Measures how long it takes to create a pending future in a new slot.
fn new_slots(count: usize) -> f64 {
    let rounds = (0..5).map(|_| {
        let pool = FuturePool::new();
        let mut futures: Vec<ValueFuture<'static, ()>> = Vec::with_capacity(count);
        once(count, || futures.extend((0..count).map(|_| pool.pooled(pending()))))
    });
    rounds.fold(f64::MAX, f64::min)
}

/// Measures how long it takes to end an operation of a pool that was dropped before.
fn ends_after_drop(count: usize) -> f64 {
    let rounds = (0..5).map(|_| {
        let pool = Completions::new();
        let ends: Vec<_> = (0..count).map(|_| pool.rent()).collect();
        drop(pool);
        once(count, || drop(ends))
    });
    rounds.fold(f64::MAX, f64::min)
}

/// Measures how long it takes to create a pool, to use it for one operation, and to drop it.
fn new_pool() -> f64 {
    least(100, || (0..100).for_each(|_| rent_and_drop(&Completions::new())))
}

/// Threads that have used the pools. They are alive until `end` is called.
struct Crowd(Vec<JoinHandle<()>>, Arc<Barrier>);

impl Crowd {
    fn new(count: usize, action: impl Fn() + Send + Clone + 'static) -> Self {
        let end = Arc::new(Barrier::new(count + 1));
        let threads = (0..count).map(|_| {
            let (action, end) = (action.clone(), Arc::clone(&end));
            let (done, is_done) = std::sync::mpsc::channel::<()>();
            let thread = thread::Builder::new().stack_size(64 << 10).spawn(move || {
                action();
                drop(done);
                end.wait();
            });
            let _ = is_done.recv();
            thread.expect("the system has enough threads")
        });
        Crowd(threads.collect(), end)
    }

    fn end(self) {
        self.1.wait();
        self.0.into_iter().for_each(|thread| thread.join().expect("the thread does not panic"));
    }
}

fn threads(options: &Options) -> Vec<String> {
    let mut table = Table::new("threads that used the pools", options.columns([1, 100, 2000]));
    for count in table.columns.clone() {
        let pool = Completions::new();
        let (bounded, mut ends) = full_pool();
        let futures: &'static FuturePool = Box::leak(Box::default());
        let crowd = {
            let (pool, bounded) = (pool.clone(), bounded.clone());
            Crowd::new(count, move || {
                rent_and_drop(&pool);
                drop(bounded.try_rent());
                drop(futures.pooled(pending::<()>()));
            })
        };
        let mut measure = |rows: [&'static str; 5]| {
            table.add(rows[0], operation(&pool));
            table.add(rows[1], replace_in_full_pool(&bounded, &mut ends));
            table.add(rows[2], new_slots(10_000));
            table.add(rows[3], ends_after_drop(10_000));
            table.add(rows[4], new_pool());
        };
        measure([
            "alive: an operation",
            "alive: a full bounded pool",
            "alive: a new slot of a `FuturePool`",
            "alive: the end of an operation of a dropped pool",
            "alive: a new pool, and an operation",
        ]);
        crowd.end();
        measure([
            "ended: an operation",
            "ended: a full bounded pool",
            "ended: a new slot of a `FuturePool`",
            "ended: the end of an operation of a dropped pool",
            "ended: a new pool, and an operation",
        ]);
    }
    table.finish()
}

fn pools(options: &Options) -> Vec<String> {
    let mut table = Table::new("pools", options.columns([1, 1000, 10_000, 100_000]));
    for count in table.columns.clone() {
        let [mut drops, mut returns, mut control] = [f64::MAX; 3];
        for round in 0..5 {
            let mut pools: Vec<_> = (0..count).map(|_| Completions::new()).collect();
            pools.iter().for_each(rent_and_drop);
            if round == 0 {
                table.add("an operation of one of the pools", operation(&pools[count / 2]));
                table.add("a new pool, and an operation", new_pool());
                table.add("a new slot of a `FuturePool`", new_slots(10_000));
            }
            let ends: Vec<_> = pools.iter().map(Pool::rent).collect();
            drops = once(count, || pools.clear()).min(drops);
            returns = once(count, || drop(ends)).min(returns);
            // Freeing memory that is not in the CPU caches takes longer, with and without a pool. The control shows how much longer.
            let boxes: Vec<_> =
                (0..count).map(|at| [(); 4].map(|()| Box::new([at; 128]))).collect();
            control = once(count, || drop(boxes)).min(control);
        }
        table.add("dropping each pool", drops);
        table.add("the end of an operation of each dropped pool", returns);
        table.add("control: dropping four boxes of 1 KiB", control);
    }
    table.finish()
}

/// Measures operations after many threads have ended and many pools were dropped.
fn age(options: &Options) -> Vec<String> {
    let mut table =
        Table::new("threads and pools that have ended", options.columns([1, 1000, 100_000]));
    let pool = Completions::new();
    let (bounded, mut ends) = full_pool();
    let mut ended = 0;
    for count in table.columns.clone() {
        for _ in ended..count {
            let (pool, bounded) = (pool.clone(), bounded.clone());
            let thread = thread::spawn(move || {
                rent_and_drop(&pool);
                drop(bounded.try_rent());
            });
            thread.join().expect("the thread does not panic");
            rent_and_drop(&Completions::new());
        }
        ended = count;
        table.add("an operation", operation(&pool));
        table.add("a full bounded pool", replace_in_full_pool(&bounded, &mut ends));
        table.add("a new pool, and an operation", new_pool());
        table.add("the end of an operation of a dropped pool", ends_after_drop(10_000));
    }
    table.finish()
}

fn slots(options: &Options) -> Vec<String> {
    let mut table =
        Table::new("pending operations", options.columns([1, 100_000, 1_000_000, 5_000_000]));
    for count in table.columns.clone() {
        let pool = Completions::new();
        let mut ends = Vec::with_capacity(count);
        let mut longest = Duration::ZERO;
        let each = once(count, || {
            for _ in 0..count {
                let begin = Instant::now();
                ends.push(pool.rent());
                longest = longest.max(begin.elapsed());
            }
        });
        table.add("an operation", operation(&pool));
        if count > 1 {
            eprintln!(
                "  {count}: {each:.0} ns each; the longest `rent` {longest:?}; control {:?}",
                control()
            );
        }
    }
    table.finish()
}

/// Repeats a short call for 200 ms, and returns the longest time of one call. This time shows how long the system interrupts the program.
fn control() -> Duration {
    longest(Duration::from_millis(200), || drop(black_box(Box::new(5))))
}

fn longest(time: Duration, mut call: impl FnMut()) -> Duration {
    let (begin, mut longest) = (Instant::now(), Duration::ZERO);
    while begin.elapsed() < time {
        let begin = Instant::now();
        call();
        longest = longest.max(begin.elapsed());
    }
    longest
}

/// Measures an operation in bursts of 1 to 16 operations, while 0 to 33 other operations are pending.
fn bursts(_: &Options) -> Vec<String> {
    let mut all = vec![];
    for kept in 0..=33 {
        let pool = Completions::new();
        let _kept: Vec<_> = (0..kept).map(|_| pool.rent()).collect();
        for burst in [1, 2, 4, 8, 16] {
            let mut ends = Vec::with_capacity(16);
            let each = least(500 * burst, || {
                for _ in 0..500 {
                    ends.extend((0..burst).map(|_| pool.rent()));
                    ends.clear();
                }
            });
            all.push((each, kept, burst));
        }
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (median, worst) = (all[all.len() / 2], all[all.len() - 1]);
    println!(
        "\nbursts of 1 to 16 operations, while 0 to 33 others are pending: median {:.1} ns, worst {:.1} ns",
        median.0, worst.0
    );
    let is_grown = worst.0 > median.0 * FACTOR;
    is_grown
        .then(|| {
            format!(
                "{} pending, burst of {}: {:.1} ns, the median is {:.1} ns",
                worst.1, worst.2, worst.0, median.0
            )
        })
        .into_iter()
        .collect()
}

/// Measures the longest operation of this thread while another thread drops, reserves or trims many slots. The number of slots is a
/// million, or 10,000 in a short run.
fn longest_meanwhile(options: &Options) -> Vec<String> {
    let count: u32 = if options.short { 10_000 } else { 1_000_000 };
    let full = || {
        let pool = FuturePool::new();
        let futures: Vec<ValueFuture<'static, ()>> =
            (0..count).map(|_| pool.pooled(pending())).collect();
        pool.reserve(1, count).expect("the pool has slots of this size");
        drop(futures);
        pool
    };
    let measure = |what: &str, pool: &FuturePool, action: &mut (dyn FnMut() + Send)| {
        let done = AtomicBool::new(false);
        let mut most = Duration::ZERO;
        thread::scope(|scope| {
            scope.spawn(|| {
                action();
                done.store(true, Relaxed);
            });
            while !done.load(Relaxed) {
                let begin = Instant::now();
                drop(pool.pooled(pending::<()>()));
                most = most.max(begin.elapsed());
            }
        });
        println!("| {what} | {:.3} |", nanos(most) / 1e6);
    };
    println!("\n| longest operation meanwhile, {count} slots | ms |\n|---|---:|");
    println!("| control | {:.3} |", nanos(control()) / 1e6);
    let (mut other, pool) = (Some(full()), FuturePool::new());
    measure("another pool is dropped", &pool, &mut || drop(other.take()));
    measure("the pool reserves slots", &pool, &mut || {
        pool.reserve(1, count).expect("the pool has slots of this size");
    });
    measure("the pool is trimmed", &pool, &mut || {
        pool.trim();
    });
    vec![]
}

type Run = fn(&Options) -> Vec<String>;

/// The tables. Each function measures and prints a table, and returns the rows that grow.
const TABLES: [(&str, Run); 7] = [
    ("memory", |_| memory::print()),
    ("threads", threads),
    ("age", age),
    ("pools", pools),
    ("slots", slots),
    ("bursts", bursts),
    ("longest", longest_meanwhile),
];

fn main() -> ExitCode {
    let options = Options::parse();
    let mut grown = vec![];
    for (name, run) in TABLES {
        if options.only.as_deref().is_none_or(|only| only == name) {
            grown.extend(run(&options));
        }
    }
    for row in &grown {
        eprintln!("grows: {row}");
    }
    ExitCode::from(u8::from(options.short && !grown.is_empty()))
}
