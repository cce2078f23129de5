//! The same layers as in `layers`, each in a `BoxCloneService`. `tower` implements most of these layers.

use std::{future::Ready, future::ready, sync::Arc, task::Context, task::Poll};

use futures::{FutureExt, future::Either};
use tower::retry::{Policy, Retry};
use tower::{BoxError, Service, ServiceExt, util::BoxCloneService};
use tower::{limit::ConcurrencyLimit, timeout::Timeout};

use crate::backend::{Answer, CONCURRENT, Page, PageCache, RETRIES, TIMEOUT, log};
use crate::layers::Layer;

pub(crate) type PageService = BoxCloneService<usize, Page, BoxError>;

pub(crate) fn add_layer(inner: PageService, layer: &Layer) -> PageService {
    match layer {
        Layer::Log => PageService::new(inner.map_future(|future| future.map(log))),
        Layer::Limit => PageService::new(ConcurrencyLimit::new(inner, CONCURRENT)),
        Layer::Cache => {
            let pages = Arc::<PageCache>::default();
            let inserted = Arc::clone(&pages);
            PageService::new(Cache(inner.map_response(move |page| inserted.insert(page)), pages))
        }
        Layer::Retry => PageService::new(Retry::new(Retries(RETRIES), inner)),
        Layer::Timeout => PageService::new(Timeout::new(inner, TIMEOUT)),
    }
}

#[derive(Clone)]
struct Cache<S>(S, Arc<PageCache>);

impl<S: Service<usize, Response = Page, Error = BoxError>> Service<usize> for Cache<S> {
    type Response = Page;
    type Error = BoxError;
    type Future = Either<Ready<Answer>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, number: usize) -> Self::Future {
        match self.1.get(number) {
            Some(page) => Either::Left(ready(Ok(page))),
            None => Either::Right(self.0.call(number)),
        }
    }
}

/// The number of remaining retries.
#[derive(Clone)]
struct Retries(usize);

impl Policy<usize, Page, BoxError> for Retries {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut usize, answer: &mut Answer) -> Option<Ready<()>> {
        answer.as_ref().err()?;
        self.0 = self.0.checked_sub(1)?;
        Some(ready(()))
    }

    fn clone_request(&mut self, number: &usize) -> Option<usize> {
        Some(*number)
    }
}
