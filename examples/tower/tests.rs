use std::{future::pending, pin::pin, sync::Arc, sync::Mutex, time::Duration};

use futures::{future::join_all, poll};
use tokio::{sync::Semaphore, task::yield_now};
use tower::{ServiceBuilder, timeout::Timeout};

use super::*;
use crate::{
    backend::{Answer, ERRORS, RETRIES},
    common::{allocated, exit_code_of_arguments},
    layers::Layer,
};

const ALL: [Layer; 5] = [Layer::Log, Layer::Limit, Layer::Cache, Layer::Retry, Layer::Timeout];

/// A backend that records its requests.
#[derive(Default)]
struct Backend {
    requests: Mutex<Vec<usize>>,
    /// The backend fails this number of requests. Later requests succeed.
    failing: Mutex<usize>,
    hangs: bool,
    running: Mutex<usize>,
    peak: Mutex<usize>,
    /// If there is a gate, each request waits for a permit of the gate.
    gate: Option<Semaphore>,
}

impl Backend {
    async fn fetch(self: Arc<Self>, number: usize) -> Answer {
        struct Running(Arc<Backend>);
        impl Drop for Running {
            fn drop(&mut self) {
                *self.0.running.lock().unwrap() -= 1;
            }
        }
        self.requests.lock().unwrap().push(number);
        let running = {
            let mut running = self.running.lock().unwrap();
            *running += 1;
            let mut peak = self.peak.lock().unwrap();
            *peak = running.max(*peak);
            Running(Arc::clone(&self))
        };
        yield_now().await;
        if let Some(gate) = &self.gate {
            drop(gate.acquire().await);
        }
        if self.hangs {
            pending::<()>().await;
        }
        drop(running);
        let mut failing = self.failing.lock().unwrap();
        if *failing > 0 {
            *failing -= 1;
            return Err("the backend failed".into());
        }
        Ok(number)
    }

    fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    fn value_stack(self: &Arc<Self>, layers: &[Layer]) -> layers::PageService {
        let backend = Arc::clone(self);
        let fetch = move |page| ValueFuture::pooled(Arc::clone(&backend).fetch(page));
        layers.iter().rfold(layers::PageService::new(fetch), layers::add_layer)
    }

    fn boxed_stack(self: &Arc<Self>, layers: &[Layer]) -> boxed_layers::PageService {
        let backend = Arc::clone(self);
        let fetch = service_fn(move |page| Arc::clone(&backend).fetch(page));
        layers.iter().rfold(boxed_layers::PageService::new(fetch), boxed_layers::add_layer)
    }
}

/// A service with layers of `layers` or of `boxed_layers`.
trait AnyService: Service<usize, Response = Page, Error = BoxError> + Clone {}
impl<S: Service<usize, Response = Page, Error = BoxError> + Clone> AnyService for S {}

async fn call(service: &mut impl AnyService, number: usize) -> Answer {
    service.ready().await?.call(number).await
}

fn block_on<R>(test: impl Future<Output = R>) -> R {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let limit = Duration::from_secs(30);
    runtime.block_on(async { tokio::time::timeout(limit, test).await.expect("no request hangs") })
}

/// Runs a test with a stack of `layers`, and then with a stack of `boxed_layers`. Each stack has its own backend.
macro_rules! with_both_stacks {
    ($new:expr, $layers:expr, $test:expr) => {
        let backend = Arc::new($new);
        let service = backend.value_stack(&$layers);
        block_on($test(service, backend));
        let backend = Arc::new($new);
        let service = backend.boxed_stack(&$layers);
        block_on($test(service, backend));
    };
}

