//! Tests of the conclusions that the bench `break_even` computes from its figures. These tests use invented figures, so the right
//! conclusions are known.

#![allow(dead_code, reason = "the bench uses the other items")]

#[path = "../benches/break_even/conclusions.rs"]
mod conclusions;
#[path = "../benches/break_even/data.rs"]
mod data;
#[path = "../benches/report/head.rs"]
mod head;
#[path = "../benches/report/markdown.rs"]
mod markdown;
#[path = "../benches/break_even/rounding.rs"]
mod rounding;
#[path = "../benches/break_even/verdict.rs"]
mod verdict;

use std::array;

use data::{CONTENDERS, Cost, Costs, Figures, LENGTH, OURS, SHARES, Situation, ready_keys};
use value_future::ratio::{Advice, RatioStats};

use rounding::{below_percent, from_percent};
use verdict::{Answer, CLEAR, Comparison, NOTICEABLE};

/// Returns a comparison of this crate (`ours`) with a rival. The time of ours falls from `pending` ns at 0 % ready to `ready` ns at 100 %.
/// The rival always takes 13 ns.
fn falling(pending: f64, ready: f64) -> Comparison {
    let ours = SHARES.map(|share| pending + (ready - pending) * f64::from(share) / 100.0);
    Comparison { ours, rival: [13.0; SHARES.len()] }
}

#[track_caller]
fn assert_share(from: Option<f64>, expected: f64) {
    assert!(from.is_some_and(|from| (from - expected).abs() < 1e-9), "{from:?}, not {expected}");
}

#[test]
fn the_share_from_which_ours_pays_is_interpolated() {
    // At 75 % ready, ours takes 10 ns, and the rival takes 1.3 times as long. 75 % is not one of the measured `SHARES`.
    assert_share(falling(13.0, 9.0).pays_from(CLEAR, 0.0), 75.0);
    assert_share(falling(16.0, 10.0).pays_from(CLEAR, 0.0), 100.0);
    assert_share(falling(10.0, 1.0).pays_from(CLEAR, 0.0), 0.0);
    assert_eq!(falling(13.0, 10.1).pays_from(CLEAR, 0.0), None);
}

#[test]
fn ours_pays_only_above_the_highest_share_at_which_it_does_not_pay() {
    let mut comparison = falling(5.0, 5.0);
    let at_half = SHARES.iter().position(|share| *share == 50).unwrap();
    comparison.ours[at_half] = 13.0;
    // The time of ours falls from 13 ns at 50 % ready to 5 ns at 80 %. At 61.25 %, the time is 10 ns.
    assert_share(comparison.pays_from(CLEAR, 0.0), 61.25);
}

#[test]
fn work_in_pending_calls_raises_the_share_from_which_ours_pays() {
    // Ours saves 8 ns, which is 5 % of 160 ns. At 90 % ready, a call of ours takes 5 ns and, on average, 155 ns of work.
    assert_share(falling(5.0, 5.0).pays_from(NOTICEABLE, 1_550.0), 90.0);
    assert_share(falling(5.0, 5.0).pays_from(NOTICEABLE, 155_000.0), 99.9);
    assert_share(falling(5.0, 5.0).pays_from(NOTICEABLE, 100.0), 0.0);
}

#[test]
fn an_answer_holds_in_all_comparisons() {
    let pays_from_75 = falling(13.0, 9.0);
    let always = falling(10.0, 1.0);
    let never = falling(13.0, 12.9);
    let both = Answer::new(&[pays_from_75.clone(), always.clone()], 0.0);
    assert_eq!(both.unnoticeable_below, Some(0.0));
    assert_share(both.clear_from, 75.0);
    assert_eq!((both.rule, both.sooner, both.of), (1, 1, 2));
    let all = Answer::new(&[pays_from_75.clone(), always, never.clone()], 0.0);
    assert_eq!((all.noticeable_from, all.clear_from), (None, None));
    assert_eq!((all.rule, all.sooner, all.of), (1, 1, 3));
    assert_eq!(Answer::new(&[never], 0.0).unnoticeable_below, None);
    let late = Answer::new(&[falling(16.0, 10.0)], 0.0);
    assert_eq!((late.rule, late.sooner), (0, 0));
}

