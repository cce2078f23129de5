//! The item with the attribute: which methods change, and what surrounds them.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Block, Error, Generics, ImplItem, ItemImpl, ItemTrait, Meta, Result, Signature,
    Token, TraitItem, TypeParamBound, Visibility,
    parse::{Parse, ParseStream},
    parse_quote,
    punctuated::Punctuated,
};

use crate::{
    body,
    make::{self, Ready},
    options::Options,
    receiver, signature,
};

pub(crate) enum Item {
    Trait(ItemTrait),
    Impl(ItemImpl),
}

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
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        ahead.parse::<Visibility>()?;
        ahead.parse::<Option<Token![unsafe]>>()?;
        if ahead.peek(Token![trait]) || ahead.peek(Token![auto]) {
            return input.parse().map(Item::Trait);
        }
        if ahead.peek(Token![impl]) {
            let item = input.parse::<ItemImpl>()?;
            return match item.trait_ {
                Some(_) => Ok(Item::Impl(item)),
                None => Err(Error::new_spanned(
                    item.impl_token,
                    "`#[async_trait]` is for traits and their implementations: an inherent `async fn` needs no attribute",
                )),
            };
        }
        Err(ahead.error("`#[async_trait]` is for a `trait`, or for an `impl` of one"))
    }
}

/// A method of an `impl` without a body. The compiler reports it.
struct WithoutBody {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
    semicolon: Token![;],
}

impl Parse for WithoutBody {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        Ok(WithoutBody {
            attributes: input.call(Attribute::parse_outer)?,
            visibility: input.parse()?,
            signature: input.parse()?,
            semicolon: input.parse()?,
        })
    }
}

impl Item {
    /// Returns the expanded item, followed by its errors.
    pub(crate) fn expand(mut self, options: &Options) -> TokenStream {
        let mut errors = TokenStream::new();
        let mut report = |result: Result<()>| {
            errors.extend(result.err().map(Error::into_compile_error));
        };
        match &mut self {
            Item::Trait(item) => {
                let ItemTrait { generics, supertraits, items, .. } = item;
                let context = Context::Trait { generics, supertraits };
                for item in items {
                    if let TraitItem::Fn(method) = item {
                        report(forbid_ready(&mut method.attrs));
                        let (sig, body) = (&mut method.sig, method.default.as_mut());
                        report(expand_method(context, options, &mut method.attrs, sig, body));
                    }
                }
            }
            Item::Impl(item) => {
                let context = Context::Impl { generics: &item.generics };
                for item in &mut item.items {
                    match item {
                        ImplItem::Fn(method) => {
                            let (sig, body) = (&mut method.sig, Some(&mut method.block));
                            report(expand_method(context, options, &mut method.attrs, sig, body));
                        }
                        ImplItem::Verbatim(tokens) => {
                            if let Ok(mut method) = syn::parse2::<WithoutBody>(tokens.clone()) {
                                let WithoutBody { attributes, visibility, signature, semicolon } =
                                    &mut method;
                                report(expand_method(
                                    context, options, attributes, signature, None,
                                ));
                                *tokens = quote!(#(#attributes)* #visibility #signature #semicolon);
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        let item = match self {
            Item::Trait(item) => item.into_token_stream(),
            Item::Impl(item) => item.into_token_stream(),
        };
        quote!(#item #errors)
    }
}

fn is_ready(attribute: &Attribute) -> bool {
    attribute.path().is_ident("ready")
}

/// Returns `true` for `#[cfg_attr(…, ready(…))]`, which would run when the method is expanded already.
fn is_conditionally_ready(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    let mut tokens = list.tokens.clone().into_iter();
    list.path.is_ident("cfg_attr")
        && tokens.any(|token| matches!(token, TokenTree::Ident(ident) if ident == "ready"))
}

fn forbid_ready(attributes: &mut Vec<Attribute>) -> Result<()> {
    let ready = attributes.iter().position(is_ready).map(|index| attributes.remove(index));
    ready.map_or(Ok(()), |ready| {
        Err(Error::new_spanned(
            ready,
            "`#[ready]` belongs on the method of an `impl`, not on the trait",
        ))
    })
}

fn take_ready(attributes: &mut Vec<Attribute>) -> Result<Option<Ready>> {
    if let Some(index) = attributes.iter().position(is_conditionally_ready) {
        return Err(Error::new_spanned(
            attributes.remove(index),
            "`#[ready]` cannot be in a `cfg_attr`: write the method twice, each with its `#[cfg]`",
        ));
    }
    let Some(index) = attributes.iter().position(is_ready) else { return Ok(None) };
    let attribute = attributes.remove(index);
    if let Some(second) = attributes.iter().find(|other| is_ready(other)) {
        return Err(Error::new_spanned(second, "a method can have only one `#[ready]`"));
    }
    match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => list.parse_args().map(Some),
        _ => Err(Error::new_spanned(
            &attribute,
            "`#[ready]` takes the expression that may have the result: `#[ready(self.cached(key))]`",
        )),
    }
}

fn expand_method(
    context: Context<'_>,
    options: &Options,
    attributes: &mut Vec<Attribute>,
    signature: &mut Signature,
    body: Option<&mut Block>,
) -> Result<()> {
    // A method whose `#[ready]` is wrong is expanded without it, so that this is the only error.
    let (ready, taken) = match take_ready(attributes) {
        Ok(ready) => (ready, Ok(())),
        Err(error) => (None, Err(error)),
    };
    let Some(asyncness) = signature.asyncness else {
        return match ready {
            Some(ready) => Err(Error::new_spanned(
                ready,
                "`#[ready]` is for an `async fn`: this method is not `async`, and can return `ValueFuture::ready(…)` itself",
            )),
            None => taken,
        };
    };
    let has_default = matches!(context, Context::Trait { .. }) && body.is_some();
    let mut mentions_self = receiver::is_in_signature(signature);
    if let Some(body) = body {
        mentions_self |= has_default && receiver::is_in_block(body);
        let block = body::into_async_block(signature, body, ready.is_some());
        let is_unfinished = attributes.iter().any(is_foreign);
        if is_unfinished {
            attributes.push(make::attribute(options, ready.is_some()));
        }
        // The braces stay those of the user, who may forbid unsafe code there.
        body.stmts = make::method_body(signature, ready, &block, options, is_unfinished).stmts;
        attributes.push(parse_quote! {
            #[allow(
                elided_named_lifetimes, clippy::async_yields_async, clippy::double_must_use, clippy::diverging_sub_expression, clippy::let_unit_value,
                clippy::needless_arbitrary_self_type, clippy::no_effect_underscore_binding,
                clippy::shadow_same, clippy::type_complexity, clippy::type_repetition_in_bounds,
                clippy::used_underscore_binding
            )]
        });
    } else {
        attributes.push(parse_quote! {
            #[allow(elided_named_lifetimes, clippy::double_must_use, clippy::type_complexity, clippy::type_repetition_in_bounds)]
        });
    }
    signature::expand(context, options, signature, asyncness, mentions_self, has_default);
    taken
}

/// Returns `true` for an attribute that may be a macro, which runs after this one.
fn is_foreign(attribute: &Attribute) -> bool {
    const KNOWN: &[&str] = &[
        "allow",
        "cfg",
        "clippy",
        "cold",
        "deny",
        "deprecated",
        "diagnostic",
        "doc",
        "expect",
        "forbid",
        "inline",
        "must_use",
        "rustfmt",
        "track_caller",
        "warn",
    ];
    let first = attribute.path().segments.first();
    first.is_none_or(|segment| !KNOWN.iter().any(|known| segment.ident == known))
}
