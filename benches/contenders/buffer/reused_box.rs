//! Contenders that use one box for all calls. The method takes `&mut self`, so an object serves one call at a time.

use std::{
    future::{Future, poll_fn},
    hint::black_box,
    pin::Pin,
    sync::Mutex,
};

use recycle_box::{RecycleBox, coerce_box};
use tokio_util::sync::ReusableBoxFuture;

use super::{
    super::{Case, drive},
    operation,
};

trait ReusableRead: Send {
    fn read(&mut self, key: u64) -> &mut ReusableBoxFuture<'static, u64>;
}

struct Reusable<const BYTES: usize, const WAITS: bool>(ReusableBoxFuture<'static, u64>);

impl<const BYTES: usize, const WAITS: bool> ReusableRead for Reusable<BYTES, WAITS> {
    fn read(&mut self, key: u64) -> &mut ReusableBoxFuture<'static, u64> {
        self.0.set(operation::<BYTES, WAITS, Self>(key));
        &mut self.0
    }
}

type Recycled = Pin<RecycleBox<dyn Future<Output = u64> + Send>>;

trait RecycledRead: Send {
    fn read(&mut self, key: u64) -> &mut Recycled;
}

struct Recycling<const BYTES: usize, const WAITS: bool>(Option<Recycled>);

impl<const BYTES: usize, const WAITS: bool> RecycledRead for Recycling<BYTES, WAITS> {
    fn read(&mut self, key: u64) -> &mut Recycled {
        let future = operation::<BYTES, WAITS, Self>(key);
        let boxed = match self.0.take() {
            Some(last) => RecycleBox::recycle_pinned(last, future),
            None => RecycleBox::new(future),
        };
        let boxed: RecycleBox<dyn Future<Output = u64> + Send> = coerce_box!(boxed);
        self.0.insert(boxed.into())
    }
}

pub(super) fn cases<const BYTES: usize, const WAITS: bool>() -> Vec<Case> {
    let first = operation::<BYTES, WAITS, Reusable<BYTES, WAITS>>(0);
    let reusable = Reusable::<BYTES, WAITS>(ReusableBoxFuture::new(first));
    let reusable: Mutex<Box<dyn ReusableRead>> = Mutex::new(Box::new(reusable));
    let recycling: Box<dyn RecycledRead> = Box::new(Recycling::<BYTES, WAITS>(None));
    let recycling = Mutex::new(recycling);
    vec![
        Case::new("ReusableBoxFuture", move |operations| {
            let mut device =
                reusable.lock().expect("no thread panicked while it had locked the mutex");
            let device = black_box(&mut **device);
            drive(async move {
                let mut consumed = 0_u64;
                for key in 0..operations {
                    let future = device.read(key);
                    consumed = consumed.wrapping_add(poll_fn(|cx| future.poll(cx)).await);
                }
                consumed
            })
        }),
        Case::new("recycle-box", move |operations| {
            let mut device =
                recycling.lock().expect("no thread panicked while it had locked the mutex");
            let device = black_box(&mut **device);
            drive(async move {
                let mut consumed = 0_u64;
                for key in 0..operations {
                    let future = device.read(key);
                    consumed = consumed.wrapping_add(poll_fn(|cx| future.as_mut().poll(cx)).await);
                }
                consumed
            })
        }),
    ]
}
