//! Health check of the container image: `stuntdouble health --watch`.
//!
//! To start a probe costs the container engine about 50 ms of CPU, so that one probe per second
//! takes 5 % of a core. A longer interval would make every container healthy late, because an
//! engine waits for one interval before its first probe. Therefore the interval is short and the
//! probes are long: in a running container, a probe stays for a while and checks the server again.
//! A blocking GET is enough for this, without an async runtime or an HTTP client.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::HEALTH_TIMEOUT;

/// Size limit of a health response. A usual one has about 200 bytes.
const RESPONSE_BYTES_MAX: u64 = 16 * 1024;
/// Clock ticks per second in `/proc/PID/stat`: `USER_HZ`, which is 100 on every platform that the
/// image is built for.
const TICKS_PER_SECOND: u64 = 100;

/// Schedule of one probe. The `HEALTHCHECK` line of `docker/Dockerfile` gives a probe 30 s, which
/// is longer than any probe can take by this schedule.
#[derive(Debug, Clone, Copy)]
struct Schedule {
    /// Time for which a server that does not respond is tried again.
    patience: Duration,
    retry_pause: Duration,
    /// Container age from which a probe stays. The age is above an engine's interval before the
    /// first probe, so that the first probe ends at once and the container is healthy at once.
    running_age: Duration,
    /// Number of checks that a probe makes while it stays.
    rechecks: u32,
    recheck_pause: Duration,
    /// Probe age from which no further check is made, so that slow checks do not add up to more
    /// than the engine's limit.
    stay_max: Duration,
}

const SCHEDULE: Schedule = Schedule {
    patience: Duration::from_secs(10),
    retry_pause: Duration::from_millis(50),
    running_age: Duration::from_secs(5),
    rechecks: 10,
    recheck_pause: Duration::from_secs(1),
    stay_max: Duration::from_secs(15),
};

/// Probes the server that listens on `host` and `port` of this machine, and returns its health
/// response's body. Tries again for 10 s if there is no response. Stays for 10 s, checking once a
/// second, if the container is at least 5 s old.
///
/// # Errors
/// Returns one line on the last check if it failed.
pub fn watch_health(host: IpAddr, port: u16) -> Result<String, String> {
    SCHEDULE.run(&addresses(host, port), container_age())
}

impl Schedule {
    fn run(self, server: &[SocketAddr], age: Option<Duration>) -> Result<String, String> {
        let started_at = Instant::now();
        let mut result = check(server);
        if result.is_ok() && age.is_some_and(|age| age >= self.running_age) {
            for _ in 0..self.rechecks {
                if started_at.elapsed() >= self.stay_max {
                    break;
                }
                sleep(self.recheck_pause);
                check(server)?;
            }
        }
        while result.is_err() && started_at.elapsed() < self.patience {
            sleep(self.retry_pause);
            result = check(server);
        }
        result
    }
}

/// Addresses at which a server that listens on `host` can be reached from its own machine. An
/// unspecified address, `0.0.0.0` or `::`, stands for both loopback addresses.
fn addresses(host: IpAddr, port: u16) -> Vec<SocketAddr> {
    let hosts = if host.is_unspecified() {
        vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
    } else {
        vec![host]
    };
    let with_port = |host| SocketAddr::new(host, port);
    hosts.into_iter().map(with_port).collect()
}

/// Requests the health of the first address in `server` that accepts a connection. Returns the
/// body.
fn check(server: &[SocketAddr]) -> Result<String, String> {
    let mut refused = String::new();
    for address in server {
        match TcpStream::connect_timeout(address, HEALTH_TIMEOUT) {
            Ok(stream) => {
                return send_request(stream, *address)
                    .map_err(|error| format!("no response from http://{address}: {error}"))
                    .and_then(|response| healthy_body(&response, *address));
            }
            Err(error) if refused.is_empty() => {
                refused = format!("cannot connect to http://{address}: {error}");
            }
            Err(_) => {}
        }
    }
    Err(refused)
}

/// Sends a health request and returns the whole response, headers included.
fn send_request(mut stream: TcpStream, address: SocketAddr) -> io::Result<String> {
    stream.set_read_timeout(Some(HEALTH_TIMEOUT))?;
    stream.set_write_timeout(Some(HEALTH_TIMEOUT))?;
    let request =
        format!("GET /_mock/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    stream.take(RESPONSE_BYTES_MAX).read_to_end(&mut response)?;
    Ok(String::from_utf8_lossy(&response).into_owned())
}

/// Returns the body of a 200. Any other response is an error.
fn healthy_body(response: &str, address: SocketAddr) -> Result<String, String> {
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((response, ""));
    let status_line = head.lines().next().unwrap_or_default();
    if status_line.split(' ').nth(1) == Some("200") {
        Ok(body.to_owned())
    } else {
        Err(format!(
            "http://{address} is not healthy: it responded '{status_line}'"
        ))
    }
}

/// Time since the first process of this container started. `None` if `/proc` cannot be read.
fn container_age() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/1/stat").ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    process_age(&stat, &uptime)
}

