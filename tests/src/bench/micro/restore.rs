//! A program that changes its frame in; one before it that makes the frame anew for each run, out.
//!
//! A test run repeats one frame, and what a program has made of it is what the next run gets. So before each run the frame's
//! headers are written again, and where the program lets the frame begin elsewhere, that is taken back. An empty program
//! changes nothing: before it the beginning is moved by nothing, for which the kernel does the same work.

use anyhow::Result;
use aya::{
    maps::{MapData, ProgramArray},
    programs::ProgramFd,
};

use super::ahead::{Ahead, DATA, Moved};
use crate::bench::instruction::{R, Size, number, store};

const VALUE: R = R(0);
/// Octets of an Ethernet header, in words that end where it does: what is loaded in one piece was then stored in one, which
/// a processor needs to hand it over.
const LINK: [(usize, Size); 3] = [(0, Size::Double), (8, Size::Word), (12, Size::Half)];
const LINK_END: usize = 14;
const WORD: usize = 8;

/// How a frame is made anew.
pub(super) struct Restore<'a> {
    /// The frame as the program is to get it.
    pub(super) frame: &'a [u8],
    /// Words of 8 octets behind the Ethernet header that are written again.
    pub(super) words: usize,
    /// Octets by which the program lets the frame begin earlier, which are taken away again; or later, if below zero.
    /// None: it leaves the beginning where it is.
    pub(super) grown: Option<i32>,
}

impl Restore<'_> {
    /// Before a program that changes the frame so.
    pub(super) fn before(&self, program: &ProgramFd) -> Result<(ProgramFd, ProgramArray<MapData>)> {
        self.ahead(self.grown).of(program)
    }

    /// The same work before a program that leaves the frame as it is.
    pub(super) fn before_nothing(&self, program: &ProgramFd) -> Result<(ProgramFd, ProgramArray<MapData>)> {
        self.ahead(self.grown.map(|_| 0)).of(program)
    }

    /// A frame as a run before would have left it, of that many octets.
    pub(super) fn left(&self) -> Vec<u8> {
        match self.grown.unwrap_or(0) {
            more @ 0.. => [vec![0; more.unsigned_abs() as usize], self.frame.to_vec()].concat(),
            less => self.frame[less.unsigned_abs() as usize..].to_vec(),
        }
    }

    fn ahead(&self, by: Option<i32>) -> Ahead {
        let end = LINK_END + self.words * WORD;
        let words = (LINK_END..end).step_by(WORD).map(|at| (at, Size::Double));
        let body = LINK.into_iter().chain(words).flat_map(|(at, size)| {
            let octets = &self.frame[at..at + size.octets()];
            let mut word = [0; WORD];
            let first = if cfg!(target_endian = "big") { WORD - octets.len() } else { 0 };
            word[first..first + octets.len()].copy_from_slice(octets);
            let at = i16::try_from(at).expect("an offset in some headers");
            number(VALUE, u64::from_ne_bytes(word)).into_iter().chain([store(size, DATA, at, VALUE)])
        });
        Ahead { moved: by.map(Moved::Frame), octets: i32::try_from(end).expect("some headers"), body: body.collect() }
    }
}
