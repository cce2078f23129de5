//! Turns the body of a method into an `async` block.
//!
//! ```text
//! async fn f(&self, x: &T, (a, b): (A, B)) -> R {
//!     self + x + a + b
//! }
//!
//! async move {
//!     if let Some(result) = None::<R> { return result; }   // sets the type of each `return`
//!     let this = self;
//!     let (a, b) = argument2;                              // same order as in the signature, so the drop order is that of `async-trait`
//!     let result: R = { this + x + a + b };
//!     result
//! }
//! ```

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{
    Attribute, Block, FnArg, Pat, PatType, ReturnType, Signature, Token, Type,
    visit_mut::{self, VisitMut},
};

use crate::{
    receiver,
    signature::{argument_name, ungroup},
};

/// Returns the `async` block of a method.
///
/// If `has_ready` is `true`, the block contains `#[allow]`, so that the compiler does not warn of an argument that only `#[ready]` uses.
pub(crate) fn into_async_block(
    signature: &Signature,
    body: &mut Block,
    has_ready: bool,
) -> TokenStream {
    let asyncness = signature.asyncness.expect("the method is an `async fn`");
    if let Some(receiver) = signature.receiver() {
        receiver::rename_in_block(body, receiver.self_token.span);
    }
    let bindings = signature.inputs.iter().enumerate().map(|(position, argument)| match argument {
        FnArg::Receiver(receiver) => {
            let (span, mutability) = (receiver.self_token.span, receiver.mutability);
            let (name, this) = (receiver::name(span), Token![self](span));
            // If the receiver is `mut self`, this binding is `mut` too, because the body may borrow `self` as `&mut self`. If the body does
            // not borrow it in this way, the compiler must not warn of this `mut`.
            let unused = mutability.map(|_| quote!(#[allow(unused_mut)]));
            quote!(#unused let #mutability #name = #this;)
        }
        FnArg::Typed(argument) => {
            let binding = binding(position, argument);
            let unused =
                (has_ready && !binding.is_empty()).then(|| quote!(#[allow(unused_variables)]));
            quote!(#unused #binding)
        }
    });
    let mut output = match &signature.output {
        ReturnType::Default => {
            return quote_spanned!(asyncness.span=> async move {
                #(#bindings)*
                let _: () = #body;
            });
        }
        ReturnType::Type(_, output) => output.clone(),
    };
    InferImplTraits.visit_type_mut(&mut output);
    quote_spanned!(asyncness.span=> async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<#output> {
            #[allow(unreachable_code)]
            return __result;
        }
        #(#bindings)*
        let __result: #output = #body;
        #[allow(unreachable_code)]
        __result
    })
}

/// Returns the statement that moves an argument into the block. Returns no statement for a reference.
fn binding(position: usize, argument: &PatType) -> TokenStream {
    let PatType { attrs, pat, ty, .. } = argument;
    let attributes = attrs.iter().filter(|attribute| is_cfg(attribute));
    match &**pat {
        // A reference needs no statement, because its drop does nothing. The block captures the reference if the body uses it.
        _ if matches!(ungroup(ty), Type::Reference(_)) => TokenStream::new(),
        Pat::Ident(pattern) if pattern.subpat.is_none() => {
            let (name, mutability) = (&pattern.ident, &pattern.mutability);
            quote!(#(#attributes)* let #mutability #name = #name;)
        }
        Pat::Wild(_) => {
            let name = argument_name(position, pat);
            quote!(#(#attributes)* let #name = #name;)
        }
        pattern => {
            let name = argument_name(position, pat);
            // The inner block moves the whole argument. So the `async` block also drops the parts that the pattern does not bind, as with
            // `async-trait`.
            quote!(#(#attributes)* let #pattern = { let #name = #name; #name };)
        }
    }
}

/// Returns `true` for `#[cfg(…)]`.
pub(crate) fn is_cfg(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
}

/// A visitor that replaces each `impl Trait` in an output type by `_`, because the block cannot name that type.
pub(crate) struct InferImplTraits;

impl VisitMut for InferImplTraits {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::ImplTrait(inner) = ty {
            let underscore_token = Token![_](inner.impl_token.span);
            *ty = Type::Infer(syn::TypeInfer { underscore_token });
        }
        visit_mut::visit_type_mut(self, ty);
    }
}
