//! `Handle`: the implementation of `Shared` and `LocalShared`.

use core::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{
    notifier::Step,
    operation::{Operation, Weak},
    queue::Waiter,
};
use crate::{erased::View, error::Terminated, future::Packed, origin::Origin};

pin_project! {
    /// A handle of a shared future.
    pub(super) struct Handle<'a, T, A> {
        // `None` if the result is inline, or if the handle is terminated.
        operation: Option<Operation<'a, T, A>>,
        // If `operation` is `None`, this is an inline result, or the reason why there is no result. Otherwise, only the origin in this
        // field is used.
        own: Packed<'a, T, A>,
        #[pin]
        waiter: Waiter,
    }

    impl<T, A> PinnedDrop for Handle<'_, T, A> {
        fn drop(this: Pin<&mut Self>) {
            if this.operation.is_some() {
                this.end(Terminated::Completed(None));
            }
        }
    }
}

impl<'a, T, A> Handle<'a, T, A> {
    /// Creates the first handle of a shared future. The call allocates if the future is neither ready nor terminated.
    pub(super) fn new(future: Packed<'a, T, A>) -> Self {
        match future.view() {
            View::Cell | View::Source(_) => {
                let origin = future.origin();
                Handle::of(Operation::new(future), origin)
            }
            View::Ready | View::Terminated(_) => Handle::inline(future),
        }
    }

    fn inline(own: Packed<'a, T, A>) -> Self {
        Handle { operation: None, own, waiter: Waiter::new() }
    }

    fn of(operation: Operation<'a, T, A>, origin: Origin) -> Self {
        let own = Packed::terminated(completed(&operation)).at(origin);
        Handle { operation: Some(operation), own, waiter: Waiter::new() }
    }

    pub(super) fn share(&self) -> Self
    where
        T: Clone,
    {
        let origin = self.own.origin();
        let own = match (&self.operation, self.own.view()) {
            (Some(operation), _) => return Handle::of(operation.share(), origin),
            (None, View::Terminated(termination)) => Packed::terminated(termination),
            (None, _) => Packed::ready(self.own.peek().expect("the result is inline").clone()),
        };
        Handle::inline(own.at(origin))
    }

    /// Returns the future that contains the result or the failure: `own` if the handle has no operation, and otherwise the content of the
    /// operation. Returns `None` if the operation is not done.
    fn readable(&self) -> Option<&Packed<'a, T, A>> {
        self.operation.as_ref().map_or(Some(&self.own), Operation::done)
    }

    pub(super) fn peek(&self) -> Option<&T> {
        self.readable().and_then(Packed::peek)
    }

    pub(super) fn is_terminated(&self) -> bool {
        self.operation.is_none() && self.own.is_terminated()
    }

    /// Returns the reason why the handle will return no result, for `Debug`. Returns `None` if it may return one.
    pub(super) fn failure(&self) -> Option<Terminated> {
        self.readable().and_then(Packed::termination)
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.operation, &other.operation) {
            (Some(one), Some(other)) => one.is_same(other),
            _ => false,
        }
    }

    pub(super) fn downgrade(&self) -> Option<Weak<'a, T, A>> {
        self.operation.as_ref().map(Operation::downgrade)
    }

    #[cfg_attr(feature = "trace", track_caller)]
    pub(super) fn upgrade(weak: &Weak<'a, T, A>) -> Option<Self> {
        let operation = weak.upgrade()?;
        Some(Handle::of(operation, Origin::caller()))
    }

    pub(super) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T>
    where
        T: Clone,
    {
        let mut guard = PollGuard(self);
        let this = guard.0.as_mut().project();
        let Some(operation) = this.operation else {
            return this.own.poll(cx);
        };
        let Poll::Ready(result) = poll(operation, this.waiter, cx) else {
            mem::forget(guard);
            return Poll::Pending;
        };
        match result {
            Ok(value) => {
                let completed = completed(operation);
                guard.0.as_mut().end(completed);
                Poll::Ready(value)
            }
            Err(failure) => {
                guard.0.as_mut().end(failure);
                // `own` now contains the failure, so this poll of `own` panics with the failure.
                guard.0.as_mut().project().own.poll(cx)
            }
        }
    }

    /// Terminates the handle.
    #[inline(never)]
    fn end(self: Pin<&mut Self>, termination: Terminated) {
        let this = self.project();
        *this.own = Packed::terminated(termination).at(this.own.origin());
        if let Some(operation) = this.operation.take() {
            // The waker is dropped last, even if the drop of the operation panics.
            let _waker = operation.notifier().remove(this.waiter);
            drop(operation);
        }
    }
}

/// Returns the reason why a handle is terminated after it has returned the result.
fn completed<T, A>(operation: &Operation<'_, T, A>) -> Terminated {
    Terminated::Completed(operation.arm_origin())
}

/// Polls the operation for the handle that contains `waiter`.
#[inline]
fn poll<T: Clone, A>(
    operation: &mut Operation<'_, T, A>,
    waiter: Pin<&mut Waiter>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, Terminated>> {
    if let Some(alone) = operation.alone() {
        return alone.poll(waiter, cx);
    }
    match operation.take_turn(waiter, cx.waker()) {
        Step::Wait => return Poll::Pending,
        Step::Poll(turn) => ready!(turn.poll()),
        Step::Done => {}
    }
    let content = operation.done().expect("the operation is done");
    Poll::Ready(match content.peek() {
        Some(value) => Ok(value.clone()),
        None => Err(content.termination().expect("the operation has a result or a failure")),
    })
}

/// A guard for the poll of a handle. If the poll of the future panics, the drop of the guard terminates the handle.
struct PollGuard<'h, 'a, T, A>(Pin<&'h mut Handle<'a, T, A>>);

impl<T, A> Drop for PollGuard<'_, '_, T, A> {
    fn drop(&mut self) {
        let operation = self.0.as_mut().project().operation.as_mut();
        if let Some(failure) = operation.and_then(failure_of_poll) {
            self.0.as_mut().end(failure);
        }
    }
}

/// Returns the reason why there will be no result, after this handle has polled the future. (If the handle was alone, and the poll has
/// returned the result, the reason is that the future has completed.)
fn failure_of_poll<T, A>(operation: &mut Operation<'_, T, A>) -> Option<Terminated> {
    if let Some(alone) = operation.alone() {
        return alone.failure();
    }
    operation.done().and_then(Packed::termination)
}
