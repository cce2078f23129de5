//! A `tower` service with five type-erased layers. The program measures `ValueService`, whose future is a `ValueFuture`, against
//! `BoxCloneService`. Run it with `cargo run --release --example tower [-- --layers log,limit,cache --faults PERCENT]`.
//! The user chooses the layers at run time, so each layer is type-erased. A `BoxCloneService` boxes a future per layer. A
//! `ValueService` passes on an inline result. So a request allocates nothing if the cache, which is the third layer, answers it.
//! A request that the backend answers takes slots of a pool.

mod backend;
mod boxed_layers;
#[path = "../common/mod.rs"]
mod common;
mod layers;
#[cfg(test)]
mod tests;
mod value_service;

use std::{io, process};

use backend::{CACHEABLE, CONCURRENT, Page, fetch};
use clap::Parser;
use common::{Contender, measure, percent, print_costs};
use tokio::runtime::{Builder, Runtime};
use tower::{BoxError, Service, ServiceExt, service_fn};
use value_future::ValueFuture;

#[derive(Parser)]
#[command(about = "Measures five layers around a service: value futures against boxed futures")]
struct Options {
    /// The layers, from the outermost to the innermost.
    #[arg(long, value_delimiter = ',', default_value = "log,limit,cache,retry,timeout")]
    layers: Vec<layers::Layer>,
    /// In the rows `faults`: percentage of requests that fail or hang in the backend. Without the layer `timeout`, the percentage is 0.
    #[arg(long, default_value = "1", value_name = "PERCENT", value_parser = percent)]
    faults: f64,
}

/// Runs one round of requests by concurrent callers, each with a clone of the service. Returns the number of requests.
fn run_round<S>(runtime: &Runtime, service: &S, first: usize, faults: f64) -> u64
where
    S: Service<usize, Response = Page, Error = BoxError> + Clone,
{
    let caller = async |_| {
        let mut service = service.clone();
        for number in first..first + CACHEABLE {
            let answer = async { service.ready().await?.call(number).await };
            if answer.await.map_or(faults == 0.0, |page| page != number) {
                eprintln!("a request failed, or returned a wrong page");
                process::exit(1);
            }
        }
    };
    runtime.block_on(futures::future::join_all((0..CONCURRENT).map(caller)));
    (CONCURRENT * CACHEABLE) as u64
}

fn main() -> io::Result<()> {
    let Options { layers, mut faults } = Options::parse();
    faults *= f64::from(layers.contains(&layers::Layer::Timeout));
    let stacks = |faults| {
        let value = layers::PageService::new(move |page| ValueFuture::pooled(fetch(page, faults)));
        let boxed = boxed_layers::PageService::new(service_fn(move |page| fetch(page, faults)));
        let value = layers.iter().rfold(value, layers::add_layer);
        (value, layers.iter().rfold(boxed, boxed_layers::add_layer))
    };
    let [plain, flaky] = [0.0, faults].map(stacks);
    let runtime = &Builder::new_current_thread().enable_all().build()?;
    let contenders = vec![
        Contender::new("cache: ValueService", || run_round(runtime, &plain.0, 0, 0.0)),
        Contender::new("cache: BoxCloneService", || run_round(runtime, &plain.1, 0, 0.0)),
        Contender::new("backend: ValueService", || run_round(runtime, &plain.0, CACHEABLE, 0.0)),
        Contender::new("backend: BoxCloneService", || run_round(runtime, &plain.1, CACHEABLE, 0.0)),
        Contender::new("faults: ValueService", || run_round(runtime, &flaky.0, CACHEABLE, faults)),
        Contender::new("faults: BoxCloneService", || {
            run_round(runtime, &flaky.1, CACHEABLE, faults)
        }),
    ];
    let costs = measure("requests", 50, contenders);
    let pairs = costs.chunks(2).flat_map(|pair| pair.iter().map(|cost| cost.cells(&pair[0])));
    print_costs(&[], pairs);
    Ok(())
}
