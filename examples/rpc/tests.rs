use std::sync::Arc;

use super::*;
use common::{allocated, refusal};

type Keys = Pool<Option<u64>>;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn clients(runtime: &Runtime, faults: Faults) -> [Arc<Client<Keys>>; 2] {
    [Client::in_process(64, faults), Client::over_tcp(runtime, faults).unwrap()]
}

fn calls(runtime: &Runtime, client: &Client<Keys>, calls: u64) -> u64 {
    round(runtime, client, 64, calls, &Mutex::new(Latencies::new()))
}

#[test]
fn a_friendly_peer_answers_every_call() {
    let runtime = runtime();
    for client in clients(&runtime, Faults::default()) {
        assert_eq!(calls(&runtime, &client, 2_000), 2_048);
        assert_eq!(client.counts.to_string(), "");
    }
}

#[test]
fn a_hostile_peer_misdelivers_nothing() {
    let runtime = runtime();
    for client in clients(&runtime, Faults::all(3.0)) {
        calls(&runtime, &client, 4_000);
        assert_eq!(client.counts.get("misdelivered"), 0);
        for what in ["timed out", "forged", "late or twice"] {
            assert!(client.counts.get(what) > 0, "{what}: {}", client.counts);
        }
    }
}

#[test]
fn all_calls_fail_when_the_connection_is_lost() {
    let runtime = runtime();
    let keys = Client::<Keys>::over_tcp(&runtime, Faults::default()).unwrap();
    let channels = Client::<Channels>::over_tcp(&runtime, Faults::default()).unwrap();
    for _connection in 0..2 {
        assert_eq!(lose_connection(&runtime, &keys), Some(1_000));
        assert_eq!(lose_connection(&runtime, &channels), Some(1_000));
    }
}

#[test]
fn no_call_allocates() {
    let runtime = runtime();
    for client in clients(&runtime, Faults::default()) {
        calls(&runtime, &client, 10_000);
        let before = allocated();
        calls(&runtime, &client, 100_000);
        // The executor allocates for each caller.
        assert!((allocated() - before).count < 2 * 64);
    }
}

#[test]
fn wrong_arguments_are_refused() {
    for arguments in [["--calls", "0"], ["--drop", "101"], ["--late", "x"]] {
        assert_eq!(refusal::<Options>(&arguments), Some(2));
    }
}