#[test]
fn a_request_that_the_cache_answers_allocates_nothing() {
    let backend = Arc::new(Backend::default());
    let mut value = backend.value_stack(&ALL);
    let mut boxed = backend.boxed_stack(&ALL);
    block_on(async {
        for number in 0..10 {
            assert_eq!(call(&mut value, number).await.unwrap(), number);
            assert_eq!(call(&mut boxed, number).await.unwrap(), number);
        }
        let before = allocated();
        for number in (0..10).cycle().take(1_000) {
            assert_eq!(call(&mut value, number).await.unwrap(), number);
        }
        assert_eq!((allocated() - before).count, 0);
        assert!(value.call(5).is_ready());
        let before = allocated();
        assert_eq!(call(&mut boxed, 5).await.unwrap(), 5);
        assert_eq!((allocated() - before).count, 3);
    });
    assert_eq!(backend.requests(), 20);
}

#[test]
fn a_request_that_the_backend_answers_allocates_nothing() {
    let fetch_page = |_| ValueFuture::pooled(fetch(CACHEABLE, 0.0));
    let mut value = ALL.iter().rfold(layers::PageService::new(fetch_page), layers::add_layer);
    block_on(async {
        call(&mut value, CACHEABLE).await.unwrap(); // The first pooled future of a thread may allocate.
        let before = allocated();
        for _ in 0..1_000 {
            assert_eq!(call(&mut value, CACHEABLE).await.unwrap(), CACHEABLE);
        }
        assert_eq!((allocated() - before).count, 0);
    });
}

#[test]
fn the_cache_answers_requests_for_cached_pages() {
    async fn test(mut service: impl AnyService, backend: Arc<Backend>) {
        for number in [1, 2, 1, 2, 1, CACHEABLE, CACHEABLE] {
            assert_eq!(call(&mut service, number).await.unwrap(), number);
        }
        assert_eq!(*backend.requests.lock().unwrap(), [1, 2, CACHEABLE, CACHEABLE]);
    }
    with_both_stacks!(Backend::default(), ALL, test);
}

#[test]
fn the_cache_does_not_store_errors() {
    async fn test(mut service: impl AnyService, backend: Arc<Backend>) {
        assert_eq!(call(&mut service, 1).await.unwrap_err().to_string(), "the backend failed");
        assert_eq!(call(&mut service, 1).await.unwrap(), 1);
        assert_eq!(call(&mut service, 1).await.unwrap(), 1);
        assert_eq!(backend.requests(), 2);
    }
    with_both_stacks!(Backend { failing: 1.into(), ..Backend::default() }, [Layer::Cache], test);
}

#[test]
fn a_request_fails_after_all_retries() {
    async fn test(mut service: impl AnyService, backend: Arc<Backend>) {
        *backend.failing.lock().unwrap() = RETRIES;
        assert_eq!(call(&mut service, 1).await.unwrap(), 1);
        assert_eq!(backend.requests(), RETRIES + 1);
        *backend.failing.lock().unwrap() = RETRIES + 1;
        assert_eq!(call(&mut service, 2).await.unwrap_err().to_string(), "the backend failed");
        assert_eq!(backend.requests(), 2 * (RETRIES + 1));
        assert_eq!(call(&mut service, 2).await.unwrap(), 2);
    }
    with_both_stacks!(Backend::default(), ALL, test);
}

#[test]
fn each_attempt_times_out_and_the_log_counts_one_error() {
    async fn test(mut service: impl AnyService, backend: Arc<Backend>) {
        let before = ERRORS.get();
        let error = call(&mut service, 1).await.unwrap_err();
        let by_tokio = error.is::<tokio::time::error::Elapsed>();
        assert!(by_tokio || error.is::<tower::timeout::error::Elapsed>(), "{error}");
        assert_eq!((backend.requests(), ERRORS.get() - before), (RETRIES + 1, 1));
        assert_eq!(*backend.running.lock().unwrap(), 0);
    }
    with_both_stacks!(Backend { hangs: true, ..Backend::default() }, ALL, test);
}

