#![doc = include_str!("design.md")]

pub(crate) mod cells;
mod chunks;
mod key;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod limbo;
mod list;
mod local;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod shard;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod shared;
mod slot;
mod state;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod threads;

use core::{cell::Cell, ptr::NonNull};

use self::{
    cells::{Pointer, Word},
    list::Linked,
};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::{
    AnyThread,
    sync::{AtomicPtr, AtomicU64},
};
use crate::{OneThread, Stats};

pub use key::Key;
pub(crate) use local::LocalSlab;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) use shared::SharedSlab;
pub(crate) use slot::{Change, Slot};
pub(crate) use state::State;

/// Where slots live: what their words are made of, and what they go back to. A pool of another kind
/// is another home.
pub(crate) trait Home: Sized + 'static {
    type Word: Word;
    type Pointer: Pointer;
    type Slab<T>: Slab<Slot = Slot<T, Self>>;
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl Home for AnyThread {
    type Word = AtomicU64;
    type Pointer = AtomicPtr<()>;
    type Slab<T> = SharedSlab<Slot<T, Self>>;
}

impl Home for OneThread {
    type Word = Cell<u64>;
    type Pointer = Cell<*mut ()>;
    type Slab<T> = LocalSlab<Slot<T, Self>>;
}

/// What a slab is made with. It begins with this, and so with the table.
#[repr(C)]
pub(crate) struct Settings<L: Slab> {
    pub(crate) table: <L::Slot as Linked>::Table,
    pub(crate) initial: u32,
    pub(crate) limit: Option<u32>,
    pub(crate) first_generation: u32,
    /// Makes the slot with an index and this first generation.
    pub(crate) make: fn(NonNull<L>, u32, u32) -> L::Slot,
}

impl<L: Slab> Settings<L> {
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    #[inline(always)]
    pub(crate) fn is_bounded(&self) -> bool {
        self.limit.is_some()
    }

    pub(crate) fn make(&self, slab: NonNull<L>, index: u32) -> L::Slot {
        (self.make)(slab, index, self.first_generation)
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit.unwrap_or(chunks::MAX).min(chunks::MAX)
    }
}

/// How a slot comes back.
#[derive(Clone, Copy)]
pub(crate) struct End {
    /// Its last generation has been used: it is not to be rented again.
    pub(crate) exhausted: bool,
    /// Its consumer went before there was a result.
    pub(crate) abandoned: bool,
}

/// Slots, those of them that are vacant, and what keeps all that.
pub(crate) trait Slab: Sized {
    type Slot: Linked;

    /// With one handle.
    fn new(settings: Settings<Self>) -> NonNull<Self>;

    fn settings(&self) -> &Settings<Self>;

    /// A vacant slot, which is out from now on, or `None` if the limit is reached. The caller has
    /// a handle.
    fn rent(&self) -> Option<NonNull<Self::Slot>>;

    /// Takes a slot back on the usual, short road, if it is open. The slab may be gone afterwards.
    /// Otherwise the slot is still out.
    ///
    /// # Safety
    ///
    /// As [`put`](Slab::put).
    unsafe fn try_put(this: NonNull<Self>, slot: NonNull<Self::Slot>, end: End) -> bool;

    /// Takes a slot back. The slab may be gone afterwards.
    ///
    /// # Safety
    ///
    /// The slot is one of this slab, out, vacant, and referred to by nobody.
    unsafe fn put(this: NonNull<Self>, slot: NonNull<Self::Slot>, end: End);

    /// So many slots were ever rented: those with a lower index.
    fn used(&self) -> u32;

    /// The slot with this index, if it was ever rented.
    fn get(&self, index: u32) -> Option<NonNull<Self::Slot>>;

    fn reserve(&self, additional: u32);

    fn stats(&self) -> Stats;

    /// A key was refused.
    fn count_refused(&self);

    fn add_handle(&self);

    /// Gives a handle up. If it was the last, which is then told, the slab lives until it is closed,
    /// and the caller has to do that.
    fn remove_handle(&self) -> bool;

    /// From now on the slab is freed when nothing is out: perhaps at once.
    ///
    /// # Safety
    ///
    /// The last handle was given up, and the slab was not closed before.
    unsafe fn close(this: NonNull<Self>);
}
