//! `Operation`: a counted reference to the memory that all handles of a shared future use. [`Alone`] and [`Turn`] are the rights to access
//! the content of this memory.
//!
//! The content is the future, and later its result. The content belongs
//!
//! 1. to a handle that is [alone](Alone);
//! 2. to the handle whose [turn](Turn) it is;
//! 3. to no handle after the operation is [done](Operation::done): then all handles may read it, and no handle changes
//!    it, until one of them is alone;
//! 4. to the last handle, when this handle is dropped.
//!
//! The owner of a value of the type [`Content`] has the exclusive right to the content, by rule 1, 2 or 4.
//!
//! Rule 2 also relies on `notifier.rs`. The following invariants rely on `counts.rs`:
//!
//! 5. A [`MemoryRef`] that is not in a `ManuallyDrop` holds one count on the memory of an [`Inner`]. All handles together hold one count.
//!    While a count on the memory is held, the memory is not freed and does not move.
//! 6. An [`Operation`] holds one count on the content of an `Inner` with the same type parameters. (An operation is covariant, so the
//!    lifetimes of the `Inner` may be longer than those of the operation. A value with the shorter lifetimes must not be stored in the
//!    content. Therefore, only a result that the content itself has returned is stored there.)
//! 7. The drop of the last handle drops the content. After that, the content is not used.

use alloc::{boxed::Box, sync::Arc};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    pin::Pin,
    ptr::NonNull,
    task::{Context, Poll, RawWaker, RawWakerVTable, Waker},
};

use super::{
    counts::Counts,
    notifier::{Notifier, Permit, Step},
    queue::Waiter,
};
use crate::{
    erased::View,
    error::{ArmOrigin, Terminated},
    future::Packed,
    sync::UnsafeCell,
};

/// The memory that all handles of a shared future use.
#[repr(C)]
struct Inner<'a, T, A> {
    header: Header,
    content: UnsafeCell<ManuallyDrop<Packed<'a, T, A>>>,
}

/// The part of an [`Inner`] that does not depend on its type parameters.
struct Header {
    counts: Counts,
    notifier: Notifier,
    /// The arm from which the result of the shared future comes, for messages.
    origin: Option<ArmOrigin>,
    /// The function that frees the memory. Its argument is the header of an `Inner`. When it is called, no count on the memory is held.
    free: unsafe fn(NonNull<Header>),
}

static_assertions::assert_impl_all!(Header: Send, Sync);

/// In a loom model, checks that every other access happens-before this drop.
#[cfg(loom)]
impl<T, A> Drop for Inner<'_, T, A> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.content.with_mut(|_| ());
            self.header.notifier.end_model();
        }
    }
}

/// A counted reference to the memory. It gives no access to the content.
struct MemoryRef(NonNull<Header>);

// SAFETY: the header is `Send` and `Sync`. When the memory is freed, the content was already dropped (invariant 7).
unsafe impl Send for MemoryRef {}
// SAFETY: a `&MemoryRef` gives access to the header, which is `Sync`. It can also be cloned, and a `MemoryRef` is `Send`.
unsafe impl Sync for MemoryRef {}

impl MemoryRef {
    #[inline(always)]
    fn header(&self) -> &Header {
        // SAFETY: a count on the memory is held while `self` is borrowed (invariant 5).
        unsafe { self.0.as_ref() }
    }

    #[inline(always)]
    fn notifier(&self) -> Pin<&Notifier> {
        // SAFETY: the memory does not move (invariant 5).
        unsafe { Pin::new_unchecked(&self.header().notifier) }
    }

    /// Returns a copy of this reference that holds no count of its own.
    #[inline(always)]
    fn uncounted(&self) -> ManuallyDrop<Self> {
        ManuallyDrop::new(MemoryRef(self.0))
    }

    /// Calls `f` with the waker that wakes all handles.
    fn with_waker<R>(&self, f: impl FnOnce(&Waker) -> R) -> R {
        // SAFETY: the functions of the table fulfil the contract of a waker while a count on the memory is held. A count is held while
        // `self` is borrowed. This waker holds no count of its own, and is not dropped.
        let waker = ManuallyDrop::new(unsafe { Waker::from_raw(self.raw_waker()) });
        f(&waker)
    }

    fn raw_waker(&self) -> RawWaker {
        RawWaker::new(self.0.as_ptr().cast(), &WAKER)
    }

    /// Returns the reference that is in a waker with the table [`WAKER`].
    ///
    /// # Safety
    ///
    /// `data` comes from [`raw_waker`](MemoryRef::raw_waker). A count on the memory is held while the reference is used. If the caller
    /// drops the reference, the drop releases the count of the waker. So the waker must not be used after the drop.
    unsafe fn from_waker(data: *const ()) -> ManuallyDrop<Self> {
        let header = NonNull::new(data.cast_mut().cast());
        ManuallyDrop::new(MemoryRef(header.expect("a waker has a header")))
    }
}

