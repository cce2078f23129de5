//! Implements the attribute macro `value_future::async_trait`. The crate `value-future` documents it (feature `macros`).
//!
//! ```text
//! item             finds the `async` methods of a trait or an `impl`
//!   signature      `async fn f(&self) -> T` becomes `fn f(&self) -> ValueFuture<'_, T>`
//!   async_block    the body becomes an `async` block
//!   ready          `#[ready]` becomes a statement before the block
//!   method_body    joins the statement of `#[ready]` and the call that creates a value future from the block
//! ```
//!
//! If a method has other attribute macros, its body becomes `Box::pin(…)`, because these macros expect it. `item` also adds the attribute
//! `make`, which runs after these macros. `make` replaces `Box::pin(…)` by the call that creates the value future.

mod async_block;
mod context;
mod item;
mod lifetimes;
mod method_body;
mod options;
mod ready;
mod receiver;
mod signature;

use proc_macro::TokenStream;
use quote::ToTokens;
use syn::parse_macro_input;

/// See `value_future::async_trait`.
#[proc_macro_attribute]
pub fn async_trait(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(arguments as options::Options);
    let item = parse_macro_input!(item as item::Item);
    match options.forbid_cold() {
        Ok(options) => item.expand(&options).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// Replaces `Box::pin(async move { … })` at the end of a method by a value future. This macro runs after the other attribute macros of the
/// method.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn make(arguments: TokenStream, method: TokenStream) -> TokenStream {
    let options = parse_macro_input!(arguments as options::Options);
    let mut method = parse_macro_input!(method as syn::ImplItemFn);
    match method_body::replace_box(&mut method.block, &options) {
        Ok(()) => method.into_token_stream().into(),
        Err(error) => error.into_compile_error().into(),
    }
}
