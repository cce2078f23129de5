use std::{future::pending, pin::pin, sync::Arc, sync::Mutex, time::Duration};

use futures::{future::join_all, poll};
use tokio::{sync::Semaphore, task::yield_now};
use tower::{ServiceBuilder, timeout::Timeout};

use super::*;
use crate::{
    backend::{Answer, ERRORS, RETRIES},
    common::{allocated, refusal},
    layers::Layer,
};

const ALL: [Layer; 5] = [Layer::Log, Layer::Limit, Layer::Cache, Layer::Retry, Layer::Timeout];

/// The backend of a test, with a record of its requests.
#[derive(Default)]
struct Backend {
    requests: Mutex<Vec<usize>>,
    /// The number of requests that fail from now on.
    failing: Mutex<usize>,
    hangs: bool,
    running: Mutex<usize>,
    peak: Mutex<usize>,
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

    fn ours(self: &Arc<Self>, layers: &[Layer]) -> layers::Web {
        let backend = Arc::clone(self);
        let fetch = move |page| ValueFuture::pooled(Arc::clone(&backend).fetch(page));
        layers.iter().rfold(layers::Web::new(fetch), layers::around)
    }

    fn boxed(self: &Arc<Self>, layers: &[Layer]) -> twin::Web {
        let backend = Arc::clone(self);
        let fetch = service_fn(move |page| Arc::clone(&backend).fetch(page));
        layers.iter().rfold(twin::Web::new(fetch), twin::around)
    }
}

trait Web: Service<usize, Response = Page, Error = BoxError> + Clone {}
impl<S: Service<usize, Response = Page, Error = BoxError> + Clone> Web for S {}

async fn call(service: &mut impl Web, number: usize) -> Answer {
    service.ready().await?.call(number).await
}

fn block_on<R>(test: impl Future<Output = R>) -> R {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let limit = Duration::from_secs(30);
    runtime.block_on(async { tokio::time::timeout(limit, test).await.expect("no request hangs") })
}

/// Runs a test with both stacks. Each stack has its own backend.
macro_rules! both {
    ($new:expr, $layers:expr, $test:expr) => {
        let backend = Arc::new($new);
        let service = backend.ours(&$layers);
        block_on($test(service, backend));
        let backend = Arc::new($new);
        let service = backend.boxed(&$layers);
        block_on($test(service, backend));
    };
}

#[test]
fn a_request_that_the_third_layer_answers_allocates_nothing() {
    let backend = Arc::new(Backend::default());
    let mut ours = backend.ours(&ALL);
    let mut boxed = backend.boxed(&ALL);
    block_on(async {
        for number in 0..10 {
            assert_eq!(call(&mut ours, number).await.unwrap(), number);
            assert_eq!(call(&mut boxed, number).await.unwrap(), number);
        }
        let before = allocated();
        for number in (0..10).cycle().take(1_000) {
            assert_eq!(call(&mut ours, number).await.unwrap(), number);
        }
        assert_eq!((allocated() - before).count, 0);
        assert!(ours.call(5).is_ready());
        let before = allocated();
        assert_eq!(call(&mut boxed, 5).await.unwrap(), 5);
        assert_eq!((allocated() - before).count, 3);
    });
    assert_eq!(backend.requests(), 20);
}

#[test]
fn a_request_that_the_backend_answers_allocates_nothing() {
    let stack = |_| ValueFuture::pooled(fetch(CACHEABLE, 0.0));
    let mut ours = ALL.iter().rfold(layers::Web::new(stack), layers::around);
    block_on(async {
        call(&mut ours, CACHEABLE).await.unwrap(); // The first future of a thread may allocate.
        let before = allocated();
        for _ in 0..1_000 {
            assert_eq!(call(&mut ours, CACHEABLE).await.unwrap(), CACHEABLE);
        }
        assert_eq!((allocated() - before).count, 0);
    });
}

#[test]
fn the_cache_answers_what_it_keeps() {
    async fn test(mut service: impl Web, backend: Arc<Backend>) {
        for number in [1, 2, 1, 2, 1, CACHEABLE, CACHEABLE] {
            assert_eq!(call(&mut service, number).await.unwrap(), number);
        }
        assert_eq!(*backend.requests.lock().unwrap(), [1, 2, CACHEABLE, CACHEABLE]);
    }
    both!(Backend::default(), ALL, test);
}

#[test]
fn the_cache_keeps_no_error() {
    async fn test(mut service: impl Web, backend: Arc<Backend>) {
        assert_eq!(call(&mut service, 1).await.unwrap_err().to_string(), "the backend failed");
        assert_eq!(call(&mut service, 1).await.unwrap(), 1);
        assert_eq!(call(&mut service, 1).await.unwrap(), 1);
        assert_eq!(backend.requests(), 2);
    }
    both!(Backend { failing: 1.into(), ..Backend::default() }, [Layer::Cache], test);
}

