//! A trait for `Pool` and `LocalPool`, with the methods that the driver calls.

use std::task::{Context, Poll};

use futures::future::FusedFuture;
use value_future::{
    Completer, Completion, Key, LocalCompleter, LocalCompletion, LocalPool, LocalValueFuture, Pool,
    ValueFuture,
    operation::CompleteError,
    pool::{RentError, Stats},
};

use super::{observer::Reply, script::Setup};

pub(crate) trait Kind: Sized {
    type Pool: Clone;
    type Completer;
    type Completion: FusedFuture<Output = Reply> + Unpin;
    type Future: FusedFuture<Output = Reply> + Unpin + From<Self::Completion>;

    fn build(setup: &Setup) -> Self::Pool;
    fn rent(pool: &Self::Pool) -> (Self::Completer, Self::Completion);
    fn try_rent(pool: &Self::Pool) -> Result<(Self::Completer, Self::Completion), RentError>;
    fn reserve(pool: &Self::Pool, additional: u32);
    fn stats(pool: &Self::Pool) -> Stats;
    fn complete_key(pool: &Self::Pool, key: Key, value: Reply) -> Result<(), CompleteError<Reply>>;
    fn abandon_key(pool: &Self::Pool, key: Key) -> Result<(), CompleteError<()>>;
    fn abandon_keys(pool: &Self::Pool) -> u32;

    fn complete(completer: Self::Completer, value: Reply) -> Result<(), Reply>;
    fn is_closed(completer: &Self::Completer) -> bool;
    fn poll_closed(completer: &mut Self::Completer, cx: &mut Context<'_>) -> Poll<()>;
    fn key(completer: &Self::Completer) -> Key;
    fn into_key(completer: Self::Completer) -> Key;

    fn try_take(completion: Self::Completion) -> Result<Reply, Self::Completion>;
    fn try_take_future(future: Self::Future) -> Result<Reply, Self::Future>;
}

macro_rules! kind {
    ($kind:ident, $Pool:ident, $Completer:ident, $Completion:ident, $Future:ident) => {
        pub(crate) struct $kind;

        impl Kind for $kind {
            type Pool = $Pool<Reply>;
            type Completer = $Completer<Reply>;
            type Completion = $Completion<Reply>;
            type Future = $Future<'static, Reply>;

            fn build(setup: &Setup) -> Self::Pool {
                let builder = $Pool::<Reply>::builder()
                    .initial_slots(setup.initial)
                    .first_generation(setup.first_generation);
                setup.max.map_or(builder, |max| builder.max_slots(max)).build()
            }
            fn rent(pool: &Self::Pool) -> (Self::Completer, Self::Completion) {
                pool.rent()
            }
            fn try_rent(
                pool: &Self::Pool,
            ) -> Result<(Self::Completer, Self::Completion), RentError> {
                pool.try_rent()
            }
            fn reserve(pool: &Self::Pool, additional: u32) {
                pool.reserve(additional);
            }
            fn stats(pool: &Self::Pool) -> Stats {
                pool.stats()
            }
            fn complete_key(
                pool: &Self::Pool,
                key: Key,
                value: Reply,
            ) -> Result<(), CompleteError<Reply>> {
                pool.complete_key(key, value)
            }
            fn abandon_key(pool: &Self::Pool, key: Key) -> Result<(), CompleteError<()>> {
                pool.abandon_key(key)
            }
            fn abandon_keys(pool: &Self::Pool) -> u32 {
                pool.abandon_keys()
            }
            fn complete(completer: Self::Completer, value: Reply) -> Result<(), Reply> {
                completer.complete(value).map_err(CompleteError::into_value)
            }
            fn is_closed(completer: &Self::Completer) -> bool {
                completer.is_closed()
            }
            fn poll_closed(completer: &mut Self::Completer, cx: &mut Context<'_>) -> Poll<()> {
                completer.poll_closed(cx)
            }
            fn key(completer: &Self::Completer) -> Key {
                completer.key_while_held().untyped()
            }
            fn into_key(completer: Self::Completer) -> Key {
                completer.into_key().untyped()
            }
            fn try_take(completion: Self::Completion) -> Result<Reply, Self::Completion> {
                completion.try_take()
            }
            fn try_take_future(future: Self::Future) -> Result<Reply, Self::Future> {
                future.try_take()
            }
        }
    };
}

// `SharedPools` is the kind of the pools for any thread. `LocalPools` is the kind of the pools for one thread.
kind!(SharedPools, Pool, Completer, Completion, ValueFuture);
kind!(LocalPools, LocalPool, LocalCompleter, LocalCompletion, LocalValueFuture);
