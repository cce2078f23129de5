//! The global allocator of this bench. An environment variable selects the system's allocator or mimalloc.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    ffi::{CStr, c_char},
    sync::atomic::{AtomicU8, Ordering::Relaxed},
};

/// The allocators that this program can use.
pub(crate) const ALLOCATORS: &[&str] = if cfg!(any(target_arch = "x86_64", target_arch = "aarch64"))
{
    &["system", "mimalloc"]
} else {
    &["system"]
};

/// The name of the environment variable. Its value is the name of the allocator.
pub(crate) const VARIABLE: &CStr = c"BREAK_EVEN_ALLOCATOR";

const UNDECIDED: u8 = 0;
const SYSTEM: u8 = 1;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const MIMALLOC: u8 = 2;

/// The chosen allocator. The value changes once, from `UNDECIDED` to the choice.
///
/// ORDERING: Relaxed: no other memory depends on the value.
static CHOICE: AtomicU8 = AtomicU8::new(UNDECIDED);

/// Forwards to the allocator that the environment variable selects.
pub(crate) struct Chosen;

impl Chosen {
    #[inline(always)]
    fn choice() -> u8 {
        match CHOICE.load(Relaxed) {
            UNDECIDED => decide(),
            choice => choice,
        }
    }
}

unsafe extern "C" {
    fn getenv(name: *const c_char) -> *const c_char;
}

/// Chooses the allocator, without allocating. If two threads call this function at the same time, both get the choice of the first thread.
#[cold]
fn decide() -> u8 {
    // SAFETY: the name ends with a zero byte. Nothing in this program changes the environment.
    let value = unsafe { getenv(VARIABLE.as_ptr()) };
    let wanted = if value.is_null() {
        SYSTEM
    } else {
        // SAFETY: `getenv` returned a pointer to a C string. Nothing in this program changes the environment, so the string stays valid.
        named(unsafe { CStr::from_ptr(value) })
    };
    match CHOICE.compare_exchange(UNDECIDED, wanted, Relaxed, Relaxed) {
        Ok(_) => wanted,
        Err(chosen) => chosen,
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn named(name: &CStr) -> u8 {
    if name == c"mimalloc" { MIMALLOC } else { SYSTEM }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn named(_: &CStr) -> u8 {
    SYSTEM
}

/// Returns the name of the allocator of this process.
pub(crate) fn name() -> &'static str {
    ALLOCATORS[usize::from(Chosen::choice() - SYSTEM)]
}

// SAFETY: every call is forwarded to one allocator, with unchanged arguments. `CHOICE` gets its final value before the first allocation.
// So an allocation is freed by the allocator that made it.
unsafe impl GlobalAlloc for Chosen {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if Chosen::choice() == MIMALLOC {
            // SAFETY: the caller fulfils the contract of `GlobalAlloc`. The call is forwarded with the same arguments.
            return unsafe { mimalloc::MiMalloc.alloc(layout) };
        }
        // SAFETY: the caller fulfils the contract of `GlobalAlloc`. The call is forwarded with the same arguments.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if Chosen::choice() == MIMALLOC {
            // SAFETY: the caller fulfils the contract of `GlobalAlloc`. The call is forwarded with the same arguments.
            return unsafe { mimalloc::MiMalloc.alloc_zeroed(layout) };
        }
        // SAFETY: the caller fulfils the contract of `GlobalAlloc`. The call is forwarded with the same arguments.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if Chosen::choice() == MIMALLOC {
            // SAFETY: the caller fulfils the contract of `GlobalAlloc`. The call is forwarded with the same arguments.
            return unsafe { mimalloc::MiMalloc.realloc(pointer, layout, size) };
        }
        // SAFETY: the caller fulfils the contract of `GlobalAlloc`. The call is forwarded with the same arguments.
        unsafe { System.realloc(pointer, layout, size) }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if Chosen::choice() == MIMALLOC {
            // SAFETY: the caller fulfils the contract of `GlobalAlloc`. The call is forwarded with the same arguments.
            return unsafe { mimalloc::MiMalloc.dealloc(pointer, layout) };
        }
        // SAFETY: the caller fulfils the contract of `GlobalAlloc`. The call is forwarded with the same arguments.
        unsafe { System.dealloc(pointer, layout) }
    }
}
