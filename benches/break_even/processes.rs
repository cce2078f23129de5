//! Runs this bench in child processes. Each process uses one allocator. Each process also has a different memory layout, so that an
//! unfavourable layout does not affect all figures.

use std::{
    array, env,
    error::Error,
    process::{Command, Stdio},
};

use super::{
    allocator::{self, ALLOCATORS, VARIABLE},
    data::{
        CONTENDERS, Cost, Costs, Figures, LENGTH, Latency, RESULTS, Resident, SHARES, Situation,
        ready_keys,
    },
    latencies,
    methods::{Lookups, contenders, wrong},
    times,
};
use crate::contenders::ready::Value;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The first argument of a child process. The other arguments say what the process measures.
pub(crate) const CHILD: &str = "--measure";

/// The number of processes, rounds, passes and calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The number of processes that measure the times of one [`Situation`]: one allocator, one number of threads and one type of results.
    pub(crate) processes: usize,
    /// The number of rounds in each of these processes: first for one thread, then for two threads.
    pub(crate) rounds: [usize; 2],
    /// The number of passes that time single calls.
    pub(crate) passes: usize,
    /// The number of calls in a pass.
    pub(crate) timed_calls: usize,
    /// The number of calls that are pending at the same time.
    pub(crate) pending_calls: usize,
}

impl Plan {
    pub(crate) const FULL: Plan = Plan {
        processes: 5,
        rounds: [200, 150],
        passes: 25,
        timed_calls: LENGTH,
        pending_calls: 100_000,
    };

    /// The plan of a short run, which only checks that the bench runs.
    pub(crate) const SHORT: Plan =
        Plan { processes: 1, rounds: [1, 1], passes: 1, timed_calls: 2_000, pending_calls: 1_000 };
}

/// Measures all figures. One child process runs at a time.
pub(crate) fn measure(plan: &Plan) -> Result<Figures> {
    let mut figures = Figures::default();
    for process in 1..=plan.processes {
        for allocator in ALLOCATORS {
            for (threads, rounds) in (1..).zip(plan.rounds) {
                eprintln!(
                    "times: {allocator}, threads: {threads}, process {process} of {}",
                    plan.processes
                );
                for result in 0..RESULTS.len() {
                    let situation = Situation { allocator, threads, result };
                    let lines = run(allocator, "times", &[result, threads, rounds])?;
                    figures.add_costs(situation, &costs(&lines)?);
                }
            }
        }
    }
    for allocator in ALLOCATORS {
        eprintln!("pending calls: {allocator}");
        for result in 0..RESULTS.len() {
            for contender in 0..CONTENDERS.len() {
                let lines = run(allocator, "pending", &[result, contender, plan.pending_calls])?;
                let resident = figures.resident.entry((allocator, result)).or_default();
                resident
                    .extend(lines.into_iter().map(|[held, dropped]| Resident { held, dropped }));
            }
        }
        for threads in [1, 2] {
            eprintln!("single calls: {allocator}, threads: {threads}");
            let lines = run(allocator, "single", &[threads, plan.passes, plan.timed_calls])?;
            let latencies =
                lines.into_iter().map(|[p50, p99, p99_99]| Latency { p50, p99, p99_99 });
            figures.latencies.insert((allocator, threads), latencies.collect());
        }
    }
    Ok(figures)
}

/// Converts the numbers in the lines of a process into costs. The process printed a line for each share and contender.
fn costs(lines: &[[f64; 4]]) -> Result<Costs> {
    if lines.len() != SHARES.len() * CONTENDERS.len() {
        return Err(format!("a process printed {} lines of times", lines.len()).into());
    }
    let cost =
        |[min, median, allocations, bytes]: [f64; 4]| Cost { min, median, allocations, bytes };
    Ok(array::from_fn(|share| {
        array::from_fn(|contender| cost(lines[share * CONTENDERS.len() + contender]))
    }))
}

/// Runs a child process with an allocator. The first line that the process prints is the name of its allocator. Returns the numbers in each
/// of the other lines.
fn run<const N: usize>(allocator: &str, what: &str, numbers: &[usize]) -> Result<Vec<[f64; N]>> {
    let output = Command::new(env::current_exe()?)
        .args([CHILD, what])
        .args(numbers.iter().map(usize::to_string))
        .env(VARIABLE.to_str()?, allocator)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{allocator}, {what} {numbers:?}: {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let mut lines = text.lines();
    if lines.next() != Some(allocator) {
        return Err(format!("a process does not have the allocator {allocator}").into());
    }
    let numbers = |line: &str| {
        let numbers =
            line.split(' ').map(str::parse).collect::<std::result::Result<Vec<f64>, _>>()?;
        numbers.try_into().map_err(|_| format!("not {N} numbers: {line}").into())
    };
    lines.map(numbers).collect()
}

/// The main function of a child process. It measures what the arguments say, and prints the figures.
pub(crate) fn child(arguments: &[String]) -> Result<()> {
    println!("{}", allocator::name());
    let (what, numbers) =
        arguments.split_first().ok_or("a child process needs the name of a measurement")?;
    let numbers = numbers.iter().map(|number| number.parse());
    match (what.as_str(), &numbers.collect::<std::result::Result<Vec<usize>, _>>()?[..]) {
        ("single", &[threads, passes, calls]) => {
            for Latency { p50, p99, p99_99 } in latencies::measure(threads, passes, calls) {
                println!("{p50} {p99} {p99_99}");
            }
            Ok(())
        }
        (what, [0, numbers @ ..]) => child_with::<u64>(what, numbers),
        (what, [1, numbers @ ..]) => child_with::<String>(what, numbers),
        (what, [2, numbers @ ..]) => child_with::<[u64; 32]>(what, numbers),
        _ => Err("the index of the type of results must be 0, 1 or 2".into()),
    }
}

/// Measures results of type `V` in a child process, and prints the figures.
fn child_with<V: Value>(what: &str, numbers: &[usize]) -> Result<()> {
    match (what, numbers) {
        ("times", &[threads, rounds]) => {
            if let Some(name) = wrong::<V>() {
                return Err(format!("{name} returned wrong results").into());
            }
            for cost in SHARES.map(|share| times::measure::<V>(threads, share, rounds)).concat() {
                let Cost { min, median, allocations, bytes } = cost;
                println!("{min} {median} {allocations} {bytes}");
            }
        }
        ("pending", &[contender, calls]) => {
            let lookups = Lookups::<V>::new(ready_keys(0));
            let resident = (contenders()[contender].hold)(&lookups, 0..calls);
            if let Some(Resident { held, dropped }) = resident {
                println!("{held} {dropped}");
            }
        }
        _ => return Err("the measurements are times, pending and single".into()),
    }
    Ok(())
}
