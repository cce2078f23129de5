//! The item that contains a method.

use syn::{Generics, Token, TypeParamBound, punctuated::Punctuated};

/// The item that contains a method.
#[derive(Clone, Copy)]
pub(crate) enum Context<'i> {
    Trait { generics: &'i Generics, supertraits: &'i Punctuated<TypeParamBound, Token![+]> },
    Impl { generics: &'i Generics },
}

impl Context<'_> {
    pub(crate) fn generics(&self) -> &Generics {
        match self {
            Context::Trait { generics, .. } | Context::Impl { generics } => generics,
        }
    }

    /// Returns `true` if the item is a trait, and the bound is a supertrait of it.
    pub(crate) fn has_supertrait(self, bound: &str) -> bool {
        let Context::Trait { supertraits, .. } = self else { return false };
        supertraits.iter().any(|supertrait| {
            let TypeParamBound::Trait(supertrait) = supertrait else { return false };
            let segments = &supertrait.path.segments;
            let is_named = |position: usize, name: &str| segments[position].ident == name;
            let is_full = segments.len() == 3
                && (is_named(0, "core") || is_named(0, "std"))
                && is_named(1, "marker")
                && is_named(2, bound);
            is_full || supertrait.path.is_ident(bound)
        })
    }
}
