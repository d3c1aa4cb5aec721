//! The doorbell: an event stream that says only which version there is now. Who wants to see it asks for the part it shows.

use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt};
use naru_ports::{Clock, Console};
use naru_view::version::Version;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_stream::wrappers::WatchStream;

/// Streams that may be open at once. Each holds a connection and a few kB; the limit keeps a page that reconnects without end from taking
/// every file descriptor (the usual limit is 1,024 soft, raised to more by container runtimes) of the process.
pub const STREAMS: usize = 2_000;

/// The least time between two rings.
const PACE: Duration = Duration::from_secs(1);

/// How long a silent stream goes without a comment: less than the 60 s after which proxies (Nginx's `proxy_read_timeout`) cut one off.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long a browser waits before it comes back to a stream that ended.
const RETRY: Duration = Duration::from_secs(2);

/// Rings on every new version, at most once a second, for as long as the ringing task lives.
#[derive(Clone, Debug)]
pub struct Doorbell {
    version: watch::Receiver<Version>,
    places: Arc<Semaphore>,
}

impl Doorbell {
    /// Starts to ring from this version on, until the future is dropped; then all streams end.
    pub fn new(
        console: Arc<dyn Console>,
        clock: Arc<dyn Clock>,
        first: Version,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, version) = watch::channel(first);
        let ring = async move {
            let mut seen = first;
            loop {
                seen = console.changed(seen).await;
                sender.send_replace(seen);
                clock.sleep_until(clock.now() + PACE).await;
            }
        };
        (
            Self {
                version,
                places: Arc::new(Semaphore::new(STREAMS)),
            },
            ring,
        )
    }

    /// The version as of the last ring.
    pub fn version(&self) -> Version {
        *self.version.borrow()
    }

    /// One more stream: the version of now at once, then each new one, for as long as the listener's session lasts if they have one: then the
    /// page asks again, and is told whether it is still known. None if there are [`STREAMS`] already.
    pub fn stream(
        &self,
        left: Option<Duration>,
    ) -> Option<Sse<impl Stream<Item = Result<Event, Infallible>> + Send + use<>>> {
        let place: OwnedSemaphorePermit = self.places.clone().try_acquire_owned().ok()?;
        let events = WatchStream::new(self.version.clone()).map(move |version| {
            // Held for as long as the stream is.
            let _ = &place;
            Ok(Event::default().retry(RETRY).data(version.to_string()))
        });
        let end = async move {
            match left {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            }
        };
        let events = events.take_until(Box::pin(end));
        Some(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
    }
}
