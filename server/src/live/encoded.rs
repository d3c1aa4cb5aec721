//! Bodies of the live parts: serialised once for each scope and version, compressed once for each encoding, shared by all who ask.

use super::Part;
use bytes::Bytes;
use naru_domain::actor::Scope;
use naru_view::{View, version::Version};
use std::{
    collections::HashMap,
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;

/// How a body may travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
}

impl Encoding {
    /// The best one that `Accept-Encoding` allows. A missing header allows anything; then it goes as it is, which every client can read.
    pub fn best(accept: Option<&str>) -> Self {
        let quality = |coding: &str| {
            let mut any = None;
            for item in accept.unwrap_or("").split(',') {
                let mut parts = item.split(';').map(str::trim);
                let name = parts.next().unwrap_or("");
                let q = parts
                    .find_map(|it| it.strip_prefix("q="))
                    .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
                if name.eq_ignore_ascii_case(coding) {
                    return q;
                }
                if name == "*" {
                    any = Some(q);
                }
            }
            any.unwrap_or(0.0)
        };
        let (brotli, gzip) = (quality("br"), quality("gzip"));
        if brotli > 0.0 && brotli >= gzip {
            Self::Brotli
        } else if gzip > 0.0 {
            Self::Gzip
        } else {
            Self::Identity
        }
    }

    /// As `Content-Encoding` says it; None for a body as it is.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }
}

/// The bodies of one part for one scope at one version. Each is made by whoever asks first; who comes meanwhile waits for it.
#[derive(Debug)]
struct Slot {
    view: Arc<View>,
    json: OnceCell<Bytes>,
    gzip: OnceCell<Bytes>,
    brotli: OnceCell<Bytes>,
}

/// All bodies that are worth keeping.
#[derive(Debug, Default)]
pub struct Encoded {
    slots: Mutex<HashMap<(Scope, Part), Arc<Slot>>>,
}

/// Bodies of other scopes are dropped when they are this many versions old: nobody has asked for them since.
const KEPT: u64 = 16;

impl Encoded {
    /// The part's body, and the version that it is of: this view's, or a later one that somebody else has asked for meanwhile.
    pub async fn body(
        &self,
        view: Arc<View>,
        scope: &Scope,
        part: Part,
        encoding: Encoding,
    ) -> std::io::Result<(Version, Bytes)> {
        let slot = self.slot(view, scope, part);
        let json = slot
            .json
            .get_or_try_init(|| async { part.json(&slot.view) })
            .await?;
        let body = match encoding {
            Encoding::Identity => json,
            Encoding::Gzip => {
                slot.gzip
                    .get_or_try_init(|| off_thread(json.clone(), gzip))
                    .await?
            }
            Encoding::Brotli => {
                slot.brotli
                    .get_or_try_init(|| off_thread(json.clone(), brotli))
                    .await?
            }
        };
        Ok((slot.view.version, body.clone()))
    }

    fn slot(&self, view: Arc<View>, scope: &Scope, part: Part) -> Arc<Slot> {
        // A panic while the lock is held leaves at worst a slot too many.
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (scope.clone(), part);
        if let Some(slot) = slots
            .get(&key)
            .filter(|slot| !view.version.replaces(slot.view.version))
        {
            return slot.clone();
        }
        let now = view.version;
        slots
            .retain(|_, slot| slot.view.version.epoch == now.epoch && slot.view.version.seq + KEPT > now.seq);
        let slot = Arc::new(Slot {
            view,
            json: OnceCell::new(),
            gzip: OnceCell::new(),
            brotli: OnceCell::new(),
        });
        slots.insert(key, slot.clone());
        slot
    }
}

/// Compresses where it holds up nobody else.
async fn off_thread(json: Bytes, compress: fn(&[u8]) -> std::io::Result<Vec<u8>>) -> std::io::Result<Bytes> {
    tokio::task::spawn_blocking(move || compress(&json))
        .await?
        .map(Bytes::from)
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(
        Vec::with_capacity(bytes.len() / 8),
        flate2::Compression::default(),
    );
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn brotli(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    // Quality 5 is where time still buys bytes on JSON: 9 takes several times as long for a few per cent.
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 5,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut compressed = Vec::with_capacity(bytes.len() / 8);
    brotli::BrotliCompress(&mut &bytes[..], &mut compressed, &parameters)?;
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    use super::{Encoding, brotli, gzip};
    use std::io::Read;

    #[test]
    fn the_best_encoding_that_is_allowed() {
        for (accept, best) in [
            (None, Encoding::Identity),
            (Some(""), Encoding::Identity),
            (Some("gzip, deflate, br, zstd"), Encoding::Brotli),
            (Some("gzip"), Encoding::Gzip),
            (Some("GZIP;q=0.5"), Encoding::Gzip),
            (Some("br;q=0, gzip"), Encoding::Gzip),
            (Some("br;q=0.1, gzip;q=0.9"), Encoding::Gzip),
            (Some("br;q=0, gzip;q=0"), Encoding::Identity),
            (Some("*"), Encoding::Brotli),
            (Some("*;q=0"), Encoding::Identity),
            (Some("br;q=nonsense"), Encoding::Identity),
            (Some("identity"), Encoding::Identity),
        ] {
            assert_eq!(Encoding::best(accept), best, "{accept:?}");
        }
    }

    #[test]
    fn what_is_compressed_reads_back() {
        let text = "{\"나루\":[1,2,3]}".repeat(500);
        let (gzipped, brotlied) = (gzip(text.as_bytes()).unwrap(), brotli(text.as_bytes()).unwrap());
        let mut back = String::new();
        flate2::read::GzDecoder::new(&gzipped[..])
            .read_to_string(&mut back)
            .unwrap();
        assert_eq!(back, text);
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut &brotlied[..], &mut back).unwrap();
        assert_eq!(back, text.as_bytes());
        assert!(gzipped.len() < text.len() / 10 && brotlied.len() < text.len() / 10);
    }
}
