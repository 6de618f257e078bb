//! Proxies in front of this server: believed only where the settings name them.

use crate::domain::network::Network;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Steps of a forwarded way that are read.
const STEPS_MAX: usize = 32;

/// Who really asks: the last step of the forwarded way that no proxy of ours is. A way that others wrote is not read.
fn client(peer: IpAddr, forwarded: &[&str], trusted: &[Network]) -> IpAddr {
    let known = |address: IpAddr| trusted.iter().any(|network| network.holds(address));
    if !known(peer) {
        return peer;
    }
    let steps = forwarded.iter().flat_map(|line| line.split(',')).map(str::trim);
    let mut steps: Vec<&str> = steps.filter(|step| !step.is_empty()).collect();
    let mut at = peer;
    for _ in 0..STEPS_MAX {
        let Some(step) = steps.pop() else { break };
        let bare = step.trim_start_matches('[').trim_end_matches(']');
        let Some(address) = bare.parse().ok().or_else(|| step.parse::<SocketAddr>().ok().map(|it| it.ip())) else {
            break;
        };
        at = address;
        if !known(at) {
            break;
        }
    }
    at
}

/// Puts the address of whoever really asks in the place of the connection's.
pub async fn see_through(State(trusted): State<Arc<[Network]>>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
        let headers = request.headers().get_all("x-forwarded-for");
        let forwarded: Vec<&str> = headers.iter().filter_map(|line| line.to_str().ok()).collect();
        let asks = client(peer.ip(), &forwarded, &trusted);
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(asks, peer.port())));
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client(peer.parse().unwrap(), forwarded, &trusted).to_string()
    }

    /// The guard: the first look at `known` in `client`. Without it everybody is who he says he is.
    #[test]
    fn only_proxies_that_are_named_are_believed() {
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(seen("10.1.2.3", &["198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        // What the client wrote before the proxy's own step says nothing.
        assert_eq!(seen("10.1.2.3", &["203.0.113.9, 198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(seen("10.1.2.3", &["203.0.113.9", "198.51.100.7, 10.9.9.9"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(seen("10.1.2.3", &["nonsense"], &["10.0.0.0/8"]), "10.1.2.3");
        assert_eq!(seen("10.1.2.3", &["198.51.100.7:4711"], &["10.1.2.3"]), "198.51.100.7");
        assert_eq!(seen("::1", &["[2001:db8::7]"], &["::1"]), "2001:db8::7");
    }
}
