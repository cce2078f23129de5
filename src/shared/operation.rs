//! `Operation`: a counted reference to the memory that the handles share, and the rights to the content of it.
//!
//! The content is the future, and later its result. It belongs
//!
//! 1. to a handle that is [alone](Alone);
//! 2. to the handle whose [turn](Turn) it is;
//! 3. to no handle after the operation is [done](Operation::done): then all handles may read it, and no handle changes
//!    it, until one of them is alone;
//! 4. to the last handle, when it is dropped.
//!
//! A value of type [`Content`] is this right, by one of the rules 1, 2 and 4.
//!
//! Invariants. Rule 2 rests on `notifier.rs` too, and rules 5 to 7 rest on `counts.rs`:
//!
//! 5. A [`MemoryRef`] has a count on the memory of an [`Inner`]. All handles have one count together. The memory is not
//!    freed, and does not move, while it has a count.
//! 6. An [`Operation`] has a count on the content of an `Inner` with its types. (The lifetimes may be longer, because
//!    an operation is covariant. So only a result that the content itself has returned is stored in the content.)
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

/// The memory.
#[repr(C)]
struct Inner<'a, T, A> {
    header: Header,
    content: UnsafeCell<ManuallyDrop<Packed<'a, T, A>>>,
}

/// The part of the memory that does not depend on the type of the operation.
struct Header {
    counts: Counts,
    notifier: Notifier,
    /// The arm that the result comes from.
    origin: Option<ArmOrigin>,
    /// Frees the memory. The header is that of an `Inner` that has no count on its memory.
    free: unsafe fn(NonNull<Header>),
}

static_assertions::assert_impl_all!(Header: Send, Sync);

/// Loom checks that every other access happened before this drop.
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

// SAFETY: the header is `Send` and `Sync`. When the memory is freed, the content was dropped (invariant 7).
unsafe impl Send for MemoryRef {}
// SAFETY: as above.
unsafe impl Sync for MemoryRef {}

impl MemoryRef {
    #[inline(always)]
    fn header(&self) -> &Header {
        // SAFETY: the memory has a count (invariant 5).
        unsafe { self.0.as_ref() }
    }

    #[inline(always)]
    fn notifier(&self) -> Pin<&Notifier> {
        // SAFETY: the memory does not move (invariant 5).
        unsafe { Pin::new_unchecked(&self.header().notifier) }
    }

    /// Returns the same reference without a count of its own.
    #[inline(always)]
    fn uncounted(&self) -> ManuallyDrop<Self> {
        ManuallyDrop::new(MemoryRef(self.0))
    }

    /// Calls `f` with the waker that wakes all handles.
    fn with_waker<R>(&self, f: impl FnOnce(&Waker) -> R) -> R {
        // SAFETY: the functions of the table keep the contract of a waker while the memory has a count. This waker has
        // none, and is not dropped.
        let waker = ManuallyDrop::new(unsafe { Waker::from_raw(self.raw_waker()) });
        f(&waker)
    }

    fn raw_waker(&self) -> RawWaker {
        RawWaker::new(self.0.as_ptr().cast(), &WAKER)
    }

    /// Returns the reference of a waker.
    ///
    /// # Safety
    ///
    /// `data` comes from [`raw_waker`](MemoryRef::raw_waker). The memory has a count while the reference is used. If
    /// the reference is dropped, that count is the waker's, and the waker is not used again.
    unsafe fn from_waker(data: *const ()) -> ManuallyDrop<Self> {
        let header = NonNull::new(data.cast_mut().cast());
        ManuallyDrop::new(MemoryRef(header.expect("a waker has a header")))
    }
}

/// The waker that wakes all handles. It may outlive what the future borrows. So it has a count on the memory, and none
/// on the content.
static WAKER: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // SAFETY: the waker exists, so it has a count. The reference is not dropped.
        let memory = unsafe { MemoryRef::from_waker(data) };
        ManuallyDrop::new(MemoryRef::clone(&memory)).raw_waker()
    },
    |data| {
        // SAFETY: the waker is consumed, and the reference gets its count.
        let memory = unsafe { MemoryRef::from_waker(data) };
        // Dropped at the end, even if another waker panics.
        ManuallyDrop::into_inner(memory).notifier().wake();
    },
    |data| {
        // SAFETY: the waker exists, so it has a count. The reference is not dropped.
        unsafe { MemoryRef::from_waker(data) }.notifier().wake();
    },
    |data| {
        // SAFETY: the waker is consumed, and the reference gets its count.
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
            // SAFETY: this was the last count.
            unsafe { free(self.0) };
        }
    }
}

/// A counted reference to the content. It is covariant, as the future is.
pub(super) struct Operation<'a, T, A> {
    memory: ManuallyDrop<MemoryRef>,
    /// It is `Send` and `Sync` as an `Arc` of the content is.
    content: PhantomData<Arc<Packed<'a, T, A>>>,
}

