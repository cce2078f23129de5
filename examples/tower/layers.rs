//! The layers of a [`ValueService`]. The layers `log` and `cache` pass on an inline result without a slot or a box. So does the layer
//! `limit`, if a permit is available.

use std::sync::Arc;

use tokio::{sync::Semaphore, time::timeout};
use tower::BoxError;
use value_future::ValueFuture;

use crate::backend::{CONCURRENT, Page, PageCache, RETRIES, TIMEOUT, log};
use crate::value_service::ValueService;

pub(crate) type PageService = ValueService<usize, Page, BoxError>;

#[derive(Clone, PartialEq, clap::ValueEnum)]
pub(crate) enum Layer {
    Log,
    Limit,
    Cache,
    Retry,
    Timeout,
}

pub(crate) fn add_layer(inner: PageService, layer: &Layer) -> PageService {
    match layer {
        Layer::Log => PageService::new(move |number| inner.call(number).map(log)),
        Layer::Limit => {
            let permits = Arc::new(Semaphore::new(CONCURRENT));
            PageService::new(move |number| {
                if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
                    // The closure owns the permit until the inner service has answered.
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
            let pages = Arc::<PageCache>::default();
            PageService::new(move |number| {
                if let Some(page) = pages.get(number) {
                    return ValueFuture::ready(Ok(page));
                }
                let pages = Arc::clone(&pages);
                inner.call(number).map_ok(move |page| pages.insert(page))
            })
        }
        Layer::Retry => PageService::new(move |number| {
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
        Layer::Timeout => PageService::new(move |number| {
            let answer = inner.call(number);
            ValueFuture::pooled(async { timeout(TIMEOUT, answer).await? })
        }),
    }
}
