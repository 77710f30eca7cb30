//! Snippets in base64: consent managers keep them so until visitors agree, and optimizers write
//! inline scripts into addresses so.

use super::script::PATH;

/// How `<script` begins, in base64.
const MARKUP: &str = "PHNjcmlwd";

/// Shorter texts have no snippet in them.
const MIN_LENGTH: usize = 60;

/// The text of a value that is base64 with a snippet in it.
pub(super) fn decode_markup(value: &str) -> Option<String> {
    let value = value.trim();
    // Most values are short, and most long ones begin with something else.
    if value.len() < MIN_LENGTH || !(value.starts_with(MARKUP) || value.starts_with("PC")) {
        return None;
    }
    decode(value)
}

/// Whether an address is `data:…`.
pub(super) fn is_data_url(url: &str) -> bool {
    url.trim()
        .get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// The text of `data:text/javascript;base64,…` with the address of a snippet in it.
pub(super) fn decode_data_url(url: &str) -> Option<String> {
    let (head, data) = url.split_once(',').filter(|_| is_data_url(url))?;
    if !head.to_ascii_lowercase().ends_with(";base64") {
        return None;
    }
    decode(data)
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            byte if byte.is_ascii_whitespace() => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
        }
    }
    let text = String::from_utf8_lossy(&bytes).replace("\\/", "/");
    text.contains(PATH).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_snippets_are_decoded() {
        let encoded =
            "PHNjcmlwdCBzcmM9Imh0dHBzOi8vdy5leGFtcGxlL3B1YmxpYy9lbWJlZC8xIj48L3NjcmlwdD4=";
        assert_eq!(
            decode_markup(encoded).as_deref(),
            Some("<script src=\"https://w.example/public/embed/1\"></script>")
        );
        let url = format!("data:text/javascript;base64,{encoded}");
        assert!(decode_data_url(&url).is_some());
        assert_eq!(decode_data_url("data:text/javascript,alert(1)"), None);
        assert_eq!(decode_data_url("é"), None);
        assert_eq!(decode_markup(&encoded.replace('=', "!")), None);
        assert_eq!(decode_markup(&encoded.replacen("L3B1", "L3Bx", 1)), None);
    }
}
