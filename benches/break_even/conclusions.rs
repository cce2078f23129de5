//! The conclusions of the report in words. The measured figures determine which sentences are written.

use std::fmt::Write as _;

use super::{
    data::{ASYNC_TRAIT, BOX_FUTURE, CONTENDERS, Cost, Figures, OURS, RESULTS, SHARES},
    markdown::table,
    rounding::{below_percent, from_percent, range},
    verdict::{Answer, CLEAR, Comparison, NOTICEABLE, RULE, speedups},
};

/// Groups of types of results, as indices into [`RESULTS`]. The report has one list of sentences for each group.
const GROUPS: [&[usize]; 2] = [&[0, 1], &[2]];

/// Durations of the other work that a pending call does. Each duration has its nanoseconds and its text.
pub(crate) const WORK: [(f64, &str); 3] = [(1e3, "1 µs"), (1e4, "10 µs"), (1e5, "100 µs")];

/// Returns by how many percent a contender must be faster to be *noticeably faster*, as text.
pub(crate) fn noticeable() -> String {
    format!("{:.0} %", (NOTICEABLE - 1.0) * 100.0)
}

/// Compares the two contenders of `pair`: a contender of this crate, and a rival. Returns a comparison for each situation whose type of
/// results is in `results`.
fn comparisons(
    figures: &Figures,
    results: &[usize],
    pair: [usize; 2],
    time: fn(&Cost) -> f64,
) -> Vec<Comparison> {
    let costs = figures.costs().into_iter();
    let costs = costs.filter(|(situation, _)| results.contains(&situation.result));
    costs.map(|(_, costs)| Comparison::new(&costs, pair, time)).collect()
}

/// Returns the sentences of the section *In short*.
pub(crate) fn in_short(figures: &Figures) -> String {
    let mut text = String::new();
    for group in GROUPS {
        let sizes: Vec<_> = group.iter().map(|it| RESULTS[*it].0.to_string()).collect();
        let sizes = sizes.join(" or ");
        let _ = writeln!(text, "Results of {sizes} bytes, against `{}`:\n", CONTENDERS[BOX_FUTURE]);
        let by = |time| OURS.map(|ours| comparisons(figures, group, [ours, BOX_FUTURE], time));
        let by_minima = by(|cost| cost.min);
        for (ours, comparisons) in OURS.into_iter().zip(&by_minima) {
            let _ = writeln!(text, "* `{}`: {}", CONTENDERS[ours], judgement(comparisons));
        }
        let (minima, medians) = (by_minima.concat(), by(|cost| cost.median).concat());
        let _ = writeln!(text, "* {}", rule(&minima, &medians));
        if let Some(with_work) = with_work(&minima) {
            let _ = writeln!(text, "* {with_work}");
        }
        text.push('\n');
    }
    text
}

/// Returns sentences about a contender of this crate: below which share it is not noticeably faster, from which share on it clearly pays,
/// and at which share it is slowest.
pub(crate) fn judgement(comparisons: &[Comparison]) -> String {
    let Answer { unnoticeable_below, noticeable_from, clear_from, .. } =
        Answer::new(comparisons, 0.0);
    let faster = format!("at least {} faster", noticeable());
    let mut text = match (unnoticeable_below, noticeable_from) {
        (None, _) => String::from("it does not pay at any share."),
        (_, Some(0.0)) => format!("it is {faster} at every share."),
        (Some(0.0), Some(from)) => format!(
            "in all cases, it is {faster} from {} ready on. In some cases, it is {faster} at every share.",
            from_percent(from)
        ),
        (Some(0.0), None) => format!("in some cases, it is {faster} at every share."),
        (Some(below), _) => {
            format!("below {} ready, it is not noticeably faster.", below_percent(below))
        }
    };
    let _ = match clear_from {
        Some(0.0) => write!(text, " It is at least {CLEAR} times as fast at every share."),
        Some(from) => {
            write!(text, " From {} on, it is at least {CLEAR} times as fast.", from_percent(from))
        }
        None if unnoticeable_below.is_none() => Ok(()),
        None => {
            write!(text, " In some cases, it is not {CLEAR} times as fast even at 100 % ready.")
        }
    };
    let slowest = SHARES.map(|share| (share, speedups(comparisons, share)[0]));
    let slowest = slowest.into_iter().min_by(|one, other| one.1.total_cmp(&other.1));
    if let Some((share, speedup)) = slowest.filter(|(_, speedup)| *speedup < 1.0 / NOTICEABLE) {
        let longer = speedup.recip();
        let _ = write!(text, " At {share} % ready, it takes up to {longer:.2} times as long.");
    }
    text
}