/// The functions of the waker that wakes all handles. This waker may outlive what the future borrows. So the waker holds a count on the
/// memory, but none on the content.
static WAKER: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // SAFETY: the waker exists, so a count on the memory is held. The reference is not dropped.
        let memory = unsafe { MemoryRef::from_waker(data) };
        ManuallyDrop::new(MemoryRef::clone(&memory)).raw_waker()
    },
    |data| {
        // SAFETY: the waker is consumed, and the reference takes over its count.
        let memory = unsafe { MemoryRef::from_waker(data) };
        // The reference is dropped at the end of this statement, even if a waker panics in `wake`.
        ManuallyDrop::into_inner(memory).notifier().wake();
    },
    |data| {
        // SAFETY: the waker exists, so a count on the memory is held. The reference is not dropped.
        unsafe { MemoryRef::from_waker(data) }.notifier().wake();
    },
    |data| {
        // SAFETY: the waker is consumed, and the reference takes over its count.
        let memory = unsafe { MemoryRef::from_waker(data) };
        drop(ManuallyDrop::into_inner(memory));
    },
);

impl Clone for MemoryRef {
    fn clone(&self) -> Self {
        self.header().counts.add_memory();
        MemoryRef(self.0)
    }
}

impl Drop for MemoryRef {
    fn drop(&mut self) {
        let header = self.header();
        if header.counts.remove_memory() {
            let free = header.free;
            // SAFETY: `self.0` is the header of an `Inner`, and this was the last count on its memory.
            unsafe { free(self.0) };
        }
    }
}

/// A counted reference to the content. The type is covariant, as the type of the future is.
pub(super) struct Operation<'a, T, A> {
    memory: ManuallyDrop<MemoryRef>,
    /// Makes the operation `Send` or `Sync` if an `Arc` of the content is.
    content: PhantomData<Arc<Packed<'a, T, A>>>,
}

impl<'a, T, A> Operation<'a, T, A> {
    /// Allocates the memory for a future, and returns the operation of its first handle.
    pub(super) fn new(future: Packed<'a, T, A>) -> Self {
        let header = Header {
            counts: Counts::new(),
            notifier: Notifier::new(),
            origin: future.about_pointee().map(|(origin, _)| origin),
            free: |header| {
                let inner = header.cast::<Inner<'_, T, A>>();
                // SAFETY: the memory is that of the box below, and no count on it is held. The content was dropped (invariant 7).
                drop(unsafe { Box::from_raw(inner.as_ptr()) });
            },
        };
        let inner = Box::leak(Box::new(Inner {
            header,
            content: UnsafeCell::new(ManuallyDrop::new(future)),
        }));
        Operation::of(ManuallyDrop::new(MemoryRef(NonNull::from(inner).cast())))
    }

    /// Creates the operation of a handle that the caller has already counted.
    fn of(memory: ManuallyDrop<MemoryRef>) -> Self {
        Operation { memory, content: PhantomData }
    }

    pub(super) fn share(&self) -> Self {
        self.memory.header().counts.add_handle();
        Operation::of(self.memory.uncounted())
    }

    pub(super) fn downgrade(&self) -> Weak<'a, T, A> {
        Weak { memory: MemoryRef::clone(&self.memory), content: PhantomData }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.memory.0 == other.memory.0
    }

    /// Returns the arm of the shared future.
    pub(super) fn arm_origin(&self) -> Option<ArmOrigin> {
        self.memory.header().origin
    }

    #[inline(always)]
    pub(super) fn notifier(&self) -> Pin<&Notifier> {
        self.memory.notifier()
    }

    #[inline(always)]
    fn cell(&self) -> &UnsafeCell<ManuallyDrop<Packed<'a, T, A>>> {
        // SAFETY: the memory is that of an `Inner` with these types (invariant 6), and a count on it is held (invariant 5).
        &unsafe { self.memory.0.cast::<Inner<'a, T, A>>().as_ref() }.content
    }

    /// If the operation is done, returns the content: the result or the failure.
    pub(super) fn done(&self) -> Option<&Packed<'a, T, A>> {
        let content = self.notifier().is_done().then(|| self.cell())?;
        Some(content.with(|content| {
            // SAFETY: by rule 3, no handle changes the content. (This handle could change it if it were alone, but `self` is borrowed.)
            unsafe { &*content }
        }))
    }

    /// Returns the exclusive right to the memory, if there is no other handle, no weak handle and no waker.
    #[inline(always)]
    pub(super) fn alone(&mut self) -> Option<Alone<'_, 'a, T, A>> {
        if !self.memory.header().counts.is_alone() {
            return None;
        }
        // SAFETY: no other reference exists, and none can be created while the handle is borrowed mutably.
        let inner = unsafe { self.memory.0.cast::<Inner<'a, T, A>>().as_mut() };
        // SAFETY: the memory does not move (invariant 5).
        let notifier = unsafe { Pin::new_unchecked(&mut inner.header.notifier) };
        // SAFETY: the handle is alone (rule 1).
        let content = unsafe { Content::new(&inner.content) };
        Some(Alone { content, notifier })
    }

    /// Queues the handle unless the operation is done. Returns the next step of the handle.
    pub(super) fn take_turn<'o>(
        &'o self,
        waiter: Pin<&'o mut Waiter>,
        waker: &Waker,
    ) -> Step<Turn<'o, 'a, T, A>> {
        self.notifier().take_turn(waiter, waker).map(|permit| {
            // SAFETY: this handle has the turn (rule 2). The notifier of this operation gives one permit at a time, and none after the
            // operation is done.
            let content = unsafe { Content::new(self.cell()) };
            Turn { memory: &self.memory, content, permit }
        })
    }
}

