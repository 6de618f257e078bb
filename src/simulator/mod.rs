//! A small, truthful, slightly unkind Voximplant.
//!
//! It offers the Management API over HTTP, runs the very scenario files of `voximplant/` in an
//! embedded JavaScript engine on a virtual clock, answers the phones they dial by a table of last
//! digits, and keeps ledgers open to any check from outside. It never looks at another room of this
//! program (sharing our types would mean sharing our mistakes), never listens beyond loopback, and
//! writes nothing to disk but the certificate of its own authority, where it is told to.

mod api;
mod audio;
mod callee;
mod clock;
mod completions;
mod draw;
mod latency;
mod ledger;
mod lists;
mod mischief;
mod openai;
mod options;
mod platform;
mod session;
mod storage;
mod tls;
mod wire;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_modes;
#[cfg(test)]
mod tls_tests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use api::{ServiceAccount, ServiceAccountError};
pub use latency::{Delay, LatencyModel, LatencyModels};
pub use mischief::{Kind as MischiefKind, Mischief, MischiefError};
pub use options::{LongCustomData, NoMoney, RequestCost};

use crate::simulator::platform::{Origins, Platform};
use crate::simulator::tls::{Authority, TlsError, TlsListener};
use crate::simulator::wire::Wire;

/// Threads of its own: what scenarios burn must not delay whoever dials.
const THREADS: usize = 2;

/// The door with TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Loopback only.
    pub listen: SocketAddr,
    /// Gets `ca.pem`, the certificate that clients must trust, before the door opens.
    pub folder: PathBuf,
}

