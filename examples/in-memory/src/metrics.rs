//! `--metrics`: the figures for Prometheus, on a socket of their own, so that the public one does not show them.

use std::{error::Error, net::SocketAddr, time::Duration};

use axum::{Router, http::header, routing::get};
use churnkey_integrator::metrics;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

/// In seconds: from an answer out of memory to the deadline of a request.
const BUCKETS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
/// How often the recorder tidies what it has observed, whether it is asked for it or not.
const UPKEEP: Duration = Duration::from_secs(5);

/// Counts from now on, and serves the figures at `/metrics` of this address. Port 0 takes a free one. The log has it.
///
/// # Errors
/// If the program can't listen on the address.
pub async fn serve(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!("can't serve the metrics on {address}: {error}; choose another --metrics")
    })?;
    let figures = install()?;
    tracing::info!("metrics are at http://{}/metrics", listener.local_addr()?);
    let upkeep = figures.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    let text = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    let router = Router::new().route("/metrics", get(async move || (text, figures.render())));
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(())
}

fn install() -> Result<PrometheusHandle, Box<dyn Error>> {
    let duration = Matcher::Full(metrics::REQUEST_DURATION.to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(duration, &BUCKETS)?;
    let figures = builder.install_recorder()?;
    metrics::describe();
    Ok(figures)
}
