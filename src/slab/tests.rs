//! Tests of `bytes_for_others`: a slab *promises* to free this number of bytes for other slabs, and frees at least as many.

use alloc::vec::Vec;

use super::{OpenSlab, RentedBlock, Settings, Slab, SlabHandle, SlabRecycler, Unlimited};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::affinity::AnyThread;
use crate::{affinity::OneThread, slot::IndexLayout};

/// Creates a slab of blocks of 64 bytes.
fn slab<H: SlabRecycler>(finds_all: bool) -> SlabHandle<H::Blocks> {
    SlabHandle::new(Settings {
        table: 64,
        initial: 0,
        limit: Some(100_000),
        finds_all,
        layout: IndexLayout::ONE_SLOT,
        first_generation: 1,
    })
}

fn rent<H: SlabRecycler>(slab: OpenSlab<'_, H::Blocks>) -> RentedBlock<H> {
    slab.rent(Unlimited).expect("the slab is not full").into()
}

/// Rents and returns blocks at random. In some rounds, frees memory and compares the freed bytes with the promised bytes.
fn frees_what_it_promises<H: SlabRecycler>(finds_all: bool, mut seed: u64) {
    let (handle, mut rented) = (slab::<H>(finds_all), Vec::new());
    let slab = handle.open();
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let (mut nonzero, rounds) = (0, if cfg!(miri) { 6 } else { 2_000 });
    for _ in 0..rounds {
        let target = random(400);
        while rented.len() < target {
            rented.push(rent::<H>(slab));
        }
        while rented.len() > target {
            rented.swap_remove(random(rented.len())).release();
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
            assert_eq!(slab.bytes_for_others(), 0, "the slab frees all that it can");
        }
        if random(10) == 0 {
            slab.trim();
        }
    }
    assert!(nonzero >= rounds / 50, "{nonzero}");
    rented.into_iter().for_each(RentedBlock::release);
}

/// Checks that a slab promises no bytes while each page has one block in use. When the block of one page is released, the slab promises the
/// bytes of this page.
fn promises_nothing_if_each_page_is_in_use<H: SlabRecycler>(finds_all: bool) {
    let handle = slab::<H>(finds_all);
    let slab = handle.open();
    let all: Vec<_> = (0..4 * 62).map(|_| rent::<H>(slab)).collect();
    let (mut kept, mut returned) = (Vec::new(), Vec::new());
    for (number, block) in all.into_iter().enumerate() {
        if number % 62 == 30 { kept.push(block) } else { returned.push(block) }
    }
    returned.into_iter().for_each(RentedBlock::release);
    assert_eq!(slab.bytes_for_others(), 0);
    // After this release, one page has no block in use. The released block is cached, and not in the depot yet.
    kept.pop().unwrap().release();
    assert_eq!(slab.bytes_for_others(), 4096);
    slab.free_for_others(1);
    assert_eq!(slab.base().storage.bytes(), 3 * 4096);
    kept.into_iter().for_each(RentedBlock::release);
}

#[test]
fn a_slab_frees_at_least_the_bytes_that_it_promises() {
    frees_what_it_promises::<OneThread>(false, 1);
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    for finds_all in [false, true] {
        frees_what_it_promises::<AnyThread>(finds_all, 2);
    }
}

#[test]
fn a_slab_promises_nothing_if_each_page_has_a_block_in_use() {
    promises_nothing_if_each_page_is_in_use::<OneThread>(false);
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    for finds_all in [false, true] {
        promises_nothing_if_each_page_is_in_use::<AnyThread>(finds_all);
    }
}
