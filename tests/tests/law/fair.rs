//! Senders by the hundred thousand in; who of them is above a share, by the sketch that services have in common, out.

use ssa_common::{
    judge::{Counted, is_above_share},
    layout::SHARE_COLUMNS,
    rows::{FairRow, ShareRow},
};

const FAIR: FairRow = FairRow { mask: u64::MAX, share: 1 << 15, above: 10, window: 8, rows: 1 };
/// A tick.
const NOW: u64 = 1000;

/// What is counted on one CPU.
struct Sketch {
    columns: [Vec<ShareRow>; 2],
    all: ShareRow,
}

impl Sketch {
    fn new() -> Self {
        let column = || vec![ShareRow::default(); SHARE_COLUMNS as usize];
        Self { columns: [column(), column()], all: ShareRow::default() }
    }

    /// Whether a source prefix is above its share, with one frame more.
    fn send(&mut self, prefix: u64, service: &mut ShareRow) -> bool {
        let hash = u128::from(prefix + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let place = |shift: u32| usize::try_from((hash >> shift) % u128::from(SHARE_COLUMNS)).unwrap();
        let [first, second] = &mut self.columns;
        let places = [&mut first[place(80)], &mut second[place(110)]];
        is_above_share(&FAIR, NOW, Counted { places, service, all: &mut self.all })
    }
}

#[test]
fn nobody_is_suspect_for_how_many_there_are() {
    let (mut sketch, mut large, mut small) = (Sketch::new(), ShareRow::default(), ShareRow::default());
    // A hundred thousand prefixes send a frame or two to one service.
    for frame in 0..140_000 {
        assert!(!sketch.send(frame % 100_000, &mut large), "{frame}");
    }
    // Twenty send three each to another.
    for frame in 0..60 {
        assert!(!sketch.send((1 << 40) + frame % 20, &mut small), "{frame}");
    }
    // One more floods it: that is seen later than without the others, and soon all the same.
    let flood = (0..2000).position(|_| sketch.send(1 << 41, &mut small)).unwrap();
    let mean = 140_000 / SHARE_COLUMNS as usize;
    assert!((mean..mean * 4).contains(&flood), "{flood}, where {mean} lie in a place");
}
