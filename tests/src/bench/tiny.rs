//! A number in; a loaded program that answers every frame with it out. So small a program needs no compiler.

use anyhow::{Context as _, Result};
use aya::{
    Ebpf,
    programs::{SchedClassifier, Xdp},
};
use object::{
    Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
    write::{Object, Symbol, SymbolSection},
};

/// What the program is called in its object.
const NAME: &str = "tiny";
/// The opcodes of "r0 = number" and "return" (RFC 9669 §4: ALU64, MOV, K; JMP, EXIT).
const MOVE: u8 = 0xb7;
const EXIT: u8 = 0x95;

/// A program of two instructions. It goes when dropped, and leaves what it was attached to.
pub(super) struct Tiny(Ebpf);

impl Tiny {
    /// An XDP program that gives every frame this action (`XDP_*` of `linux/bpf.h`).
    pub(super) fn xdp(action: u32) -> Result<Self> {
        let mut tiny = Self::open("xdp", action)?;
        tiny.as_xdp()?.load().context("the kernel refuses an XDP program of two instructions")?;
        Ok(tiny)
    }

    /// A classifier that gives every packet this action (`TC_ACT_*` of `linux/pkt_cls.h`).
    pub(super) fn classifier(action: u32) -> Result<Self> {
        let mut tiny = Self::open("classifier", action)?;
        tiny.as_classifier()?.load().context("the kernel refuses a classifier of two instructions")?;
        Ok(tiny)
    }

    pub(super) fn as_xdp(&mut self) -> Result<&mut Xdp> {
        let program = self.0.program_mut(NAME).context("the object has lost its program")?;
        Ok(program.try_into()?)
    }

    pub(super) fn as_classifier(&mut self) -> Result<&mut SchedClassifier> {
        let program = self.0.program_mut(NAME).context("the object has lost its program")?;
        Ok(program.try_into()?)
    }

    fn open(section: &str, answer: u32) -> Result<Self> {
        Ok(Self(Ebpf::load(&elf(section, answer)?).context("the object of a tiny program cannot be read")?))
    }
}

/// The object file that a compiler would make. The name of its section says what kind of program it is.
fn elf(section: &str, answer: u32) -> Result<Vec<u8>> {
    let endianness = if cfg!(target_endian = "big") { Endianness::Big } else { Endianness::Little };
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Bpf, endianness);
    let id = object.add_section(vec![], section.into(), SectionKind::Text);
    let code = [[MOVE, 0, 0, 0], answer.to_ne_bytes(), [EXIT, 0, 0, 0], [0; 4]].concat();
    let value = object.append_section_data(id, &code, 8);
    object.add_symbol(Symbol {
        name: NAME.into(),
        value,
        size: code.len() as u64,
        kind: SymbolKind::Text,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(id),
        flags: SymbolFlags::None,
    });
    object.write().context("the object of a tiny program cannot be written")
}
