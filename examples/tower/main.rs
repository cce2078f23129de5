//! A `tower` service whose future is a `ValueFuture`, with five type-erased layers, against `BoxCloneService`.
//! `cargo run --release --example tower [-- --layers log,limit,cache]`
//!
//! The layers are chosen at run time, so each of them is erased. A `BoxCloneService` boxes a future for each layer. A
//! `ValueService` passes an inline result on. The cache is the third layer, and a request that it answers allocates
//! nothing. A request that the backend answers takes slots of a pool.

mod backend;
#[path = "../common/mod.rs"]
mod common;
mod layers;
mod service;
#[cfg(test)]
mod tests;
mod twin;

use std::{io, process};

use backend::{CACHEABLE, CONCURRENT, Page, fetch};
use clap::Parser;
use common::{Contender, Cost, contest, percent, print_table};
use tokio::runtime::{Builder, Runtime};
use tower::{BoxError, Service, ServiceExt, service_fn};
use value_future::ValueFuture;

#[derive(Parser)]
#[command(about = "Five layers around a service: value futures against boxed futures")]
struct Options {
    /// The layers, beginning with the outermost.
    #[arg(long, value_delimiter = ',', default_value = "log,limit,cache,retry,timeout")]
    layers: Vec<layers::Layer>,
    /// Percentage of the requests that the backend fails or never answers, in the last rows; 0 without the layer `timeout`.
    #[arg(long, default_value = "1", value_name = "PERCENT", value_parser = percent)]
    faults: f64,
}

/// Requests pages from concurrent callers. Each caller has a clone of the service. Returns the number of requests.
fn round<S>(runtime: &Runtime, service: &S, first: usize, faults: f64) -> u64
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
        let ours = layers::Web::new(move |page| ValueFuture::pooled(fetch(page, faults)));
        let boxed = twin::Web::new(service_fn(move |page| fetch(page, faults)));
        (layers.iter().rfold(ours, layers::around), layers.iter().rfold(boxed, twin::around))
    };
    let [plain, faulty] = [0.0, faults].map(stacks);
    let runtime = &Builder::new_current_thread().enable_all().build()?;
    let contenders = vec![
        Contender::new("cache: ValueService", || round(runtime, &plain.0, 0, 0.0)),
        Contender::new("cache: BoxCloneService", || round(runtime, &plain.1, 0, 0.0)),
        Contender::new("backend: ValueService", || round(runtime, &plain.0, CACHEABLE, 0.0)),
        Contender::new("backend: BoxCloneService", || round(runtime, &plain.1, CACHEABLE, 0.0)),
        Contender::new("faults: ValueService", || round(runtime, &faulty.0, CACHEABLE, faults)),
        Contender::new("faults: BoxCloneService", || round(runtime, &faulty.1, CACHEABLE, faults)),
    ];
    let costs = contest("requests", 50, contenders);
    let pairs = costs.chunks(2).flat_map(|pair| pair.iter().map(|cost| cost.cells(&pair[0])));
    print_table(&Cost::HEADER, pairs);
    Ok(())
}
