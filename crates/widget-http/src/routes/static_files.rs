//! Files and documents that are the same for everybody: compressed once, and known to the caller by
//! an entity tag.

use std::io::Write as _;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::{
    embed_files::{Accepted, Asset},
    web::{
        etag::{self, Known},
        head::HEADERS,
    },
};

/// An upgrade is seen after five minutes.
const CACHING: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// A document that the process makes when it is first asked for. It has no variant for Brotli: a
/// build that compresses ahead is needed for that.
pub(super) struct Document {
    plain: Asset,
    gzip: Option<Asset>,
}

impl Document {
    pub(super) fn new(text: String, media_type: &'static str) -> Self {
        let asset = |bytes: Bytes, encoding| Asset {
            tag: etag::of_hash(&Sha256::digest(&bytes).into()),
            bytes,
            encoding,
            media_type,
        };
        let compressed = compress(text.as_bytes());
        Self {
            gzip: compressed
                .ok()
                .map(|bytes| asset(bytes.into(), Some("gzip"))),
            plain: asset(text.into(), None),
        }
    }

    pub(super) fn answer(&self, encodings: Accepted, known: &Known) -> Response {
        let compressed = self.gzip.as_ref().filter(|_| encodings.gzip());
        build_answer(compressed.unwrap_or(&self.plain).clone(), known, CACHING)
    }
}

fn compress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The file, or 304 for a caller who has it.
pub(super) fn build_answer(asset: Asset, known: &Known, caching: HeaderValue) -> Response {
    let is_known = known.has(&asset.tag);
    let mut response = Response::new(if is_known {
        Body::empty()
    } else {
        Body::from(asset.bytes)
    });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let fields = response.headers_mut();
    fields.reserve(HEADERS);
    fields.insert(header::ETAG, asset.tag);
    fields.insert(header::CACHE_CONTROL, caching);
    fields.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !is_known {
        fields.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(asset.media_type),
        );
        fields.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        if let Some(encoding) = asset.encoding {
            fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
    }
    response
}
