//! Instructions in; the object file that a compiler would have made of them out.

use anyhow::{Context as _, Result};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
    elf::R_BPF_64_64,
    write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection},
};

use super::instruction::is_place;

/// The section of what a program remembers, and the map that comes of it.
pub(super) const STATE: &str = ".bss";
/// Octets of that: three words.
const STATE_SIZE: u64 = 24;

/// The object. The name of the section says what kind of program it is.
pub(super) fn elf(name: &str, section: &str, code: &[u64]) -> Result<Vec<u8>> {
    let endianness = if cfg!(target_endian = "big") { Endianness::Big } else { Endianness::Little };
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Bpf, endianness);
    let text = object.add_section(vec![], section.into(), SectionKind::Text);
    let octets: Vec<u8> = code.iter().flat_map(|instruction| instruction.to_ne_bytes()).collect();
    object.append_section_data(text, &octets, 8);
    symbol(&mut object, name, text, SymbolKind::Text, octets.len() as u64);
    let places = (0..).step_by(8).zip(code).filter(|&(_, &instruction)| is_place(instruction));
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