/// Age of a process by its `/proc/PID/stat` and by `/proc/uptime` (proc(5)). `None` if a text is
/// malformed.
fn process_age(stat: &str, uptime: &str) -> Option<Duration> {
    // Field 2 is the program's name in parentheses. The name may contain blanks and parentheses.
    let (_, fields) = stat.rsplit_once(") ")?;
    let start_ticks: u64 = fields.split(' ').nth(22 - 3)?.parse().ok()?;
    let uptime_s: f64 = uptime.split(' ').next()?.parse().ok()?;
    let uptime = Duration::try_from_secs_f64(uptime_s).ok()?;
    let started = Duration::from_millis(start_ticks * 1000 / TICKS_PER_SECOND);
    Some(uptime.saturating_sub(started))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;

    const HEALTHY: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}";
    const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\n\r\n";
    /// A schedule that does not wait.
    const AT_ONCE: Schedule = Schedule {
        patience: Duration::ZERO,
        retry_pause: Duration::ZERO,
        running_age: Duration::from_secs(5),
        rechecks: 3,
        recheck_pause: Duration::ZERO,
        stay_max: Duration::from_mins(1),
    };
    const RUNNING: Option<Duration> = Some(Duration::from_secs(5));
    const STARTING: Option<Duration> = Some(Duration::from_secs(4));

    /// Starts a server that sends one response per connection and then refuses connections. The
    /// thread returns the request lines.
    fn serve(responses: &'static [&'static str]) -> (Vec<SocketAddr>, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = thread::spawn(move || {
            let respond = |response: &&str| {
                let (mut stream, _) = listener.accept().expect("a connection");
                let head: Vec<String> = BufReader::new(&stream)
                    .lines()
                    .map(|line| line.expect("a line"))
                    .take_while(|line| !line.is_empty())
                    .collect();
                stream.write_all(response.as_bytes()).expect("written");
                head[0].clone()
            };
            responses.iter().map(respond).collect()
        });
        (vec![address], requests)
    }

    #[test]
    fn probe_of_a_starting_container_checks_once() {
        let (server, requests) = serve(&[HEALTHY]);
        assert_eq!(AT_ONCE.run(&server, STARTING), Ok("{}".to_owned()));
        assert_eq!(
            requests.join().expect("no panic"),
            ["GET /_mock/health HTTP/1.1"]
        );
    }

    #[test]
    fn probe_of_a_container_of_unknown_age_checks_once() {
        let (server, requests) = serve(&[HEALTHY]);
        assert_eq!(AT_ONCE.run(&server, None), Ok("{}".to_owned()));
        assert_eq!(requests.join().expect("no panic").len(), 1);
    }

    #[test]
    fn probe_of_a_running_container_stays_and_checks_again() {
        let (server, requests) = serve(&[HEALTHY, HEALTHY, HEALTHY, HEALTHY]);
        assert_eq!(AT_ONCE.run(&server, RUNNING), Ok("{}".to_owned()));
        assert_eq!(requests.join().expect("no panic").len(), 4);
    }

    #[test]
    fn probe_beyond_its_longest_stay_checks_once() {
        let (server, requests) = serve(&[HEALTHY]);
        let short = Schedule {
            stay_max: Duration::ZERO,
            ..AT_ONCE
        };
        assert_eq!(short.run(&server, RUNNING), Ok("{}".to_owned()));
        assert_eq!(requests.join().expect("no panic").len(), 1);
    }

    #[test]
    fn probe_that_stays_fails_at_the_first_check_that_fails() {
        let (server, requests) = serve(&[HEALTHY, HEALTHY, BUSY]);
        let address = server[0];
        let failure = format!(
            "http://{address} is not healthy: it responded 'HTTP/1.1 503 Service Unavailable'"
        );
        assert_eq!(AT_ONCE.run(&server, RUNNING), Err(failure));
        assert_eq!(requests.join().expect("no panic").len(), 3);
    }

    #[test]
    fn probe_of_a_late_server_tries_again_and_does_not_stay() {
        let (server, requests) = serve(&[BUSY, "", HEALTHY]);
        let patient = Schedule {
            patience: Duration::from_mins(1),
            ..AT_ONCE
        };
        assert_eq!(patient.run(&server, RUNNING), Ok("{}".to_owned()));
        assert_eq!(requests.join().expect("no panic").len(), 3);
    }

    #[test]
    fn probe_without_a_server_names_the_address() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let refused =
            format!("cannot connect to http://{address}: Connection refused (os error 111)");
        assert_eq!(AT_ONCE.run(&[address], RUNNING), Err(refused));
    }

    #[test]
    fn probe_tries_the_second_address_if_the_first_refuses() {
        let (mut server, requests) = serve(&[HEALTHY]);
        let refusing = TcpListener::bind("127.0.0.1:0").expect("a port");
        server.insert(0, refusing.local_addr().expect("an address"));
        drop(refusing);
        assert_eq!(AT_ONCE.run(&server, STARTING), Ok("{}".to_owned()));
        assert_eq!(requests.join().expect("no panic").len(), 1);
    }

    #[test]
    fn addresses_of_an_unspecified_host_are_both_loopbacks() {
        let addresses_of = |host: &str| {
            let found = addresses(host.parse().expect("an address"), 9);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        for unspecified in ["0.0.0.0", "::"] {
            assert_eq!(addresses_of(unspecified), ["127.0.0.1:9", "[::1]:9"]);
        }
        assert_eq!(addresses_of("10.1.2.3"), ["10.1.2.3:9"]);
        assert_eq!(addresses_of("fd00::1"), ["[fd00::1]:9"]);
    }

    #[test]
    fn process_age_is_read_from_proc() {
        let stat = "1 (a b) c) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 12345 1 2 3";
        let age = |uptime: &str| process_age(stat, uptime);
        assert_eq!(age("128.45 9.00\n"), Some(Duration::from_secs(5)));
        assert_eq!(age("100.00 9.00\n"), Some(Duration::ZERO));
        for wrong in ["", "x 1\n", "-1 1\n"] {
            assert_eq!(age(wrong), None, "{wrong}");
        }
        assert_eq!(process_age("1 (a) S 0", "128.45 9.00"), None);
        assert!(container_age().is_some(), "this machine has /proc");
    }
}
