//! Tests of the stack use of chains of combinators. A poll or a drop of one level uses at most 2¼ times as much stack as a level of
//! hand-written boxes, plus 32 bytes. This bound holds with and without optimisation.
//!
//! The tests measure the distance between a local variable of the test and a local variable in the innermost poll or drop. With the option
//! `--nocapture`, they print the bytes.

// In Miri, the addresses of local variables do not show how much stack is used.
#![cfg(not(miri))]

use std::{
    cell::Cell,
    future::{Future, ready},
    hint::black_box,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
    thread,
};

use value_future::ValueFuture;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

thread_local! {
    /// The address of a local variable in the most recent poll or drop of an innermost future.
    static DEEPEST: Cell<usize> = const { Cell::new(0) };
}

/// Returns the address of a local variable of this call.
#[inline(never)]
fn stack_address() -> usize {
    let local = 0_u8;
    black_box(&raw const local).addr()
}

/// The innermost future of a chain. It is pending once.
struct Innermost<T> {
    value: T,
    polled: bool,
}

impl<T: Copy + Unpin> Future for Innermost<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        DEEPEST.set(stack_address());
        if mem::replace(&mut self.polled, true) { Poll::Ready(self.value) } else { Poll::Pending }
    }
}

impl<T> Drop for Innermost<T> {
    fn drop(&mut self) {
        DEEPEST.set(stack_address());
    }
}

fn innermost<T>(value: T) -> Innermost<T> {
    Innermost { value, polled: false }
}

/// A hand-written `map`.
struct Map<T, F> {
    future: BoxFuture<T>,
    f: Option<F>,
}

impl<T, F: FnOnce(T) -> T + Unpin> Future for Map<T, F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match self.future.as_mut().poll(cx) {
            Poll::Ready(value) => {
                let f = self.f.take().expect("not polled after `Ready`");
                Poll::Ready(f(value))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// A hand-written `then`.
enum Then<T, F> {
    First(BoxFuture<T>, Option<F>),
    Second(BoxFuture<T>),
}

impl<T, F: FnOnce(T) -> BoxFuture<T> + Unpin> Future for Then<T, F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        loop {
            match &mut *self {
                Then::First(first, f) => match first.as_mut().poll(cx) {
                    Poll::Ready(value) => {
                        let f = f.take().expect("called once");
                        *self = Then::Second(f(value));
                    }
                    Poll::Pending => return Poll::Pending,
                },
                Then::Second(second) => return second.as_mut().poll(cx),
            }
        }
    }
}

fn boxed<T>(future: impl Future<Output = T> + Send + 'static) -> BoxFuture<T> {
    Box::pin(future)
}

fn map_boxed<T, F>(future: BoxFuture<T>, f: F) -> BoxFuture<T>
where
    T: 'static,
    F: FnOnce(T) -> T + Unpin + Send + 'static,
{
    boxed(Map { future, f: Some(f) })
}

fn then_boxed<T, F>(future: BoxFuture<T>, f: F) -> BoxFuture<T>
where
    T: 'static,
    F: FnOnce(T) -> BoxFuture<T> + Unpin + Send + 'static,
{
    boxed(Then::First(future, Some(f)))
}

/// The stack use of one level, in bytes.
#[derive(Clone, Copy, Debug)]
struct Level {
    poll: usize,
    drop: usize,
}

/// Polls one future until it is ready, and drops another future. Returns the stack use of the deepest poll, and of the drop.
fn stack_use<F: Future + Unpin>(make: impl Fn() -> F) -> Level {
    let mut future = make();
    let mut most = 0;
    while Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        most = most.max(stack_address().abs_diff(DEEPEST.get()));
    }
    let poll = most.max(stack_address().abs_diff(DEEPEST.get()));
    drop(make());
    Level { poll, drop: stack_address().abs_diff(DEEPEST.get()) }
}

/// Measures the stack use of one level. `make` creates a chain with the given number of levels.
fn level<F: Future + Unpin>(make: impl Fn(usize) -> F) -> Level {
    const FEW: usize = 8;
    const MANY: usize = 72;
    let (few, many) = (stack_use(|| make(FEW)), stack_use(|| make(MANY)));
    let per_level = |many: usize, few: usize| many.saturating_sub(few).div_ceil(MANY - FEW);
    Level { poll: per_level(many.poll, few.poll), drop: per_level(many.drop, few.drop) }
}

fn chain<F>(levels: usize, first: F, deeper: impl Fn(F) -> F) -> F {
    (0..levels).fold(first, |future, _| deeper(future))
}