#[test]
fn the_figures_decide_which_sentences_are_written() {
    let judgement = |comparison| conclusions::judgement(&[comparison]);
    assert_eq!(
        judgement(falling(13.0, 9.0)),
        "below 15 % ready, it is not noticeably faster. From 75 % on, it is at least 1.3 times as fast."
    );
    assert_eq!(
        judgement(falling(6.5, 6.5)),
        "it is at least 5 % faster at every share. It is at least 1.3 times as fast at every share."
    );
    assert_eq!(
        judgement(falling(26.0, 19.5)),
        "it does not pay at any share. At 0 % ready, it takes up to 2.00 times as long."
    );
    assert_eq!(
        judgement(falling(14.0, 12.0)),
        "below 80 % ready, it is not noticeably faster. In some cases, it is not 1.3 times as fast even at 100 % ready. At 0 % \
         ready, it takes up to 1.08 times as long."
    );
    let rule = |minima: Comparison| conclusions::rule(&[minima], &[falling(13.0, 9.0)]);
    assert_eq!(
        rule(falling(13.0, 9.0)),
        "By minimum times, the rule of thumb (30 and 80 %) holds in all comparisons. By median times, the rule holds in 1 of 1 comparisons."
    );
    assert!(rule(falling(9.0, 9.0)).contains(
        "in no comparison. In 1 of 1 comparisons, the value future is 1.3 times as fast at 30 %"
    ));
    assert!(
        rule(falling(13.0, 13.0))
            .contains("in no comparison. In 1 of 1 comparisons, the value future is not 1.3 times")
    );
}

#[test]
fn a_sentence_states_the_shares_for_calls_with_work() {
    let text = conclusions::with_work(&[falling(5.0, 5.0)]);
    assert_eq!(
        text.unwrap(),
        "If each pending call also does other work, no contender of this crate is noticeably faster below these shares of ready results: \
         84 % with 1 µs of work, 98.4 % with 10 µs of work, 99.84 % with 100 µs of work."
    );
    assert_eq!(conclusions::with_work(&[falling(13.0, 13.0)]), None);
}

/// Returns figures in which each contender of this crate takes `ours` ns at each share. The other contenders take 13 ns.
fn figures(ours: f64) -> Figures {
    let cost = |contender| {
        let min = if OURS.contains(&contender) { ours } else { 13.0 };
        Cost { min, median: min + 1.0, ..Cost::default() }
    };
    let costs: Costs = array::from_fn(|_| array::from_fn(cost));
    let mut figures = Figures::default();
    for (allocator, result) in [("a", 0), ("a", 1), ("a", 2), ("b", 0)] {
        figures.add_costs(Situation { allocator, threads: 1, result }, &costs);
    }
    figures
}

#[test]
fn fast_and_slow_figures_have_different_conclusions() {
    let [fast, slow] = [6.5, 26.0].map(|ours| conclusions::in_short(&figures(ours)));
    assert_eq!(fast.matches("it is at least 5 % faster at every share").count(), 6);
    assert_eq!(slow.matches("it does not pay at any share").count(), 6);
    assert_eq!(slow.matches("it takes up to 2.00 times as long").count(), 6);
    assert!(
        conclusions::tables(&figures(6.5))
            .contains("| 0 % | 0 % | 0 % | 2.00 | 2.00 | 2.00 | 2.00 |")
    );
}

