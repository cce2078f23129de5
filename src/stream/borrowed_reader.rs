//! A reader, and a future that borrows it.

use core::{
    cell::UnsafeCell,
    fmt,
    marker::{PhantomData, PhantomPinned},
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use super::values::poll_current;
use crate::future::Packed;

/// A reader, and the future of its next item, which borrows the reader.
///
/// Invariant: the lifetime of `current` has no meaning. `current` borrows `reader`. It is polled and dropped in its place. It is dropped
/// before the reader is used, moved or dropped: as the first field, it is dropped first. What the reader borrows outlives `current`, by
/// `DropUses`.
pub(super) struct BorrowedReader<R, O, A> {
    current: Option<Packed<'static, O, A>>,
    /// It is in a cell, because `current` borrows it while there are shared references to the stream.
    reader: UnsafeCell<R>,
    /// `current` has the address of `reader`.
    _pinned: PhantomPinned,
    _uses: DropUses<R>,
}

/// Tells the compiler that the drop of a reader's future may use what the reader borrows.
///
/// The compiler cannot see it: the future has lost its lifetime, and a reader such as a reference has no drop of its own.
struct DropUses<R>(PhantomData<R>);

impl<R> Drop for DropUses<R> {
    fn drop(&mut self) {}
}

// SAFETY: a shared reference gives access to `current` only.
unsafe impl<R: Sync, O: Sync, A: Sync> Sync for BorrowedReader<R, O, A> {}

impl<R, O, A> BorrowedReader<R, O, A> {
    pub(super) const fn new(reader: R) -> Self {
        BorrowedReader {
            current: None,
            reader: UnsafeCell::new(reader),
            _pinned: PhantomPinned,
            _uses: DropUses(PhantomData),
        }
    }

    /// Returns the reader.
    pub(super) fn into_inner(self) -> R {
        // Nothing borrows the reader. It can be moved, so it was never pinned.
        self.reader.into_inner()
    }

    /// Returns the pending future of an item, for `Debug`. `name` is that of its type.
    pub(super) fn current(&self, name: &'static str) -> Option<impl fmt::Debug>
    where
        O: fmt::Debug,
    {
        struct Named<'p, P>(&'static str, &'p P);

        impl<P: fmt::Debug> fmt::Debug for Named<'_, P> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(self.0).field(self.1).finish()
            }
        }

        self.current.as_ref().map(|current| Named(name, current))
    }

    /// Polls the future of the next item. If there is none, `next` returns it.
    #[inline]
    pub(super) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: impl for<'r> FnOnce(&'r mut R) -> Packed<'r, O, A>,
    ) -> Poll<O> {
        // SAFETY: the reader is not moved.
        let this = unsafe { self.get_unchecked_mut() };
        if this.current.is_none() {
            let asked = next(this.reader.get_mut());
            // SAFETY: only the lifetime changes, by the invariant. The reader is pinned. So it stays at its address until it is dropped.
            let asked = unsafe { mem::transmute::<Packed<'_, O, A>, Packed<'static, O, A>>(asked) };
            this.current = Some(asked);
        }
        poll_current(&mut this.current, |current| current.poll(cx))
    }
}
