//! A way out through somebody's HTTP proxy: it is asked to connect, and from then on passes bytes on as they come.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::http::Uri;

const PORT: u16 = 3128;
/// A proxy answers with a few lines.
const ANSWER_BYTES_MAX: usize = 8 * 1024;

/// This machine is reached without anybody's help.
pub fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A connection to `host:port` by way of `http://[user:password@]proxy[:port]`. Errors name no password.
pub async fn tunnel(proxy: &str, host: &str, port: u16) -> Result<TcpStream, String> {
    let proxy: Uri = proxy.parse().map_err(|_| "the proxy's address cannot be read".to_owned())?;
    if proxy.scheme_str() != Some("http") {
        return Err("a stream goes through a proxy of http:// only".to_owned());
    }
    let by = proxy.host().ok_or_else(|| "the proxy's address has no host".to_owned())?;
    let door = (by.trim_start_matches('[').trim_end_matches(']'), proxy.port_u16().unwrap_or(PORT));
    let mut tcp = TcpStream::connect(door).await.map_err(|error| format!("the proxy: {error}"))?;
    tcp.set_nodelay(true).map_err(|error| format!("the proxy: {error}"))?;
    let mut ask = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    let named = proxy.authority().and_then(|authority| authority.as_str().rsplit_once('@'));
    if let Some((who, _)) = named {
        let who = STANDARD.encode(unescaped(who));
        ask.push_str(&format!("Proxy-Authorization: Basic {who}\r\n"));
    }
    ask.push_str("\r\n");
    tcp.write_all(ask.as_bytes()).await.map_err(|error| format!("the proxy: {error}"))?;
    let mut answer = Vec::new();
    // Byte by byte: whatever stands behind the answer belongs to the connection.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= ANSWER_BYTES_MAX {
            return Err("the proxy's answer does not end".to_owned());
        }
        answer.push(tcp.read_u8().await.map_err(|error| format!("the proxy: {error}"))?);
    }
    let answer = String::from_utf8_lossy(&answer);
    match answer.split_ascii_whitespace().nth(1) {
        Some("200") => Ok(tcp),
        Some(status) => Err(format!("the proxy answers {}", status.chars().take(3).collect::<String>())),
        None => Err("the proxy's answer cannot be read".to_owned()),
    }
}

/// `%40` is an `@`.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits = behind.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (first, digits.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// A proxy that answers this, and then echoes; with what it was asked.
    async fn proxy(answer: &'static str) -> (u16, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let asked = tokio::spawn(async move {
            let (mut tcp, _) = listener.accept().await.expect("a client");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(tcp.read_u8().await.expect("a byte"));
            }
            tcp.write_all(answer.as_bytes()).await.expect("answered");
            let mut word = [0; 4];
            if tcp.read_exact(&mut word).await.is_ok() {
                tcp.write_all(&word).await.expect("echoed");
            }
            String::from_utf8(head).expect("text")
        });
        (port, asked)
    }

    #[tokio::test]
    async fn bytes_go_through_once_the_proxy_has_connected() {
        let (port, asked) = proxy("HTTP/1.1 200 Connection established\r\nVia: somebody\r\n\r\n").await;
        let url = format!("http://me:p%40ss@127.0.0.1:{port}");
        let mut tcp = tunnel(&url, "models.example", 443).await.expect("a way");
        tcp.write_all(b"ping").await.expect("sent");
        let mut word = [0; 4];
        tcp.read_exact(&mut word).await.expect("heard");
        assert_eq!(&word, b"ping");
        drop(tcp);
        let asked = asked.await.expect("a proxy");
        let who = STANDARD.encode("me:p@ss");
        let expected = format!(
            "CONNECT models.example:443 HTTP/1.1\r\nHost: models.example:443\r\nProxy-Authorization: Basic {who}\r\n\r\n"
        );
        assert_eq!(asked, expected);
    }

    #[tokio::test]
    async fn a_proxy_that_refuses_is_told_by_its_status() {
        let (port, _asked) = proxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
        let error = tunnel(&format!("http://127.0.0.1:{port}"), "models.example", 443).await.err();
        assert_eq!(error.as_deref(), Some("the proxy answers 407"));
        let error = tunnel("https://me:hidden@127.0.0.1:1", "models.example", 443).await.expect_err("an error");
        assert!(!error.contains("hidden") && error.contains("http://"), "{error}");
    }

    #[test]
    fn this_machine_needs_no_proxy() {
        for (host, here) in
            [("localhost", true), ("127.0.0.1", true), ("[::1]", true), ("127.0.0.1.example.com", false)]
        {
            assert_eq!(is_here(host), here, "{host}");
        }
        assert_eq!(unescaped("a%2Bb%zz%"), b"a+b%zz%");
    }
}
