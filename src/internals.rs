//! How the crate works, and why. You need nothing of this to use the crate.
//!
//! # The obvious enum, and what it costs
//!
//! A value future is an inline result, a boxed future or an operation of a source. [`Arm`](crate::future::Arm) is that enum. An enum with
//! fat pointers saves the allocation, but almost no time: for most results it takes as long as a `BoxFuture`. The tables *ready* of
//! `docs/benchmarks.md` compare the floor (`Poll<T>`), `BoxFuture`, the obvious enum and this crate.
//!
//! The reason is how the bytes are moved. A value of more than two words is returned through memory. The callee stores the tag, the token
//! and the payload separately. `.await` then moves the value into the state machine of the caller, 16 bytes at a time. A load that spans
//! two recent stores waits until both have reached the cache. That takes as long as an allocation. Four measures avoid it:
//!
//! 1. **One word and the payload.** One word, the *head*, contains everything except the result. So a future of one scalar of up to 8 bytes
//!    is a pair of scalars. It is returned in two registers, and does not wait for memory.
//! 2. **The payload first.** A larger result goes through memory. The head follows the payload, so both moves of `.await` use the same
//!    16-byte pieces, and the second move does not wait.
//! 3. **Stores in pieces.** On x86-64 and aarch64, a future is assembled in registers of 16 bytes (or 32, if the program is compiled for
//!    them), and then stored. A ready future is stored as a whole. A pending future is stored with the whole piece that contains the head.
//!    So each load of `.await` finds one store with all its bytes. Otherwise, `.await` takes 7 to 9 ns for results of 16 and 24 bytes.
//!    [`const_ready`](crate::ValueFuture::const_ready) cannot do this.
//! 4. **Loads of words.** A future in a slot or a box stores its result field by field. The result is moved after the slot was released. So
//!    it is loaded word by word, and stored in pieces. The same holds for a result that is a tag and an array.
//!
//! `src/pieces/mod.rs` has the rules, with the assembly.
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
//! * *Ready* is one comparison with a constant. It is the first check, and inlined. All other paths are cold.
//! * *Terminated* contains the origin of the result (the arm, and whether the future was in a slot) and the reason. So a poll after
//!   completion, after a panic and after a stale token have different messages, and the future needs no more bytes.
//! * *Boxed* and *source* point to an object that begins with a header, which refers to a table of functions. A pending poll is one indirect
//!   call. The function gets the head. It stores *terminated* in it when it returns the result.
//! * Some addresses leave no room for the token (tagged heaps, five-level page tables). The whole address is then in a box, and the head
//!   points to the box. No address is truncated.
//! * On targets whose words have fewer than 64 bits, the two tokens are fields beside the word.
//! * The word is never null, so that `Option<ValueFuture<'_, T>>` is no larger.
//!
//! # After a panic
//!
//! If a poll unwinds, the head is terminated. A boxed future is dropped. A source is told by `cancel`, and the reference to it is released. So
//! nothing is polled again, nothing is dropped twice, and nothing leaks. If a destructor or `cancel` panics while the first panic unwinds,
//! the process aborts, as always in Rust.
//!
//! # Tokens
//!
//! A source serves one operation after another, and its token distinguishes them. In safe code, a future cannot hold a stale token if the
//! source is not reused while the future exists. The check is for sources that get tokens from elsewhere (the `user_data` of a kernel or of
//! foreign code, ids on the wire), for sources of other crates, and for mistakes. It costs one comparison.
//!
//! # Further pages
//!
//! The [slab], [pooled futures](pooled_futures) and [sharing](shared) have pages of their own. `ARCHITECTURE.md` describes the modules.
//!
//! # How it was measured
//!
//! `cargo bench --bench ratios` measures all contenders in one process, interleaved round by round. Each is called through `&dyn Trait` behind
//! `black_box`, and awaited in a boxed async block that consumes the value. The task and the stack have other addresses within a page in
//! each round, because a core takes two addresses with the same low 12 bits for one until it has compared the rest. That takes up to 9 ns
//! per operation. (The slots of a pool keep their addresses. So a row of a table may be slow in one process, and fast in the next.) The times
//! on these pages are minima, in ns per operation. Only their ratios carry over to other machines.

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
