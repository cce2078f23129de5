#![doc = include_str!("design.md")]
//! # Files
//!
//! There is a type of slab for [one thread](local), and a type for [several threads](shared). Each slab has a [depot] of [pages], and
//! [magazines] of vacant slots. One or more [`SlabHandle`]s own a slab. There are two [kinds](items) of slots, and all slots of a slab are
//! of the same kind. This layer is above operations, and below pools.

mod base;
mod block_size;
mod budget;
mod count;
mod counters;
mod depot;
mod item;
mod items;
mod list;
mod local;
mod magazines;
mod mask;
mod pages;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod recent;
mod recyclers;
mod reference;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod shared;
#[expect(clippy::module_inception, reason = "the module contains the trait of this name")]
mod slab;
mod stats;
mod storage;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod stripes;
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod thread_cache;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod thread_caches;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod thread_number;
mod waiters;
pub(crate) mod waiting;

pub use self::stats::Stats;
pub(crate) use self::{
    base::Settings,
    block_size::{blocks_within, page_of_one},
    budget::{Budget, LocalBudget, Room, Unlimited},
    counters::{Counters, LocalCounters},
    items::{Block, BlockTable, RentedBlock, SlabRecycler},
    reference::{BeforeClose, LocalOnceSlab, OnceSlab, OpenSlab, SlabHandle},
    slab::Slab,
    waiters::{Progress, Ticket},
};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) use self::{budget::SharedBudget, counters::SharedCounters, reference::SharedOnceSlab};
