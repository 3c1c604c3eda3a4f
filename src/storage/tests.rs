//! The front door over real sockets, spoken to byte by byte.

mod objects;
mod refusals;

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::presign::{Presign, host_of};

const AT: Timestamp = Timestamp::from_ms(1_773_309_600_007);
const ACCOUNT: AccountId = AccountId(7);
const OBJECT_BYTES_MAX: u64 = 2 * 1024 * 1024;
const KEY: &str = "temp/1/0/a b+ü%.png";

/// Keys under `temp/` are the account's, the rest is nobody's.
#[derive(Debug, Clone, Default)]
struct Known(Arc<KnownInner>);

#[derive(Debug, Default)]
struct KnownInner {
    ahead_ms: AtomicI64,
    received: Mutex<Vec<(AccountId, String, u64)>>,
}

impl Owners for Known {
    async fn owner(&self, _bucket: &str, key: &str) -> io::Result<Owner> {
        let mine = key.starts_with("temp/");
        Ok(Owner {
            account: if mine { ACCOUNT } else { AccountId::NOBODY },
            now: AT.plus_ms(self.0.ahead_ms.load(Ordering::Relaxed)),
        })
    }

    async fn received(&self, owner: Owner, _: &str, key: &str, bytes: u64) -> io::Result<()> {
        let mut received = self.0.received.lock().expect("a lock");
        received.push((owner.account, key.to_owned(), bytes));
        Ok(())
    }
}

struct Door {
    at: SocketAddr,
    storage: Storage<Known>,
    root: tempfile::TempDir,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Door {
    async fn open() -> Self {
        Self::open_with(false).await
    }

    async fn open_with(strict_host: bool) -> Self {
        let root = tempfile::tempdir().expect("a directory");
        let blobs = Blobs::open(root.path().to_owned()).await.expect("a store");
        blobs.open_account(ACCOUNT).await.expect("an account");
        let storage = Storage {
            signer: Arc::new(Signer::new(
                "stuntdouble",
                "stuntdouble-secret",
                "us-east-1",
            )),
            hosts: Arc::default(),
            blobs,
            strict_host,
            object_bytes_max: OBJECT_BYTES_MAX,
            owners: Known::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let router = routes().with_state(storage.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { at, storage, root }
    }

    fn advance(&self, by_ms: i64) {
        let ahead = &self.storage.owners.0.ahead_ms;
        ahead.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// What a URL for `method` on `key` is made of, to be changed at will.
    fn plan<'a>(&self, method: &'a str, key: &'a str) -> Presign<'a> {
        Presign {
            method,
            origin: "http://made.for:8080",
            bucket: "bizmori",
            key,
            expires_s: 600,
            now: AT.plus_ms(self.storage.owners.0.ahead_ms.load(Ordering::Relaxed)),
            content_type: None,
            signed_headers: &[],
            response_content_disposition: None,
        }
    }

    /// The path and query of a URL made by `plan`, its host being remembered.
    fn target(&self, plan: &Presign<'_>) -> String {
        let host = host_of(plan.origin);
        self.storage.hosts.remember(&host);
        let url = self.storage.signer.presign(plan);
        url.replace(plan.origin, "")
    }

    async fn call(&self, method: &str, target: &str, headers: &str, body: &[u8]) -> Answer {
        let length = match (body.is_empty(), method) {
            (true, "GET" | "HEAD" | "OPTIONS") => String::new(),
            _ if headers.contains("Transfer-Encoding") => String::new(),
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{length}{headers}\r\n",
            self.at
        );
        let mut stream = TcpStream::connect(self.at).await.expect("a connection");
        stream.write_all(head.as_bytes()).await.expect("a write");
        stream.write_all(body).await.expect("a write");
        read_answer(stream).await
    }

    async fn put(&self, key: &str, headers: &str, body: &[u8]) -> Answer {
        let target = self.target(&self.plan("PUT", key));
        self.call("PUT", &target, headers, body).await
    }

    async fn get(&self, key: &str, headers: &str) -> Answer {
        let target = self.target(&self.plan("GET", key));
        self.call("GET", &target, headers, b"").await
    }

    fn received(&self) -> Vec<(AccountId, String, u64)> {
        let received = &self.storage.owners.0.received;
        received.lock().expect("a lock").clone()
    }

    /// How many files are under `tmp/`.
    fn unfinished(&self) -> usize {
        let tmp = std::fs::read_dir(self.root.path().join("tmp"));
        tmp.expect("a directory").count()
    }
}

async fn read_answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("an answer");
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
    let end = end.expect("a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    Answer {
        status: status.and_then(|it| it.parse().ok()).expect("a status"),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: bytes[end + 4..].to_vec(),
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Status, S3's code, and why.
    fn refusal(&self) -> (u16, String, &str) {
        assert_eq!(self.header("content-type"), Some("application/xml"));
        let text = self.text();
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>"));
        let id = self.header("x-amz-request-id").expect("an id");
        assert!(text.contains(&format!("<RequestId>{id}</RequestId>")));
        let code = text
            .split("<Code>")
            .nth(1)
            .and_then(|it| it.split('<').next());
        let why = self.header("x-mock-why").expect("a reason");
        (self.status, code.unwrap_or_default().to_owned(), why)
    }
}
