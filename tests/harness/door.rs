//! A door between the service and the provider, which a test shuts and opens.

use std::net::SocketAddr;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Shut, nothing listens at its address and every connection through it is cut.
pub struct Door {
    pub address: SocketAddr,
    open: watch::Sender<bool>,
    shut: watch::Receiver<bool>,
    keeper: JoinHandle<()>,
}

impl Door {
    pub async fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (open, opened) = watch::channel(true);
        let (tell_shut, shut) = watch::channel(false);
        let keeper = tokio::spawn(keep(address, target, listener, opened, tell_shut));
        Door { address, open, shut, keeper }
    }

    /// Returns when nothing listens any more.
    pub async fn shut(&mut self) {
        self.open.send_replace(false);
        self.shut.wait_for(|shut| *shut).await.expect("the keeper lives");
    }

    pub async fn open(&mut self) {
        self.open.send_replace(true);
        self.shut.wait_for(|shut| !*shut).await.expect("the keeper lives");
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn keep(
    address: SocketAddr,
    target: SocketAddr,
    first: TcpListener,
    mut open: watch::Receiver<bool>,
    shut: watch::Sender<bool>,
) {
    let mut held = Some(first);
    loop {
        let listener = match held.take() {
            Some(listener) => listener,
            None => TcpListener::bind(address).await.expect("its own address"),
        };
        shut.send_replace(false);
        let passing = open.clone();
        loop {
            tokio::select! {
                _ = open.wait_for(|open| !*open) => break,
                came = listener.accept() => {
                    if let Ok((near, _)) = came {
                        tokio::spawn(pass(near, target, passing.clone()));
                    }
                }
            }
        }
        drop(listener);
        shut.send_replace(true);
        if open.wait_for(|open| *open).await.is_err() {
            return;
        }
    }
}

async fn pass(mut near: TcpStream, target: SocketAddr, mut open: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = open.wait_for(|open| !*open) => {}
    }
}
