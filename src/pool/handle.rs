//! What the pools of both kinds do.

use core::{
    any::type_name,
    marker::PhantomData,
    ops::Range,
    ptr::NonNull,
    task::{Context, Poll},
};

use super::{
    Abandoned, CompleteError, KeyError, PoolFull,
    consumer::{Consumer, Wait, leave, result, wait, wait_first},
    producer::{Producer, fulfil, orphan, refuse, refuse_left},
};
use crate::{
    Key, StaleToken,
    erased::{Head, Pointee, Polling, VTable},
    error::{Site, Spent},
    slab::{Find, Home, Settings, Slab, Slot, State},
};

/// The two ends of an operation.
type Ends<T, H> = (Producer<T, H>, Consumer<T, H>);

/// A handle of a pool. It keeps the slab, and may rent.
pub(crate) struct Handle<T, H: Home> {
    slab: NonNull<H::Slab<T>>,
    /// Values go in and out.
    values: PhantomData<fn(T) -> T>,
}

impl<T: Abandoned, H: Home> Handle<T, H> {
    pub(super) fn new(initial: u32, limit: Option<u32>, first_generation: u32) -> Self {
        let settings = Settings {
            table: VTable {
                poll: poll::<T, H>,
                drop: Slot::<T, H>::give_up,
                about: || (Site::Source, type_name::<T>()),
            },
            initial,
            limit,
            exact: true,
            first_generation,
            make: |slab, index, first_generation| Slot::new(slab, index, first_generation),
        };
        Handle { slab: Slab::new(settings), values: PhantomData }
    }

    #[inline(always)]
    pub(super) fn try_rent(&self) -> Result<Ends<T, H>, PoolFull> {
        let Some(slot) = self.slab().rent() else { return Err(self.full()) };
        // SAFETY: nobody else has it.
        #[cfg(loom)]
        unsafe {
            Slot::touch_for_reuse(slot);
        }
        // SAFETY: the slot is out.
        let rented = unsafe { slot.as_ref() };
        // SAFETY: nobody else has it.
        unsafe { rented.begin() };
        // SAFETY: this is the beginning of its operation, and there is no other completer.
        let producer = unsafe { Producer::new(slot) };
        // SAFETY: and no other consumer.
        let consumer = unsafe { Consumer::new(slot) };
        Ok((producer, consumer))
    }

