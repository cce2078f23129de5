//! `#[ready(EXPR)]`: the expression returns the result at the call, before the future of the body is created.

use std::{collections::VecDeque, io, pin::Pin, sync::Arc};

use value_future::async_trait;

use crate::block_on;

#[async_trait]
trait Reads: Send + Sync {
    async fn get(&self, key: &str) -> Option<Arc<str>>;
    async fn next(&mut self) -> Option<u8>;
    async fn read(&mut self, into: &mut Vec<u8>, most: usize) -> io::Result<usize>;
    async fn owned(&self, key: String, (low, mut high): (u32, u32), _: u8) -> String;
    async fn nothing(&self);
}

struct Reader {
    cached: Arc<str>,
    bytes: VecDeque<u8>,
}

#[async_trait]
impl Reads for Reader {
    #[ready((*self.cached == *key).then(|| Some(Arc::clone(&self.cached))))]
    async fn get(&self, key: &str) -> Option<Arc<str>> {
        std::future::ready(()).await;
        Some(format!("{key}, fetched").into())
    }

    #[ready(self.bytes.pop_front().map(Some))]
    async fn next(&mut self) -> Option<u8> {
        self.bytes.extend([7, 8]);
        self.bytes.pop_front()
    }

    #[ready({
        let count = self.bytes.len().min(*most);
        into.extend(self.bytes.drain(..count));
        (count > 0).then_some(Ok(count))
    })]
    async fn read(&mut self, into: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        self.bytes.push_back(9);
        into.push(most.try_into().expect("the number is small"));
        Ok(0)
    }

    // The expression borrows `key` and the pair, which the caller passes by value. If the expression returns `None`, the body owns them.
    #[ready((key.len() == 3 && *high > *low).then(|| key.to_uppercase()))]
    async fn owned(&self, key: String, (low, mut high): (u32, u32), _: u8) -> String {
        high += low;
        key + &high.to_string()
    }

    #[ready(self.bytes.is_empty().then_some(()))]
    async fn nothing(&self) {
        std::future::ready(()).await;
    }
}

fn reader() -> Reader {
    Reader { cached: "cached".into(), bytes: [1, 2, 3].into() }
}

#[test]
fn a_ready_result_is_inline() {
    let reader = reader();
    let reads: &dyn Reads = &reader;
    assert!(reads.get("cached").is_ready());
    assert_eq!(block_on(reads.get("cached")), Some("cached".into()));
    let fetched = reads.get("other");
    assert!(!fetched.is_ready());
    assert_eq!(block_on(fetched), Some("other, fetched".into()));
    assert!(!reads.nothing().is_ready());
}

#[test]
fn the_expression_can_change_a_mutable_receiver() {
    let mut reader = reader();
    let reads: &mut dyn Reads = &mut reader;
    let mut into = vec![];
    assert_eq!(
        reads
            .read(&mut into, 2)
            .try_take()
            .expect("the result is inline")
            .expect("the bytes are read"),
        2
    );
    assert_eq!(reads.next().try_take().expect("the result is inline"), Some(3));
    let next = reads.next();
    assert!(!next.is_ready());
    assert_eq!(block_on(next), Some(7));
    assert_eq!(reads.next().try_take().expect("the result is inline"), Some(8));
    assert_eq!(block_on(reads.read(&mut into, 5)).expect("the bytes are read"), 0);
    assert_eq!(into, [1, 2, 5]);
}

#[test]
fn the_expression_borrows_arguments_that_are_passed_by_value() {
    let reader = reader();
    let inline = reader.owned("abc".into(), (1, 2), 0);
    assert_eq!(inline.try_take().expect("the result is inline"), "ABC");
    assert_eq!(block_on(reader.owned("abcd".into(), (1, 2), 0)), "abcd3");
}

#[test]
fn each_receiver_works_in_the_expression() {
    #[async_trait]
    trait Receives {
        async fn by_value(self) -> u32
        where
            Self: Sized;
        async fn in_arc(self: Arc<Self>) -> u32;
        async fn pinned(self: Pin<&mut Self>) -> u32;
        async fn typed(self: &mut Self) -> u32;
        async fn nothing(of: u32) -> u32
        where
            Self: Sized;
    }

    #[async_trait(boxed)]
    impl Receives for u32 {
        #[ready((*self > 1).then_some(*self))]
        async fn by_value(mut self) -> u32 {
            self += 10;
            self
        }

        #[ready((**self > 1).then_some(1))]
        async fn in_arc(self: Arc<Self>) -> u32 {
            *self
        }

        #[ready((**self > 1).then_some(**self))]
        async fn pinned(mut self: Pin<&mut Self>) -> u32 {
            *self += 1;
            *self
        }

        #[ready((*self > 1).then(|| { *self += 1; *self }))]
        async fn typed(self: &mut Self) -> u32 {
            0
        }

        #[ready((*of > 1).then_some(5))]
        async fn nothing(of: u32) -> u32 {
            of
        }
    }

    assert_eq!(2.by_value().try_take().expect("the result is inline"), 2);
    assert_eq!(block_on(1.by_value()), 11);
    assert!(Arc::new(2).in_arc().is_ready());
    assert_eq!(block_on(Arc::new(1).in_arc()), 1);
    assert!(Pin::new(&mut 2).pinned().is_ready());
    assert_eq!(block_on(Pin::new(&mut 1).pinned()), 2);
    assert_eq!(block_on(2.typed()), 3);
    assert_eq!(block_on(1.typed()), 0);
    assert!(u32::nothing(2).is_ready());
    assert_eq!(block_on(u32::nothing(1)), 1);
}

