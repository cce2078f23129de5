//! What threads share, from `core` and `std`, or from loom where its models run.

#[cfg(loom)]
pub(crate) use self::loomed::*;
#[cfg(not(loom))]
pub(crate) use self::plain::*;

/// Locks what is never poisoned: no foreign code runs under a lock.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits until another thread leaves a call of this crate: spins, then yields, then sleeps. That thread runs no foreign code in the
/// call, and waits for no thread that may wait for this one. Without `std` it only spins.
pub(crate) struct Backoff(u32);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Backoff(0)
    }

    pub(crate) fn wait(&mut self) {
        self.0 = self.0.saturating_add(1);
        // A thread that runs leaves such a call within 64 rounds. One that does not needs the core: one of the same
        // priority gets it by `yield_now`, one of a lower priority if this one sleeps.
        #[cfg(all(feature = "std", target_has_atomic = "64"))]
        if cfg!(any(loom, miri)) || (64..128).contains(&self.0) {
            return yield_now();
        }
        #[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
        if self.0 >= 128 {
            return std::thread::sleep(core::time::Duration::from_micros(50));
        }
        core::hint::spin_loop();
    }
}

/// Loom cannot create its cells in a constant.
macro_rules! const_unless_loom {
    ($(#[$doc:meta])* $visibility:vis fn $($rest:tt)*) => {
        $(#[$doc])*
        #[cfg(not(loom))]
        $visibility const fn $($rest)*
        $(#[$doc])*
        #[cfg(loom)]
        $visibility fn $($rest)*
    };
}
pub(crate) use const_unless_loom;

#[cfg(not(loom))]
mod plain {
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(crate) use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};
    #[cfg(target_has_atomic = "64")]
    pub(crate) use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering, fence};
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

        #[cfg(all(feature = "std", target_has_atomic = "64"))]
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
            atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
        },
        thread::yield_now,
    };

    /// A static of one execution of a model. Loom drops its own statics when the first thread ends, and thread-locals after that. But when
    /// a thread ends, it uses the statics again. So this one stays until the next execution begins, and then leaks.
    macro_rules! model_static {
        (static $name:ident: $type:ty = $value:expr;) => {
            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            struct $name;

            impl core::ops::Deref for $name {
                type Target = $type;

                fn deref(&self) -> &$type {
                    use core::cell::Cell;

                    std::thread_local! {
                        // All threads of a model are this one thread of the operating system.
                        static CURRENT: Cell<Option<&'static $type>> = const { Cell::new(None) };
                    }
                    loom::lazy_static! {
                        static ref BEGIN: () = {
                            CURRENT.set(Some(alloc::boxed::Box::leak(alloc::boxed::Box::new($value))));
                        };
                    }
                    loom::thread_local! {
                        // It is dropped when the thread ends, as soon as the thread has used it.
                        static LIVES: () = ();
                    }

                    if LIVES.try_with(|()| ()).is_ok() {
                        *BEGIN;
                    }
                    CURRENT.get().expect("the first use in an execution creates the static")
                }
            }
        };
    }
    pub(crate) use model_static;
}
