//! What each of the objects has: an end for panics, and the licence that the kernel asks for.

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // There are no panics, and the verifier would refuse a program that could reach this endless loop.
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
