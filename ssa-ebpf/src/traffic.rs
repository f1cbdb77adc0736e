//! The frame as the law's traffic: what few frames are asked, in; the global function that says it, out.

use ssa_common::{
    judge::{Above, Connection, Known, Said, Tables, Traffic, Tunnel},
    parse::{Frame, Link},
    rows::BankRow,
};

use crate::{outline, packet::Packet};

impl<const FAR: bool> Traffic for Packet<FAR> {
    #[inline(always)]
    fn link(&self) -> Link {
        outline::link(self)
    }

    #[inline(always)]
    fn upper(&self, _tables: &impl Tables, case: Above) -> Said {
        outline::upper(self, case)
    }

    #[inline(always)]
    fn tunnel(&self, _tables: &impl Tables, bank: &BankRow, network: u32) -> Option<Tunnel> {
        outline::tunnel(self, bank, network)
    }

    #[inline(always)]
    fn connection(&self, network: u32) -> Connection {
        outline::connection(self, network)
    }

    #[inline(always)]
    fn is_known(&self, case: Known) -> bool {
        outline::known(self, case)
    }

    #[inline(always)]
    fn far(&self) -> impl Frame {
        self.looking_far()
    }

    #[inline(always)]
    fn again(&self) -> impl Traffic {
        self.anew()
    }
}
