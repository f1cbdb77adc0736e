//! Instructions of BPF in; the object file that a compiler would have made of them out.

use anyhow::{Context as _, Result};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
    elf::R_BPF_64_64,
    write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection},
};

/// The section of what a program remembers, and the map that comes of it.
pub(super) const STATE: &str = ".bss";
/// Octets of that: three words.
const STATE_SIZE: u64 = 24;

/// One instruction (RFC 9669): opcode, registers, offset, number.
#[derive(Clone, Copy)]
pub(super) struct Instruction {
    opcode: u8,
    target: u8,
    source: u8,
    offset: i16,
    number: i32,
}

const fn instruction(opcode: u8, target: u8, source: u8, offset: i16, number: i32) -> Instruction {
    Instruction { opcode, target, source, offset, number }
}

/// `target = number`
pub(super) const fn set(target: u8, number: i32) -> Instruction {
    instruction(0xb7, target, 0, 0, number)
}

/// `target = source`
pub(super) const fn copy(target: u8, source: u8) -> Instruction {
    instruction(0xbf, target, source, 0, 0)
}

/// `target += number`
pub(super) const fn add(target: u8, number: i32) -> Instruction {
    instruction(0x07, target, 0, 0, number)
}

/// `target = *(u64 *)(source + offset)`
pub(super) const fn load(target: u8, source: u8, offset: i16) -> Instruction {
    instruction(0x79, target, source, offset, 0)
}

/// `*(u64 *)(target + offset) = source`
pub(super) const fn store(target: u8, offset: i16, source: u8) -> Instruction {
    instruction(0x7b, target, source, offset, 0)
}

/// `if target < source, leave out` so many instructions
pub(super) const fn skip_if_less(target: u8, source: u8, skipped: i16) -> Instruction {
    instruction(0xad, target, source, skipped, 0)
}

/// `if target == 0, leave out` so many instructions
pub(super) const fn skip_if_zero(target: u8, skipped: i16) -> Instruction {
    instruction(0x15, target, 0, skipped, 0)
}

/// `r0 =` what a helper says
pub(super) const fn call(helper: i32) -> Instruction {
    instruction(0x85, 0, 0, 0, helper)
}

/// `return r0`
pub(super) const fn exit() -> Instruction {
    instruction(0x95, 0, 0, 0, 0)
}

/// `target =` the place of what the program remembers. It takes the room of two.
pub(super) const fn state(target: u8) -> [Instruction; 2] {
    [instruction(LOAD_PLACE, target, 0, 0, 0), instruction(0, 0, 0, 0, 0)]
}

/// The opcode of the first half of a load of 64 bits, here always a place.
const LOAD_PLACE: u8 = 0x18;

impl Instruction {
    fn octets(self) -> [u8; 8] {
        let registers =
            if cfg!(target_endian = "big") { self.target << 4 | self.source } else { self.source << 4 | self.target };
        let [offset, number] = [self.offset.to_ne_bytes().to_vec(), self.number.to_ne_bytes().to_vec()];
        let octets = [vec![self.opcode, registers], offset, number].concat();
        octets.try_into().expect("an instruction has eight octets")
    }
}

/// The object. The name of the section says what kind of program it is.
pub(super) fn elf(name: &str, section: &str, code: &[Instruction]) -> Result<Vec<u8>> {
    let endianness = if cfg!(target_endian = "big") { Endianness::Big } else { Endianness::Little };
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Bpf, endianness);
    let text = object.add_section(vec![], section.into(), SectionKind::Text);
    let octets: Vec<u8> = code.iter().flat_map(|instruction| instruction.octets()).collect();
    object.append_section_data(text, &octets, 8);
    symbol(&mut object, name, text, SymbolKind::Text, octets.len() as u64);
    let places = (0..).step_by(8).zip(code).filter(|(_, instruction)| instruction.opcode == LOAD_PLACE);
    let places: Vec<u64> = places.map(|(offset, _)| offset).collect();
    if !places.is_empty() {
        let bss = object.add_section(vec![], STATE.into(), SectionKind::UninitializedData);
        object.append_section_bss(bss, STATE_SIZE, 8);
        let symbol = symbol(&mut object, "state", bss, SymbolKind::Data, STATE_SIZE);
        for offset in places {
            let flags = RelocationFlags::Elf { r_type: R_BPF_64_64 };
            object.add_relocation(text, Relocation { offset, symbol, addend: 0, flags })?;
        }
    }
    object.write().context("an object cannot be written")
}

fn symbol(object: &mut Object<'_>, name: &str, section: SectionId, kind: SymbolKind, size: u64) -> SymbolId {
    object.add_symbol(Symbol {
        name: name.into(),
        value: 0,
        size,
        kind,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    })
}
