//! The attribute `value_future::async_trait`. Its documentation is that of the crate `value-future`, with the feature `macros`.
//!
//! What passes through here:
//!
//! ```text
//!  #[async_trait(options)]    item: which methods, and with what around them
//!  trait or impl ───────────► signature: `async fn f(&self) -> T` becomes `fn f(&self) -> ValueFuture<'_, T>`
//!                             body: becomes the async block in it
//!                             make: the call that makes a value future of the block, and `#[ready]`
//!                                ▲
//!  other attribute macros of ────┘
//!  a method run before this
//! ```

mod body;
mod item;
mod lifetimes;
mod make;
mod options;
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
    item.expand(&options).into()
}

/// Replaces `Box::pin(async move { … })` in a method by a value future. It runs after the other attribute macros of the method.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn make(arguments: TokenStream, method: TokenStream) -> TokenStream {
    let options = parse_macro_input!(arguments as options::Options);
    let mut method = parse_macro_input!(method as syn::ImplItemFn);
    match make::replace_box(&mut method.block, &options) {
        Ok(()) => method.into_token_stream().into(),
        Err(error) => error.into_compile_error().into(),
    }
}
