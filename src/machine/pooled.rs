//! A future in a block: the state machine, where a thin box would be.

use core::{
    marker::PhantomData,
    mem::{self, ManuallyDrop, offset_of},
    ptr::NonNull,
    task::{Context, Poll},
};

use super::{NoSlot, classes::class_of};
use crate::{
    erased::{
        Boxable, Head, House, header,
        house::{Polling, poll_future},
    },
    error::Site,
    slab::{Block, Pooling},
};

/// What stands in a block. It begins with the header, as every pointee does.
#[repr(C)]
struct Pooled<F, H: Pooling> {
    block: Block<H>,
    future: ManuallyDrop<F>,
}

/// A place for a future, which has to be filled.
pub(crate) struct Place<F, H: Pooling>(NonNull<Pooled<F, H>>, PhantomData<F>);

// SAFETY: the block may be given back on any thread, and the future will be there.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl<F: Send> Send for Place<F, crate::AnyThread> {}

impl<F: Boxable, H: Pooling> Place<F, H> {
    /// `rent` gives a block of a class. The error is that there is no class for the future.
    #[inline(always)]
    pub(crate) fn find(rent: impl FnOnce(usize) -> NonNull<Block<H>>) -> Result<Self, NoSlot> {
        Self::try_find(|class| Ok(rent(class)))
    }

    #[inline(always)]
    pub(crate) fn try_find(
        rent: impl FnOnce(usize) -> Result<NonNull<Block<H>>, NoSlot>,
    ) -> Result<Self, NoSlot> {
        let block = rent((const { class_of::<F, H>() })?)?;
        Ok(Place(block.cast(), PhantomData))
    }

    /// Moves the future in, and gives the head that owns it.
    #[inline(always)]
    #[must_use]
    pub(crate) fn fill(self, future: F) -> Head {
        let pooled = self.0;
        // SAFETY: the block is out, and ours.
        unsafe { Block::set_header(pooled.cast::<Block<H>>(), header::<Pooled<F, H>>()) };
        let place = Pooled::<F, H>::future(pooled.as_ptr().cast());
        // SAFETY: the block has room for the future and is aligned for it, by its class, which `find` has looked for.
        unsafe { place.write(future) };
        Head::boxed(pooled.cast())
    }
}

impl<F: Boxable, H: Pooling> Place<F, H> {
    /// Polls a future where [`fill`](Place::fill) put it.
    ///
    /// # Safety
    ///
    /// The head is from `fill`, and stands for the future in the block.
    #[inline(always)]
    pub(crate) unsafe fn poll(head: &mut Head, cx: &mut Context<'_>) -> Poll<F::Output> {
        let polling = Polling(head);
        let pointee = polling.0.boxed_pointer();
        // SAFETY: the caller's.
        let polled = unsafe { poll_future::<Pooled<F, H>>(pointee, cx, polling.0) };
        mem::forget(polling);
        polled
    }
}

/// [`House::give_back`] of a block, which does not depend on the future.
///
/// # Safety
///
/// As there.
#[inline(never)]
unsafe extern "C" fn give_back<H: Pooling>(pointee: *mut ()) {
    // SAFETY: a pointee has an address.
    let block = unsafe { NonNull::new_unchecked(pointee) }.cast::<Block<H>>();
    // SAFETY: the head owned the block, and what was in it is gone.
    unsafe { Block::give_back(block) };
}

// SAFETY: a block does not move, and `fill` puts the future in.
unsafe impl<F: Boxable, H: Pooling> House for Pooled<F, H> {
    type Future = F;

    const SITE: Site = match F::SITE {
        Site::Boxed => Site::Pooled,
        other => other,
    };

    #[inline]
    fn future(pointee: *mut ()) -> *mut F {
        // `wrapping`, as this is no more than the address.
        pointee.wrapping_byte_add(offset_of!(Pooled<F, H>, future)).cast()
    }

    unsafe fn site(pointee: *mut ()) -> Site {
        // SAFETY: the caller's.
        let is_boxed = unsafe { &*pointee.cast::<Block<H>>() }.is_boxed();
        if is_boxed { F::SITE } else { Self::SITE }
    }

    #[inline(always)]
    unsafe extern "C" fn give_back(pointee: *mut ()) {
        // SAFETY: the caller's.
        unsafe { give_back::<H>(pointee) };
    }
}