/// `?` and `return` end the expression, and not the method. The body need not use every argument. A macro can define the argument and the
/// expression.
#[test]
fn the_expression_can_return_early_and_come_from_a_macro() {
    macro_rules! counts {
        ($of:ident: $Of:ty, $ready:expr) => {
            #[async_trait]
            trait Counts {
                async fn count(&self, $of: $Of) -> Option<usize>;
                async fn first(&self, index: usize) -> Result<u8, String>;
                async fn borrowed(&self) -> &str;
            }

            #[async_trait]
            impl Counts for Vec<u8> {
                #[ready($ready)]
                async fn count(&self, $of: $Of) -> Option<usize> {
                    None
                }

                #[ready({
                                                        if self.is_empty() {
                                                            return Some(Err("empty".into()));
                                                        }
                                                        Some(Ok(*self.get(*index)?))
                                                    })]
                async fn first(&self, index: usize) -> Result<u8, String> {
                    Err(format!("none, of {}", self.len()))
                }

                #[ready(std::str::from_utf8(self).ok())]
                async fn borrowed(&self) -> &str {
                    "other"
                }
            }
        };
    }

    counts!(of: &mut Vec<u8>, {
        of.push(1);
        Some(Some(of.len()))
    });
    let bytes = vec![7, 8];
    assert_eq!(bytes.count(&mut vec![0]).try_take().expect("the result is inline"), Some(2));
    assert_eq!(bytes.first(1).try_take().expect("the result is inline"), Ok(8));
    assert_eq!(block_on(bytes.first(2)), Err("none, of 2".into()));
    assert_eq!(Vec::new().first(2).try_take().expect("the result is inline"), Err("empty".into()));
    assert!(bytes.borrowed().is_ready());
    assert_eq!(block_on(vec![0xff].borrowed()), "other");
}

#[async_trait]
trait Lends: Send {
    async fn word(&mut self) -> io::Result<Option<&[u8]>>;
    async fn longest<'a>(&mut self, one: &'a mut String, other: String) -> &'a mut str;
}

#[derive(Default)]
struct Words {
    text: Vec<u8>,
    /// The ends of the words that were read ahead.
    ends: VecDeque<usize>,
    start: usize,
    fetches: usize,
}

impl Words {
    fn next(&mut self) -> Option<&[u8]> {
        let end = self.ends.pop_front()?;
        let start = std::mem::replace(&mut self.start, end);
        Some(&self.text[start..end])
    }
}

#[async_trait]
impl Lends for Words {
    // The result borrows from `&mut self`.
    #[ready(if !self.ends.is_empty() => Ok(self.next()),)]
    async fn word(&mut self) -> io::Result<Option<&[u8]>> {
        self.fetches += 1;
        if self.fetches == 1 {
            std::future::ready(()).await;
            self.text.extend(b"aabbb");
            self.ends.extend([2, 5]);
        }
        Ok(self.next())
    }

    #[ready(if (one.len() >= other.len()) => {
        one.push('!');
        one.as_mut_str()
    })]
    async fn longest<'a>(&mut self, one: &'a mut String, other: String) -> &'a mut str {
        *one = other;
        one
    }
}

#[test]
fn a_conditional_result_can_borrow_from_a_mutable_reference() {
    let mut words = Words::default();
    let lends: &mut dyn Lends = &mut words;
    assert_eq!(block_on(lends.word()).unwrap(), Some(&b"aa"[..]), "from the body");
    assert_eq!(lends.word().try_take().expect("the result is inline").unwrap(), Some(&b"bbb"[..]));
    assert_eq!(block_on(lends.word()).unwrap(), None);
    let mut one = "one".to_owned();
    assert_eq!(
        lends.longest(&mut one, "a".into()).try_take().expect("the result is inline"),
        "one!"
    );
    assert_eq!(block_on(lends.longest(&mut one, "longer".into())), "longer");
    assert_eq!(words.fetches, 2);
}

#[test]
fn an_if_expression_without_an_arrow_is_an_ordinary_expression() {
    #[async_trait]
    trait Even {
        async fn half(&self) -> u32;
    }
    #[async_trait]
    impl Even for u32 {
        #[ready(if self % 2 == 0 { Some(self / 2) } else { None })]
        async fn half(&self) -> u32 {
            0
        }
    }
    assert_eq!(8.half().try_take().expect("the result is inline"), 4);
    assert_eq!(block_on(7.half()), 0);
}
