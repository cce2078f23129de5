//! The same trait in four forms: with the attribute of `async-trait`, with the attribute of this crate, with methods that return boxes, and
//! with methods that return value futures. The methods are called behind `dyn`, and awaited. Each contender has a separate trait, as if the
//! program had no other contender.

use std::{future::ready, hint::black_box};

use value_future::ValueFuture;

use super::{BoxFuture, Case, PendingOnce, drive, ready::Value};

pub(crate) const ASYNC_TRAIT: &str = "async-trait";
pub(crate) const BOX_FUTURE: &str = "BoxFuture";
pub(crate) const ATTRIBUTE: &str = "ours, async_trait";
pub(crate) const BY_HAND: &str = "ours, by hand";

/// A cache with one entry. If the cache does not have the entry, the entry is fetched.
struct Cache<V> {
    value: V,
    has_it: bool,
}

impl<V: Value> Cache<V> {
    #[inline(always)]
    fn cached(&self) -> Option<V> {
        self.has_it.then(|| self.value.copy())
    }

    async fn fetch(&self, key: u64) -> V {
        PendingOnce::default().await;
        V::make(key)
    }
}

/// Defines the trait and its implementation with the given attribute. `$ready` is an attribute of the method `known`.
macro_rules! with_attribute {
    ($Get:ident, $attribute:meta, $(#[$ready:meta])?) => {
        #[$attribute]
        pub(super) trait $Get<V: Value>: Send + Sync {
            /// The body finds the result, and does not wait.
            async fn found(&self, key: u64) -> V;
            /// The result is known before the body runs.
            async fn known(&self, key: u64) -> V;
            /// The method is pending once.
            async fn pending(&self, key: u64) -> V;
            /// The method calls itself, `depth` times. The innermost call is pending once.
            async fn nested(&self, depth: u64, key: u64) -> V;
        }

        #[$attribute]
        impl<V: Value> $Get<V> for Cache<V> {
            async fn found(&self, key: u64) -> V {
                match self.cached() {
                    Some(value) => value,
                    None => V::make(key),
                }
            }

            $(#[$ready])?
            async fn known(&self, key: u64) -> V {
                match self.cached() {
                    Some(value) => value,
                    None => self.fetch(key).await,
                }
            }

            async fn pending(&self, key: u64) -> V {
                self.fetch(key).await
            }

            async fn nested(&self, depth: u64, key: u64) -> V {
                if depth == 0 {
                    return self.fetch(key).await;
                }
                let next: &dyn $Get<V> = black_box(self);
                next.nested(depth - 1, key).await
            }
        }
    };
}

with_attribute!(Theirs, async_trait::async_trait,);
with_attribute!(Ours, value_future::async_trait, #[ready(self.cached())]);

trait Boxes<V: Value>: Send + Sync {
    fn found(&self, key: u64) -> BoxFuture<'_, V>;
    fn known(&self, key: u64) -> BoxFuture<'_, V>;
    fn pending(&self, key: u64) -> BoxFuture<'_, V>;
    fn nested(&self, depth: u64, key: u64) -> BoxFuture<'_, V>;
}

impl<V: Value> Boxes<V> for Cache<V> {
    fn found(&self, key: u64) -> BoxFuture<'_, V> {
        Box::pin(async move {
            match self.cached() {
                Some(value) => value,
                None => V::make(key),
            }
        })
    }

    fn known(&self, key: u64) -> BoxFuture<'_, V> {
        match self.cached() {
            Some(value) => Box::pin(ready(value)),
            None => self.boxed_miss(key),
        }
    }

    fn pending(&self, key: u64) -> BoxFuture<'_, V> {
        Box::pin(async move { self.fetch(key).await })
    }

    fn nested(&self, depth: u64, key: u64) -> BoxFuture<'_, V> {
        Box::pin(async move {
            if depth == 0 {
                return self.fetch(key).await;
            }
            let next: &dyn Boxes<V> = black_box(self);
            next.nested(depth - 1, key).await
        })
    }
}

trait ByHand<V: Value>: Send + Sync {
    fn found(&self, key: u64) -> ValueFuture<'_, V>;
    fn known(&self, key: u64) -> ValueFuture<'_, V>;
    fn pending(&self, key: u64) -> ValueFuture<'_, V>;
    fn nested(&self, depth: u64, key: u64) -> ValueFuture<'_, V>;
}

impl<V: Value> Cache<V> {
    #[cold]
    fn boxed_miss(&self, key: u64) -> BoxFuture<'_, V> {
        Box::pin(self.fetch(key))
    }

    #[cold]
    fn miss(&self, key: u64) -> ValueFuture<'_, V> {
        ValueFuture::pooled(self.fetch(key))
    }
}

impl<V: Value> ByHand<V> for Cache<V> {
    fn found(&self, key: u64) -> ValueFuture<'_, V> {
        ValueFuture::pooled(async move {
            match self.cached() {
                Some(value) => value,
                None => V::make(key),
            }
        })
    }

    fn known(&self, key: u64) -> ValueFuture<'_, V> {
        match self.cached() {
            Some(value) => ValueFuture::ready(value),
            None => self.miss(key),
        }
    }

    fn pending(&self, key: u64) -> ValueFuture<'_, V> {
        ValueFuture::pooled(async move { self.fetch(key).await })
    }

    fn nested(&self, depth: u64, key: u64) -> ValueFuture<'_, V> {
        ValueFuture::pooled(async move {
            if depth == 0 {
                return self.fetch(key).await;
            }
            let next: &dyn ByHand<V> = black_box(self);
            next.nested(depth - 1, key).await
        })
    }
}

macro_rules! cases {
    ($($function:ident: |$get:ident, $key:ident| $call:expr;)*) => {
        $(
            pub(crate) fn $function<V: Value>() -> Vec<Case> {
                macro_rules! case {
                    ($name:expr, $Get:ident) => {
                        Case::new($name, |operations| {
                            let cache = Cache { value: V::make(5), has_it: black_box(true) };
                            let $get: &dyn $Get<V> = black_box(&cache);
                            drive(async move {
                                let mut consumed = 0_u64;
                                for $key in 0..operations {
                                    consumed = consumed.wrapping_add($call.await.consume());
                                }
                                consumed
                            })
                        })
                    };
                }
                vec![
                    case!(ASYNC_TRAIT, Theirs),
                    case!(BOX_FUTURE, Boxes),
                    case!(ATTRIBUTE, Ours),
                    case!(BY_HAND, ByHand),
                ]
            }
        )*
    };
}

cases! {
    found: |get, key| get.found(key);
    known: |get, key| get.known(key);
    pending: |get, key| get.pending(key);
    nested: |get, key| get.nested(4, key);
}
