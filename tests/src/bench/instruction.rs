//! Operation, registers and numbers in; instructions of BPF out, as a program of a few lines takes them (RFC 9669).

/// A register.
#[derive(Clone, Copy, Debug)]
pub(super) struct R(pub(super) u8);

/// Sizes of loads and stores.
#[derive(Clone, Copy, Debug)]
pub(super) enum Size {
    Byte = 0x10,
    Half = 0x08,
    Word = 0x00,
    Double = 0x18,
}

impl Size {
    /// In octets.
    pub(super) const fn octets(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Half => 2,
            Self::Word => 4,
            Self::Double => 8,
        }
    }
}

/// Arithmetic in 64 bits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Add = 0x00,
    Mul = 0x20,
    And = 0x50,
    ShiftLeft = 0x60,
    ShiftRight = 0x70,
    Xor = 0xa0,
    Move = 0xb0,
}

const LOAD: u8 = 0x61;
const STORE: u8 = 0x63;
/// Of 64 bits; the number says what is done, and 0 is adding.
const ATOMIC: u8 = 0xdb;
const ALU: u8 = 0x07;
const FROM_REGISTER: u8 = 0x08;
/// Unsigned, by registers.
const JUMP_IF_GREATER: u8 = 0x2d;
const JUMP_IF_LESS: u8 = 0xad;
const JUMP_IF_NUMBER: u8 = 0x15;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
/// Two instructions; the source "register" says that the number is a map's descriptor.
const LOAD_MAP: u8 = 0x18;
const PSEUDO_MAP: R = R(1);
/// Or that it is, and that the second number is an offset into the map's only element.
const PSEUDO_MEMORY: R = R(2);
/// `bpf_tail_call` of `linux/bpf.h`.
const TAIL_CALL: i32 = 12;

const fn instruction(code: u8, to: R, from: R, offset: i16, number: i32) -> u64 {
    let registers = if cfg!(target_endian = "little") { from.0 << 4 | to.0 } else { to.0 << 4 | from.0 };
    let [low, high] = offset.to_ne_bytes();
    let [a, b, c, d] = number.to_ne_bytes();
    u64::from_ne_bytes([code, registers, low, high, a, b, c, d])
}

/// `to = *(from + offset)`
pub(super) const fn load(size: Size, to: R, from: R, offset: i16) -> u64 {
    instruction(LOAD | size as u8, to, from, offset, 0)
}

/// `*(to + offset) = from`
pub(super) const fn store(size: Size, to: R, offset: i16, from: R) -> u64 {
    instruction(STORE | size as u8, to, from, offset, 0)
}

/// `*to += from`, of 64 bits, whoever else does so.
pub(super) const fn add_to_memory(to: R, from: R) -> u64 {
    instruction(ATOMIC, to, from, 0, 0)
}

/// `to = to op from`
pub(super) const fn with(op: Op, to: R, from: R) -> u64 {
    instruction(ALU | FROM_REGISTER | op as u8, to, from, 0, 0)
}

/// `to = to op number`
pub(super) const fn with_number(op: Op, to: R, number: i32) -> u64 {
    instruction(ALU | op as u8, to, R(0), 0, number)
}

/// `to =` a number of 64 bits.
pub(super) const fn number(to: R, number: u64) -> [u64; 3] {
    let [low, high] = halves(number);
    // The lower half is added with its sign.
    [
        with_number(Op::Move, to, high.wrapping_add((low < 0) as i32)),
        with_number(Op::ShiftLeft, to, 32),
        with_number(Op::Add, to, low),
    ]
}

#[expect(clippy::cast_possible_truncation, reason = "a half has 32 bits")]
const fn halves(number: u64) -> [i32; 2] {
    [(number as u32).cast_signed(), ((number >> 32) as u32).cast_signed()]
}

/// Skips so many instructions if `left > right`.
pub(super) const fn skip_if_greater(left: R, right: R, instructions: i16) -> u64 {
    instruction(JUMP_IF_GREATER, left, right, instructions, 0)
}

/// Skips so many instructions if `left < right`.
pub(super) const fn skip_if_less(left: R, right: R, instructions: i16) -> u64 {
    instruction(JUMP_IF_LESS, left, right, instructions, 0)
}

/// Skips so many instructions if `left` is this number.
pub(super) const fn skip_if(left: R, number: i32, instructions: i16) -> u64 {
    instruction(JUMP_IF_NUMBER, left, R(0), instructions, number)
}

/// `data =` where a frame begins, as the context has it at `place`, and where it ends behind that. A frame of fewer than so
/// many octets skips so many instructions.
pub(super) fn begin(context: R, place: i16, [data, end, spare]: [R; 3], octets: i16, instructions: i16) -> [u64; 5] {
    [
        load(Size::Word, data, context, place),
        load(Size::Word, end, context, place + 4),
        with(Op::Move, spare, data),
        with_number(Op::Add, spare, octets.into()),
        skip_if_greater(spare, end, instructions),
    ]
}

/// How many instructions these are, to skip them.
pub(super) fn length(instructions: &[u64]) -> i16 {
    i16::try_from(instructions.len()).expect("a program of some lines")
}

/// `r0 =` what a helper of `linux/bpf.h` says.
pub(super) const fn call(helper: i32) -> u64 {
    instruction(CALL, R(0), R(0), 0, helper)
}

/// `to =` a place that the loader fills in; for two instructions.
pub(super) const fn place(to: R) -> [u64; 2] {
    [instruction(LOAD_MAP, to, R(0), 0, 0), 0]
}

/// `to =` a place in the only element of the map of this descriptor; for two instructions.
pub(super) const fn memory(to: R, map: i32, offset: i32) -> [u64; 2] {
    [instruction(LOAD_MAP, to, PSEUDO_MEMORY, 0, map), instruction(0, R(0), R(0), 0, offset)]
}

/// Whether this is the first half of a place that the loader fills in. Where the place is known, it says which.
pub(super) const fn is_place(instruction: u64) -> bool {
    let [code, registers, ..] = instruction.to_ne_bytes();
    let from = if cfg!(target_endian = "little") { registers >> 4 } else { registers & 0xf };
    code == LOAD_MAP && from == 0
}

/// Goes on in the first program of a map, with the context of `context`; or here, where there is none.
pub(super) const fn tail_call(context: R, map: i32) -> [u64; 5] {
    [
        with(Op::Move, R(1), context),
        instruction(LOAD_MAP, R(2), PSEUDO_MAP, 0, map),
        0,
        with_number(Op::Move, R(3), 0),
        call(TAIL_CALL),
    ]
}

/// Ends with this action.
pub(super) const fn leave(action: i32) -> [u64; 2] {
    [with_number(Op::Move, R(0), action), end()]
}

/// Ends with the action in `r0`.
pub(super) const fn end() -> u64 {
    instruction(EXIT, R(0), R(0), 0, 0)
}
