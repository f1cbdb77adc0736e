//! The limit of open files in; one that an instance fits in out.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Two instances of eight maps each, held twice while one is put in the place of the other, and some more.
const DESCRIPTORS: u64 = 128;

/// Lifts this process's limit of open files to what is needed, where it is below and may be lifted. Where it may not,
/// whatever needs more says so.
pub fn lift() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= DESCRIPTORS) {
        return;
    }
    let of = |current: u64, maximum| Rlimit { current: Some(current), maximum };
    if maximum.is_none_or(|maximum| maximum >= DESCRIPTORS) {
        let _ = setrlimit(Resource::Nofile, of(DESCRIPTORS, maximum));
    } else if setrlimit(Resource::Nofile, of(DESCRIPTORS, Some(DESCRIPTORS))).is_err() {
        // More takes CAP_SYS_RESOURCE.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}
