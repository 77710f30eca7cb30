//! The bytes of an answer without the compression of its transfer, within a budget.

use std::io::{self, ErrorKind, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::fetch::{ByteBudget, MAX_PAGE_BYTES};

/// Why the bytes of an answer cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecompressError {
    /// The `Content-Encoding` is none of [`ACCEPT_ENCODING`](super::ACCEPT_ENCODING).
    #[error("it is compressed as `{0}`, which was not asked for")]
    Unknown(String),
    /// The bytes are not what the `Content-Encoding` says.
    #[error("it cannot be decompressed: {0}")]
    Damaged(#[from] io::Error),
}

/// The bytes of an answer without the compression that its `Content-Encoding` names, and whether
/// there are more. `bytes` were taken from the budget already; what they grow by is taken, too.
///
/// # Errors
/// When the compression is another one, or nothing can be read.
pub fn decompress(
    bytes: Vec<u8>,
    encoding: Option<&str>,
    budget: &ByteBudget,
) -> Result<(Vec<u8>, bool), DecompressError> {
    let encoding = encoding.map(|encoding| encoding.trim().to_ascii_lowercase());
    let encoding = encoding.filter(|encoding| is_coding(encoding));
    let paid = bytes.len();
    Ok(match encoding.as_deref() {
        None => (bytes, false),
        _ if bytes.is_empty() => (bytes, false),
        Some("gzip" | "x-gzip") => inflate(MultiGzDecoder::new(bytes.as_slice()), paid, budget)?,
        // Some sites send it without the header of zlib.
        Some("deflate") => inflate(ZlibDecoder::new(bytes.as_slice()), paid, budget)
            .or_else(|_| inflate(DeflateDecoder::new(bytes.as_slice()), paid, budget))?,
        Some(other) => return Err(DecompressError::Unknown(other.to_owned())),
    })
}

/// Whether a `Content-Encoding` changes the bytes: browsers pass on the bytes of one that they do
/// not know, such as `UTF-8` or `none`.
fn is_coding(encoding: &str) -> bool {
    const CODINGS: [&str; 10] = [
        "gzip",
        "x-gzip",
        "deflate",
        "br",
        "zstd",
        "compress",
        "x-compress",
        "dcb",
        "dcz",
        "identity",
    ];
    let mut names = encoding.split(',').map(str::trim);
    encoding != "identity" && names.all(|name| CODINGS.contains(&name))
}

/// `paid` bytes are in the budget already.
fn inflate(
    mut decoder: impl Read,
    paid: usize,
    budget: &ByteBudget,
) -> io::Result<(Vec<u8>, bool)> {
    let mut plain = Vec::new();
    let room = paid + budget.take(MAX_PAGE_BYTES.saturating_sub(paid));
    let limit = u64::try_from(room).unwrap_or(u64::MAX);
    let read = decoder.by_ref().take(limit).read_to_end(&mut plain);
    // The compressed bytes were read all the same, so they are never given back.
    budget.give_back(room - plain.len().max(paid));
    match read {
        Err(error) if plain.is_empty() => Err(error),
        // What was cut ends early; what there is of it is looked at.
        Err(error) => Ok((plain, error.kind() == ErrorKind::UnexpectedEof)),
        Ok(_) => Ok((plain, decoder.read(&mut [0]).is_ok_and(|more| more > 0))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    #[test]
    fn compressed_pages_are_read() {
        let page = b"<p>Shop</p>".repeat(100);
        let level = Compression::default;
        let mut gzip = GzEncoder::new(Vec::new(), level());
        let mut zlib = ZlibEncoder::new(Vec::new(), level());
        let mut raw = DeflateEncoder::new(Vec::new(), level());
        for encoder in [&mut gzip as &mut dyn Write, &mut zlib, &mut raw] {
            encoder.write_all(&page).expect("bytes");
        }
        let gzip = gzip.finish().expect("bytes");
        let read = |bytes: &[u8], encoding, budget| {
            let budget = ByteBudget::new(budget);
            assert_eq!(budget.take(bytes.len()), bytes.len());
            decompress(bytes.to_vec(), Some(encoding), &budget).map_err(|_| ())
        };
        for (bytes, encoding) in [
            (gzip.clone(), "GZip"),
            (zlib.finish().expect("bytes"), "deflate"),
            (raw.finish().expect("bytes"), "deflate"),
        ] {
            assert_eq!(read(&bytes, encoding, 2000), Ok((page.clone(), false)));
            let (part, is_cut) = read(&bytes, encoding, 100).expect("a part");
            assert_eq!((part.len(), is_cut), (100, true));
        }
        let (part, is_cut) = read(&gzip[..gzip.len() - 10], "gzip", 2000).expect("a part");
        assert!(is_cut && page.starts_with(&part) && !part.is_empty());
        for (bytes, encoding) in [
            (&b"<p>"[..], "gzip"),
            (&gzip, "br"),
            (&gzip, "zstd"),
            (&gzip, "gzip, br"),
        ] {
            assert!(read(bytes, encoding, 2000).is_err(), "{encoding}");
        }
        for encoding in ["", "identity", "none", "UTF-8", "utf-8, none"] {
            assert_eq!(read(&page, encoding, 2000), Ok((page.clone(), false)));
        }
        assert_eq!(read(b"", "gzip", 10), Ok((Vec::new(), false)));
    }

    #[test]
    fn compressed_bytes_are_never_given_back() {
        let left = |plain: &[u8]| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(plain).expect("bytes");
            let bytes = gzip.finish().expect("bytes");
            let (length, budget) = (bytes.len(), ByteBudget::new(2000));
            budget.take(length);
            decompress(bytes, Some("gzip"), &budget).expect("a page");
            (length, budget.take(2000))
        };
        assert_eq!(left(&b"<p>Shop</p>".repeat(100)).1, 900);
        let (length, left) = left(b"x");
        assert_eq!(left, 2000 - length);
    }
}
