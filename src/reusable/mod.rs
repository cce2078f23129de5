//! A source that is used again and again, one operation at a time: a [slot](crate::slot) that
//! lies by itself. Its states, its two ends and its keys are those of a pool; only where it goes back to is
//! another [home](place::InPlace).

mod face;
mod place;

use core::{
    error::Error,
    fmt,
    future::{Future, poll_fn},
    task::{Context, Poll},
};

use self::{
    face::face,
    place::{InPlace, Place},
};
use crate::{
    Abandoned, CompleteError, Key, LocalValueFuture, OneThread,
    error::debug_as_text,
    future::Packed,
    operation::Producer,
    slot::{IndexLayout, Number},
};
#[cfg(target_has_atomic = "64")]
use crate::{AnyThread, ValueFuture};

#[cfg(target_has_atomic = "64")]
face! {
    /// A source of one operation after another, which lies in a field of its owner: one for a connection, or
    /// for each direction of it.
    ///
    /// [`begin`](Self::begin) gives the future of the next operation, and [`key`](Self::key) its name, which
    /// may leave the process and come back late: [`complete_key`](Self::complete_key) takes it, and refuses one of
    /// an operation that is over. [`begin_held`](Self::begin_held) gives a completer instead, for a producer
    /// that has to be done before the next operation begins. There is one operation at a time: to begin
    /// another is an error, [`BeginError`].
    ///
    /// Every source begins with the same keys, so the key of one source fits another: send along which source a
    /// key is of. A key has a 32-bit generation, and an index that counts epochs of 2³² generations. So no key comes twice.
    /// After 2⁶³ operations, [`begin`](Self::begin) returns [`BeginError`] for ever.
    ///
    /// # Sizes and allocation
    ///
    /// 64 bytes and a `T`, padded to a multiple of 8, on 64-bit targets. Nothing is allocated; a `static` may be one. It needs neither
    /// `std` nor `alloc`, but atomics of 64 bits. There is one exception: if the address of the source does
    /// not fit beside a token, [`begin`](Self::begin) allocates a box, and without `alloc` it panics; see
    /// [`from_source`](ValueFuture::from_source).
    ///
    /// # Leaks
    ///
    /// A source whose future went to `mem::forget` stays busy until it is [cleared](Self::clear). What is in
    /// it is dropped with it.
    ///
    /// # Examples
    ///
    /// A driver with one read at a time, completed from an interrupt or another thread:
    ///
    /// ```
    /// use std::{io, thread};
    /// use value_future::{BeginError, ReusableSource, ValueFuture};
    ///
    /// struct Port {
    ///     read: ReusableSource<io::Result<u8>>,
    /// }
    ///
    /// impl Port {
    ///     fn read(&self) -> ValueFuture<'_, io::Result<u8>> {
    ///         self.read.begin().unwrap_or_else(|busy| ValueFuture::ready(Err(busy.into())))
    ///     }
    ///
    ///     fn interrupt(&self, byte: u8) {
    ///         if let Some(key) = self.read.key() {
    ///             // It may have been dropped meanwhile.
    ///             let _ = self.read.complete_key(key, Ok(byte));
    ///         }
    ///     }
    /// }
    ///
    /// static PORT: Port = Port { read: ReusableSource::new() };
    ///
    /// for byte in 0..3 {
    ///     let read = PORT.read();
    ///     let interrupts = thread::spawn(move || PORT.interrupt(byte));
    ///     assert_eq!(futures::executor::block_on(read).unwrap(), byte);
    ///     interrupts.join().unwrap();
    /// }
    /// # let _: Option<BeginError> = None;
    /// ```
    ReusableSource, ReusableCompleter, ValueFuture, AnyThread, [Send],
    "# Blocking\n\n\
    If a producer is inside [`complete_key`](Self::complete_key) or [`abandon_key`](Self::abandon_key) while the future of the last \
    operation is dropped, this call spins until that producer has returned the slot. With the feature `std` it then \
    yields, and at last sleeps for 50 µs at a time. That takes \
    about as long as moving a `T`. So the call never fails for a single caller that has dropped its last future \
    of `begin`.\n\n\
    Priority inversion: the call may never return in an interrupt handler that has interrupted a call of this \
    source (by a producer, of `begin`, or the drop of a future or a completer), nor, without `std`, on a thread of a \
    higher fixed priority on the core of a thread that is inside such a call."
}

face! {
    /// [`ReusableSource`](crate::ReusableSource) for one thread: no atomics, and neither the source nor what
    /// comes from it is `Send`. Everything else is the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalReusableSource;
    ///
    /// let source = LocalReusableSource::<Option<u32>>::new();
    /// for number in 0..3 {
    ///     let (completer, answer) = source.begin_held().unwrap();
    ///     completer.complete(Some(number)).unwrap();
    ///     assert_eq!(futures::executor::block_on(answer), Some(number));
    /// }
    /// ```
    LocalReusableSource, LocalReusableCompleter, LocalValueFuture, OneThread, [], ""
}

/// The source has an operation already. It was not touched.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BeginError(());

debug_as_text!(BeginError);

impl fmt::Display for BeginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the source is busy: it has one operation at a time. Await or drop the future of that one, and \
             complete with or drop its completer if it has one; `clear` ends what was forgotten",
        )
    }
}

impl Error for BeginError {}

/// With the kind `WouldBlock`: the next operation may begin when this one is over.
#[cfg(feature = "std")]
impl From<BeginError> for std::io::Error {
    fn from(busy: BeginError) -> Self {
        std::io::Error::new(std::io::ErrorKind::WouldBlock, busy)
    }
}

// SAFETY: a value goes in and out on any thread, and the place is made for several.
#[cfg(target_has_atomic = "64")]
unsafe impl<T: Send> Send for Place<T, InPlace<AnyThread>> {}
// SAFETY: as above; a `&T` is not to be had.
#[cfg(target_has_atomic = "64")]
unsafe impl<T: Send> Sync for Place<T, InPlace<AnyThread>> {}