/// Compares the stack use of a level of a combinator with that of a level of hand-written boxes.
fn compare<F, G>(
    name: &str,
    combinator: impl Fn(usize) -> F,
    reference: impl Fn(usize) -> G,
) -> Level
where
    F: Future + Unpin,
    G: Future + Unpin,
{
    let (combinator, reference) = (level(combinator), level(reference));
    println!("{name}: {combinator:?}, boxed: {reference:?}");
    for (combinator, reference) in
        [(combinator.poll, reference.poll), (combinator.drop, reference.drop)]
    {
        assert!(
            combinator <= reference * 9 / 4 + 32,
            "{name}: {combinator} bytes per level, boxed {reference}"
        );
    }
    combinator
}

/// Calls [`compare`]. Then polls and drops a chain of 3,000 levels on a thread with the default stack of 2 MiB.
fn compare_and_run<F, G>(
    name: &str,
    combinator: impl Fn(usize) -> F + Send + Copy + 'static,
    reference: impl Fn(usize) -> G,
) where
    F: Future + Unpin,
    G: Future + Unpin,
{
    const STACK: usize = 2 << 20;
    const LEVELS: usize = 3_000;
    let Level { poll, drop } = compare(name, combinator, reference);
    assert!(poll.max(drop) * LEVELS <= STACK / 4 * 3, "{name}: {LEVELS} levels use too much stack");
    let deep = move || stack_use(|| combinator(LEVELS));
    thread::Builder::new().stack_size(STACK).spawn(deep).unwrap().join().unwrap();
}

fn combinators<T: Copy + Send + Unpin + 'static>(value: T) {
    type Answer<T> = Result<T, u32>;

    let named = |name: &str| format!("{name}, {} bytes", size_of::<T>());
    let combinator = move || ValueFuture::pooled(innermost(value));
    let reference = move || boxed(innermost(value));
    compare_and_run(
        &named("map"),
        move |levels| chain(levels, combinator(), |future| future.map(|value| value)),
        |levels| chain(levels, reference(), |future| map_boxed(future, |value| value)),
    );
    compare_and_run(
        &named("then"),
        move |levels| chain(levels, combinator(), |future| future.then(ValueFuture::ready)),
        |levels| {
            chain(levels, reference(), |future| then_boxed(future, |value| boxed(ready(value))))
        },
    );
    compare(
        &named("then, a chain that grows"),
        |levels| growing_chain(levels, value),
        |levels| growing_chain_boxed(levels, value),
    );

    let combinator = move || ValueFuture::pooled(innermost(Answer::Ok(value)));
    let reference = move || boxed(innermost(Answer::Ok(value)));
    let map = |levels| chain(levels, reference(), |future| map_boxed(future, |answer| answer));
    let then = |levels| {
        chain(levels, reference(), |future| {
            then_boxed(future, |answer| match answer {
                Ok(value) => boxed(ready(Ok(value))),
                Err(error) => boxed(ready(Err(error))),
            })
        })
    };
    compare_and_run(
        &named("map_ok"),
        move |levels| chain(levels, combinator(), |future| future.map_ok(|value| value)),
        map,
    );
    compare_and_run(
        &named("map_err"),
        move |levels| chain(levels, combinator(), |future| future.map_err(|error| error)),
        map,
    );
    compare_and_run(
        &named("and_then"),
        move |levels| {
            chain(levels, combinator(), |future| {
                future.and_then(|value| ValueFuture::ready(Ok(value)))
            })
        },
        then,
    );
    compare_and_run(
        &named("or_else"),
        move |levels| {
            chain(levels, combinator(), |future| {
                future.or_else(|error| ValueFuture::ready(Err(error)))
            })
        },
        then,
    );
}

/// Returns a chain that grows while it is polled: each closure returns a future that has a closure too.
fn growing_chain<T>(levels: usize, value: T) -> ValueFuture<'static, T>
where
    T: Copy + Send + Unpin + 'static,
{
    let first = ValueFuture::pooled(innermost(value));
    match levels {
        0 => first,
        _ => first.then(move |value| growing_chain(levels - 1, value)),
    }
}

fn growing_chain_boxed<T>(levels: usize, value: T) -> BoxFuture<T>
where
    T: Copy + Send + Unpin + 'static,
{
    let first = boxed(innermost(value));
    match levels {
        0 => first,
        _ => then_boxed(first, move |value| growing_chain_boxed(levels - 1, value)),
    }
}

#[test]
fn a_combinator_with_a_result_of_one_word_uses_little_stack() {
    combinators(0_u64);
}

#[test]
fn a_combinator_with_a_result_of_three_words_uses_little_stack() {
    combinators([0_u64; 3]);
}

#[test]
fn a_combinator_with_a_result_of_eight_words_uses_little_stack() {
    combinators([0_u64; 8]);
}
