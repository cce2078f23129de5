//! Parses the tables in `slot/states.md`, and compares them with the code.

use std::{sync::OnceLock, vec, vec::Vec};

use super::super::*;

const TEXT: &str = include_str!("../../states.md");

macro_rules! flags {
    ($($flag:ident)*) => { [$((stringify!($flag), $flag)),*] };
}

const FLAG_NAMES: [(&str, u64); 10] =
    flags!(PENDING CLAIMED VALUE ABANDONED WAITING LEFT HELD KEYED WATCHED ORPHANED);

/// A row of the table of transitions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) by: &'static str,
    pub(super) with: u64,
    pub(super) without: u64,
    pub(super) sets: u64,
    pub(super) clears: u64,
}

/// Returns the cells of the table under a heading.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let section = TEXT.lines().skip_while(|line| line.strip_prefix("# ") != Some(heading)).skip(1);
    let rows = section.take_while(|line| !line.starts_with("# ")).filter_map(|line| {
        let cells = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        Some(cells.split('|').map(str::trim).collect())
    });
    // The first two lines are the titles of the columns, and the line below the titles.
    rows.skip(2).collect()
}

/// Returns the words in backticks in a cell of a table. The cell contains nothing else.
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

/// Returns each row of the table of transitions, with the function of the same name.
pub(super) fn functions() -> Vec<(Row, Function)> {
    let function = |row: Row| {
        let in_code = TRANSITIONS.iter().find(|(name, ..)| *name == row.name).expect(row.name);
        (row, in_code.2)
    };
    rows().into_iter().map(function).collect()
}

#[test]
fn the_table_lists_every_flag() {
    let listed: Vec<_> = table("Flags").into_iter().map(|cells| words(cells[0])).collect();
    let in_code: Vec<_> = FLAG_NAMES.iter().map(|(name, _)| vec![*name]).collect();
    assert_eq!(listed, in_code);
    // Each flag is one bit, and together the flags are all bits of `FLAGS`.
    assert_eq!(FLAG_NAMES.iter().map(|(_, flag)| flag).sum::<u64>(), FLAGS);
    assert!(FLAG_NAMES.iter().all(|(_, flag)| flag.is_power_of_two()));
}

#[test]
fn the_table_lists_every_transition() {
    let in_code = TRANSITIONS.iter().map(|(name, transition, _)| {
        let Transition { with, without, sets, clears } = *transition;
        (*name, with, without, sets, clears)
    });
    let listed =
        rows().into_iter().map(|row| (row.name, row.with, row.without, row.sets, row.clears));
    assert_eq!(listed.collect::<Vec<_>>(), in_code.collect::<Vec<_>>());
}

#[test]
fn every_transition_has_an_actor() {
    for row in rows() {
        assert!(["consumer", "completer", "key", "pool"].contains(&row.by), "{row:?}");
    }
}

/// No row requires a flag that it forbids, sets a flag that it clears, or sets a flag that it requires.
#[test]
fn no_row_contradicts_itself() {
    for row in rows() {
        assert_eq!((row.with & row.without, row.sets & row.clears), (0, 0), "{row:?}");
        assert_eq!(row.sets & row.with, 0, "sets a flag that it requires: {row:?}");
    }
}
