//! What the handles share: the future, and later its result.
//!
//! The content belongs
//!
//! 1. to a handle that is [alone](super::counts::Counts::is_alone), while that is borrowed mutably;
//! 2. to the handle whose [turn](super::hub::Turn::Poll) it is;
//! 3. once the operation is [done](super::hub::Hub::is_done), to nobody: all handles may read it;
//! 4. to who has given up the last handle.

use alloc::boxed::Box;
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull,
    task::{Context, Poll},
};

use super::{
    hub::{Hub, Turn},
    waiters::Waiter,
};
use crate::{
    erased::View,
    error::{Site, Spent},
    future::Packed,
    sync::UnsafeCell,
};

#[repr(C)]
struct Inner<'a, T, A> {
    hub: Hub,
    content: UnsafeCell<ManuallyDrop<Packed<'a, T, A>>>,
    /// Where its result is from.
    site: Option<Site>,
}

/// For loom, which does not see a release: whoever frees this comes after all that others did here.
#[cfg(loom)]
impl<T, A> Drop for Inner<'_, T, A> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.content.with_mut(|_| ());
        }
    }
}

/// A handle of what is shared. Covariant, as the future is: its result is what that has given.
pub(super) struct Operation<'a, T, A> {
    inner: NonNull<()>,
    content: PhantomData<Packed<'a, T, A>>,
}

impl<'a, T, A> Operation<'a, T, A> {
    /// One allocation.
    pub(super) fn new(future: Packed<'a, T, A>) -> Self {
        let site = future.about_pointee().map(|(site, _)| site);
        let content = UnsafeCell::new(ManuallyDrop::new(future));
        let inner = Inner { hub: Hub::new(free::<T, A>), content, site };
        Operation { inner: NonNull::from(Box::leak(Box::new(inner))).cast(), content: PhantomData }
    }

