//! What a command says: lines as they arrive, and a record whose size is bounded whatever it says.

use std::collections::VecDeque;

use crate::secret::Secrets;

/// A line longer than this is broken, so that a gigabyte without a newline stays small.
const LINE_MAX: usize = 16 * 1024;
/// How much of a log's beginning, and of its end, is kept.
const LOG_HEAD: usize = 128 * 1024;
const LOG_TAIL: usize = 128 * 1024;
/// How much of standard output is kept byte for byte.
const STDOUT_MAX: usize = 16 * 1024 * 1024;

/// How what a command says is read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// A line longer than this is broken.
    pub line_bytes_max: usize,
    /// What nobody may see of it.
    pub secrets: Secrets,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading {
            line_bytes_max: LINE_MAX,
            secrets: Secrets::default(),
        }
    }
}

/// Cuts a stream of bytes into lines.
pub(super) struct Lines {
    pending: Vec<u8>,
    line_bytes_max: usize,
}

impl Lines {
    pub(super) fn new(line_bytes_max: usize) -> Lines {
        Lines {
            pending: Vec::new(),
            line_bytes_max,
        }
    }

    /// Adds bytes and hands over each line that is complete.
    pub(super) fn push(&mut self, bytes: &[u8], on_line: &mut dyn FnMut(&str)) {
        let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            self.pending.extend_from_slice(part);
            if parts.peek().is_some() {
                self.flush(on_line);
            }
        }
        self.relieve(on_line);
    }

    /// Hands over what is left when the stream has ended.
    pub(super) fn finish(&mut self, on_line: &mut dyn FnMut(&str)) {
        if !self.pending.is_empty() {
            self.flush(on_line);
        }
    }

    fn flush(&mut self, on_line: &mut dyn FnMut(&str)) {
        self.relieve(on_line);
        let line = self.pending.strip_suffix(b"\r").unwrap_or(&self.pending);
        on_line(&String::from_utf8_lossy(line));
        self.pending.clear();
    }

    /// Hands over pieces until no more bytes wait for their newline than a line may have.
    fn relieve(&mut self, on_line: &mut dyn FnMut(&str)) {
        let mut start = 0;
        while self.pending.len() - start > self.line_bytes_max {
            let end = boundary(&self.pending, start + self.line_bytes_max);
            on_line(&String::from_utf8_lossy(&self.pending[start..end]));
            start = end;
        }
        self.pending.drain(..start);
    }
}

/// Returns the last place at or before `at` that is not inside a character of UTF-8.
fn boundary(bytes: &[u8], at: usize) -> usize {
    let inside = |index: &usize| bytes[*index] & 0b1100_0000 == 0b1000_0000;
    (at - 3..=at)
        .rev()
        .find(|index| !inside(index))
        .unwrap_or(at)
}

/// A record of lines that keeps the first and the last of them.
#[derive(Default)]
pub(super) struct Log {
    head: String,
    tail: VecDeque<String>,
    tail_bytes: usize,
    left_out: usize,
}

impl Log {
    pub(super) fn push(&mut self, line: &str) {
        let bytes = line.len() + 1;
        if self.tail.is_empty() && self.head.len() + bytes <= LOG_HEAD {
            self.head.push_str(line);
            self.head.push('\n');
            return;
        }
        self.tail.push_back(line.to_owned());
        self.tail_bytes += bytes;
        while self.tail_bytes > LOG_TAIL {
            let Some(oldest) = self.tail.pop_front() else {
                break;
            };
            self.tail_bytes -= oldest.len() + 1;
            self.left_out += oldest.len() + 1;
        }
    }

    /// Returns the whole record, with a line that says what is missing from its middle.
    pub(super) fn text(&self) -> String {
        let mut text = self.head.clone();
        if self.left_out > 0 {
            text.push_str(&format!("… {} bytes left out …\n", self.left_out));
        }
        for line in &self.tail {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// The bytes of standard output, up to a limit.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) bytes: Vec<u8>,
    pub(super) left_out: u64,
}

impl Kept {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = (STDOUT_MAX - self.bytes.len()).min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..room]);
        self.left_out += (bytes.len() - room) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(chunks: &[&[u8]], expected: &[&str]) {
        let mut lines = Lines::new(LINE_MAX);
        let mut found = Vec::new();
        for chunk in chunks {
            lines.push(chunk, &mut |line| found.push(line.to_owned()));
        }
        lines.finish(&mut |line| found.push(line.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_are_put_together_from_chunks() {
        check(&[], &[]);
        check(&[b"a\nb\n"], &["a", "b"]);
        check(&[b"a", b"b\nc"], &["ab", "c"]);
        check(&[b"\n\n"], &["", ""]);
        check(&[b"windows\r\n"], &["windows"]);
        check(
            &[
                "h\u{e9}".as_bytes().split_at(2).0,
                "\u{e9}".as_bytes().split_at(1).1,
            ],
            &["h\u{e9}"],
        );
        check(&[b"\xff\n"], &["\u{fffd}"]);
    }

    #[test]
    fn a_line_without_end_is_broken_between_characters() {
        let text = "é".repeat(LINE_MAX);
        let odd = format!("x{text}");
        let mut pieces = Vec::new();
        let mut lines = Lines::new(LINE_MAX);
        for chunk in odd.as_bytes().chunks(1000) {
            lines.push(chunk, &mut |line| pieces.push(line.to_owned()));
            assert!(lines.pending.len() <= LINE_MAX);
        }
        lines.finish(&mut |line| pieces.push(line.to_owned()));
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces.concat(), odd);
    }

    #[test]
    fn a_short_log_is_whole() {
        let mut log = Log::default();
        log.push("one");
        log.push("two");
        assert_eq!(log.text(), "one\ntwo\n");
    }

    #[test]
    fn a_long_log_keeps_its_beginning_and_its_end() {
        let mut log = Log::default();
        for number in 0..100_000 {
            log.push(&format!("line {number}"));
        }
        let text = log.text();
        assert!(text.starts_with("line 0\nline 1\n"));
        assert!(text.ends_with("line 99998\nline 99999\n"));
        assert!(text.len() <= LOG_HEAD + LOG_TAIL + 64);
        let whole: usize = (0..100_000).map(|n| format!("line {n}\n").len()).sum();
        let note = text
            .lines()
            .find(|line| line.ends_with("bytes left out …"))
            .unwrap();
        let kept = text.len() - note.len() - 1;
        assert_eq!(note, format!("… {} bytes left out …", whole - kept));
    }

    #[test]
    fn standard_output_is_kept_up_to_its_limit() {
        let mut kept = Kept::default();
        for _ in 0..20 {
            kept.push(&[b'x'; 1024 * 1024]);
        }
        assert_eq!(kept.bytes.len(), STDOUT_MAX);
        assert_eq!(kept.left_out, 4 * 1024 * 1024);
    }
}