    #[inline(always)]
    #[track_caller]
    pub(super) fn rent(&self) -> Ends<T, H> {
        match self.try_rent() {
            Ok(ends) => ends,
            Err(full) => cannot_rent(full),
        }
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn cannot_rent(full: PoolFull) -> ! {
    panic!("{full}; `try_rent` gives that as an error")
}

impl<T, H: Home> Handle<T, H> {
    #[inline(always)]
    pub(super) fn slab(&self) -> &H::Slab<T> {
        // SAFETY: a slab lives as long as it has a handle, and until it is closed.
        unsafe { self.slab.as_ref() }
    }

    #[cold]
    fn full(&self) -> PoolFull {
        PoolFull { max_slots: self.slab().settings().limit() }
    }

    /// Gives the operation with this key its value.
    #[inline]
    pub(super) fn complete_key(&self, key: Key, value: T) -> Result<(), CompleteError<T>> {
        match self.claim(key) {
            // SAFETY: the operation was claimed here.
            Ok((slot, claimed)) => match unsafe { fulfil(slot, claimed, value) } {
                Ok(_wake) => Ok(()),
                Err(value) => Err(self.refused(key, KeyError::Abandoned, value)),
            },
            Err(kind) => Err(self.refused(key, kind, value)),
        }
    }

    /// Ends the operation with this key without a value.
    pub(super) fn abandon_key(&self, key: Key) -> Result<(), CompleteError<()>> {
        match self.claim(key) {
            // SAFETY: the operation was claimed here.
            Ok((slot, claimed)) => match unsafe { refuse(slot, claimed) } {
                Ok(_wake) => Ok(()),
                Err(()) => Err(self.refused(key, KeyError::Abandoned, ())),
            },
            Err(kind) => Err(self.refused(key, kind, ())),
        }
    }

    /// Ends all operations that were left to their keys; tells how many.
    pub(super) fn abandon_keys(&self) -> u32 {
        let slab = self.slab();
        // SAFETY: a slab that has a handle keeps its slots.
        let refused = |slot| unsafe { refuse_left(slot) };
        let slots = (0..slab.used()).filter_map(|index| slab.get(index));
        slots.map(|slot| u32::from(refused(slot))).sum()
    }

    #[inline(always)]
    fn claim(&self, key: Key) -> Result<(NonNull<Slot<T, H>>, State), KeyError> {
        let this = self.slab().get(key.index()).ok_or(KeyError::Unknown)?;
        // SAFETY: a slab that has a handle keeps its slots.
        let state = unsafe { this.as_ref() }.state();
        // What is known beforehand need not wait for the load.
        let keyed = State::keyed(key.generation());
        let waiting = keyed.register().expect("nothing else happened");
        let usual = if state.is_only_keyed_and_awaited() { waiting } else { keyed };
        let claimed = usual.claim().expect("nothing else happened");
        // SAFETY: as above.
        if unsafe { Slot::exchange(this, usual, claimed) }.is_ok() {
            return Ok((this, claimed));
        }
        self.claim_slowly(this, key)
    }

    /// [`claim`](Handle::claim), from whatever the state is.
    #[cold]
    #[inline(never)]
    fn claim_slowly(
        &self,
        this: NonNull<Slot<T, H>>,
        key: Key,
    ) -> Result<(NonNull<Slot<T, H>>, State), KeyError> {
        // SAFETY: a slab that has a handle keeps its slots.
        let state = unsafe { this.as_ref() }.state();
        // The key is looked at each time that the state is: it may be that of the next use.
        let claim = |state: State| state.claim_by_key(key.generation());
        // SAFETY: as above.
        match unsafe { Slot::change(this, state, claim) } {
            Ok(claim) => Ok((this, claim.state)),
            Err(state) => {
                let first = self.slab().settings().first_generation;
                Err(state.refusal(key.generation(), first))
            }
        }
    }

    #[cold]
    fn refused<V>(&self, key: Key, kind: KeyError, value: V) -> CompleteError<V> {
        self.slab().count_refused();
        CompleteError { key, kind, value }
    }
}

impl<T, H: Home> Clone for Handle<T, H> {
    fn clone(&self) -> Self {
        self.slab().add_handle();
        Handle { slab: self.slab, values: PhantomData }
    }
}

impl<T, H: Home> Drop for Handle<T, H> {
    fn drop(&mut self) {
        // SAFETY: this is a handle, and it is gone afterwards.
        if unsafe { Slab::remove_handle(self.slab) } {
            // If a waker panics, the others are woken when this is dropped. (If one of them panics too,
            // the process aborts.)
            Orphans::<T, H> { slab: self.slab, slots: 0..self.slab().used() }.orphan();
        }
    }
}

/// The slots of a slab that has no handle left, and will be closed when they were gone through.
struct Orphans<T, H: Home> {
    slab: NonNull<H::Slab<T>>,
    slots: Range<u32>,
}

impl<T, H: Home> Orphans<T, H> {
    fn orphan(&mut self) {
        // SAFETY: a slab is not freed before it was closed.
        let slab = unsafe { self.slab.as_ref() };
        for slot in self.slots.by_ref().filter_map(|index| slab.get(index)) {
            // SAFETY: as above.
            unsafe { orphan(slot) };
        }
    }
}

impl<T, H: Home> Drop for Orphans<T, H> {
    fn drop(&mut self) {
        self.orphan();
        // SAFETY: there is no handle, and this happens once.
        unsafe { H::Slab::<T>::close(self.slab) };
    }
}

/// [`VTable::poll`] of a slot. What it usually does is here, and needs no register to be saved: a
/// store takes longer than anything else that a poll is made of.
///
/// # Safety
///
/// As there, where the pointee is a `Slot<T, H>`, and the head stands for its consumer.
unsafe fn poll<T: Abandoned, H: Home>(
    live: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    pointee: *mut (),
) -> Poll<T> {
    // SAFETY: a pointee has an address.
    let this = unsafe { NonNull::new_unchecked(pointee) }.cast::<Slot<T, H>>();
    // SAFETY: the slot is out as long as it has a consumer.
    let slot = unsafe { this.as_ref() };
    // SAFETY: the head stands for the consumer.
    if live.token() == unsafe { slot.token() } {
        let state = slot.state();
        if state.is_completed() {
            *head = SPENT;
            // SAFETY: the head stood for the consumer, and the operation is completed.
            return Poll::Ready(unsafe { Slot::finish(this) });
        }
        if state.is_rented() {
            // SAFETY: the caller's.
            return unsafe { poll_first(live, head, cx, this) };
        }
    }
    // SAFETY: the caller's.
    unsafe { poll_slowly(live, head, cx, this) }
}

/// [`poll`], where nothing has happened yet.
///
/// # Safety
///
/// As there, and the token is that of the operation.
#[inline(never)]
unsafe fn poll_first<T: Abandoned, H: Home>(
    _: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    this: NonNull<Slot<T, H>>,
) -> Poll<T> {
    // SAFETY: the caller's.
    unsafe { poll_by(wait_first, head, cx, this) }
}

/// [`poll`], in any state, or with a token that is not that of the operation, which is not touched
/// then.
///
/// # Safety
///
/// As there.
#[cold]
#[inline(never)]
unsafe fn poll_slowly<T: Abandoned, H: Home>(
    live: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    this: NonNull<Slot<T, H>>,
) -> Poll<T> {
    // SAFETY: a slot with a head that points to it lives.
    let slot = unsafe { this.as_ref() };
    // SAFETY: as above.
    let expected = unsafe { slot.token() };
    if live.token() != expected {
        *head = Head::spent(Spent::Stale(StaleToken::new(expected, live.token())));
        return Poll::Pending;
    }
    // SAFETY: the caller's.
    unsafe { poll_by(wait, head, cx, this) }
}

/// [`poll`], by a function that waits from the state that the operation is in.
///
/// # Safety
///
/// As there, and the token is that of the operation.
#[inline(always)]
unsafe fn poll_by<T: Abandoned, H: Home>(
    wait: Wait<T, H>,
    head: &mut Head,
    cx: &mut Context<'_>,
    this: NonNull<Slot<T, H>>,
) -> Poll<T> {
    // SAFETY: the head is that of the slot.
    let polling = unsafe { Polling::<Slot<T, H>>::start(head) };
    // SAFETY: the head stands for the consumer.
    let Err(state) = (unsafe { wait(this, cx.waker()) }) else {
        polling.still_pending();
        return Poll::Pending;
    };
    // That is what it is if the result that stands for no value panics.
    polling.end(const { Head::spent(Spent::Panicked(Site::Source)) });
    // SAFETY: the head stood for the consumer, and does so no longer; there is a result.
    let value = unsafe { result(this, state) };
    *head = SPENT;
    Poll::Ready(value)
}

const SPENT: Head = Head::spent(Spent::Completed(Some(Site::Source)));

impl<T, H: Home> Pointee for Slot<T, H> {
    const SITE: Site = Site::Source;

    unsafe fn give_up(pointee: *mut (), _: Head) {
        // SAFETY: a pointee has an address.
        let this = unsafe { NonNull::new_unchecked(pointee) }.cast::<Slot<T, H>>();
        // SAFETY: the head stood for the consumer, and the caller gave it up.
        unsafe { leave(this) };
    }
}
