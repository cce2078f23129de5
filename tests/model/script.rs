//! What is done to a pool: operations that name what they are done to by a number, which is taken
//! modulo what is there then. So every part of a script is a script.

use proptest::{collection::vec, prelude::*};

/// How the pool is made.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) initial: u32,
    pub(crate) max: Option<u32>,
    pub(crate) first_generation: u32,
    /// In the end the handles of the pool go before its operations.
    pub(crate) closed_first: bool,
}

pub(crate) type Pick = usize;

/// One of two wakers.
pub(crate) type Letter = usize;

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Rent,
    TryRent,
    Poll(Pick, Letter),
    TryTake(Pick),
    IntoFuture(Pick),
    DropConsumer(Pick),
    Complete(Pick),
    PollAbandoned(Pick, Letter),
    IssueKey(Pick),
    IntoKey(Pick),
    DropCompleter(Pick),
    CompleteKey(KeyPick),
    AbandonKey(KeyPick),
    AbandonKeys,
    Reserve(u32),
    ClonePool(Pick),
    DropPool(Pick),
}

#[derive(Clone, Debug)]
pub(crate) enum KeyPick {
    /// One that was given out: its operation may live, or be over for long.
    Issued(Pick),
    /// One that was given out, and something added to its halves.
    Near(Pick, u32, u32),
    /// That of the last operation in a slot, whether it was given out or not.
    Current(Pick),
    /// One that another pool has given out.
    Foreign,
    Random(u64),
}

fn key() -> impl Strategy<Value = KeyPick> {
    // The last one changes no more than the upper 16 bits of the generation.
    let off = prop::sample::select(vec![
        (0, 1),
        (0, u32::MAX),
        (1, 0),
        (u32::MAX, 0),
        (0, 1 << 16),
        (0, u32::MAX << 16),
    ]);
    prop_oneof![
        6 => any::<Pick>().prop_map(KeyPick::Issued),
        2 => (any::<Pick>(), off).prop_map(|(pick, (index, generation))| {
            KeyPick::Near(pick, index, generation)
        }),
        1 => any::<Pick>().prop_map(KeyPick::Current),
        1 => Just(KeyPick::Foreign),
        1 => any::<u64>().prop_map(KeyPick::Random),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let pick = any::<Pick>;
    let letter = || 0..2_usize;
    prop_oneof![
        6 => Just(Op::Rent),
        3 => Just(Op::TryRent),
        7 => (pick(), letter()).prop_map(|(pick, letter)| Op::Poll(pick, letter)),
        2 => pick().prop_map(Op::TryTake),
        2 => pick().prop_map(Op::IntoFuture),
        5 => pick().prop_map(Op::DropConsumer),
        5 => pick().prop_map(Op::Complete),
        2 => (pick(), letter()).prop_map(|(pick, letter)| Op::PollAbandoned(pick, letter)),
        4 => pick().prop_map(Op::IssueKey),
        2 => pick().prop_map(Op::IntoKey),
        2 => pick().prop_map(Op::DropCompleter),
        5 => key().prop_map(Op::CompleteKey),
        2 => key().prop_map(Op::AbandonKey),
        1 => Just(Op::AbandonKeys),
        1 => (0..40_u32).prop_map(Op::Reserve),
        1 => pick().prop_map(Op::ClonePool),
        1 => pick().prop_map(Op::DropPool),
    ]
}

/// For slots that have their first use in one of these generations.
pub(crate) fn scripts(first: &'static [u32]) -> impl Strategy<Value = (Setup, Vec<Op>)> {
    let max = prop_oneof![2 => (1..=4_u32).prop_map(Some), 1 => Just(None)];
    let setup = (0..3_u32, max, prop::sample::select(first), any::<bool>());
    let setup = setup.prop_map(|(initial, max, first_generation, closed_first)| Setup {
        initial,
        max,
        first_generation,
        closed_first,
    });
    (setup, vec(op(), 1..if cfg!(miri) { 40 } else { 160 }))
}
