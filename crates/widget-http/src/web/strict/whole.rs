//! Whole numbers, as text in bodies and in queries. The limits of Rust's types are not shown: the
//! rule that uses a number has its own.

use std::str::FromStr;

use widget_core::finding::Code;

use super::fault::Fault;

/// Reads a whole number.
pub(super) fn read_whole<N: FromStr>(text: &str) -> Result<N, Fault> {
    text.parse().map_err(|_| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let detail = if !is_whole {
            format!("`{text}` is not a whole number")
        } else if text.starts_with('-') {
            format!("`{text}` is negative; use a whole number from 0")
        } else {
            format!("`{text}` is too large")
        };
        Fault::new(Code::ValueInvalid, detail)
    })
}

/// The methods by which a deserializer reads whole numbers: with its own `read_whole`.
macro_rules! deserialize_whole {
    () => {
        deserialize_whole! {
            deserialize_i64 => visit_i64,
            deserialize_u32 => visit_u32,
            deserialize_u64 => visit_u64,
        }
    };
    ($($method:ident => $visit:ident,)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            visitor.$visit(self.read_whole()?)
        })+
    };
}

pub(super) use deserialize_whole;