#[test]
fn figures_of_several_processes_are_merged_by_the_least_minimum_and_the_middle_median() {
    let mut figures = Figures::default();
    let situation = Situation { allocator: "a", threads: 1, result: 0 };
    for [min, median] in [[5.0, 9.0], [4.0, 30.0], [6.0, 10.0]] {
        let cost = Cost { min, median, allocations: 1.0, bytes: 24.0 };
        figures.add_costs(situation, &[[cost; CONTENDERS.len()]; SHARES.len()]);
    }
    let expected = Cost { min: 4.0, median: 10.0, allocations: 1.0, bytes: 24.0 };
    assert_eq!(figures.costs()[&situation], [[expected; CONTENDERS.len()]; SHARES.len()]);
}

#[test]
fn the_sequence_of_ready_keys_is_fixed_exact_and_mixed() {
    for share in [0, 30, 99, 100] {
        let keys = ready_keys(share);
        assert_eq!((keys.len(), &keys), (LENGTH, &ready_keys(share)));
        for block in keys.chunks(1_000) {
            let ready = block.iter().filter(|ready| **ready).count();
            assert_eq!(ready, share as usize * 10);
        }
    }
    let keys = ready_keys(50);
    let changes = keys.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!((LENGTH * 4 / 10..LENGTH * 6 / 10).contains(&changes), "{changes} changes");
    assert_ne!(keys[..1_000], keys[1_000..2_000]);
}

#[test]
fn percentages_are_rounded_down_after_below_and_up_after_from() {
    let cases = [
        (0.0, "0 %", "0 %"),
        (26.1, "26 %", "27 %"),
        (27.0, "27 %", "27 %"),
        (98.21, "98.2 %", "98.3 %"),
        (99.981, "99.98 %", "99.99 %"),
        (100.0, "100 %", "100 %"),
    ];
    for (share, below, from) in cases {
        assert_eq!((&*below_percent(share), &*from_percent(share)), (below, from));
    }
}

#[test]
fn days_since_1970_are_converted_to_dates() {
    let cases = [
        (0, "1970-01-01"),
        (11_016, "2000-02-29"),
        (19_782, "2024-02-29"),
        (20_088, "2024-12-31"),
        (47_541, "2100-03-01"),
    ];
    for (day, date) in cases {
        assert_eq!(head::date(day), date);
    }
}

/// The advice of `Ratio` agrees with the report, for results of 8 and 24 bytes.
#[test]
fn the_report_supports_the_advice() {
    let report = include_str!("../docs/break_even.md");
    let rows =
        report.lines().filter(|line| line.contains("8 bytes |") || line.contains("24 bytes |"));
    let rows: Vec<Vec<_>> = rows.map(|row| row.split('|').map(str::trim).collect()).collect();
    assert_eq!(rows.len(), 12, "three contenders of this crate, two sizes, two rivals");
    let advice = |percent: &str| {
        let percent: Option<u64> = percent.strip_suffix(" %").and_then(|it| it.parse().ok());
        let mut stats = RatioStats::default();
        stats.ready = 100 * percent.expect("a percentage");
        stats.pending = 10_000 - stats.ready;
        stats.advice()
    };
    for row in rows {
        // `row[2]` is the share below which ours is not noticeably faster. At this share, the advice is no longer `KeepBoxes`.
        if row[1].starts_with("`ours boxed`") {
            assert_ne!(advice(row[2]), Advice::KeepBoxes, "not noticeably faster below: {row:?}");
        }
        // `row[4]` is the share from which ours is at least 1.3 times as fast. At this share, the advice is not yet `ReturnReady`.
        assert_ne!(advice(row[4]), Advice::ReturnReady, "1.3 times as fast: {row:?}");
    }
}

/// A new run of the bench changes the report. Then the quotes in the README have to be changed too.
#[test]
fn the_readme_quotes_the_report() {
    let readme = include_str!("../README.md");
    let report = include_str!("../docs/break_even.md");
    let quotes: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("> ")).collect();
    assert!(!quotes.is_empty(), "the README quotes the conclusions");
    for quote in quotes {
        assert!(report.lines().any(|line| line == quote), "not in the report: {quote}");
    }
}
