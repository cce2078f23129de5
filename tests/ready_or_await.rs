//! `.await` and `ready_or_await!` return the same result: for every arm of a future, with `?`, in loops and inside other macros.

mod common;

use std::{io, rc::Rc};

use common::{ManualSource, later};
use futures::executor::block_on;
use value_future::{LocalValueFuture, Source, ValueFuture, ready_or_await};

#[test]
fn await_and_ready_or_await_return_the_same_result() {
    let source = Source::new(ManualSource::new());
    let from_source = || {
        source.complete(3);
        ValueFuture::from_source(&source, source.live())
    };
    let sum = async {
        let mut sum = 0;
        sum += ValueFuture::ready(1).await;
        sum += ready_or_await!(ValueFuture::ready(1));
        sum += later(2).await;
        sum += ready_or_await!(later(2));
        sum += from_source().await;
        sum += ready_or_await!(from_source());
        sum
    };
    assert_eq!(block_on(sum), 12);
}

#[test]
fn await_and_ready_or_await_return_the_same_result_of_a_local_future() {
    let sum = async {
        let one = Rc::new(1);
        let later = || LocalValueFuture::boxed(async { *one });
        let ready = || LocalValueFuture::ready(*one);
        ready_or_await!(ready()) + ready_or_await!(later()) + ready().await + later().await
    };
    assert_eq!(block_on(sum), 4);
}

/// A reader that returns `left` numbers, alternately ready and pending, and then an error.
struct Reader {
    left: usize,
}

impl Reader {
    fn read(&mut self, buffer: &mut [u8]) -> ValueFuture<'_, io::Result<usize>> {
        buffer.fill(1);
        let Some(left) = self.left.checked_sub(1) else {
            return ValueFuture::ready(Err(io::ErrorKind::UnexpectedEof.into()));
        };
        self.left = left;
        if left % 2 == 0 { ValueFuture::ready(Ok(left)) } else { later(Ok(left)) }
    }
}

#[test]
fn ready_or_await_works_with_the_question_mark_and_in_loops() {
    async fn sum(reader: &mut Reader) -> io::Result<usize> {
        let mut sum = 0;
        while reader.left > 0 {
            sum += ready_or_await!(reader.read(&mut [0; 4]))?;
        }
        Ok(sum + ready_or_await!(reader.read(&mut [0; 4]))?)
    }
    async fn sum_by_await(reader: &mut Reader) -> io::Result<usize> {
        let mut sum = 0;
        loop {
            sum += reader.read(&mut [0; 4]).await?;
            if sum == 6 {
                return Ok(sum);
            }
        }
    }
    let error = block_on(sum(&mut Reader { left: 4 })).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(block_on(sum_by_await(&mut Reader { left: 4 })).unwrap(), 6);
}

/// A macro with `ready_or_await!` inside it.
macro_rules! doubled {
    ($future:expr) => {
        2 * ready_or_await!($future)
    };
}

/// A macro that is used inside `ready_or_await!`.
macro_rules! reads {
    ($reader:ident) => {
        $reader.read(&mut [0; 4])
    };
}

#[test]
fn ready_or_await_works_inside_other_macros() {
    let numbers = async {
        let mut reader = Reader { left: 3 };
        let mut all = vec![ready_or_await!(ValueFuture::ready(1),), doubled!(later(2))];
        all.push(ready_or_await!(reads!(reader)).unwrap());
        assert_eq!(ready_or_await!(ValueFuture::ready(5)), 5);
        format!("{all:?} {}", ready_or_await!(later("later")))
    };
    assert_eq!(block_on(numbers), "[1, 4, 2] later");
}

#[test]
fn match_arms_can_use_the_object_that_the_scrutinee_borrowed() {
    let numbers = async {
        let mut reader = Reader { left: 2 };
        // The future is dropped before a match arm runs, so the arm can use `reader` again.
        match ready_or_await!(reader.read(&mut [0; 4])) {
            Ok(first) => (first, ready_or_await!(reader.read(&mut [0; 4])).unwrap()),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(block_on(numbers), (1, 0));
}

#[test]
fn ready_or_await_is_hygienic() {
    #[allow(dead_code, non_snake_case, reason = "names that the macro uses")]
    fn hidden() -> u32 {
        fn Ok() {}
        fn Err() {}
        mod value_future {}
        block_on(async { ready_or_await!(ValueFuture::ready(1)) })
    }
    assert_eq!(hidden(), 1);
}

/// A method with an inline result does its work at the call. An async block around the call defers the work.
#[test]
fn an_inline_result_is_computed_at_the_call() {
    fn pop(queue: &mut Vec<u32>) -> ValueFuture<'_, Option<u32>> {
        ValueFuture::ready(queue.pop())
    }
    let mut queue = vec![1, 2];
    drop(pop(&mut queue));
    assert_eq!(queue, [1], "the call took the item, and the item was dropped with the future");
    drop(async { pop(&mut queue).await });
    assert_eq!(queue, [1], "the async block was not polled");
}

#[test]
fn ready_or_await_makes_the_state_machine_no_larger_than_await() {
    let ready = || ValueFuture::ready([0_u64; 8]);
    let by_await = async { ready().await };
    let by_macro = async { ready_or_await!(ready()) };
    assert!(size_of_val(&by_macro) <= size_of_val(&by_await));
    assert_eq!(block_on(async { [by_await.await, by_macro.await] }), [[0; 8]; 2]);
}
