//! The tables in `states.md`, read, and compared with the code.

use std::{sync::OnceLock, vec, vec::Vec};

use super::super::*;

const TEXT: &str = include_str!("../../states.md");

macro_rules! flags {
    ($($flag:ident)*) => { [$((stringify!($flag), $flag)),*] };
}

const FLAG_NAMES: [(&str, u64); 10] =
    flags!(PENDING CLAIMED VALUE ABANDONED WAITING LEFT HELD KEYED WATCHED ORPHANED);

/// One row of the table of transitions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) by: &'static str,
    pub(super) with: u64,
    pub(super) without: u64,
    pub(super) sets: u64,
    pub(super) clears: u64,
}

/// The cells of the table under a heading.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let section = TEXT.lines().skip_while(|line| line.strip_prefix("# ") != Some(heading)).skip(1);
    let rows = section.take_while(|line| !line.starts_with("# ")).filter_map(|line| {
        let cells = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        Some(cells.split('|').map(str::trim).collect())
    });
    // The first two are the heads of the columns, and the line below.
    rows.skip(2).collect()
}

/// What stands in backticks in a cell, where nothing else may stand.
fn words(cell: &'static str) -> Vec<&'static str> {
    let parts: Vec<_> = cell.split('`').collect();
    assert!(parts.iter().step_by(2).all(|between| between.trim().is_empty()), "{cell}");
    parts.into_iter().skip(1).step_by(2).collect()
}

fn flags(cell: &'static str) -> u64 {
    let flag = |word| FLAG_NAMES.iter().find(|(name, _)| *name == word).expect(word).1;
    words(cell).into_iter().fold(0, |flags, word| {
        assert_eq!(flags & flag(word), 0, "twice in a cell: {word}");
        flags | flag(word)
    })
}

pub(super) fn rows() -> Vec<Row> {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(read).clone()
}

fn read() -> Vec<Row> {
    let row = |cells: Vec<&'static str>| {
        let [name, by, with, without, sets, clears] = cells[..] else { panic!("{cells:?}") };
        let [name] = words(name)[..] else { panic!("{name}") };
        let [with, without, sets, clears] = [with, without, sets, clears].map(flags);
        Row { name, by, with, without, sets, clears }
    };
    table("Transitions").into_iter().map(row).collect()
}

pub(super) type Function = fn(State) -> Option<State>;

/// The function of each row.
pub(super) fn functions() -> Vec<(Row, Function)> {
    let function = |row: Row| {
        let there = TRANSITIONS.iter().find(|(name, ..)| *name == row.name).expect(row.name);
        (row, there.2)
    };
    rows().into_iter().map(function).collect()
}

#[test]
fn the_table_lists_every_flag() {
    let listed: Vec<_> = table("Flags").into_iter().map(|cells| words(cells[0])).collect();
    let there: Vec<_> = FLAG_NAMES.iter().map(|(name, _)| vec![*name]).collect();
    assert_eq!(listed, there);
    // Each is a bit of its own, and together they are all that the layout has room for.
    assert_eq!(FLAG_NAMES.iter().map(|(_, flag)| flag).sum::<u64>(), FLAGS);
    assert!(FLAG_NAMES.iter().all(|(_, flag)| flag.is_power_of_two()));
}

#[test]
fn the_table_lists_every_transition() {
    let there = TRANSITIONS.iter().map(|(name, transition, _)| {
        let Transition { with, without, sets, clears } = *transition;
        (*name, with, without, sets, clears)
    });
    let listed =
        rows().into_iter().map(|row| (row.name, row.with, row.without, row.sets, row.clears));
    assert_eq!(listed.collect::<Vec<_>>(), there.collect::<Vec<_>>());
}

#[test]
fn every_transition_is_somebodys() {
    for row in rows() {
        assert!(["consumer", "completer", "key", "pool"].contains(&row.by), "{row:?}");
    }
}

/// A row that asks for a flag and forbids it, or that sets it and clears it, says nothing.
#[test]
fn no_row_contradicts_itself() {
    for row in rows() {
        assert_eq!((row.with & row.without, row.sets & row.clears), (0, 0), "{row:?}");
        assert_eq!(row.sets & row.with, 0, "sets what is there: {row:?}");
    }
}
