//! A task that counts what is done with its wakers, and does once what it is told when one of them
//! is cloned, woken or dropped. For one thread.

use std::{
    cell::Cell,
    mem::ManuallyDrop,
    rc::Rc,
    task::{RawWaker, RawWakerVTable, Waker},
};

type Hook = Cell<Option<Box<dyn FnOnce()>>>;

#[derive(Default)]
pub(crate) struct Task {
    /// So many wakers were made by cloning, woken by value or by reference, and are there now.
    pub(crate) cloned: Cell<usize>,
    pub(crate) woken: Cell<usize>,
    pub(crate) wakers: Cell<usize>,
    on_clone: Hook,
    on_wake: Hook,
    on_drop: Hook,
}

impl Task {
    pub(crate) fn new() -> Rc<Self> {
        Rc::default()
    }

    /// What to do when a waker is cloned next, before it is.
    pub(crate) fn on_clone(self: &Rc<Self>, action: impl FnOnce() + 'static) {
        self.on_clone.set(Some(Box::new(action)));
    }

    pub(crate) fn on_wake(self: &Rc<Self>, action: impl FnOnce() + 'static) {
        self.on_wake.set(Some(Box::new(action)));
    }

    pub(crate) fn on_drop(self: &Rc<Self>, action: impl FnOnce() + 'static) {
        self.on_drop.set(Some(Box::new(action)));
    }

    /// Whether all that it was told to do was done.
    pub(crate) fn is_done(&self) -> bool {
        [&self.on_clone, &self.on_wake, &self.on_drop].into_iter().all(|hook| {
            let action = hook.take();
            let done = action.is_none();
            hook.set(action);
            done
        })
    }

    pub(crate) fn waker(self: &Rc<Self>) -> Waker {
        self.wakers.set(self.wakers.get() + 1);
        let task = Rc::into_raw(Rc::clone(self));
        // SAFETY: the functions of the table own one count of the task for each waker. They are for
        // one thread, and the tests that use this have only one.
        unsafe { Waker::from_raw(RawWaker::new(task.cast(), &TABLE)) }
    }
}

fn count(counter: &Cell<usize>) {
    counter.set(counter.get() + 1);
}

fn run(hook: &Hook) {
    if let Some(action) = hook.take() {
        action();
    }
}

/// The task of a waker, whose count is the caller's.
///
/// # Safety
///
/// The pointer is that of a waker.
unsafe fn own(task: *const ()) -> Rc<Task> {
    // SAFETY: the caller's; it comes from `Rc::into_raw`.
    unsafe { Rc::from_raw(task.cast::<Task>()) }
}

static TABLE: RawWakerVTable = RawWakerVTable::new(
    |task| {
        // SAFETY: it is that of a waker, which keeps its count.
        let task = ManuallyDrop::new(unsafe { own(task) });
        run(&task.on_clone);
        count(&task.cloned);
        count(&task.wakers);
        RawWaker::new(Rc::into_raw(Rc::clone(&task)).cast(), &TABLE)
    },
    |task| {
        // SAFETY: it is that of a waker, which is used up.
        let task = unsafe { own(task) };
        count(&task.woken);
        task.wakers.set(task.wakers.get() - 1);
        run(&task.on_wake);
    },
    |task| {
        // SAFETY: it is that of a waker, which keeps its count.
        let task = ManuallyDrop::new(unsafe { own(task) });
        count(&task.woken);
        run(&task.on_wake);
    },
    |task| {
        // SAFETY: it is that of a waker, which is used up.
        let task = unsafe { own(task) };
        task.wakers.set(task.wakers.get() - 1);
        run(&task.on_drop);
    },
);
