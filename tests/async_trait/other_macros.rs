//! Some attribute macros, such as `tracing::instrument`, recognize the code that `async-trait` generates. They also recognize the code that
//! the attribute of this crate generates: they instrument the body, and not the call.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use tracing::{Subscriber, instrument, span};
use value_future::async_trait;

use crate::block_on;

/// A subscriber that counts the spans, and records how deep they are nested.
#[derive(Clone, Default)]
struct Spans(Arc<Counts>);

#[derive(Default)]
struct Counts {
    created: AtomicU32,
    depth: AtomicU32,
    deepest: AtomicU32,
}

impl Subscriber for Spans {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(u64::from(self.0.created.fetch_add(1, Relaxed)) + 1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &span::Id) {
        let depth = self.0.depth.fetch_add(1, Relaxed) + 1;
        self.0.deepest.fetch_max(depth, Relaxed);
    }

    fn exit(&self, _: &span::Id) {
        self.0.depth.fetch_sub(1, Relaxed);
    }
}

#[async_trait]
trait Traced: Sync {
    async fn outer(&mut self, number: u32) -> u32;
    #[instrument(skip(self))]
    async fn inner(&self) -> u32 {
        1
    }
}

#[derive(Debug)]
struct Number(u32);

#[async_trait]
impl Traced for Number {
    #[instrument]
    async fn outer(&mut self, number: u32) -> u32 {
        self.0 = number;
        self.inner().await + self.0
    }

    #[ready((self.0 == 7).then_some(7))]
    #[instrument(skip(self))]
    async fn inner(&self) -> u32 {
        2
    }
}

#[test]
fn instrument_creates_a_span_for_the_body() {
    let spans = Spans::default();
    let mut number = Number(0);
    // The call creates no span. The body creates a span when it is polled.
    let outer = number.outer(5);
    let result = tracing::subscriber::with_default(spans.clone(), || block_on(outer));
    assert_eq!(result, 7);
    let count = |of: fn(&Counts) -> &AtomicU32| of(&spans.0).load(Relaxed);
    assert_eq!((count(|counts| &counts.created), count(|counts| &counts.deepest)), (2, 2));
    assert_eq!(count(|counts| &counts.depth), 0);
    let inner = tracing::subscriber::with_default(spans.clone(), || Number(7).inner().try_take());
    assert_eq!(inner.expect("the result is inline"), 7);
    assert_eq!(count(|counts| &counts.created), 2, "the body is not polled");
}
