use super::*;
use common::exit_code_of_arguments;

/// Serves calls. Returns the lines that a Prometheus server would read.
fn published_lines(ready: f64, calls: u64) -> Vec<String> {
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, || serve(&CachedDevice::new(ready), calls));
    recorder.handle().render().lines().map(String::from).collect()
}

#[test]
fn the_counters_of_pools_are_published() {
    let lines = published_lines(0.0, 1_000);
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
fn ready_calls_do_not_use_the_pools() {
    let lines = published_lines(100.0, 1_000);
    let ready = if Ratio::IS_ENABLED { "get_ready 1000" } else { "get_ready 0" };
    for line in ["operations_rented 0", "futures_rented 0", "futures_allocations 0", ready] {
        assert!(lines.contains(&line.to_owned()), "{line}: {lines:#?}");
    }
}

#[test]
fn invalid_arguments_exit_with_code_2() {
    for arguments in [["--calls", "0"], ["--ready", "101"], ["--ready", "x"]] {
        assert_eq!(exit_code_of_arguments::<Options>(&arguments), Some(2));
    }
}
