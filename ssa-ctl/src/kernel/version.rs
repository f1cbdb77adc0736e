//! The running kernel's release in; whether it has what the program needs, out.

/// The oldest kernel that loads the program: the first with XDP frames of several buffers.
pub const OLDEST: (u32, u32) = (5, 18);

/// The oldest kernel with links for programs at ingress.
pub const INGRESS_LINKS: (u32, u32) = (6, 6);

/// The release as the kernel gives it.
pub fn release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// Whether a release is older than a version.
pub fn is_before(release: &str, version: (u32, u32)) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < version
}

/// What the kernel lacks, if it is too old.
pub fn lack(release: &str) -> Option<String> {
    let (major, minor) = OLDEST;
    is_before(release, OLDEST)
        .then(|| format!("Linux {release} has no XDP frames of several buffers: {major}.{minor} or newer is needed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_number() {
        for new in ["5.18.0", "5.18-rc1", "6.1.0-18-cloud-amd64", "10.0"] {
            assert_eq!(lack(new), None, "{new}");
        }
        for old in ["5.15.0-91-generic", "5.4", "4.19.0", ""] {
            assert!(lack(old).is_some(), "{old}");
        }
    }
}
