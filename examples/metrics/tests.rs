use super::*;
use common::refusal;

/// Serves calls, and returns what a Prometheus server would read.
fn text(ready: f64, calls: u64) -> Vec<String> {
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, || serve(&Device::new(ready), calls));
    recorder.handle().render().lines().map(String::from).collect()
}

#[test]
fn the_recorder_has_the_counters_of_the_pools() {
    let lines = text(0.0, 1_000);
    for line in [
        "operations_rented 1000",
        "operations_live 0",
        "operations_cancelled 0",
        "futures_rented 1000",
        "futures_boxed 0",
    ] {
        assert!(lines.contains(&line.to_owned()), "{line}: {lines:#?}");
    }
}

#[test]
fn ready_calls_use_no_pool() {
    let lines = text(100.0, 1_000);
    let ready = if Ratio::IS_ENABLED { "get_ready 1000" } else { "get_ready 0" };
    for line in ["operations_rented 0", "futures_rented 0", "futures_allocations 0", ready] {
        assert!(lines.contains(&line.to_owned()), "{line}: {lines:#?}");
    }
}

#[test]
fn wrong_arguments_are_refused() {
    for arguments in [["--calls", "0"], ["--ready", "101"], ["--ready", "x"]] {
        assert_eq!(refusal::<Options>(&arguments), Some(2));
    }
}
