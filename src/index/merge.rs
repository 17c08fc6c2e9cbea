//! The lists of many segments, term by term.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;

use super::postings::{ListWriter, Posting};
use super::spill::{Lists, Spill, SpilledList};

/// Calls `each` with every term in byte order and its list over all segments, whose order is that of their documents.
pub fn merge(
    spill: &Spill,
    mut each: impl FnMut(&str, ListWriter) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut sources = Vec::new();
    let mut heads = BinaryHeap::new();
    let mut base = 0;
    for segment in &spill.segments {
        let mut source = Source {
            base,
            lists: spill.lists(segment),
            head: None,
        };
        base += u32::try_from(segment.names.len())?;
        heads.extend(source.advance()?.map(|term| Reverse((term, sources.len()))));
        sources.push(source);
    }
    let mut list = ListWriter::default();
    // Of equal terms the heap returns the earlier segment first, so that documents ascend.
    while let Some(Reverse((term, number))) = heads.pop() {
        let source = &mut sources[number];
        source.append_to(&mut list);
        heads.extend(source.advance()?.map(|term| Reverse((term, number))));
        if heads.peek().is_none_or(|Reverse((next, _))| *next != term) {
            each(&term, std::mem::take(&mut list))?;
        }
    }
    Ok(())
}

/// One segment, at one of its terms.
struct Source<'a> {
    /// The number of its first document.
    base: u32,
    lists: Lists<'a>,
    head: Option<SpilledList>,
}

impl Source<'_> {
    /// Goes to the next term and returns it.
    fn advance(&mut self) -> io::Result<Option<String>> {
        self.head = self.lists.next().transpose()?;
        Ok(self.head.as_ref().map(|head| head.term.clone()))
    }

    fn append_to(&self, list: &mut ListWriter) {
        let postings = self.head.iter().flat_map(SpilledList::postings);
        postings.for_each(|Posting { document, counts }| {
            list.push(Posting {
                document: self.base + document,
                counts,
            });
        });
    }
}
