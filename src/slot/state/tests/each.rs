//! Tests each transition function with each combination of flags, reachable or not.

use super::{super::*, tables};

/// The generations in the tests. (Under Miri, the tests check fewer generations and counts, because Miri is slow, and `State` has no unsafe
/// code.)
const GENERATIONS: &[u32] = if cfg!(miri) { &[7] } else { &[1, 7, 1 << 16, u32::MAX] };
/// The counts of registrations in the tests.
const COUNTS: &[u64] = if cfg!(miri) { &[MOST] } else { &[0, 1, MOST - 1, MOST] };

fn state(generation: u32, registrations: u64, flags: u64) -> State {
    State(u64::from(generation) * GENERATION + registrations * REGISTRATION + flags)
}

/// The largest number in the bits that count registrations.
const MOST: u64 = REGISTRATIONS / REGISTRATION;

#[test]
fn a_transition_does_what_its_row_says_and_nothing_else() {
    for (row, function) in tables::functions() {
        let counts = u64::from(["register", "watch"].contains(&row.name));
        for flags in 0..=FLAGS {
            let allowed = flags & row.with == row.with && flags & row.without == 0;
            let after = flags & !row.clears | row.sets;
            for &generation in GENERATIONS {
                for &registrations in COUNTS {
                    let fits = registrations + counts <= MOST;
                    let expected = (allowed && fits)
                        .then(|| state(generation, registrations + counts, after).bits());
                    let found = function(state(generation, registrations, flags));
                    assert_eq!(
                        found.map(State::bits),
                        expected,
                        "{} from {flags:011b}, {registrations} registrations, generation {generation}",
                        row.name
                    );
                }
            }
        }
    }
}

#[test]
fn a_rented_slot_is_pending_and_held() {
    for &generation in GENERATIONS {
        let number = Number::new(0, generation);
        let rented = State::rented(number);
        assert_eq!(rented.bits(), state(generation, 0, PENDING | HELD).bits());
        assert_eq!(rented.generation(), generation);
        assert_eq!(State::before(number).bits(), state(generation - 1, 0, 0).bits());
    }
}

#[test]
fn a_state_with_many_registrations_differs_from_the_first_states_of_the_next_epoch() {
    let mut state = State::keyed(Number::new(0, 7));
    let next_epoch = State::keyed(Number::new(1 << 18, 7));
    for _ in 0..1000 {
        let waiting = state.register().expect("another registration is allowed");
        assert!(waiting != next_epoch.register().expect("the first registration is allowed"));
        state = waiting.unregister().expect("a waker was registered");
        assert!(state != next_epoch);
    }
}

#[test]
fn an_operation_begins_with_the_upper_bits_of_its_number_and_can_register_two_million_wakers() {
    for index in [0, 1, 1 << 18, (1 << 31) - 1] {
        let number = Number::new(index, 7);
        for mut state in [State::rented(number), State::keyed(number)] {
            assert_eq!(state.bits() >> 18, number.bits() >> 18);
            assert_eq!(state.lower() & REGISTRATIONS, 0);
            let registrations = if cfg!(miri) { 300 } else { 2_000_000 };
            for _ in 0..registrations {
                let registered = state.register().expect("another registration is allowed");
                assert!(registered != state);
                state = registered.unregister().expect("a waker was registered");
                assert_eq!(state.generation(), 7);
            }
        }
    }
}