#[test]
fn the_limit_bounds_the_concurrent_requests() {
    async fn test(service: impl AnyService, backend: Arc<Backend>) {
        let caller = async |number| {
            let mut service = service.clone();
            call(&mut service, number).await
        };
        let mut all = pin!(join_all((0..3 * CONCURRENT).map(caller)));
        for _ in 0..100 {
            assert!(poll!(&mut all).is_pending());
            yield_now().await;
        }
        assert_eq!(backend.requests(), CONCURRENT);
        backend.gate.as_ref().unwrap().add_permits(1);
        let numbers = all.await.into_iter().map(Result::unwrap);
        assert!(numbers.eq(0..3 * CONCURRENT));
        assert_eq!(
            (backend.requests(), *backend.peak.lock().unwrap()),
            (3 * CONCURRENT, CONCURRENT)
        );
    }
    let new = || Backend { gate: Some(Semaphore::new(0)), ..Backend::default() };
    with_both_stacks!(new(), [Layer::Log, Layer::Limit], test);
}

#[test]
fn a_cancelled_request_returns_its_permit() {
    async fn test(service: impl AnyService, backend: Arc<Backend>) {
        for number in 0..3 * CONCURRENT {
            let mut service = service.clone();
            let mut request = Box::pin(call(&mut service, CACHEABLE + number));
            assert!(poll!(&mut request).is_pending());
        }
        assert_eq!((backend.requests(), *backend.running.lock().unwrap()), (3 * CONCURRENT, 0));
    }
    with_both_stacks!(Backend::default(), ALL, test);
}

#[test]
fn layers_are_added_at_run_time_in_any_order() {
    async fn test(mut service: impl AnyService, _: Arc<Backend>) {
        for number in [1, 1, CACHEABLE, 2] {
            assert_eq!(call(&mut service, number).await.unwrap(), number);
        }
    }
    for first in 0..=ALL.len() {
        let mut layers = ALL[first..].to_vec();
        layers.extend(ALL.into_iter().rev());
        with_both_stacks!(Backend::default(), layers, test);
        with_both_stacks!(Backend::default(), ALL[first..], test);
    }
}

/// A layer of `tower` accepts a `ValueService`. A closure converts the layered service to a `ValueService` again.
#[test]
fn layers_of_tower_combine_with_value_services() {
    let backend = Arc::new(Backend { hangs: true, ..Backend::default() });
    let inner = backend.value_stack(&[Layer::Limit]);
    let timed = ServiceBuilder::new().timeout(Duration::from_millis(1)).service(inner);
    let erase = |timed: Timeout<layers::PageService>| {
        layers::PageService::new(move |page| ValueFuture::pooled(timed.clone().oneshot(page)))
    };
    let mut service = layers::add_layer(erase(timed), &Layer::Retry);
    let error = block_on(async { call(&mut service, 1).await.unwrap_err() });
    assert!(error.is::<tower::timeout::error::Elapsed>());
    assert_eq!(backend.requests(), RETRIES + 1);
}

#[test]
fn the_program_gets_answers_despite_faults() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let value = layers::PageService::new(|page| ValueFuture::pooled(fetch(page, 2.0)));
    let value = ALL.iter().rfold(value, layers::add_layer);
    assert_eq!(run_round(&runtime, &value, CACHEABLE, 2.0), 64_000);
    let boxed = boxed_layers::PageService::new(service_fn(|page| fetch(page, 2.0)));
    let boxed = ALL.iter().rfold(boxed, boxed_layers::add_layer);
    assert_eq!(run_round(&runtime, &boxed, CACHEABLE, 2.0), 64_000);
}

#[test]
fn invalid_arguments_exit_with_code_2() {
    for arguments in
        [["--layers", "log,tls"], ["--faults", "101"], ["--faults", "x"], ["--rate", "1"]]
    {
        assert_eq!(exit_code_of_arguments::<Options>(&arguments), Some(2), "{arguments:?}");
    }
    assert_eq!(
        exit_code_of_arguments::<Options>(&["--layers", "cache,log", "--faults", "0"]),
        None
    );
}
