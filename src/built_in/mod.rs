//! The constructors and combinators of value futures that store pending futures in the built-in pool.
//!
//! This layer uses `future` and `future_pool`. If the build has no built-in pool, pending futures are boxed: see `store.rs`.

mod combinators;
mod local_value_future;
mod store;
mod value_future;

pub(crate) use self::store::store;
