//! Five nested calls of an async method behind `dyn`. The innermost call is pending once.

use std::hint::black_box;

use value_future::ValueFuture;

use super::{
    super::{BoxFuture, Case},
    BOX_PIN, POOLED, PendingOnce, case,
};

trait BoxRead: Send + Sync {
    fn read(&self, key: u64) -> BoxFuture<'_, u64> {
        self.descend(4, key)
    }

    fn descend(&self, depth: u64, key: u64) -> BoxFuture<'_, u64>;
}

trait ValueRead: Send + Sync {
    fn read(&self, key: u64) -> ValueFuture<'_, u64> {
        self.descend(4, key)
    }

    fn descend(&self, depth: u64, key: u64) -> ValueFuture<'_, u64>;
}

struct Layer<const BYTES: usize>;

macro_rules! layer {
    ($Read:ident, $Future:ident, $wrap:path) => {
        impl<const BYTES: usize> $Read for Layer<BYTES> {
            fn descend(&self, depth: u64, key: u64) -> $Future<'_, u64> {
                $wrap(async move {
                    let mut buffer = [0_u8; BYTES];
                    black_box(&mut buffer)[0] = 1;
                    let inner = if depth == 0 {
                        PendingOnce::default().await;
                        key
                    } else {
                        let next: &dyn $Read = black_box(self);
                        next.descend(depth - 1, key).await
                    };
                    inner + u64::from(black_box(&buffer)[0])
                })
            }
        }
    };
}

layer!(BoxRead, BoxFuture, Box::pin);
layer!(ValueRead, ValueFuture, ValueFuture::pooled);

pub(crate) fn cases<const BYTES: usize>() -> Vec<Case> {
    let boxes: &'static dyn BoxRead = &Layer::<BYTES>;
    let pooled: &'static dyn ValueRead = &Layer::<BYTES>;
    vec![case!(BOX_PIN, boxes), case!(POOLED, pooled)]
}
