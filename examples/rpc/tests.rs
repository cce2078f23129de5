use std::sync::Arc;

use super::*;
use common::{allocated, exit_code_of_arguments};

type Keys = Pool<Option<u64>>;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn clients(runtime: &Runtime, faults: Faults) -> [Arc<Client<Keys>>; 2] {
    [false, true].map(|over_tcp| Client::new(runtime, over_tcp, 64, faults).unwrap())
}

#[test]
fn a_peer_without_faults_answers_every_call() {
    let runtime = runtime();
    for client in clients(&runtime, Faults::default()) {
        assert_eq!(client.run_round(&runtime, 64, 2_000), 2_048);
        assert_eq!(client.load.counts.to_string(), "");
    }
}

#[test]
fn a_hostile_peer_causes_no_misdelivered_answer() {
    let runtime = runtime();
    for client in clients(&runtime, Faults::all(3.0)) {
        client.run_round(&runtime, 64, 4_000);
        assert_eq!(client.load.counts.get("misdelivered"), 0);
        for event in ["timed out", "stale", "unknown"] {
            assert!(client.load.counts.get(event) > 0, "{event}: {}", client.load.counts);
        }
    }
}

#[test]
fn all_pending_calls_fail_when_the_connection_is_lost() {
    let runtime = runtime();
    let keys = Client::<Keys>::new(&runtime, true, 1, Faults::default()).unwrap();
    let channels = Client::<ChannelMap>::new(&runtime, true, 1, Faults::default()).unwrap();
    for _connection in 0..2 {
        assert_eq!(lose_connection(&runtime, &keys), Some(1_000));
        assert_eq!(lose_connection(&runtime, &channels), Some(1_000));
    }
}

#[test]
fn calls_after_warm_up_do_not_allocate() {
    let runtime = runtime();
    for client in clients(&runtime, Faults::default()) {
        client.run_round(&runtime, 64, 10_000);
        let before = allocated();
        client.run_round(&runtime, 64, 100_000);
        // `Load::run` allocates for each caller: its `FuturesUnordered` has a node for each future.
        assert!((allocated() - before).count < 2 * 64);
    }
}

#[test]
fn invalid_arguments_exit_with_code_2() {
    for arguments in [["--calls", "0"], ["--drop", "101"], ["--late", "x"]] {
        assert_eq!(exit_code_of_arguments::<Options>(&arguments), Some(2));
    }
}
