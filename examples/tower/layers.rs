//! The layers of value services. If the inner service answers inline, then so do the log, the limit and the cache.

use std::sync::Arc;

use tokio::{sync::Semaphore, time::timeout};
use tower::BoxError;
use value_future::ValueFuture;

use crate::backend::{CONCURRENT, Page, Pages, RETRIES, TIMEOUT, log};
use crate::service::ValueService;

pub(crate) type Web = ValueService<usize, Page, BoxError>;

#[derive(Clone, PartialEq, clap::ValueEnum)]
pub(crate) enum Layer {
    Log,
    Limit,
    Cache,
    Retry,
    Timeout,
}

pub(crate) fn around(inner: Web, layer: &Layer) -> Web {
    match layer {
        Layer::Log => Web::new(move |number| inner.call(number).map(log)),
        Layer::Limit => {
            let permits = Arc::new(Semaphore::new(CONCURRENT));
            Web::new(move |number| {
                if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
                    // The closure owns the permit until there is an answer.
                    return inner.call(number).map(move |answer| (answer, permit).0);
                }
                let (inner, permits) = (inner.clone(), Arc::clone(&permits));
                ValueFuture::pooled(async move {
                    let _permit = permits.acquire().await?;
                    inner.call(number).await
                })
            })
        }
        Layer::Cache => {
            let pages = Arc::<Pages>::default();
            Web::new(move |number| {
                if let Some(page) = pages.get(number) {
                    return ValueFuture::ready(Ok(page));
                }
                let pages = Arc::clone(&pages);
                inner.call(number).map_ok(move |page| pages.keep(page))
            })
        }
        Layer::Retry => Web::new(move |number| {
            let inner = inner.clone();
            ValueFuture::pooled(async move {
                for _ in 0..RETRIES {
                    if let Ok(page) = inner.call(number).await {
                        return Ok(page);
                    }
                }
                inner.call(number).await
            })
        }),
        Layer::Timeout => Web::new(move |number| {
            let answer = inner.call(number);
            ValueFuture::pooled(async { timeout(TIMEOUT, answer).await? })
        }),
    }
}