impl<T, A> Drop for Operation<'_, T, A> {
    fn drop(&mut self) {
        if self.memory.header().counts.remove_handle() {
            // `_memory` takes over the count that all handles held together. It is dropped at the end of this function, even if the
            // destructor of the content panics.
            let _memory = ManuallyDrop::into_inner(self.memory.uncounted());
            // SAFETY: this is the last handle (rule 4).
            let mut content = unsafe { Content::new(self.cell()) };
            content.with(|content| {
                // SAFETY: this was the last handle, so the content is not used again.
                unsafe { ManuallyDrop::drop(content) };
            });
        }
    }
}

/// The exclusive right to the content.
struct Content<'o, 'a, T, A>(&'o UnsafeCell<ManuallyDrop<Packed<'a, T, A>>>);

impl<'o, 'a, T, A> Content<'o, 'a, T, A> {
    /// Creates the right to the content in `cell`.
    ///
    /// # Safety
    ///
    /// As long as the returned value exists, the content belongs to the caller, by rule 1, 2 or 4.
    #[inline(always)]
    unsafe fn new(cell: &'o UnsafeCell<ManuallyDrop<Packed<'a, T, A>>>) -> Self {
        Content(cell)
    }

    /// Calls `f` with the content. `f` stores only a value that invariant 6 allows.
    #[inline(always)]
    fn with<R>(&mut self, f: impl FnOnce(&mut ManuallyDrop<Packed<'a, T, A>>) -> R) -> R {
        self.0.with_mut(|content| {
            // SAFETY: the content belongs to the owner of this value, which is borrowed mutably.
            f(unsafe { &mut *content })
        })
    }
}

/// The exclusive right to the memory, because there is only one handle.
pub(super) struct Alone<'o, 'a, T, A> {
    content: Content<'o, 'a, T, A>,
    notifier: Pin<&'o mut Notifier>,
}

impl<T, A> Alone<'_, '_, T, A> {
    /// Polls the future with the waker of the task. Returns the result itself, not a clone. (An earlier handle may have stored the result:
    /// then the future is not polled again.)
    #[inline]
    pub(super) fn poll(
        mut self,
        waiter: Pin<&mut Waiter>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Terminated>> {
        let polled = self.content.with(|content| content.try_poll(cx));
        if polled.is_pending() {
            self.notifier.wait_alone(waiter, cx.waker());
        }
        polled
    }

    /// Returns the reason why a further poll will return no result, or `None` if it may return one.
    pub(super) fn failure(mut self) -> Option<Terminated> {
        self.content.with(|content| content.termination())
    }
}

/// The turn of a handle: the right to poll the future for all handles. The turn ends when this value is dropped. If the future is ready or
/// terminated at that time, the operation is done.
pub(super) struct Turn<'o, 'a, T, A> {
    memory: &'o MemoryRef,
    content: Content<'o, 'a, T, A>,
    permit: Permit<'o>,
}

impl<T, A> Turn<'_, '_, T, A> {
    /// Polls the future with the waker that wakes all handles, and stores its result.
    pub(super) fn poll(mut self) -> Poll<()> {
        let content = &mut self.content;
        self.memory.with_waker(|waker| {
            content.with(|content| {
                let polled = content.try_poll(&mut Context::from_waker(waker));
                polled.map(|result| {
                    if let Ok(value) = result {
                        **content = Packed::ready(value).at(content.origin());
                    }
                })
            })
        })
    }
}

impl<T, A> Drop for Turn<'_, '_, T, A> {
    fn drop(&mut self) {
        let is_done = |content: &mut ManuallyDrop<Packed<'_, T, A>>| match content.view() {
            View::Ready | View::Terminated(_) => true,
            View::Cell | View::Source(_) => false,
        };
        if self.content.with(is_done) {
            self.permit.set_done();
        }
    }
}

/// The reference of a weak handle. It keeps the memory allocated, but does not keep the content alive.
pub(super) struct Weak<'a, T, A> {
    memory: MemoryRef,
    /// Makes the reference `Send` or `Sync` if the operation is, because the reference can be upgraded to an operation.
    content: PhantomData<Arc<Packed<'a, T, A>>>,
}

impl<'a, T, A> Weak<'a, T, A> {
    pub(super) fn upgrade(&self) -> Option<Operation<'a, T, A>> {
        let counted = self.memory.header().counts.try_add_handle();
        counted.then(|| Operation::of(self.memory.uncounted()))
    }

    pub(super) fn is_alive(&self) -> bool {
        self.memory.header().counts.has_handle()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.memory.0 == other.memory.0
    }
}

impl<T, A> Clone for Weak<'_, T, A> {
    fn clone(&self) -> Self {
        Weak { memory: self.memory.clone(), content: PhantomData }
    }
}
