//! Slots of completions as items of a slab. They are found by their indices.

use core::{alloc::Layout, ptr::NonNull};

use super::{
    Item, Storage,
    list::Node,
    page::{Page, Shape},
};
use crate::slot::{Home, IndexLayout, Number, Slot, SlotTable, Vacant};

// SAFETY: `page` returns the page that made the slot, by the index of the slot.
unsafe impl<T, H: Home> Item for Slot<T, H> {
    type Word = H::Word;
    type Pointer = H::Pointer;
    type Table = SlotTable<T>;

    const INDEXED: bool = true;
    const PER_PAGE: u32 = if cfg!(loom) { 2 } else { 32 };

    /// 16, so that each thread uses adjacent slots. Two threads with alternating slots wait for each other's cache lines, which takes
    /// 11 ns more for each operation.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    const NEW_AT_ONCE: u32 = if cfg!(loom) { 1 } else { 16 };

    fn shape(_: &SlotTable<T>) -> Shape {
        Shape { slot: Layout::new::<Self>(), slots: Self::PER_PAGE }
    }

    fn retained(_: Shape) -> u32 {
        u32::MAX
    }

    unsafe fn make(place: NonNull<Self>, page: Node<Page<Self>>, index: u32, generation: u32) {
        // SAFETY: the caller's; a slab begins with the table of its slots.
        unsafe { Slot::make(place, page.slab().cast(), Number::new(index, generation)) };
    }

    unsafe fn page(this: NonNull<Self>, storage: &Storage<Self>) -> Node<Page<Self>> {
        // SAFETY: the caller's.
        let index = unsafe { this.as_ref() }.number().key().index();
        storage.page(storage.layout_of_indices().slot(index)).expect("a slot has a page")
    }

    unsafe fn begin_epoch(this: NonNull<Self>, layout: IndexLayout) -> bool {
        // SAFETY: the caller's.
        unsafe { Vacant::new(this) }.begin_epoch(layout)
    }

    fn uses(&self, layout: IndexLayout, first: u32) -> u64 {
        // The state may be older than the number, but then this operation is over.
        let state = self.state();
        let number = self.number_now();
        let begun = state.generation() == number.generation();
        let before = layout.order(number).expect("a slot has a number") - u64::from(first);
        before + u64::from(begun)
    }
}
