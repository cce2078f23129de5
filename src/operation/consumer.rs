//! `Consumer`: the consumer's end of an operation. The completions of pools contain a `Consumer`. Reusable sources convert a `Consumer`
//! into a value future.

use core::{
    mem::ManuallyDrop,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{
    erased::{ErasedFuture, ready_or_broken},
    error::{ArmOrigin, Terminated},
    slot::{ConsumerRole, ConsumerWord, Ended, Finished, Recycler},
};

/// The handle of the consumer role. Dropping the handle cancels a pending operation, or drops the result.
///
/// The type has a destructor and the parameter `'a`. So the compiler requires that the owner of the slot outlives the consumer (drop
/// check).
pub(crate) struct Consumer<'a, T, H: Recycler>(ConsumerWord<'a, T, H>);

impl<'a, T, H: Recycler> Consumer<'a, T, H> {
    /// Creates the consumer that has this role. A slot of a source stays allocated for `'a`. A slot of a slab stays allocated while it is
    /// rented. In both cases, the slot outlives the consumer.
    #[inline(always)]
    pub(crate) fn new(role: ConsumerRole<'a, T, H>) -> Self {
        Consumer(ConsumerWord::new(role))
    }

    /// Returns the role, or the reason why the role has ended.
    #[inline(always)]
    pub(crate) fn into_role(self) -> Result<ConsumerRole<'a, T, H>, Terminated> {
        let mut this = ManuallyDrop::new(self);
        this.0.end(Ended::Taken).ok_or_else(|| this.termination())
    }

    /// Returns the address of the slot, for a message.
    #[cfg(not(feature = "alloc"))]
    pub(crate) fn address(&self) -> *const () {
        self.0.address()
    }

    /// Returns the progress of the operation as a word, for `Debug`.
    pub(crate) fn progress(&self) -> &'static str {
        match (self.0.ended(), self.0.state()) {
            (Some(Ended::Panicked), _) => "panicked",
            (Some(Ended::Taken), _) => "taken",
            (None, Some(state)) if state.is_pending() => "pending",
            (None, _) => "completed",
        }
    }

    /// Returns why the role has ended. The consumer must be [terminated](Consumer::is_terminated).
    #[cold]
    pub(crate) fn termination(&self) -> Terminated {
        match self.0.ended() {
            Some(Ended::Panicked) => Terminated::Panicked(ArmOrigin::Source),
            _ => Terminated::Completed(Some(ArmOrigin::Source)),
        }
    }

    /// Returns `true` if there is a result to take.
    pub(crate) fn is_completed(&self) -> bool {
        self.0.state().is_some_and(|state| !state.is_pending())
    }

    /// Returns `true` if the result is a value, and `false` if the operation ended without a value. Returns `None` if there is no result to
    /// take.
    pub(crate) fn result_is_value(&self) -> Option<bool> {
        let state = self.0.state()?;
        (!state.is_pending()).then(|| state.has_value())
    }

    /// Converts the consumer into a pointer, for code in another language.
    pub(crate) fn into_raw(self) -> *mut () {
        ManuallyDrop::new(self).0.as_raw()
    }

    /// Creates the consumer from its word. [`into_raw`](Consumer::into_raw) returns this word as a pointer.
    pub(crate) fn from_word(word: ConsumerWord<'a, T, H>) -> Self {
        Consumer(word)
    }

    #[inline(always)]
    pub(crate) fn is_terminated(&self) -> bool {
        self.0.ended().is_some()
    }

    /// Polls the operation. Returns `Ready(None)` if the consumer [is terminated](Consumer::is_terminated).
    #[inline(always)]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll(cx.waker())
    }

    /// Takes the result if there is one.
    pub(crate) fn try_take(&mut self) -> Option<T> {
        self.0.try_take()
    }

    /// Ends the consumer role. Returns the result if there is one.
    pub(crate) fn close(mut self) -> Option<T> {
        self.0.end(Ended::Taken)?.try_leave().err().map(Finished::take)
    }
}

impl<T, H: Recycler> Drop for Consumer<'_, T, H> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(role) = self.0.end(Ended::Taken) {
            role.leave();
        }
    }
}

/// The implementation has two uses. A consumer whose slot has an address of more than 48 bits does not fit into a head, so it is boxed. The
/// future of `begin_owned` contains a consumer and the reference to its source, and polls the consumer.
impl<T, H: Recycler> ErasedFuture for Consumer<'_, T, H> {
    type Output = T;

    const ORIGIN: ArmOrigin = ArmOrigin::Source;

    fn type_name() -> &'static str {
        H::source_name::<T>()
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        broken: &mut Option<Terminated>,
    ) -> Poll<T> {
        let polled = Consumer::poll(&mut self, cx);
        ready_or_broken(polled.map(|result| result.ok_or_else(|| self.termination())), broken)
    }
}
