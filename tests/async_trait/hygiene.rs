//! User code can define the names that the expansion uses.

#![allow(dead_code, non_camel_case_types)]

struct Box;
struct Some;
struct None;
struct Option;
struct Send;
struct Sync;
struct Pin;
struct Future;
struct ValueFuture;
struct value_future;

#[::value_future::async_trait]
trait Clashes: ::core::marker::Sync {
    async fn clash(&self, __result: u32, __self: u32) -> u32;
    async fn default(&self, __ready: u32) -> ::core::option::Option<u32> {
        ::core::option::Option::Some(__ready)
    }
}

#[::value_future::async_trait]
impl Clashes for u32 {
    #[ready(if *__result == 1 { ::core::option::Option::Some(__self + *self) } else { ::core::option::Option::None })]
    async fn clash(&self, __result: u32, __self: u32) -> u32 {
        __result + __self + self
    }
}

#[::value_future::async_trait]
trait Answers {
    async fn answer(&self) -> u32;
}

macro_rules! answers {
    ($Answers:ident, #[$ready:meta]) => {
        #[::value_future::async_trait]
        impl $Answers for u32 {
            #[$ready]
            async fn answer(&self) -> u32 {
                *self + 1
            }
        }
    };
}

answers!(Answers, #[ready(if *self == 0 => *self)]);

#[test]
fn self_in_the_argument_of_a_macro_is_the_receiver() {
    assert_eq!(crate::block_on(0.answer()), 0);
    assert_eq!(crate::block_on(4.answer()), 5);
}

#[test]
fn user_names_do_not_clash_with_the_expansion() {
    assert_eq!(crate::block_on(4.clash(1, 2)), 6);
    assert_eq!(crate::block_on(4.clash(2, 2)), 8);
    assert_eq!(crate::block_on(4.default(5)), ::core::option::Option::Some(5));
}
