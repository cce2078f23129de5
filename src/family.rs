#![doc = include_str!("family.md")]

#[cfg(doc)]
use crate::future::ValueFuture;
