//! A small, truthful, slightly unkind Voximplant.
//!
//! It offers the Management API over HTTP, runs the very scenario files of `voximplant/` in an
//! embedded JavaScript engine on a virtual clock, answers the phones they dial by a table of last
//! digits, and keeps ledgers open to any check from outside. It never looks at another room of this
//! program (sharing our types would mean sharing our mistakes), never listens beyond loopback, and
//! never writes to disk.

mod api;
mod callee;
mod clock;
mod draw;
mod latency;
mod ledger;
mod mischief;
mod platform;
mod session;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_modes;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::sync::oneshot;

pub use latency::{Delay, LatencyModel, LatencyModels};
pub use mischief::{Kind as MischiefKind, Mischief, MischiefError};

use crate::simulator::platform::Platform;

/// Threads of its own: what scenarios burn must not delay whoever dials.
const THREADS: usize = 2;

/// How a simulator behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Loopback only.
    pub listen: SocketAddr,
    pub seed: u64,
    /// Virtual seconds per real one, between events.
    pub speed: f64,
    pub mischief: Mischief,
    pub latency: LatencyModels,
    /// Account id and API key. Without them the first key that is presented becomes the account's.
    pub account: Option<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            seed: 1,
            speed: 1.0,
            mischief: Mischief::default(),
            latency: LatencyModels::default(),
            account: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    #[error("the simulator listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    #[error("the simulator's speed is a number above 0, not {0}")]
    Speed(f64),
    #[error("the simulator cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        cause: std::io::Error,
    },
    #[error("the simulator's threads cannot start")]
    Threads(#[source] std::io::Error),
    #[error("the simulator's HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

/// A simulator at work. Dropping it ends its sessions at once.
pub struct Running {
    address: SocketAddr,
    closing: Option<oneshot::Sender<()>>,
    closed: Option<oneshot::Receiver<()>>,
    runtime: Option<tokio::runtime::Runtime>,
}

/// Starts a simulator on threads of its own.
pub async fn start(settings: Settings) -> Result<Running, SimulatorError> {
    if !settings.listen.ip().is_loopback() {
        return Err(SimulatorError::NotLoopback(settings.listen));
    }
    if !(settings.speed.is_finite() && settings.speed > 0.0) {
        return Err(SimulatorError::Speed(settings.speed));
    }
    let listen = |cause| SimulatorError::Listen { address: settings.listen, cause };
    let socket = std::net::TcpListener::bind(settings.listen).map_err(listen)?;
    socket.set_nonblocking(true).map_err(listen)?;
    let address = socket.local_addr().map_err(listen)?;
    // Another part of the program may have chosen one already; either will do.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("simulator")
        .enable_all()
        .build()
        .map_err(SimulatorError::Threads)?;
    let guard = Keep(Some(runtime));
    let client = {
        let _inside = guard.get().enter();
        reqwest::Client::builder().user_agent("VoxEngine/1.0").no_proxy().build().map_err(SimulatorError::Client)?
    };
    let platform = Arc::new(Platform::new(
        settings.seed,
        settings.speed,
        settings.mischief,
        settings.latency,
        settings.account,
        client,
        format!("http://{address}"),
    ));
    let router = api::router(platform);
    let (closing, close) = oneshot::channel::<()>();
    let (tell_closed, closed) = oneshot::channel();
    guard.get().spawn(async move {
        let Ok(socket) = tokio::net::TcpListener::from_std(socket) else {
            return;
        };
        tokio::select! {
            served = axum::serve(socket, router).into_future() => {
                if let Err(error) = served {
                    tracing::warn!(%error, "The simulator stopped listening: {error}");
                }
            }
            _ = close => {}
        }
        let _nobody_waits = tell_closed.send(());
    });
    let runtime = guard.into_inner();
    tracing::info!(%address, "The simulator listens on {address}");
    Ok(Running { address, closing: Some(closing), closed: Some(closed), runtime })
}

impl Running {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The Management API's address.
    pub fn url(&self) -> String {
        format!("http://{}/platform_api", self.address)
    }

    /// Stops listening and ends every session.
    pub async fn stop(mut self) {
        drop(self.closing.take());
        if let Some(closed) = self.closed.take() {
            let _was_gone = closed.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Holds a runtime that must not be dropped inside another one.
struct Keep(Option<tokio::runtime::Runtime>);

impl Keep {
    fn get(&self) -> &tokio::runtime::Runtime {
        self.0.as_ref().expect("it is taken out only by into_inner, which consumes the keeper")
    }

    fn into_inner(mut self) -> Option<tokio::runtime::Runtime> {
        self.0.take()
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
