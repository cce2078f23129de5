//! Atomics, locks and `UnsafeCell`. In the models of loom, they are types of loom. Otherwise, they are types of `core` and `std`.

#[cfg(loom)]
pub(crate) use self::loomed::*;
#[cfg(not(loom))]
pub(crate) use self::plain::*;

/// Locks a mutex. A mutex of this crate is never poisoned, because no code of users (wakers, destructors, closures) runs under a lock.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The state of a thread that waits until another thread has left a function of this crate. The waiting thread first spins, then yields,
/// then sleeps. While the other thread is in the function, it runs no code of users. It also does not wait for the waiting thread, not even
/// indirectly. Without `std` or without 64-bit atomics, the waiting thread only spins.
pub(crate) struct Backoff(u32);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Backoff(0)
    }

    pub(crate) fn wait(&mut self) {
        self.0 = self.0.saturating_add(1);
        // If the other thread is running, it usually leaves the function within 64 calls of `wait`. If it is not running, it needs a core.
        // If it has the same priority as this thread, it gets the core by `yield_now`. If it has a lower priority, it gets the core only if
        // this thread sleeps.
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

/// Declares a function that is `const`, except in the models of loom. Loom cannot create its atomics and its `UnsafeCell` in a constant.
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

    /// [`core::cell::UnsafeCell`] with the interface of loom's type: a closure gets the pointer to the content.
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

    /// Declares a static that exists for one execution of a model. Loom drops its own statics when the first thread of the model ends.
    /// After that, loom drops the thread-locals of this thread. The destructors of the thread-locals use the statics again. So a static of
    /// this macro is not dropped: it is used until the next execution begins, and then leaks.
    macro_rules! model_static {
        (static $name:ident: $type:ty = $value:expr;) => {
            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            struct $name;

            impl core::ops::Deref for $name {
                type Target = $type;

                fn deref(&self) -> &$type {
                    use core::cell::Cell;

                    std::thread_local! {
                        // All threads of a model run on one thread of the operating system.
                        static CURRENT: Cell<Option<&'static $type>> = const { Cell::new(None) };
                    }
                    loom::lazy_static! {
                        static ref BEGIN: () = {
                            CURRENT.set(Some(alloc::boxed::Box::leak(alloc::boxed::Box::new($value))));
                        };
                    }
                    loom::thread_local! {
                        // Loom drops `LIVES` when a thread that has used it ends. From then on, `try_with` fails, and the thread does not
                        // access `BEGIN`, which may already be dropped.
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
