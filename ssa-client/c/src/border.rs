//! What C passes in; Rust values, or why they are none, out; and back. Whatever is unsafe about C stands here.
//!
//! A handle crosses as `Option<&T>` and `Option<Box<T>>`, which are pointers that may be NULL. All other pointers are the
//! types below. None of them can be made in Rust: they come as arguments of calls from C, for which the header says what they
//! point to. They are read and written octet by octet, so that none needs to be aligned and they may overlap.

use std::{
    ffi::{CStr, c_char},
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

use crate::failure::{Failure, Status};

/// A text that ends with NUL, or NULL.
#[repr(transparent)]
pub(crate) struct Text<'a>(*const c_char, PhantomData<&'a CStr>);

/// A value that is read, or NULL.
#[repr(transparent)]
pub(crate) struct In<'a, T>(*const T, PhantomData<&'a T>);

/// A place that is written to, or NULL.
#[repr(transparent)]
pub(crate) struct Out<'a, T>(*mut T, PhantomData<&'a mut T>);

impl<'a> Text<'a> {
    /// The text, if there is one.
    ///
    /// # Errors
    /// Where it is not UTF-8. `what` names it.
    pub(crate) fn optional(self, what: &str) -> Result<Option<&'a str>, Failure> {
        if self.0.is_null() {
            return Ok(None);
        }
        // SAFETY: the header wants a text that ends with NUL, and nobody changes it before the call returns.
        let text = unsafe { CStr::from_ptr(self.0) };
        text.to_str().map(Some).map_err(|_| Failure::invalid(format!("the {what} is not UTF-8")))
    }

    /// The text.
    ///
    /// # Errors
    /// Where there is none, or it is not UTF-8.
    pub(crate) fn get(self, what: &str) -> Result<&'a str, Failure> {
        self.optional(what)?.ok_or_else(|| Failure::null(what))
    }
}

impl<T: Copy> In<'_, T> {
    /// The value, if there is one.
    pub(crate) fn optional(self) -> Option<T> {
        // SAFETY: the header wants NULL or so many octets, of which any are a `T`.
        (!self.0.is_null()).then(|| unsafe { self.0.read_unaligned() })
    }

    /// The value.
    ///
    /// # Errors
    /// Where there is none. `what` names it.
    pub(crate) fn get(self, what: &str) -> Result<T, Failure> {
        self.optional().ok_or_else(|| Failure::null(what))
    }

    /// So many values that begin here, at most `most`.
    ///
    /// # Errors
    /// Where there are some and the pointer is NULL, or there are too many.
    pub(crate) fn several(self, count: usize, most: usize, what: &str) -> Result<Vec<T>, Failure> {
        if count == 0 {
            return Ok(Vec::new());
        }
        if self.0.is_null() {
            return Err(Failure::null(what));
        }
        if count > most {
            return Err(Failure::invalid(format!("there are {count} {what}, and {most} is the most")));
        }
        // SAFETY: the header wants so many of them, one behind the other, and they are few.
        Ok((0..count).map(|index| unsafe { self.0.add(index).read_unaligned() }).collect())
    }
}

impl<T> Out<'_, T> {
    /// Whether there is nowhere to write to.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// Writes, if there is a place. What was there before is not looked at.
    pub(crate) fn write(self, value: T) {
        if !self.0.is_null() {
            // SAFETY: the header wants NULL or a place for a `T` that is the caller's.
            unsafe { self.0.write_unaligned(value) };
        }
    }
}

/// What a function gives that has met a fault of ours.
pub(crate) trait Fault {
    /// The value.
    const FAULT: Self;
}

macro_rules! faults {
    ($($type:ty: $value:expr),+ $(,)?) => {
        $(impl Fault for $type { const FAULT: Self = $value; })+
    };
}

faults!((): (), Status: Status::Internal, i32: 0, u16: 0, u32: 0, u64: 0, usize: 0, *const c_char: ptr::null());

/// What `work` gives; no panic goes further than this.
pub(crate) fn guarded<T: Fault>(work: impl FnOnce() -> T) -> T {
    catch(work).unwrap_or(T::FAULT)
}

/// What `work` gives; nothing where it panics.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Option<T> {
    // What a call has changed when it panics is lost with it: handles are never changed.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(panic) => {
            // To drop it might panic.
            std::mem::forget(panic);
            None
        }
    }
}

/// Functions for C: each exported by its name, none unwinding; and in tests what C would have to declare.
macro_rules! exports {
    ($( $(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $given:ty $body:block )+) => {
        $(
            $(#[$doc])*
            // SAFETY: no other library has names that begin so.
            #[unsafe(no_mangle)]
            pub(crate) extern "C" fn $name($($argument: $type),*) -> $given {
                $crate::border::guarded(|| $body)
            }
        )+

        /// As the header has to have them.
        #[cfg(test)]
        pub(crate) fn prototypes() -> Vec<String> {
            use $crate::header::{Declared, function};
            vec![$(function::<$given>(
                stringify!($name),
                &[$(<$type as Declared>::declared(stringify!($argument))),*],
            )),+]
        }
    };
}

pub(crate) use exports;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(octets: &[u8]) -> Text<'_> {
        assert_eq!(octets.last(), Some(&0));
        Text(octets.as_ptr().cast(), PhantomData)
    }

    #[test]
    fn what_is_null_is_named() {
        let said = |failure: Failure| failure.text;
        assert_eq!(said(Text(ptr::null(), PhantomData).get("name").unwrap_err()), "the name is NULL");
        assert_eq!(said(In::<u32>(ptr::null(), PhantomData).get("key").unwrap_err()), "the key is NULL");
        assert!(Text(ptr::null(), PhantomData).optional("name").unwrap().is_none());
        assert!(In::<u32>(ptr::null(), PhantomData).several(0, 1, "keys").unwrap().is_empty());
        assert_eq!(said(In::<u32>(ptr::null(), PhantomData).several(1, 1, "keys").unwrap_err()), "the keys is NULL");
        Out::<u32>(ptr::null_mut(), PhantomData).write(7);
    }

    #[test]
    fn what_is_there_is_read_as_far_as_it_goes() {
        assert_eq!(text(b"h\xc3\xa4\0").get("name").unwrap(), "hä");
        assert!(text(b"h\xe4\0").get("name").is_err());
        let octets = [1u8, 0, 0, 0, 7, 0, 0, 0, 9];
        let at = |offset: usize| In(octets[offset..].as_ptr().cast::<[u8; 4]>(), PhantomData);
        assert_eq!(at(1).get("key").unwrap(), [0, 0, 0, 7]);
        assert_eq!(at(0).several(2, 2, "keys").unwrap(), [[1, 0, 0, 0], [7, 0, 0, 0]]);
        assert_eq!(at(0).several(3, 2, "keys").unwrap_err().text, "there are 3 keys, and 2 is the most");
    }

    #[test]
    fn no_panic_goes_further() {
        assert_eq!(guarded(|| -> u64 { panic!("a fault, as this test wants") }), 0);
        assert_eq!(guarded(|| 7u64), 7);
    }
}
