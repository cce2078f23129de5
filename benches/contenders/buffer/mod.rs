//! An async method behind `dyn`, whose future contains a buffer of `BYTES` bytes. The future is in a box, in a slot of a pool, in a
//! `StackFuture`, or in a box that the object uses again for each call.

pub(crate) mod nested_calls;
pub(crate) mod other_thread;
mod reused_box;

use std::hint::black_box;

use stackfuture::StackFuture;
use value_future::{FuturePool, LocalFuturePool, LocalValueFuture, ValueFuture};

use super::{BoxFuture, Case, PendingOnce};

#[expect(
    clippy::extra_unused_type_parameters,
    reason = "the parameter distinguishes the instances"
)]
/// The work of the method. The parameter `Contender` makes a separate instance of this function for each contender, as if the program had
/// no other contender. So the compiler inlines the poll of the future into the poll function of its vtable.
async fn operation<const BYTES: usize, const WAITS: bool, Contender: ?Sized>(key: u64) -> u64 {
    let mut buffer = [0_u8; BYTES];
    black_box(&mut buffer)[0] = 1;
    if black_box(WAITS) {
        PendingOnce::default().await;
    }
    key + u64::from(black_box(&buffer)[0])
}

/// Returns the size of the future of [`operation`].
pub(crate) fn size<const BYTES: usize>() -> usize {
    size_of_val(&operation::<BYTES, true, ()>(0))
}

trait BoxRead: Send + Sync {
    fn read(&self, key: u64) -> BoxFuture<'_, u64>;
}

trait ValueRead: Send + Sync {
    fn read(&self, key: u64) -> ValueFuture<'_, u64>;
}

trait LocalRead {
    fn read(&self, key: u64) -> LocalValueFuture<'_, u64>;
}

/// A trait whose method returns a `StackFuture`. `ROOM` is the capacity in bytes. The largest future of all implementations has to fit.
trait StackRead<const ROOM: usize>: Send + Sync {
    fn read(&self, key: u64) -> StackFuture<'_, u64, ROOM>;
}

struct Boxes<const BYTES: usize, const WAITS: bool>;

impl<const BYTES: usize, const WAITS: bool> BoxRead for Boxes<BYTES, WAITS> {
    fn read(&self, key: u64) -> BoxFuture<'_, u64> {
        Box::pin(operation::<BYTES, WAITS, Self>(key))
    }
}

struct Stacks<const BYTES: usize, const WAITS: bool>;

impl<const BYTES: usize, const WAITS: bool, const ROOM: usize> StackRead<ROOM>
    for Stacks<BYTES, WAITS>
{
    fn read(&self, key: u64) -> StackFuture<'_, u64, ROOM> {
        StackFuture::from(operation::<BYTES, WAITS, Self>(key))
    }
}

macro_rules! ours {
    ($Device:ident, $Read:ident, $Future:ident, |$device:ident, $future:ident| $make:expr) => {
        impl<const BYTES: usize, const WAITS: bool> $Read for $Device<BYTES, WAITS> {
            fn read(&self, key: u64) -> $Future<'_, u64> {
                let $device = self;
                let $future = operation::<BYTES, WAITS, Self>(key);
                $make
            }
        }
    };
}

struct Pooled<const BYTES: usize, const WAITS: bool>;
struct Eager<const BYTES: usize, const WAITS: bool>;
struct Own<const BYTES: usize, const WAITS: bool>(FuturePool);
struct Local<const BYTES: usize, const WAITS: bool>(LocalFuturePool);

ours!(Pooled, ValueRead, ValueFuture, |_device, future| ValueFuture::pooled(future));
ours!(Eager, ValueRead, ValueFuture, |_device, future| ValueFuture::eager(future));
ours!(Own, ValueRead, ValueFuture, |device, future| device.0.pooled(future));
ours!(Local, LocalRead, LocalValueFuture, |device, future| device.0.pooled(future));

pub(crate) const BOX_PIN: &str = "Box::pin";
pub(crate) const POOLED: &str = "ours pooled";
pub(crate) const FULL: &str = "ours, a full pool";
pub(crate) const TOO_LARGE: &str = "ours pooled, too large";
const OWN: &str = "ours, a FuturePool";
const LOCAL: &str = "ours, a LocalFuturePool";
const EAGER: &str = "ours eager";

/// Creates a case, which calls the method `read` of `$device` behind `dyn`, and awaits the future.
macro_rules! case {
    ($name:expr, $device:expr) => {{
        let device = $device;
        $crate::contenders::Case::new($name, move |operations| {
            let device = std::hint::black_box(device);
            $crate::contenders::drive(async move {
                let mut consumed = 0_u64;
                for key in 0..operations {
                    consumed = consumed.wrapping_add(device.read(key).await);
                }
                consumed
            })
        })
    }};
}
use case;

fn leak<T>(device: T) -> &'static T {
    Box::leak(Box::new(device))
}

/// Returns a pool with one slot of each size. The slot for a future of the measured size is in use.
fn full<const BYTES: usize>() -> FuturePool {
    let pool = FuturePool::builder().max_slots_per_size(1).build();
    let future = pool.pooled(operation::<BYTES, true, FuturePool>(0));
    std::mem::forget(future);
    pool
}

pub(crate) fn cases<const BYTES: usize, const ROOM: usize, const WAITS: bool>() -> Vec<Case> {
    let boxes: &'static dyn BoxRead = &Boxes::<BYTES, WAITS>;
    let stacks: &'static dyn StackRead<ROOM> = &Stacks::<BYTES, WAITS>;
    let pooled: &'static dyn ValueRead = &Pooled::<BYTES, WAITS>;
    let eager: &'static dyn ValueRead = &Eager::<BYTES, WAITS>;
    // The pools live as long as the process, as the pools of most programs do.
    let own: &'static dyn ValueRead = leak(Own::<BYTES, WAITS>(FuturePool::new()));
    let full: &'static dyn ValueRead = leak(Own::<BYTES, WAITS>(full::<BYTES>()));
    let local: &'static dyn LocalRead = leak(Local::<BYTES, WAITS>(LocalFuturePool::new()));
    let mut cases = vec![case!(BOX_PIN, boxes), case!("stackfuture", stacks)];
    cases.append(&mut reused_box::cases::<BYTES, WAITS>());
    cases.extend([
        case!(POOLED, pooled),
        case!(OWN, own),
        case!(LOCAL, local),
        case!(EAGER, eager),
        case!(FULL, full),
    ]);
    cases
}

/// Returns the cases of a future that is too large for a slot.
pub(crate) fn too_large_cases<const BYTES: usize>() -> Vec<Case> {
    let boxes: &'static dyn BoxRead = &Boxes::<BYTES, true>;
    let pooled: &'static dyn ValueRead = &Pooled::<BYTES, true>;
    vec![case!(BOX_PIN, boxes), case!(TOO_LARGE, pooled)]
}
