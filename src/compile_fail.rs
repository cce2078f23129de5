//! Programs that must not compile. After one or two such programs, there is a similar program that compiles. The similar program shows that
//! the programs before it contain no other error. All programs are doctests. On nightly, the error codes are also checked.
//!
//! # Awaiting twice by value
//!
//! ```compile_fail,E0382
//! # use value_future::ValueFuture;
//! async fn twice(future: ValueFuture<'_, u32>) -> u32 {
//!     future.await + future.await
//! }
//! ```
//!
//! ```
//! # use value_future::ValueFuture;
//! async fn once_each(first: ValueFuture<'_, u32>, second: ValueFuture<'_, u32>) -> u32 {
//!     first.await + second.await
//! }
//! ```
//!
//! The macro `ready_or_await!` takes its future by value, too.
//!
//! ```compile_fail,E0382
//! # use value_future::{ValueFuture, ready_or_await};
//! async fn twice(future: ValueFuture<'_, u32>) -> u32 {
//!     ready_or_await!(future) + ready_or_await!(future)
//! }
//! ```
//!
//! ```
//! # use value_future::{ValueFuture, ready_or_await};
//! async fn once_each(first: ValueFuture<'_, u32>, second: ValueFuture<'_, u32>) -> u32 {
//!     ready_or_await!(first) + ready_or_await!(second)
//! }
//! ```
//!
//! `.await` takes a completion by value, too. After the first await, the slot of the completion may serve another operation.
//!
//! ```compile_fail,E0382
//! # use value_future::{Dropped, Pool};
//! # async fn pay(pool: &Pool<Result<u64, Dropped>>) -> bool {
//! let (completer, confirmation) = pool.rent();
//! # let _ = completer.into_key();
//! confirmation.await.is_ok() && confirmation.await == Ok(12)
//! # }
//! ```
//!
//! ```
//! # use value_future::{Dropped, Pool};
//! # async fn pay(pool: &Pool<Result<u64, Dropped>>) -> bool {
//! let (completer, confirmation) = pool.rent();
//! # let _ = completer.into_key();
//! let confirmation = confirmation.await;
//! confirmation.is_ok() && confirmation == Ok(12)
//! # }
//! ```
//!
//! # A future that outlives the value that it borrows
//!
//! ```compile_fail,E0597
//! # use value_future::ValueFuture;
//! let future = {
//!     let name = String::from("gone");
//!     ValueFuture::boxed(async { name.len() })
//! };
//! drop(future);
//! ```
//!
//! ```
//! # use value_future::ValueFuture;
//! let name = String::from("here");
//! let future = {
//!     ValueFuture::boxed(async { name.len() })
//! };
//! drop(future);
//! ```
//!
//! A borrowed source must outlive its future. A future that contains an `Arc` of its source may outlive all other references to the source.
//!
//! ```compile_fail,E0597
//! # use value_future::{Source, ValueFuture, ValueSource, error::StaleToken, source::Token};
//! # use std::{sync::Arc, task::{Context, Poll}};
//! # struct Five;
//! # impl ValueSource for Five {
//! #     type Output = u32;
//! #     fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
//! #         Poll::Ready(Ok(5))
//! #     }
//! #     fn cancel(&self, _: Token) {}
//! # }
//! let future = {
//!     let source = Source::new(Five);
//!     ValueFuture::from_source(&source, Token::new(1))
//! };
//! drop(future);
//! ```
//!
//! ```
//! # use value_future::{Source, ValueFuture, ValueSource, error::StaleToken, source::Token};
//! # use std::{sync::Arc, task::{Context, Poll}};
//! # struct Five;
//! # impl ValueSource for Five {
//! #     type Output = u32;
//! #     fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
//! #         Poll::Ready(Ok(5))
//! #     }
//! #     fn cancel(&self, _: Token) {}
//! # }
//! let future = {
//!     let source = Arc::new(Source::new(Five));
//!     ValueFuture::from_source(source, Token::new(1))
//! };
//! drop(future);
//! ```
//!
//! If a source borrows a value, a future of the source must not outlive this value, even if the source is in an `Arc`.
//!
//! ```compile_fail,E0597
//! # use value_future::{Source, ValueFuture, ValueSource, error::StaleToken, source::Token};
//! # use std::{sync::Arc, task::{Context, Poll}};
//! struct Borrowing<'s>(&'s str);
//! impl ValueSource for Borrowing<'_> {
//!     type Output = usize;
//!     fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<usize, StaleToken>> {
//!         Poll::Ready(Ok(self.0.len()))
//!     }
//!     fn cancel(&self, _: Token) {}
//! }
//! let future = {
//!     let name = String::from("gone");
//!     ValueFuture::from_source(Arc::new(Source::new(Borrowing(&name))), Token::new(1))
//! };
//! drop(future);
//! ```
//!
//! ```
//! # use value_future::{Source, ValueFuture, ValueSource, error::StaleToken, source::Token};
//! # use std::{sync::Arc, task::{Context, Poll}};
//! # struct Borrowing<'s>(&'s str);
//! # impl ValueSource for Borrowing<'_> {
//! #     type Output = usize;
//! #     fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<usize, StaleToken>> {
//! #         Poll::Ready(Ok(self.0.len()))
//! #     }
//! #     fn cancel(&self, _: Token) {}
//! # }
//! let name = String::from("here");
//! let future = {
//!     ValueFuture::from_source(Arc::new(Source::new(Borrowing(&name))), Token::new(1))
//! };
//! drop(future);
//! ```
//!
//! # A future or a reference that is not `Send`, in a `ValueFuture`
//!
//! ```compile_fail
//! # use value_future::ValueFuture;
//! # use std::rc::Rc;
//! let shared = Rc::new(5);
//! let future = ValueFuture::boxed(async move { *shared });
//! ```
//!
//! ```
//! # use value_future::LocalValueFuture;
//! # use std::rc::Rc;
//! let shared = Rc::new(5);
//! let future = LocalValueFuture::boxed(async move { *shared });
//! ```
//!
//! A reference to a source is not `Send` if the source is not `Sync`, or if the reference is an `Rc`. Only a `LocalValueFuture` can contain
//! such a reference.
//!
//! ```compile_fail,E0277
//! # use value_future::{Source, ValueFuture, ValueSource, error::StaleToken, source::Token};
//! # use std::{cell::Cell, task::{Context, Poll}};
//! # struct Counter(Cell<u32>);
//! # impl ValueSource for Counter {
//! #     type Output = u32;
//! #     fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
//! #         Poll::Ready(Ok(self.0.get()))
//! #     }
//! #     fn cancel(&self, _: Token) {}
//! # }
//! let source = Source::new(Counter(Cell::new(5)));
//! drop(ValueFuture::from_source(&source, Token::new(1)));
//! ```
//!
//! ```compile_fail,E0277
//! # use value_future::{Source, ValueFuture, ValueSource, error::StaleToken, source::Token};
//! # use std::{rc::Rc, task::{Context, Poll}};
//! # struct Five;
//! # impl ValueSource for Five {
//! #     type Output = u32;
//! #     fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
//! #         Poll::Ready(Ok(5))
//! #     }
//! #     fn cancel(&self, _: Token) {}
//! # }
//! drop(ValueFuture::from_source(Rc::new(Source::new(Five)), Token::new(1)));
//! ```
//!
//! ```
//! # use value_future::{LocalValueFuture, Source, ValueSource, error::StaleToken, source::Token};
//! # use std::{cell::Cell, rc::Rc, task::{Context, Poll}};
//! # struct Counter(Cell<u32>);
//! # impl ValueSource for Counter {
//! #     type Output = u32;
//! #     fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
//! #         Poll::Ready(Ok(self.0.get()))
//! #     }
//! #     fn cancel(&self, _: Token) {}
//! # }
//! let source = Rc::new(Source::new(Counter(Cell::new(5))));
//! drop(LocalValueFuture::from_source(&*source, Token::new(1)));
//! drop(LocalValueFuture::from_source(Rc::clone(&source), Token::new(1)));
//! ```
//!
//! # A pool of futures for one thread as a `static`
//!
//! ```compile_fail,E0277
//! # use value_future::LocalFuturePool;
//! static POOL: LocalFuturePool = LocalFuturePool::new();
//! ```
//!
//! ```
//! # use value_future::{FuturePool, LocalFuturePool};
//! static POOL: FuturePool = FuturePool::new();
//! thread_local! {
//!     static OF_THIS_THREAD: LocalFuturePool = const { LocalFuturePool::new() };
//! }
//! ```
//!
//! # Sending a future that is not `Send` to another thread
//!
//! ```compile_fail,E0277
//! # use value_future::LocalValueFuture;
//! let future = LocalValueFuture::ready(5);
//! std::thread::spawn(move || drop(future));
//! ```
//!
//! ```
//! # use value_future::ValueFuture;
//! let future = ValueFuture::ready(5);
//! std::thread::spawn(move || drop(future)).join().unwrap();
//! ```
//!
//! # `ready_or_await!` with a future that is not a value future
//!
//! ```compile_fail,E0277
//! # use value_future::ready_or_await;
//! async fn five() -> u32 {
//!     ready_or_await!(std::future::ready(5))
//! }
//! ```
//!
//! ```
//! # use value_future::{ValueFuture, ready_or_await};
//! async fn five() -> u32 {
//!     ready_or_await!(ValueFuture::ready(5))
//! }
//! ```
//!
//! # Changing the token of a source arm
//!
//! ```compile_fail,E0639
//! # use value_future::{ValueFuture, future::Arm, source::Token};
//! fn forge<'a>(arm: Arm<'a, u32>) -> Arm<'a, u32> {
//!     match arm {
//!         Arm::Source { source, .. } => Arm::Source { source, token: Token::new(1) },
//!         other => other,
//!     }
//! }
//! ```
//!
//! ```
//! # use value_future::{ValueFuture, future::Arm, source::Token};
//! fn look<'a>(arm: Arm<'a, u32>) -> Option<Token> {
//!     match arm {
//!         Arm::Source { token, .. } => Some(token),
//!         _ => None,
//!     }
//! }
//! ```
//!
//! # Converting a `Source` or a `ValueNext` into a supertype
//!
//! In the programs below, a `Kind<Any>` converts into its supertype `Kind<Static>`, which may be a source with another output. But a
//! [`Source`](crate::Source) of a `Kind<Any>` does not convert into a `Source` of a `Kind<Static>`, because a `Source` has the table of
//! functions of the type with which it was created.
//!
//! ```compile_fail,E0308
//! # use std::{marker::PhantomData, task::{Context, Poll}};
//! # use value_future::{Source, ValueSource, error::StaleToken, source::Token};
//! # struct Kind<P>(PhantomData<P>);
//! type Any = for<'x> fn(&'x u8);
//! type Static = fn(&'static u8);
//! # impl ValueSource for Kind<Any> {
//! #     type Output = usize;
//! #     fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<usize, StaleToken>> {
//! #         Poll::Ready(Ok(5))
//! #     }
//! #     fn cancel(&self, _: Token) {}
//! # }
//! let source: Source<Kind<Any>> = Source::new(Kind(PhantomData));
//! let source: Source<Kind<Static>> = source;
//! ```
//!
//! ```
//! # use std::{marker::PhantomData, task::{Context, Poll}};
//! # use value_future::{Source, ValueSource, error::StaleToken, source::Token};
//! # struct Kind<P>(PhantomData<P>);
//! type Any = for<'x> fn(&'x u8);
//! type Static = fn(&'static u8);
//! # impl ValueSource for Kind<Any> {
//! #     type Output = usize;
//! #     fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<usize, StaleToken>> {
//! #         Poll::Ready(Ok(5))
//! #     }
//! #     fn cancel(&self, _: Token) {}
//! # }
//! let source: Source<Kind<Any>> = Source::new(Kind(PhantomData));
//! let source: Kind<Static> = source.into_inner();
//! ```
//!
//! A [`ValueNext`](crate::stream::ValueNext) does not convert into a `ValueNext` of a supertype either, because the supertype may be a
//! stream of other items.
//!
//! ```compile_fail,E0308
//! # use value_future::stream::ValueNext;
//! struct Stream<F>(F);
//! fn supertype(reader: ValueNext<Stream<for<'x> fn(&'x u8)>>) -> ValueNext<Stream<fn(&'static u8)>> {
//!     reader
//! }
//! ```
//!
//! ```
//! # use value_future::stream::ValueNext;
//! struct Stream<F>(F);
//! fn the_same(reader: ValueNext<Stream<fn(&'static u8)>>) -> ValueNext<Stream<fn(&'static u8)>> {
//!     reader
//! }
//! ```
//!
//! # Wrong uses of a `ReaderStream`
//!
//! The future in a `ReaderStream` refers to the reader in the same `ReaderStream`. So the stream must be pinned before it is polled.
//!
//! ```compile_fail,E0277
//! # use core::pin::Pin;
//! # use value_future::{ValueFuture, stream::ReaderStream};
//! let mut stream = ReaderStream::new(5, |n: &mut u8| ValueFuture::ready(Some(*n)));
//! let _ = Pin::new(&mut stream);
//! ```
//!
//! ```
//! # use core::pin::pin;
//! # use value_future::{ValueFuture, stream::ReaderStream};
//! let mut stream = ReaderStream::new(5, |n: &mut u8| ValueFuture::ready(Some(*n)));
//! let _ = pin!(stream);
//! ```
//!
//! An item cannot borrow from the reader, because the stream borrows the reader mutably again for the next item.
//!
//! ```compile_fail,E0308
//! # use value_future::{ValueFuture, stream::ReaderStream};
//! fn item(n: &mut u8) -> ValueFuture<'_, Option<&u8>> {
//!     ValueFuture::ready(Some(n))
//! }
//! let _ = ReaderStream::new(5, item);
//! ```
//!
//! ```
//! # use value_future::{ValueFuture, stream::ReaderStream};
//! fn item(n: &mut u8) -> ValueFuture<'_, Option<u8>> {
//!     ValueFuture::ready(Some(*n))
//! }
//! let _ = ReaderStream::new(5, item);
//! ```
//!
//! # `with_abandoned` with a function that captures values
//!
//! A reusable source does not store the function that creates the result of an abandoned operation. So the function may capture only values
//! of size 0.
//!
//! ```compile_fail,E0080
//! # use value_future::LocalReusableSource;
//! let lost: &'static str = "lost";
//! let _ = LocalReusableSource::with_abandoned(move || lost.len());
//! ```
//!
//! ```
//! # use value_future::LocalReusableSource;
//! let _ = LocalReusableSource::with_abandoned(|| "lost".len());
//! ```
//!
//! A captured value of size 0 can be a proof that the code runs on a certain thread. A `ReusableSource` may be sent to another thread, and
//! its type does not contain the type of the function. So the function must be `Send`. For a `LocalReusableSource`, the function need not
//! be `Send`.
//!
//! ```compile_fail,E0277
//! # use core::marker::PhantomData;
//! # use value_future::ReusableSource;
//! #[derive(Clone, Copy)]
//! struct OnThisThread(PhantomData<*const ()>);
//! impl OnThisThread {
//!     fn get(self) -> u8 { 5 }
//! }
//! let proof = OnThisThread(PhantomData);
//! let _ = ReusableSource::with_abandoned(move || proof.get());
//! ```
//!
//! ```
//! # use core::marker::PhantomData;
//! # use value_future::LocalReusableSource;
//! #[derive(Clone, Copy)]
//! struct OnThisThread(PhantomData<*const ()>);
//! impl OnThisThread {
//!     fn get(self) -> u8 { 5 }
//! }
//! let proof = OnThisThread(PhantomData);
//! let _ = LocalReusableSource::with_abandoned(move || proof.get());
//! ```
//!
//! A captured value can also be a proof that a scope has not ended. The type of the source does not contain the lifetime of this scope, so
//! the source may outlive the scope. Therefore the function must be `'static`.
//!
//! ```compile_fail,E0597
//! # use core::marker::PhantomData;
//! # use value_future::LocalReusableSource;
//! #[derive(Clone, Copy)]
//! struct Within<'s>(PhantomData<&'s ()>);
//! impl<'s> Within<'s> {
//!     fn of(_: &'s ()) -> Self { Within(PhantomData) }
//!     fn get(self) -> u8 { 5 }
//! }
//! let scope = ();
//! let proof = Within::of(&scope);
//! let _ = LocalReusableSource::with_abandoned(move || proof.get());
//! ```
//!
//! ```
//! # use core::marker::PhantomData;
//! # use value_future::LocalReusableSource;
//! #[derive(Clone, Copy)]
//! struct Within<'s>(PhantomData<&'s ()>);
//! impl<'s> Within<'s> {
//!     fn of(_: &'s ()) -> Self { Within(PhantomData) }
//!     fn get(self) -> u8 { 5 }
//! }
//! static SCOPE: () = ();
//! let proof = Within::of(&SCOPE);
//! let _ = LocalReusableSource::with_abandoned(move || proof.get());
//! ```
//!
//! # The feature `ratio` does not change which programs compile
//!
//! Without the feature, a counter is an empty array of atomics. The compiler treats such an array like an atomic. So it does not promote a
//! reference to a constant `Ratio` to a `&'static` reference.
//!
//! ```compile_fail,E0716
//! # use value_future::Ratio;
//! const GET: Ratio = Ratio::new();
//! let get: &'static Ratio = &GET;
//! ```
//!
//! ```
//! # use value_future::Ratio;
//! static GET: Ratio = Ratio::new();
//! let get: &'static Ratio = &GET;
//! ```
