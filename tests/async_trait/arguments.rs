//! Arguments of methods: patterns, `mut`, `_`, references, `cfg`, `impl Trait`, and the order in which arguments are dropped.

use std::{cell::RefCell, rc::Rc};

use value_future::async_trait;

use crate::block_on;

#[test]
fn arguments_can_be_patterns() {
    #[async_trait]
    trait Sums {
        async fn of_pair(&self, pair: (u32, u32)) -> u32;
        async fn of_reference(&self, pair: &(u32, u32)) -> u32;
        async fn of_many(&self, _: u32, many: [u32; 2], more: (u32, u32, u32)) -> u32;
    }

    struct Plain;

    #[async_trait]
    impl Sums for Plain {
        async fn of_pair(&self, (mut left, ref right): (u32, u32)) -> u32 {
            left += *right;
            left
        }

        async fn of_reference(&self, (left, right): &(u32, u32)) -> u32 {
            left + right
        }

        async fn of_many(&self, _: u32, [first, _]: [u32; 2], (a, .., c): (u32, u32, u32)) -> u32 {
            first + a + c
        }
    }

    let sums: &dyn Sums = &Plain;
    assert_eq!(block_on(sums.of_pair((1, 2))), 3);
    assert_eq!(block_on(sums.of_reference(&(3, 4))), 7);
    assert_eq!(block_on(sums.of_many(0, [1, 2], (3, 4, 5))), 9);
}

#[test]
fn arguments_can_be_mutable() {
    #[async_trait]
    trait Counts {
        async fn down(self, by: u32) -> u32
        where
            Self: Sized;
        async fn up(&mut self, mut by: u32) -> u32 {
            by *= 2;
            by
        }
    }

    #[async_trait]
    impl Counts for u32 {
        async fn down(mut self, mut by: u32) -> u32 {
            by += 1;
            self -= by;
            self
        }
    }

    assert_eq!(block_on(9.down(3)), 5);
    assert_eq!(block_on(9.up(3)), 6);
}

#[test]
fn arguments_can_have_cfg_attributes() {
    #[async_trait]
    trait Depends {
        async fn one(#[cfg(loom)] absent: u8, #[cfg(not(loom))] present: u8) -> u8;
        async fn pattern(#[cfg(loom)] (a, b): (u8, u8), #[cfg(not(loom))] (c, d): (u8, u8)) -> u8;
        async fn generic<#[cfg(loom)] T: Send, #[cfg(not(loom))] U: Send>(of: U) -> U;
    }

    #[async_trait]
    impl Depends for () {
        async fn one(#[cfg(loom)] absent: u8, #[cfg(not(loom))] present: u8) -> u8 {
            present
        }

        async fn pattern(#[cfg(loom)] (a, b): (u8, u8), #[cfg(not(loom))] (c, d): (u8, u8)) -> u8 {
            c + d
        }

        async fn generic<#[cfg(loom)] T: Send, #[cfg(not(loom))] U: Send>(of: U) -> U {
            of
        }
    }

    assert_eq!(block_on(<()>::one(5)), 5);
    assert_eq!(block_on(<()>::pattern((5, 6))), 11);
    assert_eq!(block_on(<()>::generic("of")), "of");
}

/// As in `async-trait`, a part that the pattern of an argument does not bind is dropped when the body begins, and not when the body ends.
#[test]
fn parts_that_a_pattern_does_not_bind_are_dropped_first() {
    #[async_trait(?Send)]
    trait Drops {
        async fn drops(log: &Log, pair: (LogsDrop, LogsDrop));
    }

    #[async_trait(?Send)]
    impl Drops for () {
        async fn drops(log: &Log, (_first, _): (LogsDrop, LogsDrop)) {
            log.borrow_mut().push("body");
        }
    }

    let log = Log::default();
    let pair = ["first", "second"].map(|name| LogsDrop(name, Rc::clone(&log)));
    let future = <()>::drops(&log, pair.into());
    assert!(log.borrow().is_empty());
    block_on(future);
    assert_eq!(log.take(), ["second", "body", "first"]);
}

type Log = Rc<RefCell<Vec<&'static str>>>;

/// A value that logs its drop.
struct LogsDrop(&'static str, Log);

impl Drop for LogsDrop {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

/// An `async fn` with the same arguments and the same body as `LogsDrop::drops`.
async fn by_the_compiler(
    _: LogsDrop,
    kept: LogsDrop,
    LogsDrop(_, _): &LogsDrop,
    (_first, _second): (LogsDrop, LogsDrop),
) {
    let log = Rc::clone(&kept.1);
    let _local = LogsDrop("local", Rc::clone(&log));
    log.borrow_mut().push("body");
}

#[async_trait(?Send)]
trait Drops {
    async fn drops(_: LogsDrop, kept: LogsDrop, _: &LogsDrop, _: (LogsDrop, LogsDrop)) {
        unreachable!("{}", kept.0)
    }
    async fn dropped(self)
    where
        Self: Sized;
}

#[async_trait(?Send)]
impl Drops for LogsDrop {
    async fn drops(
        _: LogsDrop,
        kept: LogsDrop,
        LogsDrop(_, _): &LogsDrop,
        (_first, _second): (LogsDrop, LogsDrop),
    ) {
        let log = Rc::clone(&kept.1);
        let _local = LogsDrop("local", Rc::clone(&log));
        log.borrow_mut().push("body");
    }

    async fn dropped(self) {
        self.1.borrow_mut().push("body");
    }
}

/// An `async fn` drops its arguments after its body, in reverse order. This includes arguments without a name.
#[test]
fn arguments_are_dropped_as_an_async_fn_drops_them() {
    let log = Log::default();
    let logs_drop = |name| LogsDrop(name, Rc::clone(&log));
    let of_another = logs_drop("reference");
    let arguments = || {
        let pair = (logs_drop("first"), logs_drop("second"));
        (logs_drop("unnamed"), logs_drop("kept"), &of_another, pair)
    };
    let (a, b, c, d) = arguments();
    block_on(by_the_compiler(a, b, c, d));
    let expected = log.take();
    assert_eq!(expected.len(), 6, "{expected:?}");
    let (a, b, c, d) = arguments();
    block_on(LogsDrop::drops(a, b, c, d));
    assert_eq!(log.take(), expected);
    block_on(logs_drop("self").dropped());
    assert_eq!(log.take(), ["body", "self"]);
    let (a, b, c, d) = arguments();
    drop(by_the_compiler(a, b, c, d));
    let mut expected = log.take();
    let (a, b, c, d) = arguments();
    drop(LogsDrop::drops(a, b, c, d));
    let mut dropped = log.take();
    // An unpolled future drops its captures in an unspecified order.
    expected.sort_unstable();
    dropped.sort_unstable();
    assert_eq!(dropped, expected);
}

#[test]
fn an_argument_can_have_an_impl_trait_type() {
    #[async_trait]
    trait Calls {
        async fn call(&self, f: impl Fn(&str) -> usize + Send) -> usize;
        async fn print(&self, what: &(impl std::fmt::Display + Sync)) -> String;
    }

    #[async_trait]
    impl Calls for u8 {
        async fn call(&self, f: impl Fn(&str) -> usize + Send) -> usize {
            f("four") + usize::from(*self)
        }

        async fn print(&self, what: &(impl std::fmt::Display + Sync)) -> String {
            format!("{what}{self}")
        }
    }

    assert_eq!(block_on(1.call(str::len)), 5);
    assert_eq!(block_on(1.print(&"x")), "x1");
}
