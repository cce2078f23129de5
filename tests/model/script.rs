//! Scripts: lists of steps for a pool. Most steps have an index that selects their target, modulo the number of targets. So each part of a
//! script is a valid script, and proptest can shrink scripts.

use proptest::{collection::vec, prelude::*};

/// The configuration of the pool.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) initial: u32,
    pub(crate) max: Option<u32>,
    pub(crate) first_generation: u32,
    /// `true` if the handles of the pool are dropped before the completers and consumers at the end of the script.
    pub(crate) pool_dropped_first: bool,
}

pub(crate) type Pick = usize;

/// The index of one of two wakers.
pub(crate) type WakerId = usize;

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Rent,
    TryRent,
    Poll(Pick, WakerId),
    TryTake(Pick),
    IntoFuture(Pick),
    DropConsumer(Pick),
    Complete(Pick),
    PollClosed(Pick, WakerId),
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
    /// An issued key. Its operation may have ended.
    Issued(Pick),
    /// An issued key, with a different index or generation.
    Near(Pick, u32, u32),
    /// The key of the latest operation in a slot, even if this key was not issued.
    Current(Pick),
    /// A key of another pool.
    Foreign,
    Random(u64),
}

fn key() -> impl Strategy<Value = KeyPick> {
    // The last two offsets change only the upper 16 bits of the generation, and not the token.
    let offset = prop::sample::select(vec![
        (0, 1),
        (0, u32::MAX),
        (1, 0),
        (u32::MAX, 0),
        (0, 1 << 16),
        (0, u32::MAX << 16),
    ]);
    prop_oneof![
        6 => any::<Pick>().prop_map(KeyPick::Issued),
        2 => (any::<Pick>(), offset).prop_map(|(pick, (index, generation))| {
            KeyPick::Near(pick, index, generation)
        }),
        1 => any::<Pick>().prop_map(KeyPick::Current),
        1 => Just(KeyPick::Foreign),
        1 => any::<u64>().prop_map(KeyPick::Random),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let pick = any::<Pick>;
    let waker_id = || 0..2_usize;
    prop_oneof![
        6 => Just(Op::Rent),
        3 => Just(Op::TryRent),
        7 => (pick(), waker_id()).prop_map(|(pick, waker_id)| Op::Poll(pick, waker_id)),
        2 => pick().prop_map(Op::TryTake),
        2 => pick().prop_map(Op::IntoFuture),
        5 => pick().prop_map(Op::DropConsumer),
        5 => pick().prop_map(Op::Complete),
        2 => (pick(), waker_id()).prop_map(|(pick, waker_id)| Op::PollClosed(pick, waker_id)),
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

/// Returns random configurations and scripts. The first generation of each pool is one of `first`.
pub(crate) fn scripts(first: &'static [u32]) -> impl Strategy<Value = (Setup, Vec<Op>)> {
    let max = prop_oneof![2 => (1..=4_u32).prop_map(Some), 1 => Just(None)];
    let setup = (0..3_u32, max, prop::sample::select(first), any::<bool>());
    let setup = setup.prop_map(|(initial, max, first_generation, pool_dropped_first)| Setup {
        initial,
        max,
        first_generation,
        pool_dropped_first,
    });
    (setup, vec(op(), 1..if cfg!(miri) { 24 } else { 160 }))
}
