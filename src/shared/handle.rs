//! What the handles of both kinds are.

use core::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    operation::{Operation, Weak},
    waiters::Waiter,
};
use crate::{erased::View, error::Spent, future::Packed, origin::Origin};

/// One of those who await a shared future, or do not yet.
///
/// It is not `Unpin`: its place in the list of those who wait lies in itself.
pub(super) struct Handle<'a, T, A> {
    /// What is shared, until the result has been given out.
    operation: Option<Operation<'a, T, A>>,
    /// If nothing is shared: an inline result, or why there is none.
    own: Packed<'a, T, A>,
    waiter: Waiter,
}

impl<'a, T, A> Handle<'a, T, A> {
    /// Allocates if the future is neither ready nor spent.
    pub(super) fn new(future: Packed<'a, T, A>) -> Self {
        match future.view() {
            View::Boxed | View::Source(_) => {
                let origin = future.origin();
                Handle::of(Operation::new(future), origin)
            }
            View::Ready | View::Terminated(_) => Handle::with(future),
        }
    }

    fn with(own: Packed<'a, T, A>) -> Self {
        Handle { operation: None, own, waiter: Waiter::new() }
    }

    fn of(operation: Operation<'a, T, A>, origin: Origin) -> Self {
        let own = Packed::terminated(operation.completed()).at(origin);
        Handle { operation: Some(operation), own, waiter: Waiter::new() }
    }

    pub(super) fn share(&self) -> Self
    where
        T: Clone,
    {
        let origin = self.own.origin();
        let own = match (&self.operation, self.own.view()) {
            (Some(operation), _) => return Handle::of(operation.share(), origin),
            (None, View::Terminated(spent)) => Packed::terminated(spent),
            (None, _) => Packed::ready(self.own.peek().expect("inline").clone()),
        };
        Handle::with(own.at(origin))
    }

    pub(super) fn peek(&self) -> Option<&T> {
        match &self.operation {
            Some(operation) => operation.peek(),
            None => self.own.peek(),
        }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.operation.is_none() && self.own.is_terminated()
    }

    /// Why the handle will give no result, if it will give none: for `Debug`.
    pub(super) fn failure(&self) -> Option<Spent> {
        match &self.operation {
            Some(operation) => operation.failure(),
            None => self.own.termination(),
        }
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
        // SAFETY: the waiter is not moved; the rest may be.
        let this = unsafe { self.get_unchecked_mut() };
        let polling = Polling(this);
        let Handle { operation: Some(operation), waiter, .. } = &mut *polling.0 else {
            return polling.0.own.poll(cx);
        };
        // SAFETY: the waiter is pinned, and `end` is called before it goes.
        let Poll::Ready(result) = (unsafe { operation.poll(waiter, cx) }) else {
            mem::forget(polling);
            return Poll::Pending;
        };
        let completed = operation.completed();
        polling.0.end(*result.as_ref().err().unwrap_or(&completed));
        match result {
            Ok(value) => Poll::Ready(value),
            // It tells why.
            Err(_) => polling.0.own.poll(cx),
        }
    }

    /// From now on there is nothing to wait for.
    fn end(&mut self, spent: Spent) {
        self.own = Packed::terminated(spent).at(self.own.origin());
        if let Some(operation) = self.operation.take() {
            // SAFETY: it was polled with this waiter.
            unsafe { operation.leave(&self.waiter) };
        }
    }
}

/// If the future panics, the handle that polled it ends with it.
struct Polling<'h, 'a, T, A>(&'h mut Handle<'a, T, A>);

impl<T, A> Drop for Polling<'_, '_, T, A> {
    fn drop(&mut self) {
        if let Some(failure) = self.0.operation.as_mut().and_then(Operation::failure_of_poll) {
            self.0.end(failure);
        }
    }
}

impl<T, A> Drop for Handle<'_, T, A> {
    fn drop(&mut self) {
        self.end(Spent::Completed(None));
    }
}
