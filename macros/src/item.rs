//! Expands a trait or an `impl`: finds the `async` methods, and expands each of them.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Block, Error, ImplItem, ItemImpl, ItemTrait, Meta, Result, Signature, Token,
    TraitItem, Visibility,
    parse::{Parse, ParseStream},
    parse_quote,
};

use crate::{
    async_block, context::Context, method_body, options::Options, ready::Ready, receiver, signature,
};

/// The item that has the attribute `async_trait`.
pub(crate) enum Item {
    Trait(ItemTrait),
    Impl(ItemImpl),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let lookahead = input.fork();
        lookahead.call(Attribute::parse_outer)?;
        lookahead.parse::<Visibility>()?;
        lookahead.parse::<Option<Token![unsafe]>>()?;
        if lookahead.peek(Token![trait]) || lookahead.peek(Token![auto]) {
            return input.parse().map(Item::Trait);
        }
        if lookahead.peek(Token![impl]) {
            let item = input.parse::<ItemImpl>()?;
            return match item.trait_ {
                Some(_) => Ok(Item::Impl(item)),
                None => Err(Error::new_spanned(
                    item.impl_token,
                    "`#[async_trait]` supports only traits and their implementations: remove it, because an inherent `async fn` does not need it",
                )),
            };
        }
        Err(lookahead.error(
            "`#[async_trait]` must be on a `trait`, or on the `impl` of a trait: move or remove it",
        ))
    }
}

/// A method without a body in an `impl`. The macro expands the signature of this method, and the compiler reports the missing body.
struct BodilessMethod {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
    semicolon: Token![;],
}

impl Parse for BodilessMethod {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        Ok(BodilessMethod {
            attributes: input.call(Attribute::parse_outer)?,
            visibility: input.parse()?,
            signature: input.parse()?,
            semicolon: input.parse()?,
        })
    }
}

impl Item {
    /// Returns the expanded item, followed by the errors of its methods.
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
                            if let Ok(mut method) = syn::parse2::<BodilessMethod>(tokens.clone()) {
                                let BodilessMethod { attributes, visibility, signature, semicolon } =
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

/// Returns `true` for `#[cfg_attr(…, ready(…))]`. The compiler evaluates a `cfg_attr` only after this macro has expanded the method.
fn is_ready_in_cfg_attr(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    let mut tokens = list.tokens.clone().into_iter();
    list.path.is_ident("cfg_attr")
        && tokens.any(|token| matches!(token, TokenTree::Ident(ident) if ident == "ready"))
}

/// Removes `#[ready]` from a method of a trait. Returns an error if the method had this attribute.
fn forbid_ready(attributes: &mut Vec<Attribute>) -> Result<()> {
    let is_ready = |attribute: &_| is_ready(attribute) || is_ready_in_cfg_attr(attribute);
    let ready = attributes.iter().position(is_ready).map(|index| attributes.remove(index));
    ready.map_or(Ok(()), |ready| {
        Err(Error::new_spanned(
            ready,
            "`#[ready]` is not allowed in a trait: move it to the method of an `impl`",
        ))
    })
}

/// Removes `#[ready]` from the attributes of a method, and parses the argument of `#[ready]`.
fn take_ready(attributes: &mut Vec<Attribute>) -> Result<Option<Ready>> {
    if let Some(index) = attributes.iter().position(is_ready_in_cfg_attr) {
        let error = Error::new_spanned(
            attributes.remove(index),
            "`#[ready]` is not allowed in a `cfg_attr`: write the method twice, once for each `#[cfg]`",
        );
        attributes.retain(|other| !is_ready(other));
        return Err(error);
    }
    let Some(index) = attributes.iter().position(is_ready) else { return Ok(None) };
    let attribute = attributes.remove(index);
    if let Some(second) = attributes.iter().find(|other| is_ready(other)) {
        let text =
            "a method can have only one `#[ready]`: combine the expressions with `Option::or_else`";
        let error = Error::new_spanned(second, text);
        attributes.retain(|other| !is_ready(other));
        return Err(error);
    }
    match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => list.parse_args().map(Some),
        _ => Err(Error::new_spanned(
            &attribute,
            "`#[ready]` needs an expression whose type is an `Option` of the output: write, for example, `#[ready(self.cached(key))]`",
        )),
    }
}

/// Expands a method if it is `async`. Returns an error if its `#[ready]` is wrong.
fn expand_method(
    context: Context<'_>,
    options: &Options,
    attributes: &mut Vec<Attribute>,
    signature: &mut Signature,
    body: Option<&mut Block>,
) -> Result<()> {
    // If `#[ready]` is wrong, the method is expanded without it. Otherwise, the compiler would also report that the method does not fit the
    // trait.
    let (ready, result) = match take_ready(attributes) {
        Ok(ready) => (ready, Ok(())),
        Err(error) => (None, Err(error)),
    };
    let Some(asyncness) = signature.asyncness else {
        return match ready {
            Some(ready) => Err(Error::new_spanned(
                ready,
                "`#[ready]` needs an `async fn`: write `async fn`, or remove `#[ready]` if the method is not `async` in the trait either",
            )),
            None => result,
        };
    };
    let has_default = matches!(context, Context::Trait { .. }) && body.is_some();
    let mut mentions_self = receiver::is_mentioned_in_signature(signature);
    if let Some(body) = body {
        mentions_self |= has_default && receiver::is_mentioned_in_block(body);
        let block = async_block::into_async_block(signature, body, ready.is_some());
        let has_foreign_macros = attributes.iter().any(is_foreign);
        if has_foreign_macros {
            attributes.push(method_body::make_attribute(options, ready.is_some()));
        }
        // Only the statements are replaced, and the braces of the body keep their spans. Otherwise, lints would take the whole body for the
        // code of a macro, and report nothing.
        body.stmts =
            method_body::method_body(signature, ready, &block, options, has_foreign_macros).stmts;
        attributes.push(parse_quote! {
            #[allow(
                elided_named_lifetimes, unused_qualifications, clippy::async_yields_async, clippy::double_must_use, clippy::diverging_sub_expression, clippy::let_unit_value,
                clippy::needless_arbitrary_self_type, clippy::no_effect_underscore_binding,
                clippy::shadow_same, clippy::type_complexity, clippy::type_repetition_in_bounds,
                clippy::used_underscore_binding
            )]
        });
    } else {
        attributes.push(parse_quote! {
            #[allow(elided_named_lifetimes, unused_qualifications, clippy::double_must_use, clippy::type_complexity, clippy::type_repetition_in_bounds)]
        });
    }
    signature::expand(context, options, signature, asyncness, mentions_self, has_default);
    result
}

/// Returns `true` for an attribute that may be a macro of another crate. The compiler runs such a macro after `async_trait`.
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
