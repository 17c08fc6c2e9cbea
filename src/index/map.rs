//! A file mapped into memory.
#![expect(
    unsafe_code,
    reason = "the kernel cannot promise that a mapped file stays as it is, so no mapping is safe by its type"
)]

use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::Mmap;

/// The bytes of an index file.
#[derive(Debug)]
pub struct Map(Mmap);

impl Map {
    /// Maps a file that nobody changes in place.
    pub fn of(file: &File) -> io::Result<Map> {
        // SAFETY: the bytes must not change while they are borrowed. An index is written under another name, renamed into place when
        // it is whole, and replaced by renaming another over it, which leaves this file to whoever has it mapped. It lies in a cache
        // folder that is the user's own. A program that nevertheless writes into it can make a search wrong, which the checksums
        // find at first use; one that cuts it short ends us with SIGBUS, as any reader of mapped files. Nothing here relies on the
        // bytes for memory safety: they are read by value through checked slices, and text is checked to be UTF-8 at each use.
        unsafe { Mmap::map(file) }.map(Map)
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
