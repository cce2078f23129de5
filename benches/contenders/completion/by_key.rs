//! Operations that are completed by a number. In a program, the number is the id of a request on the wire, or the user data of a kernel
//! operation. Programs usually store the senders of one-shot channels in a map. The cases run on one thread, so the maps need no lock.

use std::{cell::RefCell, collections::HashMap, future::Future, hint::black_box, pin::pin};

use futures::channel::oneshot as futures_oneshot;
use slab::Slab;
use tokio::sync::oneshot as tokio_oneshot;
use value_future::{Completion, Dropped, Key, Pool, ValueFuture};

use super::{
    super::Case,
    expect_pending, expect_value,
    ours::{OURS, OURS_ERASED, Value},
    with_context,
};

pub(crate) const TOKIO_MAP: &str = "HashMap, tokio";
pub(crate) const FUTURES_MAP: &str = "HashMap, futures";
pub(crate) const TOKIO_SLAB: &str = "slab, tokio";

trait Registry: 'static {
    type Error;
    type Consumer: Future<Output = Result<u64, Self::Error>>;

    const NAME: &'static str;
    const ERASED: bool = false;

    /// Begins an operation. Returns its number and its consumer.
    fn register(&mut self) -> (u64, Self::Consumer);

    fn complete(&mut self, id: u64, value: u64);
}

macro_rules! ours {
    ($Ours:ident, $name:expr, $erased:expr, $Consumer:ty) => {
        struct $Ours(Pool<Value>);

        impl Registry for $Ours {
            type Error = Dropped;
            type Consumer = $Consumer;

            const NAME: &'static str = $name;
            const ERASED: bool = $erased;

            #[inline(always)]
            fn register(&mut self) -> (u64, $Consumer) {
                let (completer, completion) = self.0.rent();
                (completer.into_key().to_u64(), completion.into())
            }

            #[inline(always)]
            fn complete(&mut self, id: u64, value: u64) {
                let completed = self.0.complete_key(Key::from_u64(id), Ok(value));
                assert!(completed.is_ok(), "the consumer was not dropped");
            }
        }
    };
}

ours!(Ours, OURS, false, Completion<Value>);
ours!(OursErased, OURS_ERASED, true, ValueFuture<'static, Value>);

macro_rules! map {
    ($Map:ident, $name:expr, $channel:ident, $Error:ty) => {
        #[derive(Default)]
        struct $Map {
            next: u64,
            senders: HashMap<u64, $channel::Sender<u64>>,
        }

        impl Registry for $Map {
            type Error = $Error;
            type Consumer = $channel::Receiver<u64>;

            const NAME: &'static str = $name;

            #[inline(always)]
            fn register(&mut self) -> (u64, Self::Consumer) {
                let (sender, receiver) = $channel::channel();
                self.next += 1;
                self.senders.insert(self.next, sender);
                (self.next, receiver)
            }

            #[inline(always)]
            fn complete(&mut self, id: u64, value: u64) {
                let sender = self.senders.remove(&id).expect("the id is registered");
                sender.send(value).expect("the consumer was not dropped");
            }
        }
    };
}

map!(TokioMap, TOKIO_MAP, tokio_oneshot, tokio_oneshot::error::RecvError);
map!(FuturesMap, FUTURES_MAP, futures_oneshot, futures_oneshot::Canceled);

#[derive(Default)]
struct TokioSlab(Slab<tokio_oneshot::Sender<u64>>);

impl Registry for TokioSlab {
    type Error = tokio_oneshot::error::RecvError;
    type Consumer = tokio_oneshot::Receiver<u64>;

    const NAME: &'static str = TOKIO_SLAB;

    #[inline(always)]
    fn register(&mut self) -> (u64, Self::Consumer) {
        let (sender, receiver) = tokio_oneshot::channel();
        (self.0.insert(sender) as u64, receiver)
    }

    #[inline(always)]
    fn complete(&mut self, id: u64, value: u64) {
        self.0.remove(id as usize).send(value).expect("the consumer was not dropped");
    }
}

fn case<R: Registry>(registry: R) -> Case {
    let registry = RefCell::new(registry);
    Case::new(R::NAME, move |operations| {
        let mut registry = registry.borrow_mut();
        with_context(|cx| {
            (0..operations).fold(0, |consumed: u64, value| {
                let (id, consumer) = registry.register();
                let mut consumer = pin!(consumer);
                if R::ERASED {
                    black_box(consumer.as_mut());
                }
                expect_pending(consumer.as_mut(), cx);
                registry.complete(black_box(id), value);
                consumed.wrapping_add(expect_value(consumer, cx))
            })
        })
    })
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case(FuturesMap::default()),
        case(TokioMap::default()),
        case(TokioSlab::default()),
        case(Ours(Pool::new())),
        case(OursErased(Pool::new())),
    ]
}
