//! Parses the options of the attribute.

use proc_macro2::Span;
use syn::{
    Error, Expr, Path, Result, Token,
    parse::{Parse, ParseStream},
    parse_quote,
};

mod kw {
    syn::custom_keyword!(Send);
    syn::custom_keyword!(boxed);
    syn::custom_keyword!(cold);
    syn::custom_keyword!(eager);
    syn::custom_keyword!(pool);
}

const EXPECTED: &str = "expected an option of `#[async_trait]`: `?Send`, `boxed`, `eager`, `pool = PATH` or `crate = PATH`";

/// The storage of the future of a method.
pub(crate) enum Storage {
    /// A slot of the built-in pool.
    BuiltInPool,
    /// A box.
    Boxed,
    /// A slot of the pool that the option `pool` names.
    Pool(Expr),
}

/// The options of the attributes `async_trait` and `make`.
pub(crate) struct Options {
    /// `true` if the futures need not be `Send`.
    pub(crate) is_local: bool,
    pub(crate) storage: Storage,
    /// `true` if the call of a method polls its future once.
    pub(crate) is_eager: bool,
    /// The path of the crate `value_future`.
    pub(crate) krate: Path,
    /// `true` if the method has `#[ready]`, so that its body is the slow path. Only `make` uses this option.
    pub(crate) is_cold: bool,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Options {
            is_local: false,
            storage: Storage::BuiltInPool,
            is_eager: false,
            krate: parse_quote!(::value_future),
            is_cold: false,
        };
        while !input.is_empty() {
            options.parse_one(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>().map_err(|error| Error::new(error.span(), EXPECTED))?;
            }
        }
        Ok(options)
    }
}

impl Options {
    /// Returns an error if there is an option that only `make` has.
    pub(crate) fn forbid_cold(self) -> Result<Self> {
        if self.is_cold { Err(Error::new(Span::call_site(), EXPECTED)) } else { Ok(self) }
    }

    fn parse_one(&mut self, input: ParseStream<'_>) -> Result<()> {
        let span = input.span();
        let conflict = |is_in_conflict: bool, option: &str, other: &str| {
            let text = format!(
                "`#[async_trait]` cannot combine the options `{option}` and `{other}`: remove one of them"
            );
            if is_in_conflict { Err(Error::new(span, text)) } else { Ok(()) }
        };
        if input.parse::<Option<Token![?]>>()?.is_some() {
            input.parse::<kw::Send>().map_err(|error| Error::new(error.span(), EXPECTED))?;
            self.is_local = true;
        } else if input.parse::<Option<kw::boxed>>()?.is_some() {
            conflict(matches!(self.storage, Storage::Pool(_)), "boxed", "pool")?;
            conflict(self.is_eager, "boxed", "eager")?;
            self.storage = Storage::Boxed;
        } else if input.parse::<Option<kw::eager>>()?.is_some() {
            conflict(matches!(self.storage, Storage::Boxed), "eager", "boxed")?;
            self.is_eager = true;
        } else if input.parse::<Option<kw::cold>>()?.is_some() {
            self.is_cold = true;
        } else if input.parse::<Option<kw::pool>>()?.is_some() {
            conflict(matches!(self.storage, Storage::Boxed), "pool", "boxed")?;
            let expected = Error::new(
                span,
                "the option `pool` needs the path of a pool of futures: write `pool = PATH`",
            );
            self.storage = match input.parse::<Token![=]>().and_then(|_| input.parse()) {
                Err(_) | Ok(Expr::Lit(_)) => return Err(expected),
                Ok(pool) => Storage::Pool(pool),
            };
        } else if input.parse::<Option<Token![crate]>>()?.is_some() {
            let expected = "the option `crate` needs a path without quotes: write `crate = PATH`";
            let path = input.parse::<Token![=]>().and_then(|_| Path::parse_mod_style(input));
            self.krate = path.map_err(|_| Error::new(span, expected))?;
        } else {
            return Err(Error::new(span, EXPECTED));
        }
        Ok(())
    }
}
