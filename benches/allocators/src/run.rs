//! Measures the methods whose future contains a buffer, with the global allocator of the program.

use crate::{
    contenders::buffer::{BOX_PIN, POOLED},
    harness::{Targets, buffer, find, memory, print_table},
};

/// Prints the resident memory of a pool, and measures and prints the tables. `--rounds N` changes the number of rounds. `--only TITLE`
/// measures only the tables whose title contains `TITLE`.
pub(crate) fn run(allocator: &str) {
    let mut rounds = 200;
    let mut only = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--rounds", Some(number)) => rounds = number.parse().expect("--rounds takes a number"),
            ("--only", Some(title)) => only = title,
            _ => panic!("the options are --rounds N and --only TITLE"),
        }
    }
    memory::print();
    println!("\nallocator: {allocator}; 10 passes of {rounds} rounds; the contenders take turns");
    let mut tables = buffer::tables();
    tables.retain(|table| table.title.contains(&only));
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