#[test]
fn a_request_is_retried_and_then_fails() {
    async fn test(mut service: impl Web, backend: Arc<Backend>) {
        *backend.failing.lock().unwrap() = RETRIES;
        assert_eq!(call(&mut service, 1).await.unwrap(), 1);
        assert_eq!(backend.requests(), RETRIES + 1);
        *backend.failing.lock().unwrap() = RETRIES + 1;
        assert_eq!(call(&mut service, 2).await.unwrap_err().to_string(), "the backend failed");
        assert_eq!(backend.requests(), 2 * (RETRIES + 1));
        assert_eq!(call(&mut service, 2).await.unwrap(), 2);
    }
    both!(Backend::default(), ALL, test);
}

#[test]
fn each_attempt_times_out_and_the_log_counts_one_error() {
    async fn test(mut service: impl Web, backend: Arc<Backend>) {
        let before = ERRORS.get();
        let error = call(&mut service, 1).await.unwrap_err();
        let ours = error.is::<tokio::time::error::Elapsed>();
        assert!(ours || error.is::<tower::timeout::error::Elapsed>(), "{error}");
        assert_eq!((backend.requests(), ERRORS.get() - before), (RETRIES + 1, 1));
        assert_eq!(*backend.running.lock().unwrap(), 0);
    }
    both!(Backend { hangs: true, ..Backend::default() }, ALL, test);
}

#[test]
fn the_limit_bounds_the_concurrent_requests() {
    async fn test(service: impl Web, backend: Arc<Backend>) {
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
    both!(new(), [Layer::Log, Layer::Limit], test);
}

#[test]
fn a_cancelled_request_returns_its_permit() {
    async fn test(service: impl Web, backend: Arc<Backend>) {
        for number in 0..3 * CONCURRENT {
            let mut service = service.clone();
            let mut request = Box::pin(call(&mut service, CACHEABLE + number));
            assert!(poll!(&mut request).is_pending());
        }
        assert_eq!((backend.requests(), *backend.running.lock().unwrap()), (3 * CONCURRENT, 0));
    }
    both!(Backend::default(), ALL, test);
}

#[test]
fn layers_are_added_at_run_time_in_any_order() {
    async fn test(mut service: impl Web, _: Arc<Backend>) {
        for number in [1, 1, CACHEABLE, 2] {
            assert_eq!(call(&mut service, number).await.unwrap(), number);
        }
    }
    for first in 0..=ALL.len() {
        let mut layers = ALL[first..].to_vec();
        layers.extend(ALL.into_iter().rev());
        both!(Backend::default(), layers, test);
        both!(Backend::default(), ALL[first..], test);
    }
}

/// A layer of `tower` takes a `ValueService`, and a closure erases the result again.
#[test]
fn layers_of_tower_fit_in_between() {
    let backend = Arc::new(Backend { hangs: true, ..Backend::default() });
    let inner = backend.ours(&[Layer::Limit]);
    let timed = ServiceBuilder::new().timeout(Duration::from_millis(1)).service(inner);
    let erase = |timed: Timeout<layers::Web>| {
        layers::Web::new(move |page| ValueFuture::pooled(timed.clone().oneshot(page)))
    };
    let mut service = layers::around(erase(timed), &Layer::Retry);
    let error = block_on(async { call(&mut service, 1).await.unwrap_err() });
    assert!(error.is::<tower::timeout::error::Elapsed>());
    assert_eq!(backend.requests(), RETRIES + 1);
}

#[test]
fn requests_with_faults_are_answered() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let ours = layers::Web::new(|page| ValueFuture::pooled(fetch(page, 2.0)));
    let ours = ALL.iter().rfold(ours, layers::around);
    assert_eq!(round(&runtime, &ours, CACHEABLE, 2.0), 64_000);
    let boxed = twin::Web::new(service_fn(|page| fetch(page, 2.0)));
    let boxed = ALL.iter().rfold(boxed, twin::around);
    assert_eq!(round(&runtime, &boxed, CACHEABLE, 2.0), 64_000);
}

#[test]
fn wrong_arguments_are_refused() {
    for arguments in
        [["--layers", "log,tls"], ["--faults", "101"], ["--faults", "x"], ["--rate", "1"]]
    {
        assert_eq!(refusal::<Options>(&arguments), Some(2), "{arguments:?}");
    }
    assert_eq!(refusal::<Options>(&["--layers", "cache,log", "--faults", "0"]), None);
}