    #[inline(always)]
    fn inner(&self) -> &Inner<'a, T, A> {
        // SAFETY: there is a handle, this one, so it lives.
        unsafe { self.inner.cast().as_ref() }
    }

    pub(super) fn share(&self) -> Self {
        self.inner().hub.counts.add_handle();
        Operation { ..*self }
    }

    pub(super) fn downgrade(&self) -> Weak<'a, T, A> {
        self.inner().hub.counts.add_memory();
        Weak { hub: self.inner.cast(), content: PhantomData }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.inner == other.inner
    }

    /// # Safety
    ///
    /// The operation is done, or the caller has the content to itself.
    unsafe fn content(&self) -> &Packed<'a, T, A> {
        self.inner().content.with(|content| {
            // SAFETY: nobody changes it.
            unsafe { &*content }
        })
    }

    /// # Safety
    ///
    /// The content is the caller's.
    #[inline(always)]
    unsafe fn content_mut<R>(&self, f: impl FnOnce(&mut ManuallyDrop<Packed<'a, T, A>>) -> R) -> R {
        self.inner().content.with_mut(|content| {
            // SAFETY: the caller's.
            f(unsafe { &mut *content })
        })
    }

    /// The result, if there is one.
    pub(super) fn peek(&self) -> Option<&T> {
        if !self.inner().hub.is_done() {
            return None;
        }
        // SAFETY: the operation is done.
        unsafe { self.content() }.peek()
    }

    /// Why there will be no result, if there will be none.
    pub(super) fn failure(&self) -> Option<Spent> {
        // SAFETY: the operation is done.
        self.inner().hub.is_done().then(|| unsafe { self.content() }.termination()).flatten()
    }

    /// [`failure`](Operation::failure), by the handle that has polled. If it was alone, the result has been
    /// given out.
    pub(super) fn failure_of_poll(&mut self) -> Option<Spent> {
        if !self.inner().hub.counts.is_alone() {
            return self.failure();
        }
        // SAFETY: the handle is alone.
        unsafe { self.content() }.termination()
    }

    /// What the handle is told, if it asks again after it was given the result.
    pub(super) fn completed(&self) -> Spent {
        Spent::Completed(self.inner().site)
    }

    /// Polls for the handle with this waiter.
    ///
    /// # Safety
    ///
    /// The waiter is the handle's, and does not move before it [leaves](Operation::leave).
    #[inline]
    pub(super) unsafe fn poll(
        &mut self,
        waiter: &Waiter,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Spent>>
    where
        T: Clone,
    {
        if self.inner().hub.counts.is_alone() {
            // SAFETY: the caller's, and the handle is alone.
            return unsafe { self.poll_alone(waiter, cx) };
        }
        // SAFETY: the caller's.
        match unsafe { self.inner().hub.take_turn(waiter, cx.waker()) } {
            Turn::Wait => Poll::Pending,
            Turn::Done => Poll::Ready(self.result()),
            // SAFETY: it is the handle's turn.
            Turn::Poll => unsafe { self.poll_in_turn(waiter) }.map(|()| self.result()),
        }
    }

    /// Nobody else is to be told: the future gets the waker of this task, and the task its result,
    /// which another handle may have left here.
    ///
    /// # Safety
    ///
    /// As [`poll`](Operation::poll), and the handle is alone.
    #[inline]
    unsafe fn poll_alone(
        &mut self,
        waiter: &Waiter,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Spent>> {
        // SAFETY: the handle is alone.
        let polled = unsafe { self.content_mut(|content| content.try_poll(cx)) };
        if polled.is_pending() {
            // SAFETY: it lives, and nobody else refers to it.
            let hub = unsafe { self.inner.cast::<Hub>().as_mut() };
            // SAFETY: the caller's.
            unsafe { hub.wait_alone(waiter, cx.waker()) };
        }
        polled
    }

    /// Polls for all. If that unwinds, the operation is done.
    ///
    /// # Safety
    ///
    /// It is the turn of the handle with this waiter.
    unsafe fn poll_in_turn(&self, waiter: &Waiter) -> Poll<()> {
        /// Ends the turn, whatever came of it.
        struct InTurn<'o, 'a, T, A>(&'o Operation<'a, T, A>, &'o Waiter);
        impl<T, A> Drop for InTurn<'_, '_, T, A> {
            fn drop(&mut self) {
                let InTurn(operation, waiter) = self;
                // SAFETY: it is the handle's turn.
                let done = match unsafe { operation.content() }.view() {
                    View::Ready | View::Terminated(_) => true,
                    View::Boxed | View::Source(_) => false,
                };
                // SAFETY: as above.
                unsafe { operation.inner().hub.end_turn(waiter, done) };
            }
        }
        let turn = InTurn(self, waiter);
        // SAFETY: there is a handle, this one. The pointer is that to the whole.
        let waker = unsafe { Hub::waker(self.inner.cast()) };
        // SAFETY: it is the handle's turn.
        let polled = unsafe {
            self.content_mut(|content| {
                let polled = content.try_poll(&mut Context::from_waker(&waker));
                polled.map(|result| {
                    if let Ok(value) = result {
                        **content = Packed::ready(value).at(content.origin());
                    }
                })
            })
        };
        drop(turn);
        polled
    }

    /// The result of an operation that is done.
    fn result(&self) -> Result<T, Spent>
    where
        T: Clone,
    {
        // SAFETY: the operation is done.
        let content = unsafe { self.content() };
        match content.view() {
            View::Terminated(spent) => Err(spent),
            _ => Ok(content.peek().expect("what is done is a result, or spent").clone()),
        }
    }

    /// Gives the handle up, with its waiter.
    ///
    /// # Safety
    ///
    /// It is the waiter that it was polled with, if it was.
    pub(super) unsafe fn leave(self, waiter: &Waiter) {
        /// Gives the memory up, even if the content panics.
        struct Memory(NonNull<Hub>);
        impl Drop for Memory {
            fn drop(&mut self) {
                // SAFETY: the last handle had a count, and is not used again.
                unsafe { Hub::remove_memory(self.0) };
            }
        }
        let inner = self.inner();
        // Dropped at the end, whatever that does.
        // SAFETY: the caller's.
        let _waker = unsafe { inner.hub.remove(waiter) };
        if inner.hub.counts.remove_handle() {
            let _memory = Memory(self.inner.cast());
            inner.content.with_mut(|content| {
                // SAFETY: this was the last handle.
                let content = unsafe { &mut *content };
                // SAFETY: it is not used again.
                unsafe { ManuallyDrop::drop(content) };
            });
        }
    }
}

/// Frees the memory. The content was dropped.
///
/// # Safety
///
/// `hub` is that of an `Inner` with these types, from [`Operation::new`], and nobody refers to it.
unsafe fn free<T, A>(hub: NonNull<Hub>) {
    // SAFETY: the caller's; it came from a box.
    drop(unsafe { Box::from_raw(hub.cast::<Inner<'_, T, A>>().as_ptr()) });
}

/// Keeps the memory, and not what is shared.
pub(super) struct Weak<'a, T, A> {
    hub: NonNull<Hub>,
    content: PhantomData<Packed<'a, T, A>>,
}

impl<'a, T, A> Weak<'a, T, A> {
    fn hub(&self) -> &Hub {
        // SAFETY: there is a count on the memory, this one.
        unsafe { self.hub.as_ref() }
    }

    pub(super) fn upgrade(&self) -> Option<Operation<'a, T, A>> {
        let shared = self.hub().counts.try_add_handle();
        shared.then(|| Operation { inner: self.hub.cast(), content: PhantomData })
    }

    pub(super) fn is_alive(&self) -> bool {
        self.hub().counts.has_handle()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.hub == other.hub
    }
}

impl<T, A> Clone for Weak<'_, T, A> {
    fn clone(&self) -> Self {
        self.hub().counts.add_memory();
        Weak { ..*self }
    }
}

impl<T, A> Drop for Weak<'_, T, A> {
    fn drop(&mut self) {
        // SAFETY: this had a count, and is not used again.
        unsafe { Hub::remove_memory(self.hub) };
    }
}
