//! A future in a block: the state machine, where a thin box would be.

use core::{
    marker::PhantomData,
    mem::{self, ManuallyDrop, offset_of},
    task::{Context, Poll},
};

use super::{
    PooledErrorKind,
    classes::{Classes, Shareable, class_of},
    compiled::Compiled,
};
use crate::{
    erased::{
        Boxable, GiveBack, Head, House, header,
        house::{Polling, SiteOf, poll_future},
    },
    error::Site,
    slab::{Block, RentedBlock},
};

/// What stands in a block. It begins with the header, as every pointee does.
#[repr(C)]
struct Pooled<F, H: Compiled> {
    block: Block<H>,
    future: ManuallyDrop<F>,
}

/// A block with room for a future, which has to be filled.
pub(crate) struct Place<F, H: Compiled>(RentedBlock<H>, PhantomData<F>);

// SAFETY: the block may be given back on any thread, and the future will be there.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl<F: Send> Send for Place<F, crate::future::AnyThread> {}

impl<F: Boxable, H: Compiled> Place<F, H> {
    /// The class of blocks with room for the future, or why there is none.
    pub(crate) const CLASS: Result<usize, PooledErrorKind> = class_of::<F, H>();

    /// The size in bytes of a block that holds exactly this future.
    pub(crate) const SIZE: usize = size_of::<Pooled<F, H>>();

    /// Rents a block for a future that has a class: a slot, or a box if there is none.
    #[inline(always)]
    pub(super) fn rent(classes: &Classes<H>) -> Self {
        let Ok(class) = Self::CLASS else { unreachable!("the future has a class") };
        let block = classes.try_rent(class);
        // It is of this class, or has this size.
        Place(block.unwrap_or_else(|| H::rent_slowly(classes, Self::SIZE)), PhantomData)
    }

    /// Rents a slot of the class of the future.
    #[inline(always)]
    pub(super) fn try_rent(classes: &Classes<H>) -> Result<Self, PooledErrorKind> {
        Ok(Place(classes.rent(Self::CLASS?)?, PhantomData))
    }

    /// Moves the future into the block. Returns the head that owns it.
    #[inline(always)]
    #[must_use]
    pub(crate) fn fill(self, future: ManuallyDrop<F>) -> Head {
        let header = const { header::<Pooled<F, H>>() };
        self.0.set_header(header);
        let block = self.0.into_pointer();
        let place = block.as_ptr().wrapping_byte_add(offset_of!(Pooled<F, H>, future));
        // SAFETY: the block has room for the future and is aligned for it, by its class.
        unsafe { place.cast::<ManuallyDrop<F>>().write(future) };
        Head::boxed(block.cast())
    }

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

// SAFETY: the fields can be shared, as is asserted beside `Shareable`.
unsafe impl<H: Shareable> Sync for Classes<H> {}

// SAFETY: a block does not move, and `fill` puts the future in.
unsafe impl<F: Boxable, H: Compiled> House for Pooled<F, H> {
    type Future = F;

    const SITE: Site = match F::SITE {
        Site::Boxed => Site::Pooled,
        other => other,
    };

    #[expect(clippy::cast_possible_wrap, reason = "it is 16")]
    const OFFSET: isize = offset_of!(Pooled<F, H>, future) as isize;

    const SITE_OF: SiteOf = match F::SITE {
        Site::Boxed => H::site,
        _ => |_| F::SITE,
    };

    const GIVE_BACK: GiveBack = H::release;
}
