//! The tables of pooled state machines, for the allocator of the program that prints them.

use crate::{
    contenders::machine::{BOX_PIN, POOLED},
    harness::{Targets, find, machines, print_table},
};

/// Measures and prints. `--rounds N` repeats more often.
pub(crate) fn run(allocator: &str) {
    let mut arguments = std::env::args().skip(1);
    let rounds = match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => 200,
        (Some("--rounds"), Some(rounds)) => rounds.parse().expect("--rounds takes a number"),
        _ => panic!("there is `--rounds N`, and nothing else"),
    };
    println!("allocator: {allocator}; 10 passes of {rounds} rounds, contenders interleaved");
    let mut tables = machines::tables();
    for _ in 0..10 {
        for table in &mut tables {
            table.renew();
            table.run(rounds);
        }
    }
    let mut targets = Targets::default();
    for table in &mut tables {
        let rows = table.rows();
        print_table(&table.title, &rows);
        if let Some(pooled) = rows.iter().find(|row| row.name == POOLED) {
            targets.at_most(&table.title, pooled, find(&rows, BOX_PIN), 1.0);
        }
    }
    println!("\ntargets (ratios of minima): {} missed of {}", targets.missed, targets.lines.len());
    for line in targets.lines {
        println!("{line}");
    }
}