/// How a simulator behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Loopback only.
    pub listen: SocketAddr,
    /// A second door, for clients that refuse plain HTTP.
    pub tls: Option<Tls>,
    pub seed: u64,
    /// Virtual seconds per real one, between events.
    pub speed: f64,
    pub mischief: Mischief,
    pub latency: LatencyModels,
    /// Account id and API key. Without them the first key that is presented becomes the account's.
    pub account: Option<(String, String)>,
    /// Whose tokens are taken, and whose account this is. Without it no token is.
    pub service_account: Option<ServiceAccount>,
    /// Refuse to start a rule by its name, which only one of the vendor's clients can ask for.
    pub strict_rule_id: bool,
    pub long_custom_data: LongCustomData,
    /// In the account's currency.
    pub balance: f64,
    pub no_money: NoMoney,
    pub request_cost: RequestCost,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            tls: None,
            seed: 1,
            speed: 1.0,
            mischief: Mischief::default(),
            latency: LatencyModels::default(),
            account: None,
            service_account: None,
            strict_rule_id: false,
            long_custom_data: LongCustomData::default(),
            balance: 100.0,
            no_money: NoMoney::default(),
            request_cost: RequestCost::default(),
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
    #[error("the simulator's door with TLS cannot open")]
    Tls(#[from] TlsError),
    #[error("the simulator's threads cannot start")]
    Threads(#[source] std::io::Error),
    #[error("the simulator's HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

/// The door with TLS, once it is open.
struct Secure {
    address: SocketAddr,
    ca_file: PathBuf,
}

/// A simulator at work. Dropping it ends its sessions at once.
pub struct Running {
    address: SocketAddr,
    secure: Option<Secure>,
    closing: Option<oneshot::Sender<()>>,
    closed: Option<oneshot::Receiver<()>>,
    /// What everything runs on, and what carries requests that are measured: they end with this.
    _runtimes: Vec<Keep>,
}

/// Starts a simulator on threads of its own.
pub async fn start(settings: Settings) -> Result<Running, SimulatorError> {
    if !(settings.speed.is_finite() && settings.speed > 0.0) {
        return Err(SimulatorError::Speed(settings.speed));
    }
    // Another part of the program may have chosen one already; either will do.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let mut runtimes = vec![Keep::threads(THREADS, "simulator")?];
    let io = match settings.request_cost {
        RequestCost::Reported => None,
        RequestCost::Measured => {
            let own = Keep::threads(1, "simulator-io")?;
            let handle = own.get().handle().clone();
            runtimes.push(own);
            Some(handle)
        }
    };
    let sessions_on = runtimes[0].get().handle().clone();
    // Apart from the scenarios: when a request came in is told by whoever takes it in.
    let door = Keep::threads(1, "simulator-door")?;
    let handle = door.get().handle().clone();
    runtimes.push(door);
    let _inside = handle.enter();

    let (plain, address) = bind(settings.listen)?;
    let secure = settings.tls.as_ref().map(open_secure).transpose()?;
    let (doors, secure) = match secure {
        Some((listener, secure)) => (Some(listener), Some(secure)),
        None => (None, None),
    };
    let client =
        reqwest::Client::builder().user_agent("VoxEngine/1.0").no_proxy().build().map_err(SimulatorError::Client)?;
    let wire = Wire::new(client, settings.request_cost, io);
    let origins = Origins {
        plain: format!("http://{address}"),
        secure: secure.as_ref().map(|door| format!("https://{}", door.address)),
    };
    let platform = Arc::new(Platform::new(settings, wire, origins, sessions_on));
    handle.spawn(Arc::clone(&platform).work_lists());
    let router = api::router(platform);
    let (closing, close) = oneshot::channel();
    let (tell_closed, closed) = oneshot::channel();
    handle.spawn(serve(plain, doors, router, close, tell_closed));
    tracing::info!(%address, "The simulator listens on {address}");
    if let Some(Secure { address, ca_file }) = &secure {
        let ca_file = ca_file.display();
        tracing::info!(%address, %ca_file, "The simulator listens with TLS on {address}; clients trust {ca_file}");
    }
    Ok(Running { address, secure, closing: Some(closing), closed: Some(closed), _runtimes: runtimes })
}

fn bind(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), SimulatorError> {
    if !listen.ip().is_loopback() {
        return Err(SimulatorError::NotLoopback(listen));
    }
    let open = || {
        let socket = std::net::TcpListener::bind(listen)?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        Ok((TcpListener::from_std(socket)?, address))
    };
    open().map_err(|cause| SimulatorError::Listen { address: listen, cause })
}

/// The certificate is there before the door is: clients read it when they start.
fn open_secure(tls: &Tls) -> Result<(TlsListener, Secure), SimulatorError> {
    let authority = Authority::new()?;
    let ca_file = authority.write(&tls.folder)?;
    let (socket, address) = bind(tls.listen)?;
    Ok((authority.listen(socket, address), Secure { address, ca_file }))
}

/// Both doors lead to the same routes. Without TLS its door stays shut for ever.
async fn serve(
    plain: TcpListener,
    secure: Option<TlsListener>,
    router: Router,
    close: oneshot::Receiver<()>,
    tell_closed: oneshot::Sender<()>,
) {
    let by_tls = async {
        match secure {
            Some(door) => axum::serve(door, router.clone()).into_future().await,
            None => std::future::pending().await,
        }
    };
    // A model's audio comes in small pieces: one that waits for the one before to be acknowledged comes 20 ms late, and
    // so does every piece behind it. Where that cannot be set, it is so.
    let plain = plain.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    tokio::select! {
        served = axum::serve(plain, router.clone()).into_future() => complain(served),
        served = by_tls => complain(served),
        _ = close => {}
    }
    let _nobody_waits = tell_closed.send(());
}

fn complain(served: std::io::Result<()>) {
    if let Err(error) = served {
        tracing::warn!(%error, "The simulator stopped listening: {error}");
    }
}

impl Running {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The Management API's address.
    pub fn url(&self) -> String {
        format!("http://{}/platform_api", self.address)
    }

    /// Where a stand-in answers as OpenAI's interface does.
    pub fn completions_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The Management API's address by TLS, and the certificate to trust, where that door is open.
    pub fn secure(&self) -> Option<(String, &Path)> {
        let Secure { address, ca_file } = self.secure.as_ref()?;
        Some((format!("https://{address}/platform_api"), ca_file))
    }

    /// Stops listening and ends every session.
    pub async fn stop(mut self) {
        drop(self.closing.take());
        if let Some(closed) = self.closed.take() {
            let _was_gone = closed.await;
        }
    }
}

/// Holds a runtime that must not be dropped inside another one.
struct Keep(Option<tokio::runtime::Runtime>);

impl Keep {
    fn threads(count: usize, name: &str) -> Result<Self, SimulatorError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(count)
            .thread_name(name)
            .enable_all()
            .build()
            .map_err(SimulatorError::Threads)?;
        Ok(Self(Some(runtime)))
    }

    fn get(&self) -> &tokio::runtime::Runtime {
        self.0.as_ref().expect("it is taken out only when the keeper is dropped")
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
