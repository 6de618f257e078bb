//! Where this process listens, and what answers there.

use crate::config::Config;
use crate::domain::network::Network;
use crate::http::{Web, provider_router, proxies, router};
use crate::page;
use anyhow::{Context, Result};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::serve::ListenerExt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub(super) struct Doors {
    listener: TcpListener,
    pub address: SocketAddr,
    /// The provider's own, where it has one.
    provider: Option<TcpListener>,
    pub provider_address: SocketAddr,
}

/// Nobody has chosen a key yet: whoever wants to be reached from elsewhere chooses one first.
fn without_a_key(wanted: SocketAddr) -> SocketAddr {
    let own: IpAddr = if wanted.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    SocketAddr::new(own, wanted.port())
}

async fn bound(name: &str, address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("{name}: cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

impl Doors {
    pub async fn open(config: &Config) -> Result<Self> {
        let mut wanted = config.listen;
        if config.api_auth_key.is_none() && !wanted.ip().is_loopback() {
            wanted = without_a_key(wanted);
            warn!(
                "Listening on {wanted} instead of {}: API_AUTH_KEY is not set; choose a key to be reached from elsewhere",
                config.listen
            );
        }
        let (listener, address) = bound("HALO_LISTEN", wanted).await?;
        let Some(own) = config.doors.provider_listen else {
            return Ok(Doors { listener, address, provider: None, provider_address: address });
        };
        // Sessions have tokens of their own: this door may stand open whoever has the key.
        let (provider, provider_address) = bound("HALO_PROVIDER_LISTEN", own).await?;
        Ok(Doors { listener, address, provider: Some(provider), provider_address })
    }

    pub async fn serve(self, web: Arc<Web>, proxies: Arc<[Network]>, stop: CancellationToken) {
        let (key, clock, stopping) = (web.installation_key.clone(), web.clock.clone(), web.stopping.clone());
        let sessions = self.provider.map(|listener| {
            let answers = provider_router(web.clone());
            tokio::spawn(answer(listener, answers, proxies.clone(), stop.clone()))
        });
        answer(self.listener, page::router(router(web), &key, clock, stopping), proxies, stop).await;
        if let Some(sessions) = sessions {
            let _ = sessions.await;
        }
    }
}

async fn answer(listener: TcpListener, answers: Router, proxies: Arc<[Network]>, stop: CancellationToken) {
    // Pieces of audio are small: none waits for the one before. Where that cannot be set, they come a little later.
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    let answers = answers.layer(from_fn_with_state(proxies, proxies::see_through));
    let answers = answers.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(cause) = axum::serve(listener, answers).with_graceful_shutdown(stop.cancelled_owned()).await {
        tracing::error!("The server ended: {cause}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_key_it_is_this_machine_alone() {
        for (wanted, own) in
            [("0.0.0.0:8000", "127.0.0.1:8000"), ("[::]:8000", "[::1]:8000"), ("192.0.2.1:1", "127.0.0.1:1")]
        {
            assert_eq!(without_a_key(wanted.parse().unwrap()).to_string(), own);
        }
    }
}
