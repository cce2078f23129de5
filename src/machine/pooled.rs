//! A future in a block: the state machine, where a thin box would be.

use core::{
    marker::PhantomData,
    mem::{self, ManuallyDrop},
    ptr::{self, NonNull},
    task::{Context, Poll},
};

use super::{NoSlot, classes::class_of};
use crate::{
    erased::{Boxable, Head, House, Pointee, header, poll_fn},
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
    /// As [`VTable::poll`](crate::erased::VTable::poll), where the head is from `fill`.
    #[inline(always)]
    pub(crate) unsafe fn poll(
        live: Head,
        head: &mut Head,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        // SAFETY: the caller's.
        unsafe { poll_fn::<Pooled<F, H>>()(live, head, cx, live.boxed_pointer()) }
    }
}

impl<F: Boxable, H: Pooling> Pointee for Pooled<F, H> {
    const SITE: Site = match F::SITE {
        Site::Boxed => Site::Pooled,
        other => other,
    };

    #[inline(always)]
    unsafe fn give_up(pointee: *mut (), _: Head) {
        let glue = const {
            let glue: DropGlue = Self::drop_future;
            if mem::needs_drop::<F>() { Some(glue) } else { None }
        };
        // SAFETY: the caller's. The block is given back once, and the glue is that of the future in it.
        unsafe { vacate::<H>(pointee, glue) };
    }
}

impl<F: Boxable, H: Pooling> Pooled<F, H> {
    /// Drops the future.
    ///
    /// # Safety
    ///
    /// The pointee is a live `Self`, whose future was not dropped.
    unsafe fn drop_future(pointee: *mut ()) {
        // SAFETY: the caller's.
        unsafe { ptr::drop_in_place(Self::future(pointee)) };
    }
}

type DropGlue = unsafe fn(*mut ());

/// Drops what is in a block, and gives the block back, also if the drop panics. It does not depend on the type of the future, so
/// there is one.
///
/// # Safety
///
/// The pointee is in a block, which is given back once, and the glue drops what is in it.
#[inline(never)]
unsafe fn vacate<H: Pooling>(pointee: *mut (), glue: Option<DropGlue>) {
    struct GiveBack<H: Pooling>(*mut (), PhantomData<H>);

    impl<H: Pooling> Drop for GiveBack<H> {
        #[inline(always)]
        fn drop(&mut self) {
            // SAFETY: a pointee has an address.
            let block = unsafe { NonNull::new_unchecked(self.0) }.cast::<Block<H>>();
            // SAFETY: the caller's.
            unsafe { Block::give_back(block) };
        }
    }

    let _block = GiveBack::<H>(pointee, PhantomData);
    if let Some(glue) = glue {
        // SAFETY: the caller's.
        unsafe { glue(pointee) };
    }
}

// SAFETY: a block does not move, and `fill` puts the future in.
unsafe impl<F: Boxable, H: Pooling> House for Pooled<F, H> {
    type Future = F;

    #[inline]
    fn future(pointee: *mut ()) -> *mut F {
        // `wrapping`, as this is no more than the address.
        pointee.wrapping_byte_add(mem::offset_of!(Pooled<F, H>, future)).cast()
    }
}