impl<'a, T, A> Operation<'a, T, A> {
    /// Allocates the memory.
    pub(super) fn new(future: Packed<'a, T, A>) -> Self {
        let header = Header {
            counts: Counts::new(),
            notifier: Notifier::new(),
            origin: future.about_pointee().map(|(origin, _)| origin),
            free: |header| {
                let inner = header.cast::<Inner<'_, T, A>>();
                // SAFETY: the memory is that of the box below, and has no count. The content was dropped (invariant 7).
                drop(unsafe { Box::from_raw(inner.as_ptr()) });
            },
        };
        let inner = Box::leak(Box::new(Inner {
            header,
            content: UnsafeCell::new(ManuallyDrop::new(future)),
        }));
        Operation::of(ManuallyDrop::new(MemoryRef(NonNull::from(inner).cast())))
    }

    /// The caller has counted a handle of the operation.
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

    /// Returns the arm that the result comes from.
    pub(super) fn arm_origin(&self) -> Option<ArmOrigin> {
        self.memory.header().origin
    }

    #[inline(always)]
    pub(super) fn notifier(&self) -> Pin<&Notifier> {
        self.memory.notifier()
    }

    #[inline(always)]
    fn cell(&self) -> &UnsafeCell<ManuallyDrop<Packed<'a, T, A>>> {
        // SAFETY: the memory is that of an `Inner` with these types (invariant 6), and has a count (invariant 5).
        &unsafe { self.memory.0.cast::<Inner<'a, T, A>>().as_ref() }.content
    }

    /// Returns the content, which is the result or the failure, if the operation is done.
    pub(super) fn done(&self) -> Option<&Packed<'a, T, A>> {
        let content = self.notifier().is_done().then(|| self.cell())?;
        Some(content.with(|content| {
            // SAFETY: rule 3. A handle that is alone borrows itself mutably.
            unsafe { &*content }
        }))
    }

    /// Returns the exclusive right to everything, if there is neither another handle, nor a weak one, nor a waker.
    #[inline(always)]
    pub(super) fn alone(&mut self) -> Option<Alone<'_, 'a, T, A>> {
        if !self.memory.header().counts.is_alone() {
            return None;
        }
        // SAFETY: no other reference exists, and none can be created while the handle is borrowed mutably.
        let inner = unsafe { self.memory.0.cast::<Inner<'a, T, A>>().as_mut() };
        // SAFETY: the memory does not move (invariant 5).
        let notifier = unsafe { Pin::new_unchecked(&mut inner.header.notifier) };
        // SAFETY: rule 1.
        let content = unsafe { Content::new(&inner.content) };
        Some(Alone { content, notifier })
    }

    /// Queues the handle unless the operation is done. Returns what the handle does next.
    pub(super) fn take_turn<'o>(
        &'o self,
        waiter: Pin<&'o mut Waiter>,
        waker: &Waker,
    ) -> Step<Turn<'o, 'a, T, A>> {
        self.notifier().take_turn(waiter, waker).map(|permit| {
            // SAFETY: rule 2. The notifier of this operation gives one permit at a time, and none after the operation
            // is done.
            let content = unsafe { Content::new(self.cell()) };
            Turn { memory: &self.memory, content, permit }
        })
    }
}

impl<T, A> Drop for Operation<'_, T, A> {
    fn drop(&mut self) {
        if self.memory.header().counts.remove_handle() {
            // It gets the count of all handles, and is dropped at the end, even if the content panics.
            let _memory = ManuallyDrop::into_inner(self.memory.uncounted());
            // SAFETY: rule 4.
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
    /// # Safety
    ///
    /// As long as the result exists, the content belongs to the caller, by one of the rules.
    #[inline(always)]
    unsafe fn new(cell: &'o UnsafeCell<ManuallyDrop<Packed<'a, T, A>>>) -> Self {
        Content(cell)
    }

    /// Calls `f`, which stores only what invariant 6 allows.
    #[inline(always)]
    fn with<R>(&mut self, f: impl FnOnce(&mut ManuallyDrop<Packed<'a, T, A>>) -> R) -> R {
        self.0.with_mut(|content| {
            // SAFETY: the content belongs to the owner of this value, which is borrowed mutably.
            f(unsafe { &mut *content })
        })
    }
}

/// The exclusive right to everything that the handles share, because there is only one handle.
pub(super) struct Alone<'o, 'a, T, A> {
    content: Content<'o, 'a, T, A>,
    notifier: Pin<&'o mut Notifier>,
}

impl<T, A> Alone<'_, '_, T, A> {
    /// Polls the future with the waker of the task. Returns the result itself. An earlier handle may have left it here.
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

    /// Returns why there will be no result, or no further one.
    pub(super) fn failure(mut self) -> Option<Terminated> {
        self.content.with(|content| content.termination())
    }
}

/// The turn of a handle to poll the future for all. It ends when it is dropped. If the future is ready then, or has
/// panicked, the operation is done.
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
            View::Boxed | View::Source(_) => false,
        };
        if self.content.with(is_done) {
            self.permit.set_done();
        }
    }
}

/// A counted reference to the memory that does not keep the content.
pub(super) struct Weak<'a, T, A> {
    memory: MemoryRef,
    /// It is `Send` and `Sync` as the operation is, because it can be upgraded.
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
