//! Expands the signature of a method.
//!
//! ```text
//! async fn f<T>(&self, x: &T) -> R;
//!
//! fn f<'life0, 'life1, 'async_trait, T>(&'life0 self, x: &'life1 T) -> ValueFuture<'async_trait, R>
//! where
//!     T: 'async_trait,
//!     'life0: 'async_trait,
//!     'life1: 'async_trait,
//!     Self: 'async_trait;      // plus `Sync`, `Send` or both, if a default body needs them
//! ```

use std::mem;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::{
    FnArg, GenericArgument, GenericParam, Pat, PathArguments, Receiver, ReturnType, Signature,
    Token, Type, WherePredicate, parse_quote, parse_quote_spanned, spanned::Spanned,
    visit_mut::VisitMut,
};

use crate::{
    context::Context,
    lifetimes::{BoundImplTraits, NameLifetimes},
    options::Options,
};

/// Replaces the signature of an `async fn` by the signature of a method that returns a value future.
pub(crate) fn expand(
    context: Context<'_>,
    options: &Options,
    signature: &mut Signature,
    asyncness: Token![async],
    mentions_self: bool,
    has_default: bool,
) {
    signature.asyncness = None;
    // With this span, errors about the returned future point at `async`.
    signature.fn_token.span = asyncness.span;

    let mut lifetimes = NameLifetimes::default();
    for argument in &mut signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => lifetimes.visit_receiver_mut(receiver),
            FnArg::Typed(argument) => lifetimes.visit_type_mut(&mut argument.ty),
        }
    }
    let mut bounds = Vec::<WherePredicate>::new();
    for parameter in &mut signature.generics.params {
        match parameter {
            // If a parameter has an attribute such as `#[cfg]`, its bounds stay on the parameter. So if the compiler removes the parameter,
            // it also removes these bounds. All other bounds move to the `where` clause.
            GenericParam::Type(parameter) if !parameter.attrs.is_empty() => {
                parameter.bounds.push(parse_quote!('async_trait));
            }
            GenericParam::Lifetime(parameter) if !parameter.attrs.is_empty() => {
                parameter.bounds.push(parse_quote!('async_trait));
            }
            GenericParam::Type(parameter) => {
                let (name, own) = (&parameter.ident, mem::take(&mut parameter.bounds));
                let span = parameter.colon_token.take().map_or(name.span(), |colon| colon.span);
                bounds.push(parse_quote_spanned!(span=> #name: 'async_trait + #own));
            }
            GenericParam::Lifetime(parameter) => {
                let (name, own) = (&parameter.lifetime, mem::take(&mut parameter.bounds));
                let span = parameter.colon_token.take().map_or(name.span(), |colon| colon.span);
                bounds.push(parse_quote_spanned!(span=> #name: 'async_trait + #own));
            }
            GenericParam::Const(_) => {}
        }
    }
    for parameter in context.generics().lifetimes() {
        let lifetime = &parameter.lifetime;
        if lifetimes.named.contains(lifetime) {
            bounds.push(parse_quote_spanned!(lifetime.span()=> #lifetime: 'async_trait));
        }
    }
    for lifetime in lifetimes.elided {
        bounds.push(parse_quote_spanned!(lifetime.span()=> #lifetime: 'async_trait));
        signature.generics.params.push(parse_quote!(#lifetime));
    }
    signature.generics.params.push(parse_quote!('async_trait));
    if mentions_self {
        let needed =
            if has_default && !options.is_local { bounds_of_default_body(signature) } else { &[] };
        let needed = needed.iter().filter(|bound| !context.has_supertrait(bound));
        let needed = needed.map(|bound| Ident::new(bound, Span::call_site()));
        bounds.push(parse_quote!(Self: #(::core::marker::#needed +)* 'async_trait));
    }
    signature.generics.lt_token.get_or_insert_with(|| Token![<](signature.ident.span()));
    signature.generics.gt_token.get_or_insert_with(|| Token![>](signature.paren_token.span.join()));
    signature.generics.make_where_clause().predicates.extend(bounds);

    for (position, argument) in signature.inputs.iter_mut().enumerate() {
        match argument {
            FnArg::Receiver(Receiver { reference: None, mutability, .. }) => *mutability = None,
            FnArg::Receiver(_) => {}
            FnArg::Typed(argument) => {
                if !matches!(ungroup(&argument.ty), Type::Reference(_)) {
                    let name = argument_name(position, &argument.pat);
                    argument.pat = parse_quote!(#name);
                }
                BoundImplTraits.visit_type_mut(&mut argument.ty);
            }
        }
    }

    let end = signature.paren_token.span.join();
    let (arrow, output, span) = match &signature.output {
        ReturnType::Default => (Token![->](end), parse_quote!(()), end),
        ReturnType::Type(arrow, output) => (*arrow, output.clone(), output.span()),
    };
    let krate = &options.krate;
    let future = if options.is_local { quote!(LocalValueFuture) } else { quote!(ValueFuture) };
    // With this span, errors about the output point at the output that the user has written.
    let future = with_span(quote!(#krate::#future), span);
    let future = parse_quote_spanned!(span=> #future<'async_trait, #output>);
    signature.output = ReturnType::Type(arrow, future);
}

/// Gives all tokens the same span. `$crate` still names the crate of its macro.
pub(crate) fn with_span(tokens: TokenStream, span: Span) -> TokenStream {
    let with_span = |mut token: TokenTree| {
        let is_crate = matches!(&token, TokenTree::Ident(ident) if ident == "$crate");
        token.set_span(if is_crate { span.resolved_at(token.span()) } else { span });
        token
    };
    tokens.into_iter().map(with_span).collect()
}

/// Returns a type without the invisible groups that `macro_rules!` adds.
pub(crate) fn ungroup(mut ty: &Type) -> &Type {
    while let Type::Group(group) = ty {
        ty = &group.elem;
    }
    ty
}

/// Returns the name of an argument in the signature. If the pattern is not a name, the name is generated.
pub(crate) fn argument_name(position: usize, pattern: &Pat) -> Ident {
    match pattern {
        Pat::Ident(pattern) if pattern.subpat.is_none() => pattern.ident.clone(),
        _ => {
            let span = Span::mixed_site().located_at(pattern.span());
            format_ident!("__argument{position}", span = span)
        }
    }
}

/// Returns the bounds of `Self` for a default body. Without these bounds, the future would not be `Send`, because it contains the receiver.
fn bounds_of_default_body(signature: &Signature) -> &'static [&'static str] {
    let Some(FnArg::Receiver(receiver)) = signature.inputs.first() else { return &["Send"] };
    match &*receiver.ty {
        Type::Reference(reference) if reference.mutability.is_none() => &["Sync"],
        ty if is_arc_of_self(ty) => &["Sync", "Send"],
        _ => &["Send"],
    }
}

fn is_arc_of_self(ty: &Type) -> bool {
    let Type::Path(ty) = ty else { return false };
    let Some(segment) = ty.path.segments.last() else { return false };
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return false };
    let is_self = |argument: &GenericArgument| match argument {
        GenericArgument::Type(Type::Path(ty)) => ty.path.is_ident("Self"),
        _ => false,
    };
    segment.ident == "Arc" && arguments.args.len() == 1 && is_self(&arguments.args[0])
}
