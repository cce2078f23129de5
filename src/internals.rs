//! A description of how the crate works, and why. You can use the crate without these pages.
//!
//! # The obvious enum, and what it costs
//!
//! A value future is an inline result, a boxed future or an operation of a source. [`Arm`](crate::future::Arm) is an enum with these three
//! variants, and a fourth variant for a future without a result. A method could return such an enum, with fat pointers for the future and
//! the source. The enum saves the allocation of a ready call, but almost no time: for most results, the call takes as long as with a
//! `BoxFuture`. The section *Ready results* of `docs/benchmarks.md` compares a method that returns `Poll<T>` (the floor), `BoxFuture`, this
//! obvious enum and this crate.
//!
//! The reason is how the bytes are moved. A value of more than two words is returned through memory. The callee stores the tag, the token
//! and the payload one by one. `.await` then moves the value into the state machine of the caller, 16 bytes at a time. A load that spans
//! two recent stores waits until both stores have reached the CPU cache. This wait takes as long as an allocation. Four measures avoid it:
//!
//! 1. **One word and the payload.** One word, the *head*, contains everything except the result. So a future whose result is one scalar of
//!    up to 8 bytes is a pair of scalars. Such a future is returned in two registers, and there is no store to wait for.
//! 2. **The payload first.** A future with a larger result is returned through memory, and `.await` moves it twice. Because the head
//!    follows the payload, both moves use the same 16-byte pieces. So the second move does not wait for the stores of the first.
//! 3. **Stores in pieces.** On x86-64 and aarch64, a future is assembled in registers of 16 bytes (or of 32 bytes, if the program is
//!    compiled for a CPU that has them), and then stored. If the future is ready, all pieces are stored. If it is pending, only the piece
//!    that contains the head is stored. So each load of `.await` reads bytes that one store wrote. Without this measure, `.await` takes 7
//!    to 9 ns for results of 16 and 24 bytes. [`const_ready`](crate::ValueFuture::const_ready) is a `const fn`, so it cannot use these
//!    registers.
//! 4. **Loads of words.** An async block in a slot or a box stores its result field by field, on the stack of the function that polls it.
//!    The result is moved from there after the slot or the box was released. This move loads the result word by word, and stores it in
//!    pieces. A result that consists of a tag and an array is moved in the same way.
//!
//! The comments in `src/pieces/mod.rs` describe the last two measures, and show the assembly.
//!
//! # The head
//!
//! ```text
//!  bit 63            48 47                                        3 2   0   64-bit targets
//!     ┌────────────────┬───────────────────────────────────────────┬─────┐
//!     │              address of a boxed future (all 64 bits)       │ 000 │  boxed
//!     ├────────────────┼───────────────────────────────────────────┼─────┤
//!     │     token      │      address of a `Source`, bits 47…3     │ 001 │  source, borrowed
//!     │     token      │                  "                        │ 010 │  source, `Arc`
//!     │     token      │                  "                        │ 011 │  source, `Rc`
//!     ├────────────────┼──────────────────┬───────────┬──────┬─────┼─────┤
//!     │       0        │        0         │     0     │   0  │  0  │ 100 │  ready
//!     │   presented    │    expected      │     0     │origin│ why │ 100 │  terminated
//!     └────────────────┴──────────────────┴───────────┴──────┴─────┴─────┘
//!       63          48   47            32   31      8   7  5   4 3
//! ```
//!
//! * The check for *ready* is one comparison with a constant. It is the first check of a poll, and is inlined. All other paths are cold.
//! * A *terminated* head contains the reason (*why*) and the origin of the result: the arm, and whether the future was from a pool. After
//!   a stale token, the head also contains the token of the future (*presented*) and the token that the source *expected*. So a poll after
//!   completion, a poll after a panic and a poll with a stale token have different messages. The future needs no additional bytes for
//!   these messages.
//! * A *boxed* head and a *source* head point to a header, which points to a table of functions. A poll is one indirect call. The called
//!   function gets the head, and stores *terminated* in the head when it returns the result.
//! * Some addresses of sources have more than 48 bits, and leave no room for the token (tagged heaps, five-level page tables). For such a
//!   source, the reference to the source and the token are in a box, and the head points to the box. No address is truncated.
//! * On targets whose words have fewer than 64 bits, the head has two separate fields for the tokens.
//! * The word is never null, so `Option<ValueFuture<'_, T>>` is no larger than `ValueFuture<'_, T>`.
//!
//! # After a panic
//!
//! If a poll unwinds, the head becomes *terminated*. In the boxed arm, the future is dropped. In the source arm, `cancel` of the source is
//! called, and the reference to the source is released. So after a panic, the future or source is not polled again, nothing is dropped
//! twice, and nothing leaks. If a destructor or `cancel` panics while the first panic unwinds, the process aborts, as always in Rust.
//!
//! # Tokens
//!
//! A source serves one operation after another, and each operation has its own token. A correct source begins no new operation while the
//! future of the previous operation exists. Then no future holds a stale token, unless the program takes a token from elsewhere (the
//! `user_data` of a kernel or of a C library, an id on the wire). The check of the token detects stale tokens from elsewhere, and sources
//! with mistakes. The check costs one comparison.
//!
//! # Further pages
//!
//! The [slab], [pooled futures](pooled_futures) and [sharing](shared) have their own pages. `ARCHITECTURE.md` describes the modules.
//!
//! # How the times were measured
//!
//! `cargo bench --bench ratios` measures all *contenders* (the compared implementations) in one process. Each round measures every
//! contender. A contender is called through `&dyn Trait` behind `black_box`, and awaited in a boxed async block that consumes the value. In
//! each round, the task and the stack begin at other offsets within a page. The reason is that a core treats two addresses with the same
//! low 12 bits as equal until it has compared the other bits. Such a comparison takes up to 9 ns per operation. (The slots of a pool keep
//! their addresses. So a row of a table may be slow in one process, and fast in the next.) The times on these pages are minima, in ns per
//! operation. On another machine, only the ratios of the times are similar.

#[cfg(feature = "alloc")]
pub mod slab {
    #![doc = include_str!("slab/design.md")]
    //!
    #![doc = include_str!("slot/states.md")]
}

#[cfg(feature = "alloc")]
pub mod pooled_futures {
    #![doc = include_str!("future_pool/design.md")]
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub mod shared {
    #![doc = include_str!("shared/design.md")]
}
