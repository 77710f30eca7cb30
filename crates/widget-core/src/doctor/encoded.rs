//! Snippets in base64: consent managers keep them so until visitors agree, and optimizers write
//! inline scripts into addresses so.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

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

/// With both alphabets, with or without padding, as tools write it.
fn decode(text: &str) -> Option<String> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let standard = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => byte,
        });
    let bytes = LENIENT.decode(standard.collect::<Vec<u8>>()).ok()?;
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
