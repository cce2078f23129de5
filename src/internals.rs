//! Why the future looks as it does. Nothing in here is needed to use the crate.
//!
//! # The enum, and what it costs
//!
//! A future that is an inline result, a boxed future or an operation of a source is an enum, and
//! [`Arm`](crate::future::Arm) is that enum. Written down as such, with fat pointers, it saves the
//! allocation and almost no time:
//!
//! | min ns per operation | `()` | `u64` | `io::Result<usize>` | `Option<u64>` | `io::Result<Arc<[u8]>>` | `Vec<u8>` | `Option<String>` | `io::Result<Vec<u8>>` | `[u64; 8]` | `Result<[u64; 8], ()>` | `[u64; 32]` |
//! | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
//! | `Poll<T>` (the floor) | 1.1 | 1.4 | 1.5 | 1.4 | 16.2 | 1.5 | 1.8 | 2.1 | 2.6 | 2.6 | 7.7 |
//! | `BoxFuture` | 9.6 | 9.1 | 10.2 | 9.6 | 25.5 | 12.5 | 12.4 | 15.6 | 11.9 | 12.2 | 22.2 |
//! | the obvious enum | 8.7 | 9.2 | 9.3 | 10.2 | 24.6 | 10.0 | 9.5 | 10.3 | 18.2 | 19.1 | 37.1 |
//! | **`.await`** | 1.3 | 1.7 | 2.5 | 2.4 | 11.9 | 2.8 | 3.3 | 3.2 | 5.2 | 6.6 | 31.7 |
//! | `ready_or_await!` | 1.5 | 1.6 | 2.0 | 1.8 | 11.9 | 2.0 | 2.3 | 2.5 | 3.9 | 6.7 | 10.7 |
//!
//! The reason is not the work but the way that the bytes take. A value of more than two words is
//! returned through memory: the callee stores tag, token and payload in the pieces that it has them
//! in, and `.await` begins by moving the value into the state machine of the caller, 16 bytes at a
//! time. A load that spans two stores which are still on their way waits until both have reached
//! the cache. In the table that takes as long as the allocation does. What avoids it:
//!
//! 1. **One word and the payload.** Everything that is not the result fits into one word, the
//!    *head*, so that a future of one scalar of up to 8 bytes is a pair of scalars. Such a pair is
//!    returned in two registers, and does not wait for memory.
//! 2. **The payload first.** A result of two words or more still goes through memory. With the
//!    head behind it, it is cut into the same 16-byte pieces on its way into the caller's state
//!    machine and out of it, and the second move does not wait.
//! 3. **Stores in pieces.** On x86-64 and aarch64 a future is put together in registers of 16 bytes (or 32, if the
//!    program is compiled for them) before it is stored: a ready one as a whole, one that waits with all of the
//!    piece that has its head. So each load of the move that `.await` begins with finds one store that has all its
//!    bytes. Without that, `.await` takes 7 to 9 ns for the results of 16 and 24 bytes in the table.
//!    [`const_ready`](crate::ValueFuture::const_ready) cannot do it.
//! 4. **Loads of words.** A future in a slot or a box stores its result field by field, and the result is moved on when the
//!    slot has been given back. So it is loaded word by word, and stored in pieces. The same is done for a result that
//!    is a tag and an array, whose user loads pieces that begin behind the tag.
//!
//! The file `src/pieces/mod.rs` has the rules, and the assembly that they are about.
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
//!     │   presented    │    expected      │     0     │ site │ why │ 100 │  spent
//!     └────────────────┴──────────────────┴───────────┴──────┴─────┴─────┘
//!       63          48   47            32   31      8   7  5   4 3
//! ```
//!
//! * *Ready* is one comparison with a constant; it is made first, and inlined. The rest is marked
//!   cold, so that the ready path is a straight line.
//! * *Terminated* says where (in which arm, and whether its box was a slot) and why, so that a poll after
//!   completion, after a panic and after a stale token each get their own message, without a byte
//!   more.
//! * *Boxed* and *source* point to something that starts with a header, which is a reference to a
//!   table of functions. A pending poll is one indirect call (for a source, by way of a jump): the
//!   function gets the head, and writes *spent* into it when it gives the result.
//! * An address that leaves no room for the token (tagged heaps, five-level page tables) goes into
//!   a box with all its bits, and the head points to that. No address is cut.
//! * On targets whose words are not 64 bits wide, the two tokens are fields beside the word.
//! * The word is never null, so that `Option<ValueFuture<'_, T>>` is no larger.
//!
//! # What a panic leaves behind
//!
//! A poll that unwinds leaves the head spent, gives up the operation (a boxed future is dropped, a
//! source is told by `cancel`) and gives the reference back. So nothing is polled again, nothing
//! is dropped twice and nothing leaks. If dropping or cancelling panics while the first panic
//! unwinds, the process aborts, as always in Rust.
//!
//! # Tokens
//!
//! A source serves one operation after another, and its token tells them apart. In safe code a
//! future cannot hold a stale one as long as the source is not reused while the future lives; the
//! check is for sources that are handed tokens from elsewhere (kernel and FFI `user_data`, ids on
//! the wire), for sources written by others, and for mistakes. It costs one comparison.
//!
//! # The slab
//!
//! What stands behind pools has a [page of its own](slab), and so have [pooled futures](machine).
//!
//! # How it was measured
//!
//! `cargo bench --bench ratios`: all contenders in one process, interleaved round by round, each
//! called through `&dyn Trait` behind `black_box` and awaited in a boxed async block that consumes
//! the value. In each round the task and the stack are elsewhere in a page: to a core, two addresses with the same low 12
//! bits are one until it has looked at the rest, and that takes up to 9 ns an operation. (A pool's slot stays where it
//! is; so a row of a table may be slow in one process and fast in the next.) The figures above are minima in ns
//! per operation, of one run on a shared Intel Xeon
//! with two cores, rustc 1.95. Only their ratios carry over.

#[cfg(feature = "alloc")]
pub mod slab {
    #![doc = include_str!("slab/design.md")]
    //!
    #![doc = include_str!("slot/states.md")]
}

#[cfg(feature = "alloc")]
pub mod machine {
    #![doc = include_str!("future_pool/design.md")]
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub mod shared {
    #![doc = include_str!("shared/design.md")]
}
