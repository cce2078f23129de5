//! [`ValueService`], a type-erased service whose future is a `ValueFuture`.

use std::{sync::Arc, task::Context, task::Poll};

use tower::Service;
use value_future::ValueFuture;

pub(crate) type Call<Res, E> = ValueFuture<'static, Result<Res, E>>;

/// A type-erased service. All clones share one closure, which is called through `&self`, as in `hyper`. `poll_ready` is always ready: if a
/// request has to wait, its future waits.
pub(crate) struct ValueService<Req, Res, E>(Arc<dyn Fn(Req) -> Call<Res, E> + Send + Sync>);

impl<Req, Res, E> ValueService<Req, Res, E> {
    pub(crate) fn new(call: impl Fn(Req) -> Call<Res, E> + Send + Sync + 'static) -> Self {
        ValueService(Arc::new(call))
    }

    pub(crate) fn call(&self, request: Req) -> Call<Res, E> {
        (self.0)(request)
    }
}

impl<Req, Res, E> Clone for ValueService<Req, Res, E> {
    fn clone(&self) -> Self {
        ValueService(Arc::clone(&self.0))
    }
}

impl<Req, Res, E> Service<Req> for ValueService<Req, Res, E> {
    type Response = Res;
    type Error = E;
    type Future = Call<Res, E>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Call<Res, E> {
        (self.0)(request)
    }
}
