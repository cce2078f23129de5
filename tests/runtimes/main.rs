//! Runs the same scenarios on several runtimes. The crate uses nothing of a runtime except the wakers of its tasks. So a scenario must pass
//! on each runtime that can run it.
//!
//! A test is named after its runtime and its scenario: `tokio_multi_thread::cancelled`. The table `runtimes!` at the end of this file names
//! the runtimes, and the groups of scenarios that each runtime can run.
//!
//! The runtimes of two crates do not run under Miri. The timers of `smol` need a reactor of the operating system. The thread of
//! `embassy-executor` never ends.

mod block_on;
mod cross_thread;
mod local;
mod local_tasks;
#[cfg(not(miri))]
mod on_embassy;
mod on_futures;
#[cfg(not(miri))]
mod on_smol;
mod on_tokio;
mod runtime;
mod shutdown;
mod tasks;
mod timers;

#[cfg(not(miri))]
use on_embassy::Embassy;
use on_futures::{FuturesBlockOn, FuturesLocalPool, Pollster};
#[cfg(not(miri))]
use on_smol::{Smol, SmolLocal};
use on_tokio::{TokioCurrentThread, TokioMultiThread};
use runtime::InATask;

/// Defines the tests of one group on one runtime.
macro_rules! tests {
    (block_on, $runtime:ty) => {
        tests! { block_on, $runtime:
            ready
            woken_by_its_own_thread
            completed_by_another_thread
            cancelled
            cancelled_by_another_thread
            dropped_after_select
            producer_dropped
            producer_dropped_by_another_thread
            shared_by_three
            pooled_future_that_yields
            completed_by_key
            completed_by_keys_out_of_order
            reusable_source
            rent_when_vacant
            blocking_wait_on_a_thread
        }
    };
    (tasks, $runtime:ty) => {
        tests! { tasks, $runtime:
            completed_by_another_task
            shared_by_three_tasks
            cancelled_with_its_task
            producer_dropped_with_its_task
            completed_by_keys_of_many_tasks
        }
    };
    (cross_thread, $runtime:ty) => {
        tests! { cross_thread, $runtime: pooled_future_moves_to_another_thread completion_moves_to_another_thread }
    };
    (timers, $runtime:ty) => {
        tests! { timers, $runtime:
            completed_in_time
            ready_in_time
            a_timeout_cancels
            a_reply_after_the_timeout_is_refused
        }
    };
    (shutdown, $runtime:ty) => {
        tests! { shutdown, $runtime: cancelled_with_the_runtime producer_dropped_with_the_runtime }
    };
    (local, $runtime:ty) => {
        tests! { local, $runtime:
            local_ready
            local_pooled_future_that_yields
            local_completed
            local_cancelled
            local_producer_dropped
            local_shared_by_three
            local_completed_by_key
            local_reusable_source
            local_rent_when_vacant
        }
    };
    (local_tasks, $runtime:ty) => {
        tests! { local_tasks, $runtime: local_completed_by_another_task local_shared_by_three_tasks }
    };
    ($group:ident, $runtime:ty: $($scenario:ident)*) => {
        $(
            #[test]
            fn $scenario() {
                runtime::run_with_time_limit(crate::$group::$scenario::<$runtime>);
            }
        )*
    };
}

/// Defines a module for each runtime, with the tests of the groups that the runtime can run.
macro_rules! runtimes {
    ($($(#[$attribute:meta])* $module:ident: $runtime:ty, $($group:ident)*;)*) => {
        $(
            $(#[$attribute])*
            mod $module {
                use super::*;

                $(tests! { $group, $runtime })*
            }
        )*
    };
}

runtimes! {
    tokio_current_thread: TokioCurrentThread, block_on tasks timers shutdown local local_tasks;
    tokio_current_thread_in_a_task: InATask<TokioCurrentThread>, block_on;
    tokio_multi_thread: TokioMultiThread, block_on tasks cross_thread timers shutdown;
    tokio_multi_thread_in_a_task: InATask<TokioMultiThread>, block_on;
    #[cfg(not(miri))]
    smol: Smol, block_on tasks cross_thread timers;
    #[cfg(not(miri))]
    smol_in_a_task: InATask<Smol>, block_on;
    #[cfg(not(miri))]
    smol_local_executor: SmolLocal, block_on tasks shutdown local local_tasks;
    futures_block_on: FuturesBlockOn, block_on local;
    futures_local_pool: FuturesLocalPool, block_on tasks shutdown local local_tasks;
    pollster: Pollster, block_on local;
    #[cfg(not(miri))]
    embassy: Embassy, block_on tasks local local_tasks;
}
