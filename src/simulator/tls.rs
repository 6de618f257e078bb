//! The TLS door: a certificate authority of the simulator's own, and a listener that shakes hands aside.
//!
//! The vendor's clients speak https and nothing else, so the same routes stand behind both doors. The
//! authority lives as long as the process; only its certificate is written, never a key.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa};
use rcgen::{KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What clients are told to trust; see `NODE_EXTRA_CA_CERTS`, `REQUESTS_CA_BUNDLE`, `SSL_CERT_FILE`.
const FILE: &str = "ca.pem";
/// Names of this machine to itself, and no other: nobody else is to be reached here.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Whoever says nothing for this long is gone.
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// Handshakes under way at once; what comes beyond waits in the system's queue.
const HANDSHAKES_MAX: usize = 256;
/// Connections that stand and have not been taken yet.
const READY_MAX: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the simulator's certificate cannot be made")]
    Certificate(#[from] rcgen::Error),
    #[error("the simulator's certificate is refused by its own TLS")]
    Config(#[from] rustls::Error),
    #[error("the simulator's certificate authority cannot be written to {path}")]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

/// An authority made for this process, and what its server shows.
pub struct Authority {
    ca_pem: String,
    config: Arc<ServerConfig>,
}

impl Authority {
    pub fn new() -> Result<Self, TlsError> {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "halo simulator, own authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

        let mut server = CertificateParams::new(NAMES.map(str::to_owned))?;
        server.distinguished_name.push(DnType::CommonName, "halo simulator");
        // Strict verification (Python's default since 3.13) refuses a certificate that does not name its issuer's key.
        server.use_authority_key_identifier_extension = true;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = server.signed_by(&key, &authority)?;

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { ca_pem: authority.pem(), config: Arc::new(config) })
    }

    /// Writes the authority's certificate. Clients read it when they start, and never see half a file.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, TlsError> {
        let path = folder.join(FILE);
        let fault = |cause| TlsError::Write { path: path.clone(), cause };
        let part = folder.join(format!("{FILE}.{}", std::process::id()));
        std::fs::create_dir_all(folder).map_err(fault)?;
        std::fs::write(&part, &self.ca_pem).map_err(fault)?;
        std::fs::rename(&part, &path).map_err(fault)?;
        Ok(path.clone())
    }

    /// Takes over a socket. Handshakes happen beside it: a slow or foolish client keeps nobody else waiting.
    pub fn listen(&self, socket: TcpListener, address: SocketAddr) -> TlsListener {
        let (ready, connections) = mpsc::channel(READY_MAX);
        tokio::spawn(take_in(socket, TlsAcceptor::from(Arc::clone(&self.config)), ready));
        TlsListener { connections, address }
    }
}

type Connection = (TlsStream<TcpStream>, SocketAddr);

pub struct TlsListener {
    connections: mpsc::Receiver<Connection>,
    address: SocketAddr,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Connection {
        match self.connections.recv().await {
            Some(connection) => connection,
            // The task that takes connections in is gone only when the runtime goes.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn take_in(mut socket: TcpListener, acceptor: TlsAcceptor, ready: mpsc::Sender<Connection>) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        // axum's own way to accept: it waits when the system is out of descriptors, and goes on.
        let (stream, address) = tokio::select! {
            accepted = Listener::accept(&mut socket) => accepted,
            () = ready.closed() => return,
        };
        // Where that cannot be set, what is small comes a little later.
        let _slower = stream.set_nodelay(true);
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        tokio::spawn(async move {
            let shaken = tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await;
            drop(place);
            match shaken {
                Ok(Ok(stream)) => {
                    // Nobody takes connections any more when the simulator stops.
                    let _stopping = ready.send((stream, address)).await;
                }
                Ok(Err(cause)) => tracing::debug!(%cause, "A TLS handshake failed: {cause}"),
                Err(_elapsed) => tracing::debug!("A TLS handshake took too long"),
            }
        });
    }
}
