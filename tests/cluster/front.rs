//! The way in of an installation with several nodes: one address before all of them, taking them in turn.
//!
//! It knows nothing of their health but a refused connection: what goes to a frozen node hangs, as it does in the
//! seconds before a real balancer notices.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub struct Front {
    pub address: SocketAddr,
    keeper: JoinHandle<()>,
}

impl Front {
    pub async fn before(nodes: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (nodes, turn) = (Arc::new(nodes), Arc::new(AtomicUsize::new(0)));
        let keeper = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(pass(near, nodes.clone(), turn.clone()));
            }
        });
        Front { address, keeper }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn pass(mut near: TcpStream, nodes: Arc<Vec<SocketAddr>>, turn: Arc<AtomicUsize>) {
    let first = turn.fetch_add(1, Ordering::Relaxed);
    for n in 0..nodes.len() {
        if let Ok(mut far) = TcpStream::connect(nodes[(first + n) % nodes.len()]).await {
            let _ = copy_bidirectional(&mut near, &mut far).await;
            return;
        }
    }
}
