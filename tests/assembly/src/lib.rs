//! Functions whose assembly `tests/assembly.rs` reads. The last two functions are not read themselves: because of them, the compiler
//! generates `poll_future` and `poll_pointee_apart`, which are read.

#![no_std]
extern crate std;

use std::{
    future::Future,
    hint::black_box,
    io,
    pin::Pin,
    task::{Context, Poll},
    vec::Vec,
};

use value_future::{FuturePool, ValueFuture};

pub enum Reply {
    Rows { first: u64, count: u64, columns: u64, id: u64, more: u64 },
    Error(u32, u64),
}

/// The future of this function has about 4,000 bytes. A call of this function initialises only the arguments in the future.
async fn query(id: u64, parameters: Vec<u64>) -> Reply {
    if black_box(id) == 0 {
        let count = parameters.len() as u64;
        return Reply::Rows { first: id, count, columns: 3, id, more: 0 };
    }
    let mut buffer = [0_u8; 3_900];
    black_box(&mut buffer)[0] = 1;
    std::future::pending::<()>().await;
    Reply::Error(u32::from(black_box(&buffer)[0]), parameters.len() as u64)
}

/// A result that is too large to be copied in pieces.
pub type Page = [u64; 128];

/// Returns a copy of an array in memory. The test allows a poll to copy the result once.
async fn page() -> Page {
    std::future::ready(black_box(())).await;
    *black_box(&[5; 128])
}

macro_rules! functions {
    ($($name:ident($($argument:ident: $Type:ty),*) -> $Future:ty { $body:expr })*) => {
        $(#[unsafe(no_mangle)]
        pub fn $name($($argument: $Type),*) -> $Future {
            $body
        })*
    };
}

functions! {
    returns_pooled(id: u64, parameters: Vec<u64>) -> ValueFuture<'static, Reply> {
        ValueFuture::pooled(query(id, parameters))
    }
    returns_eager(id: u64, parameters: Vec<u64>) -> ValueFuture<'static, Reply> {
        ValueFuture::eager(query(id, parameters))
    }
    returns_boxed(id: u64, parameters: Vec<u64>) -> ValueFuture<'static, Reply> {
        ValueFuture::boxed(query(id, parameters))
    }
    returns_own_pool(pool: &FuturePool, id: u64, parameters: Vec<u64>) -> ValueFuture<'static, Reply> {
        pool.pooled(query(id, parameters))
    }
    stores_result(n: usize) -> ValueFuture<'static, io::Result<usize>> {
        ValueFuture::ready(Ok(n))
    }
    stores_vec(bytes: Vec<u8>) -> ValueFuture<'static, Vec<u8>> {
        ValueFuture::ready(bytes)
    }
    pools_page() -> ValueFuture<'static, Page> {
        ValueFuture::pooled(page())
    }
    polls_page(future: &mut ValueFuture<'static, Page>, cx: &mut Context<'_>) -> Poll<Page> {
        Future::poll(Pin::new(future), cx)
    }
}