/// Returns sentences that say in how many comparisons the rule of thumb holds, by minimum times and by median times.
pub(crate) fn rule(by_minima: &[Comparison], by_medians: &[Comparison]) -> String {
    let Answer { rule, sooner, of, .. } = Answer::new(by_minima, 0.0);
    let later = of - rule - sooner;
    let [low, high] = RULE;
    let mut text = match rule {
        0 => {
            format!(
                "By minimum times, the rule of thumb ({low} and {high} %) holds in no comparison"
            )
        }
        all if all == of => {
            format!(
                "By minimum times, the rule of thumb ({low} and {high} %) holds in all comparisons"
            )
        }
        some => format!(
            "By minimum times, the rule of thumb ({low} and {high} %) holds in {some} of {of} comparisons"
        ),
    };
    if sooner > 0 {
        let _ = write!(
            text,
            ". In {sooner} of {of} comparisons, the value future is {CLEAR} times as fast at {low} %"
        );
    }
    if later > 0 {
        let _ = write!(
            text,
            ". In {later} of {of} comparisons, the value future is not {CLEAR} times as fast at {high} %"
        );
    }
    let by_medians = Answer::new(by_medians, 0.0).rule;
    let _ = write!(text, ". By median times, the rule holds in {by_medians} of {of} comparisons.");
    text
}

/// Returns a sentence about pending calls that do other work: below which shares no contender of this crate is noticeably faster. Returns
/// `None` if, for one of the durations in [`WORK`], no contender is noticeably faster at any share.
pub(crate) fn with_work(comparisons: &[Comparison]) -> Option<String> {
    let mut shares = vec![];
    for (work, name) in WORK {
        let below = Answer::new(comparisons, work).unnoticeable_below?;
        shares.push(format!("{} with {name} of work", below_percent(below)));
    }
    let shares = shares.join(", ");
    Some(format!(
        "If each pending call also does other work, no contender of this crate is noticeably faster below these shares of ready results: \
         {shares}."
    ))
}

/// Returns the tables with the figures behind the sentences: one table for each rival.
pub(crate) fn tables(figures: &Figures) -> String {
    let mut text = String::new();
    let [low, high] = RULE;
    for rival in [BOX_FUTURE, ASYNC_TRAIT] {
        let header = [
            format!("against `{}`", CONTENDERS[rival]),
            "not noticeably faster below".into(),
            "noticeably faster from".into(),
            format!("{CLEAR} times as fast from"),
            "at 0 %".into(),
            format!("at {low} %"),
            format!("at {high} %"),
            "at 100 %".into(),
        ];
        let mut rows = vec![];
        for (result, (bytes, _)) in RESULTS.into_iter().enumerate() {
            for ours in OURS {
                let comparisons = comparisons(figures, &[result], [ours, rival], |cost| cost.min);
                let answer = Answer::new(&comparisons, 0.0);
                let share = |share: Option<f64>| share.map_or("never".into(), from_percent);
                rows.push(vec![
                    format!("`{}`, {bytes} bytes", CONTENDERS[ours]),
                    answer.unnoticeable_below.map_or("any share".into(), below_percent),
                    share(answer.noticeable_from),
                    share(answer.clear_from),
                    range(speedups(&comparisons, 0)),
                    range(speedups(&comparisons, low)),
                    range(speedups(&comparisons, high)),
                    range(speedups(&comparisons, 100)),
                ]);
            }
        }
        text += &table(&header, &rows);
    }
    text
}
