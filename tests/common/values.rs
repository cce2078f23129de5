//! Test values that count their drops, run an action, or panic. Each test uses them on one thread.

use std::cell::Cell;

use value_future::operation::Abandoned;

thread_local! {
    static DROPPED: Cell<usize> = const { Cell::new(0) };
}

/// A value that counts its drops, and runs an action when it is dropped.
pub(crate) struct Value(Option<Box<dyn FnOnce()>>);

// SAFETY: each test uses its values on one thread only.
unsafe impl Send for Value {}

/// A value without an action, as the output of an operation.
pub(crate) const VALUE: Option<Value> = Some(Value(None));

impl Value {
    #[expect(clippy::unnecessary_wraps, reason = "the output of the pool is an `Option`")]
    pub(crate) fn with_action(action: impl FnOnce() + 'static) -> Option<Self> {
        Some(Value(Some(Box::new(action))))
    }

    pub(crate) fn panicking() -> Option<Self> {
        Value::with_action(|| panic!("the value panics"))
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        DROPPED.set(DROPPED.get() + 1);
        if let Some(action) = self.0.take() {
            action();
        }
    }
}

/// Returns the number of values that were dropped on this thread since the last call.
pub(crate) fn dropped() -> usize {
    DROPPED.take()
}

/// A value that panics when it is dropped.
pub(crate) struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("the destructor panics");
    }
}

/// An output whose `abandoned` panics.
#[derive(Debug, PartialEq)]
pub(crate) struct NeverAbandoned(pub(crate) u32);

impl Abandoned for NeverAbandoned {
    fn abandoned() -> Self {
        panic!("an operation was abandoned")
    }
}
