//! `BorrowedReader`: a reader, and a future that borrows the reader.

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
/// Invariant: `current` borrows `reader`, although its type says `'static`. `current` is polled and dropped in its place. It is dropped
/// before the reader is used, moved or dropped. (`current` is the first field, so it is dropped first.) The data that the reader borrows
/// outlives `current`: see `DropUses`.
pub(super) struct BorrowedReader<R, O, A> {
    current: Option<Packed<'static, O, A>>,
    /// The reader is in an `UnsafeCell`, because `current` borrows it mutably while there are shared references to the stream.
    reader: UnsafeCell<R>,
    /// `BorrowedReader` is not `Unpin`, because `current` contains the address of `reader`.
    _pinned: PhantomPinned,
    _uses: DropUses<R>,
}

/// Tells the compiler that the drop of a reader's future may use the data that the reader borrows.
///
/// The compiler cannot see this: the lifetime of the future was changed to `'static`, and some readers, such as references, have no
/// destructor.
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
        // No future borrows the reader: `self` is moved here, so it was never pinned, and never polled.
        self.reader.into_inner()
    }

    /// Returns the pending future of an item, for `Debug`. `name` is the name of the public type of this future.
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

    /// Polls the future of the next item. If there is no such future yet, `next` creates it.
    #[inline]
    pub(super) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        next: impl for<'r> FnOnce(&'r mut R) -> Packed<'r, O, A>,
    ) -> Poll<O> {
        // SAFETY: `current` and `reader` are not moved out of `this`.
        let this = unsafe { self.get_unchecked_mut() };
        if this.current.is_none() {
            let asked = next(this.reader.get_mut());
            // SAFETY: only the lifetime changes, which the invariant allows. The reader is pinned, so it stays at its address until it is
            // dropped.
            let asked = unsafe { mem::transmute::<Packed<'_, O, A>, Packed<'static, O, A>>(asked) };
            this.current = Some(asked);
        }
        poll_current(&mut this.current, |current| current.poll(cx))
    }
}
