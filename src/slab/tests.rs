//! What a slab says that it can free, and what it frees then.

use alloc::vec::Vec;
use core::ptr::NonNull;

use super::{Block, Pooling, Settings, Slab, Unlimited};
use crate::{affinity::OneThread, slot::IndexLayout};

/// A slab of blocks with one handle.
struct Owned<H: Pooling>(NonNull<H::Blocks>);

impl<H: Pooling> Owned<H> {
    fn new(exact: bool) -> Self {
        Owned(Slab::new(Settings {
            table: 64,
            initial: 0,
            limit: Some(100_000),
            exact,
            layout: IndexLayout::ONE_SLOT,
            first_generation: 1,
        }))
    }

    fn slab(&self) -> &H::Blocks {
        // SAFETY: the handle keeps it.
        unsafe { self.0.as_ref() }
    }

    fn rent(&self) -> NonNull<Block<H>> {
        self.slab().rent(Unlimited).expect("it is not full")
    }
}

impl<H: Pooling> Drop for Owned<H> {
    fn drop(&mut self) {
        // SAFETY: this is its handle.
        assert!(unsafe { Slab::remove_handle(self.0) });
        // SAFETY: that was the last one.
        unsafe { H::Blocks::close(self.0) };
    }
}

fn give_back<H: Pooling>(block: NonNull<Block<H>>) {
    // SAFETY: it was rented, and nothing is in it.
    unsafe { Block::give_back(block) };
}

/// Rents and returns at random, and frees now and then.
fn frees_what_it_promises<H: Pooling>(exact: bool, mut seed: u64) {
    let owned = Owned::<H>::new(exact);
    let (slab, mut out) = (owned.slab(), Vec::new());
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let (mut nonzero, rounds) = (0, if cfg!(miri) { 20 } else { 2_000 });
    for _ in 0..rounds {
        let target = random(400);
        while out.len() < target {
            out.push(owned.rent());
        }
        while out.len() > target {
            give_back(out.swap_remove(random(out.len())));
        }
        if random(30) == 0 {
            slab.reserve(u32::try_from(random(100)).unwrap(), Unlimited);
        }
        let (promised, before) = (slab.bytes_for_others(), slab.base().storage.bytes());
        nonzero += usize::from(promised > 0);
        if random(4) == 0 {
            slab.free_for_others(usize::MAX);
            let freed = before - slab.base().storage.bytes();
            assert!(freed >= promised, "{freed} {promised}");
            assert_eq!(slab.bytes_for_others(), 0, "all of it");
        }
        if random(10) == 0 {
            slab.trim();
        }
    }
    assert!(nonzero >= rounds / 50, "{nonzero}");
    out.into_iter().for_each(give_back);
}

/// A slot in use in each page, and all others vacant: the slab frees nothing, and does not search.
fn promises_nothing_if_each_page_is_in_use<H: Pooling>(exact: bool) {
    let owned = Owned::<H>::new(exact);
    let all: Vec<_> = (0..4 * 62).map(|_| owned.rent()).collect();
    let (mut kept, mut returned) = (Vec::new(), Vec::new());
    for (number, block) in all.into_iter().enumerate() {
        if number % 62 == 30 { kept.push(block) } else { returned.push(block) }
    }
    returned.into_iter().for_each(give_back);
    assert_eq!(owned.slab().bytes_for_others(), 0);
    // One page, whose last slot is in a cache.
    give_back(kept.pop().unwrap());
    assert_eq!(owned.slab().bytes_for_others(), 4096);
    owned.slab().free_for_others(1);
    assert_eq!(owned.slab().base().storage.bytes(), 3 * 4096);
    kept.into_iter().for_each(give_back);
}

#[test]
fn a_slab_frees_for_others_what_it_promises() {
    frees_what_it_promises::<OneThread>(false, 1);
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    for exact in [false, true] {
        frees_what_it_promises::<crate::future::AnyThread>(exact, 2);
    }
}

#[test]
fn a_slab_promises_nothing_if_each_page_is_in_use() {
    promises_nothing_if_each_page_is_in_use::<OneThread>(false);
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    for exact in [false, true] {
        promises_nothing_if_each_page_is_in_use::<crate::future::AnyThread>(exact);
    }
}
