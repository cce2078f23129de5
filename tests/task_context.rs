//! Ten thousand concurrent operations on several threads. Each task has its own task-local id and its own tracing span. After each await, a
//! task still has its own id and span, and it gets its own answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
        mpsc,
    },
    thread,
};

use tokio::task::JoinSet;
use tracing::{Instrument, Span, info_span};
use value_future::{
    Completer, Dropped, FuturePool, Key, Pool, ReusableSource, Shared, ValueFuture,
};

tokio::task_local! {
    static ID: u64;
}

const OPERATIONS: u64 = if cfg!(miri) { 12 } else { 10_000 };

type Answer = Result<u64, Dropped>;

/// A request to the worker thread.
enum Request {
    ByCompleter(Completer<Answer>, u64),
    ByKey(Key, u64),
}

/// An object-safe client, whose methods wait for a worker thread.
trait Client: Send + Sync {
    fn by_completer(&self, id: u64) -> ValueFuture<'_, Answer>;
    fn by_key(&self, id: u64) -> ValueFuture<'_, Answer>;
    /// Awaits the other two methods, and checks the id and the span of the caller after each await.
    fn nested(&self, id: u64) -> ValueFuture<'_, Answer>;
}

struct Driver {
    pool: Pool<Answer>,
    machines: FuturePool,
    requests: mpsc::Sender<Request>,
}

fn answer_to(id: u64) -> u64 {
    id.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Client for Driver {
    fn by_completer(&self, id: u64) -> ValueFuture<'_, Answer> {
        let (completer, completion) = self.pool.rent();
        self.requests.send(Request::ByCompleter(completer, id)).unwrap();
        completion.into()
    }

    fn by_key(&self, id: u64) -> ValueFuture<'_, Answer> {
        let (completer, completion) = self.pool.rent();
        self.requests.send(Request::ByKey(completer.into_key().untyped(), id)).unwrap();
        completion.into()
    }

    fn nested(&self, id: u64) -> ValueFuture<'_, Answer> {
        self.machines.pooled(async move {
            let before = context();
            let first = self.by_completer(id).await?;
            assert_eq!(context(), before);
            tokio::task::yield_now().await;
            let second = ValueFuture::pooled(self.by_key(id)).await?;
            assert_eq!((context(), first), (before, second));
            Ok(first)
        })
    }
}

/// Returns the id and the span of the calling task.
fn context() -> (u64, Option<tracing::Id>) {
    (ID.get(), Span::current().id())
}

/// The number of operations that share one answer.
const TOGETHER: u64 = 8;

/// Returns a shared future of an answer. A group of operations awaits this future, and any operation of the group may poll it.
fn shared_answer(client: &Arc<dyn Client>, id: u64) -> Shared<'static, Answer> {
    let client = Arc::clone(client);
    ValueFuture::pooled(async move {
        let first = client.by_completer(id).await?;
        tokio::task::yield_now().await;
        let second = client.by_key(id).await?;
        assert_eq!(first, second);
        Ok(first)
    })
    .share()
}

async fn operation(
    client: Arc<dyn Client>,
    id: u64,
    shared: Shared<'static, Answer>,
    checked: Arc<AtomicU64>,
) {
    let own = (id, Span::current().id());
    assert!(own.1.is_some(), "the task has a span");
    let check = |answer: Answer| {
        assert_eq!(context(), own, "the context of another task");
        assert_eq!(answer, Ok(answer_to(id)), "the answer of another operation");
        checked.fetch_add(1, SeqCst);
    };
    check(client.by_completer(id).await);
    check(client.by_key(id).await);
    check(client.nested(id).await);
    check(value_future::ready_or_await!(ValueFuture::eager(async { Ok(answer_to(ID.get())) })));
    let source = ReusableSource::<Answer>::new();
    let answer = source.begin().unwrap();
    let key = source.key().unwrap();
    let complete = async {
        tokio::task::yield_now().await;
        source.complete_key(key, client.by_completer(id).await).unwrap();
    };
    let (answer, ()) = tokio::join!(answer, complete);
    check(answer);
    let answer = shared.await;
    assert_eq!(context(), own, "the context of another task");
    assert_eq!(answer, Ok(answer_to(id / TOGETHER)), "the answer of another operation");
    let (one, two) = tokio::join!(client.by_key(id), client.nested(id));
    check(one);
    check(two);
}

#[test]
fn each_task_keeps_its_id_its_span_and_its_answer() {
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    let (requests, inbox) = mpsc::channel::<Request>();
    let (pool, machines) = (Pool::<Answer>::new(), FuturePool::new());
    let worker_pool = pool.clone();
    let worker = thread::spawn(move || {
        // Answers the requests in batches. In a batch, the last request is answered first.
        let mut held = Vec::new();
        while let Ok(request) = inbox.recv() {
            held.push(request);
            held.extend(inbox.try_iter().take(200));
            for request in held.drain(..).rev() {
                match request {
                    Request::ByCompleter(completer, id) => {
                        completer.complete(Ok(answer_to(id))).unwrap();
                    }
                    Request::ByKey(key, id) => {
                        worker_pool.complete_key(key, Ok(answer_to(id))).unwrap();
                    }
                }
            }
        }
    });
    let checked = Arc::new(AtomicU64::new(0));
    let driver = Arc::new(Driver { pool, machines, requests });
    let client: Arc<dyn Client> = driver.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        let mut shared = shared_answer(&client, 0);
        for id in 0..OPERATIONS {
            if id % TOGETHER == 0 {
                shared = shared_answer(&client, id / TOGETHER);
            }
            let work = operation(client.clone(), id, shared.clone(), checked.clone());
            tasks.spawn(ID.scope(id, work.instrument(info_span!("operation", id))));
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
    });
    drop(runtime);
    assert_eq!(checked.load(SeqCst), 7 * OPERATIONS);
    assert_eq!((driver.pool.stats().live, driver.machines.stats().live), (0, 0));
    let shared = 2 * OPERATIONS.div_ceil(TOGETHER);
    assert_eq!(driver.pool.stats().rented, 8 * OPERATIONS + shared);
    drop((client, driver));
    worker.join().unwrap();
}
