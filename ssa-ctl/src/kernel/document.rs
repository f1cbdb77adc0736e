//! The config's text in a map, in chunks behind its length: text in and out.

use anyhow::{Context as _, ensure};
use ssa_common::layout::DOCUMENT_CHUNK;

use super::map::Map;

/// A chunk of the text. The first begins with the text's length, a `u64`.
pub type Chunk = [u8; DOCUMENT_CHUNK];

/// Octets of the length.
const HEAD: usize = size_of::<u64>();

/// Reads the text of a bank that has room for `room` chunks.
pub fn read(map: &Map<Chunk>, bank: u32, room: u32) -> anyhow::Result<String> {
    let first = bank * room;
    let head = map.get(first)?;
    let length = usize::try_from(head.first_chunk().map_or(0, |octets| u64::from_ne_bytes(*octets)))?;
    let fits = length <= room as usize * DOCUMENT_CHUNK - HEAD;
    ensure!(fits, "the stored config says it has {length} octets, more than there is room for");
    let end = length + HEAD;
    let octets = map.read(first, u32::try_from(end.div_ceil(DOCUMENT_CHUNK))?)?.concat();
    String::from_utf8(octets[HEAD..end].to_vec()).context("the stored config is no text")
}

/// Writes the text of a bank that has room for `room` chunks.
pub fn write(map: &Map<Chunk>, bank: u32, room: u32, text: &str) -> anyhow::Result<()> {
    let mut octets = (text.len() as u64).to_ne_bytes().to_vec();
    octets.extend(text.as_bytes());
    let mut chunks = vec![[0; DOCUMENT_CHUNK]; octets.len().div_ceil(DOCUMENT_CHUNK)];
    for (chunk, octets) in chunks.iter_mut().zip(octets.chunks(DOCUMENT_CHUNK)) {
        chunk[..octets.len()].copy_from_slice(octets);
    }
    ensure!(chunks.len() <= room as usize, "the config has {} octets, more than there is room for", text.len());
    map.write(bank * room, &chunks)
}
