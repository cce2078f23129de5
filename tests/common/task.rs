//! A task that counts the clones and the wakes of its wakers, and the wakers that exist. A test can set hooks. Each hook runs once, when a
//! waker is cloned, woken or dropped. A task is used on one thread only.

use std::{
    cell::Cell,
    mem::ManuallyDrop,
    rc::Rc,
    task::{RawWaker, RawWakerVTable, Waker},
};

type Hook = Cell<Option<Box<dyn FnOnce()>>>;

#[derive(Default)]
pub(crate) struct Task {
    /// The number of clones.
    pub(crate) cloned: Cell<usize>,
    /// The number of wakes, by value or by reference.
    pub(crate) woken: Cell<usize>,
    /// The number of wakers that exist.
    pub(crate) wakers: Cell<usize>,
    on_clone: Hook,
    on_wake: Hook,
    on_drop: Hook,
}

impl Task {
    pub(crate) fn new() -> Rc<Self> {
        Rc::default()
    }

    /// Sets the hook that runs before the next clone of a waker.
    pub(crate) fn on_clone(self: &Rc<Self>, action: impl FnOnce() + 'static) {
        self.on_clone.set(Some(Box::new(action)));
    }

    /// Sets the hook that runs when a waker is woken next.
    pub(crate) fn on_wake(self: &Rc<Self>, action: impl FnOnce() + 'static) {
        self.on_wake.set(Some(Box::new(action)));
    }

    /// Sets the hook that runs when a waker is dropped next.
    pub(crate) fn on_drop(self: &Rc<Self>, action: impl FnOnce() + 'static) {
        self.on_drop.set(Some(Box::new(action)));
    }

    /// Returns `true` if all hooks have run.
    pub(crate) fn hooks_ran(&self) -> bool {
        [&self.on_clone, &self.on_wake, &self.on_drop].into_iter().all(|hook| {
            let action = hook.take();
            let done = action.is_none();
            hook.set(action);
            done
        })
    }

    /// Checks that all hooks have run, and that no waker is left.
    #[track_caller]
    pub(crate) fn assert_idle(self: &Rc<Self>) {
        assert!(self.hooks_ran(), "a hook did not run");
        assert_eq!((self.wakers.get(), Rc::strong_count(self)), (0, 1));
    }

    /// Creates a waker of this task.
    pub(crate) fn waker(self: &Rc<Self>) -> Waker {
        self.wakers.set(self.wakers.get() + 1);
        let task = Rc::into_raw(Rc::clone(self));
        // SAFETY: each waker owns one reference count of the task. The functions of the table must run on one thread, and each test uses
        // its tasks on one thread only.
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

/// Converts the data of a waker into an `Rc` of its task. The reference count does not change.
///
/// # Safety
///
/// The pointer is the data of a waker of this module. The returned `Rc` owns the reference count of that waker.
unsafe fn own(task: *const ()) -> Rc<Task> {
    // SAFETY: by the contract of this function, the pointer is the data of a waker. `waker` and the table create it with `Rc::into_raw`.
    unsafe { Rc::from_raw(task.cast::<Task>()) }
}

static TABLE: RawWakerVTable = RawWakerVTable::new(
    |task| {
        // SAFETY: `task` is the data of a waker. `ManuallyDrop` leaves the reference count to the waker.
        let task = ManuallyDrop::new(unsafe { own(task) });
        run(&task.on_clone);
        count(&task.cloned);
        count(&task.wakers);
        RawWaker::new(Rc::into_raw(Rc::clone(&task)).cast(), &TABLE)
    },
    |task| {
        // SAFETY: `task` is the data of a waker, and this call consumes that waker.
        let task = unsafe { own(task) };
        count(&task.woken);
        task.wakers.set(task.wakers.get() - 1);
        run(&task.on_wake);
    },
    |task| {
        // SAFETY: `task` is the data of a waker. `ManuallyDrop` leaves the reference count to the waker.
        let task = ManuallyDrop::new(unsafe { own(task) });
        count(&task.woken);
        run(&task.on_wake);
    },
    |task| {
        // SAFETY: `task` is the data of a waker, and this call consumes that waker.
        let task = unsafe { own(task) };
        task.wakers.set(task.wakers.get() - 1);
        run(&task.on_drop);
    },
);
