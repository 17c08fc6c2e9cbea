//! An archive into a file, from where the last attempt ended.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, anyhow, ensure};
use reqwest::StatusCode;
use reqwest::Url;
use reqwest::blocking::{RequestBuilder, Response};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, RANGE};

use crate::fetch::{FetchOptions, Progress, Unit, http};
use crate::model::{Hint, Trouble};

/// The most bytes that an archive may have.
pub const PACKED_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How often a broken connection is taken up again.
const ATTEMPTS_MAX: u32 = 3;

/// Brings the file to its full length. What it has already is kept, whether this returns or is killed.
pub fn download(
    url: &Url,
    request: impl Fn(&Url) -> RequestBuilder,
    path: &Path,
    options: &FetchOptions<'_>,
) -> Result<()> {
    for attempt in 1.. {
        let broken = match continued(url, &request, path, options)? {
            None => return Ok(()),
            Some(broken) => broken,
        };
        if attempt == ATTEMPTS_MAX {
            let length = path.metadata().map_or(0, |file| file.len());
            return Err(broken.context(format!(
                "the connection broke {ATTEMPTS_MAX} times, after {length} bytes"
            )))
            .kind(Trouble::Missing)
            .hint("try again: it goes on from there");
        }
    }
    unreachable!("the loop ends with the last attempt")
}

/// Asks for what is missing and writes it down; returns what broke the connection, where it broke.
fn continued(
    url: &Url,
    request: impl Fn(&Url) -> RequestBuilder,
    path: &Path,
    options: &FetchOptions<'_>,
) -> Result<Option<anyhow::Error>> {
    let mut file = File::options()
        .append(true)
        .create(true)
        .open(path)
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    let have = file.metadata()?.len();
    // An answer that was packed once more would not have the length and the hash that are expected.
    let mut asked = request(url).header(ACCEPT_ENCODING, "identity");
    if have > 0 {
        asked = asked.header(RANGE, format!("bytes={have}-"));
    }
    let response = http::send(asked, url)?;
    let start = match response.status() {
        StatusCode::PARTIAL_CONTENT if starts_at(&response, have) => have,
        // It is whole, or another one; the hash will tell.
        StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => return Ok(None),
        StatusCode::OK => 0,
        status => {
            return Err(anyhow!("`{url}` answers {status} to a request for a part"))
                .kind(Trouble::Missing);
        }
    };
    file.set_len(start)?;
    copy(response, &mut file, start, options)
}

/// Writes the answer's bytes as they come.
fn copy(
    mut response: Response,
    file: &mut File,
    start: u64,
    options: &FetchOptions<'_>,
) -> Result<Option<anyhow::Error>> {
    let total = response.content_length().map(|length| start + length);
    let mut done = start;
    let mut block = vec![0; 64 * 1024];
    loop {
        ensure_small(total.unwrap_or(done).max(done))?;
        if options.cancel.load(Ordering::Relaxed) {
            return Err(anyhow!("it was cancelled")).kind(Trouble::Interrupted);
        }
        let length = match response.read(&mut block) {
            Ok(0) if total.is_some_and(|total| done < total) => {
                return Ok(Some(anyhow!("it ended too early")));
            }
            Ok(0) => return Ok(None),
            Ok(length) => length,
            Err(error) => return Ok(Some(anyhow!("{}", anyhow::Error::new(error).root_cause()))),
        };
        file.write_all(&block[..length])
            .context("cannot write the archive")?;
        done += length as u64;
        (options.progress)(Progress {
            done,
            total,
            unit: Unit::Bytes,
        });
    }
}

fn ensure_small(bytes: u64) -> Result<()> {
    let is_small = || {
        ensure!(
            bytes <= PACKED_BYTES_MAX,
            "the archive has more than {PACKED_BYTES_MAX} bytes"
        );
        Ok(())
    };
    is_small().kind(Trouble::Integrity)
}

fn starts_at(response: &Response, byte: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE);
    let range = range
        .and_then(|range| range.to_str().ok())
        .unwrap_or_default();
    range.starts_with(&format!("bytes {byte}-"))
}
