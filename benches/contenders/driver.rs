//! An async method of a driver. Its future is large, because it contains a buffer that is used while the future is pending. Creating the
//! future writes only a few words. The result is an enum of 48 bytes.

use std::hint::black_box;

use value_future::ValueFuture;

use super::{BoxFuture, Case, PendingOnce, drive};

#[allow(dead_code, reason = "the variants determine the size")]
enum Reply {
    Rows { first: u64, count: u64, columns: u64, id: u64, more: u64 },
    Done(u64),
    Error(u32, u64),
}

impl Reply {
    #[inline(always)]
    fn consume(self) -> u64 {
        match self {
            Reply::Rows { first, count, columns, id, more } => first ^ count ^ columns ^ id ^ more,
            Reply::Done(count) => count,
            Reply::Error(code, at) => u64::from(code) + at,
        }
    }
}

/// A connection. The rows of a reply are ready, or are read into a buffer of `BYTES` bytes.
struct Connection<const BYTES: usize> {
    waits: bool,
    columns: u64,
}

#[expect(
    clippy::extra_unused_type_parameters,
    reason = "the parameter distinguishes the instances"
)]
/// The work of the method. The parameter `Contender` makes a separate instance of this function for each contender, as if the program had
/// no other contender.
async fn operation<const BYTES: usize, Contender: ?Sized>(
    connection: &Connection<BYTES>,
    id: u64,
    parameters: Vec<u64>,
) -> Reply {
    let count = parameters.len() as u64;
    if !black_box(connection).waits {
        return Reply::Rows { first: id, count, columns: connection.columns, id, more: 0 };
    }
    let mut buffer = [0_u8; BYTES];
    black_box(&mut buffer)[0] = 1;
    PendingOnce::default().await;
    Reply::Done(count + u64::from(black_box(&buffer)[0]))
}

trait BoxQuery: Send + Sync {
    fn query(&self, id: u64, parameters: Vec<u64>) -> BoxFuture<'_, Reply>;
}

impl<const BYTES: usize> BoxQuery for Connection<BYTES> {
    fn query(&self, id: u64, parameters: Vec<u64>) -> BoxFuture<'_, Reply> {
        Box::pin(operation::<BYTES, dyn BoxQuery>(self, id, parameters))
    }
}

macro_rules! ours {
    ($Query:ident, $make:ident) => {
        trait $Query: Send + Sync {
            fn query(&self, id: u64, parameters: Vec<u64>) -> ValueFuture<'_, Reply>;
        }

        impl<const BYTES: usize> $Query for Connection<BYTES> {
            fn query(&self, id: u64, parameters: Vec<u64>) -> ValueFuture<'_, Reply> {
                ValueFuture::$make(operation::<BYTES, dyn $Query>(self, id, parameters))
            }
        }
    };
}

ours!(PooledQuery, pooled);
ours!(EagerQuery, eager);
ours!(BoxedQuery, boxed);

pub(crate) const BOX_PIN: &str = "Box::pin";
pub(crate) const POOLED: &str = "ours pooled";
const EAGER: &str = "ours eager";
const BOXED: &str = "ours boxed";

pub(crate) fn cases<const BYTES: usize, const WAITS: bool>() -> Vec<Case> {
    macro_rules! case {
        ($name:expr, $Query:ident) => {
            Case::new($name, |operations| {
                let connection = Connection::<BYTES> { waits: WAITS, columns: 3 };
                let connection: &dyn $Query = black_box(&connection);
                drive(async move {
                    let mut consumed = 0_u64;
                    for id in 0..operations {
                        consumed =
                            consumed.wrapping_add(connection.query(id, Vec::new()).await.consume());
                    }
                    consumed
                })
            })
        };
    }
    vec![
        case!(BOX_PIN, BoxQuery),
        case!(POOLED, PooledQuery),
        case!(EAGER, EagerQuery),
        case!(BOXED, BoxedQuery),
    ]
}
