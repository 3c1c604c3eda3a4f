//! Sockets that the server listens on.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::io::Errno;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpListener;

/// Connections that the kernel queues until they are accepted. Equals tokio's own backlog.
const BACKLOG: i32 = 1024;
/// Send buffer of each connection. Linux doubles it, and reports a socket as writable once a third of it
/// is free. A client that reads slowly but steadily is therefore seen to read well within
/// `--write-timeout-ms`. The buffer that Linux chooses by itself grows to 4 MiB.
const SEND_BUFFER_BYTES: usize = 256 * 1024;

/// Listens on `host` and `port`. Returns the listener and its address. `::` accepts IPv4 as well, even
/// where the system's default is IPv6 only. On a system without IPv6, `::` falls back to 0.0.0.0.
///
/// # Errors
/// Returns a message that names `flag`, by which another port is chosen.
pub(super) async fn bind(
    host: IpAddr,
    port: u16,
    flag: &str,
) -> Result<(TcpListener, SocketAddr), String> {
    let requested = SocketAddr::from((host, port));
    let bound = if host == Ipv6Addr::UNSPECIFIED {
        match bind_dual_stack(requested) {
            Err(error) if is_without_ipv6(&error) => {
                tracing::info!("this system has no IPv6: listening on 0.0.0.0 instead of {host}");
                TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
            }
            bound => bound,
        }
    } else {
        TcpListener::bind(requested).await
    };
    let listener = bound.map_err(|error| {
        let remedy = remedy(&error, flag);
        format!("cannot listen on {requested}: {error}; {remedy}")
    })?;
    // Accepted connections inherit the size.
    if let Err(error) = SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER_BYTES) {
        tracing::debug!(%error, "cannot set the size of send buffers");
    }
    let address = listener
        .local_addr()
        .map_err(|error| format!("cannot read the address of the listener: {error}"))?;
    Ok((listener, address))
}

/// Returns what to do about a failure to listen on the port of the setting `flag`.
fn remedy(error: &io::Error, flag: &str) -> String {
    match error.kind() {
        ErrorKind::AddrNotAvailable => {
            "no network interface of this machine has the address: choose another with --host, such as 127.0.0.1, or 0.0.0.0 for all".to_owned()
        }
        ErrorKind::PermissionDenied => {
            format!("this user may not listen on the port: choose one above 1023 with {flag}")
        }
        _ => format!("choose another port with {flag}, or any free port with {flag} 0"),
    }
}

fn bind_dual_stack(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV6, Type::STREAM, None)?;
    socket.set_only_v6(false)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// `true` for errors of a system that has no IPv6, or no IPv6 address.
fn is_without_ipv6(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error())
}

/// Returns a URL by which this machine reaches a server that listens on `address`.
pub(super) fn local_url(scheme: &str, address: SocketAddr) -> String {
    let port = address.port();
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => format!("{scheme}://127.0.0.1:{port}"),
        IpAddr::V6(ip) if ip.is_unspecified() => format!("{scheme}://localhost:{port}"),
        _ => format!("{scheme}://{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bind_limits_the_send_buffer_of_connections() {
        for host in [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        ] {
            let (listener, address) = bind(host, 0, "--port").await.expect("a port");
            let connect = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, address.port()));
            let (_client, accepted) = tokio::join!(connect, listener.accept());
            let (stream, _) = accepted.expect("a connection");
            let bytes = SockRef::from(&stream).send_buffer_size().expect("a size");
            assert!(bytes <= 2 * SEND_BUFFER_BYTES, "{host}: {bytes}");
        }
    }

    #[tokio::test]
    async fn bind_to_an_address_of_another_machine_names_the_address() {
        // TEST-NET-1 (RFC 5737) is assigned to no machine.
        let host = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let error = bind(host, 0, "--port").await.expect_err("no such address");
        let line = "cannot listen on 192.0.2.1:0: Cannot assign requested address (os error 99); no network interface of this machine has the address: choose another with --host, such as 127.0.0.1, or 0.0.0.0 for all";
        assert_eq!(error, line);
    }

    #[test]
    fn remedy_for_a_port_names_its_setting() {
        let remedy = |kind: ErrorKind| remedy(&kind.into(), "--tls-port");
        assert_eq!(
            remedy(ErrorKind::PermissionDenied),
            "this user may not listen on the port: choose one above 1023 with --tls-port"
        );
        assert_eq!(
            remedy(ErrorKind::AddrInUse),
            "choose another port with --tls-port, or any free port with --tls-port 0"
        );
    }

    #[test]
    fn local_url_of_wildcard_address_names_a_loopback_host() {
        for (address, url) in [
            ("0.0.0.0:1", "http://127.0.0.1:1"),
            ("[::]:1", "http://localhost:1"),
            ("[::1]:1", "http://[::1]:1"),
            ("10.0.0.7:1", "http://10.0.0.7:1"),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(local_url("http", address), url);
        }
    }

    #[test]
    fn is_without_ipv6_recognises_missing_family_and_address() {
        let error = |errno: Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        assert!(is_without_ipv6(&error(Errno::AFNOSUPPORT)));
        assert!(is_without_ipv6(&error(Errno::ADDRNOTAVAIL)));
        assert!(!is_without_ipv6(&error(Errno::ADDRINUSE)));
        assert!(!is_without_ipv6(&error(Errno::ACCESS)));
    }
}
