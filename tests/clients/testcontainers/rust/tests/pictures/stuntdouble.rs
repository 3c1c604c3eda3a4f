//! One stuntdouble for all tests that run at the same time.

use std::sync::{Arc, Weak};

use testcontainers::core::{IntoContainerPort, WaitFor, wait::HttpWaitStrategy};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt, ReuseDirective};
use tokio::sync::Mutex;

const PORT: u16 = 8080;

/// A running container, removed when the last test drops it.
pub struct Stuntdouble {
    pub origin: String,
    _container: ContainerAsync<GenericImage>,
}

impl Stuntdouble {
    pub async fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Stuntdouble>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&started);
        started
    }

    async fn start() -> Self {
        let is_serving = HttpWaitStrategy::new("/_mock/health").with_expected_status_code(200_u16);
        let image = GenericImage::new("stuntdouble", "latest")
            .with_exposed_port(PORT.tcp())
            .with_wait_for(WaitFor::http(is_serving));
        // A reused container stays for the next run and for other test programs; it is not removed here.
        let is_reused = std::env::var("TESTCONTAINERS_REUSE_ENABLE").is_ok_and(|it| it == "true");
        let container = if is_reused {
            let named = image.with_container_name("stuntdouble-for-tests");
            named.with_reuse(ReuseDirective::Always).start().await
        } else {
            image.start().await
        };
        let container = container.expect("an engine, and the image");
        let host = container.get_host().await.expect("the engine's host");
        let port = container.get_host_port_ipv4(PORT).await.expect("a port");
        Self {
            origin: format!("http://{host}:{port}"),
            _container: container,
        }
    }
}
