//! What threads share, from `core` and `std`, or from loom where its models run.

#[cfg(loom)]
pub(crate) use self::loomed::*;
#[cfg(not(loom))]
pub(crate) use self::plain::*;

#[cfg(not(loom))]
mod plain {
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(crate) use core::sync::atomic::{
        AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering,
    };
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(crate) use std::{
        sync::{Mutex, MutexGuard},
        thread::yield_now,
    };

    /// [`core::cell::UnsafeCell`], with loom's way in: a pointer for the length of a call.
    pub(crate) struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(content: T) -> Self {
            UnsafeCell(core::cell::UnsafeCell::new(content))
        }

        #[inline(always)]
        pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }

        #[inline(always)]
        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}

#[cfg(loom)]
mod loomed {
    pub(crate) use loom::{
        cell::UnsafeCell,
        sync::{
            Mutex, MutexGuard,
            atomic::{
                AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering,
            },
        },
        thread::yield_now,
    };
}
