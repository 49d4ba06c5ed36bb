//! Bytes looked at eight at a time.

use super::class::Class;

/// How many bytes `text` begins with that a field's value may have.
#[inline(never)]
pub(crate) fn value_run(text: &[u8]) -> usize {
    run(text, Class::VALUE, behind_usual_value)
}

/// How many bytes `text` begins with that a token may have.
#[inline(never)]
pub(crate) fn token_run(text: &[u8]) -> usize {
    run(text, Class::TOKEN, behind_usual_token)
}

/// `text` behind the bytes that a field's value may have and a CR LF, if that is what ends them.
#[inline(always)]
pub(crate) fn behind_value(text: &[u8]) -> Option<&[u8]> {
    match behind_usual_value(text) {
        // What ends most values needs no second look.
        [b'\r', b'\n', rest @ ..] => Some(rest),
        rest => rest.get(value_run(rest)..)?.strip_prefix(b"\r\n"),
    }
}

/// `text` behind the bytes that a token may have and a colon, if that is what ends them.
#[inline(always)]
pub(crate) fn behind_name(text: &[u8]) -> Option<&[u8]> {
    match behind_usual_token(text) {
        [b':', rest @ ..] => Some(rest),
        rest => rest.get(token_run(rest)..)?.strip_prefix(b":"),
    }
}

/// `text` behind some bytes that a field's value may have: as a rule, all that it begins with.
#[inline(always)]
fn behind_usual_value(text: &[u8]) -> &[u8] {
    behind(text, |word| {
        // By each byte's high bit: it is below 20, or it is 7F, and it is not 80 or above.
        (word.wrapping_sub(each(0x20)) | word.wrapping_add(each(1))) & !word
    })
}

/// `text` behind some bytes that a token may have: as a rule, all that it begins with.
#[inline(always)]
fn behind_usual_token(text: &[u8]) -> &[u8] {
    behind(text, |word| {
        // By each byte's high bit: it is 80 or above, or neither a letter nor a hyphen. The sums carry from bytes of 80
        // and above alone.
        let letter = word | each(0x20);
        let letters = letter.wrapping_add(each(0x80 - b'a')) & !letter.wrapping_add(each(0x80 - b'z' - 1));
        let others = (word ^ each(b'-')).wrapping_add(each(0x7f));
        !letters & others | word
    })
}

/// `text` from the first byte that `odd` marks by its high bit, or the last few. Marks above the first may be wrong.
#[inline(always)]
fn behind(text: &[u8], odd: impl Fn(u64) -> u64) -> &[u8] {
    let mut rest = text;
    while let Some(word) = rest.first_chunk() {
        let marks = odd(u64::from_le_bytes(*word)) & each(0x80);
        if marks != 0 {
            return rest.get((marks.trailing_zeros() / u8::BITS) as usize..).unwrap_or_default();
        }
        rest = rest.get(word.len()..).unwrap_or_default();
    }
    rest
}

/// How many bytes of `class` `text` begins with; `usual` is behind some of them.
#[inline(always)]
fn run(text: &[u8], class: Class, usual: impl Fn(&[u8]) -> &[u8]) -> usize {
    if !cfg!(feature = "fast") {
        return class.run(text);
    }
    let mut rest = text;
    loop {
        rest = usual(rest);
        match rest {
            [byte, tail @ ..] if class.has(*byte) => rest = tail,
            _ => return text.len().saturating_sub(rest.len()),
        }
    }
}

/// Whether `text` is `word`, without regard to case. `word` is of small letters, hyphens and colons.
#[inline(never)]
pub(crate) fn is_word(text: &[u8], word: &[u8]) -> bool {
    is(text, word)
}

/// What is behind `word` in `text`, if that begins with it: as [`is_word`].
#[inline(always)]
pub(crate) fn behind_word<'t, const N: usize>(text: &'t [u8], word: &[u8; N]) -> Option<&'t [u8]> {
    let (start, rest) = text.split_first_chunk::<N>()?;
    is(start, word).then_some(rest)
}

#[inline(always)]
fn is(text: &[u8], word: &[u8]) -> bool {
    if !cfg!(feature = "fast") {
        return text.eq_ignore_ascii_case(word);
    }
    // Of the bytes of a word a letter alone has the bit 40. So a capital letter becomes a small one, and nothing else
    // becomes anything.
    let eight = |(text, word): (&[u8; 8], &[u8; 8])| {
        let (text, word) = (u64::from_le_bytes(*text), u64::from_le_bytes(*word));
        text | (word >> 1 & each(0x20)) == word
    };
    let four = |(text, word): (&[u8; 4], &[u8; 4])| {
        let (text, word) = (u32::from_le_bytes(*text), u32::from_le_bytes(*word));
        text | (word >> 1 & 0x2020_2020) == word
    };
    if text.len() != word.len() {
        return false;
    }
    // The last chunk overlaps those before it where the length is no multiple.
    if let Some(last) = text.last_chunk().zip(word.last_chunk()) {
        return text.as_chunks().0.iter().zip(word.as_chunks().0).all(eight) && eight(last);
    }
    match (text.first_chunk().zip(word.first_chunk()), text.last_chunk().zip(word.last_chunk())) {
        (Some(first), Some(last)) => four(first) && four(last),
        _ => text.iter().zip(word).all(|(byte, small)| byte | (small >> 1 & 0x20) == *small),
    }
}

/// A word of eight such bytes.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    /// Every byte at every place of a few words, before and behind every kind of neighbour.
    #[test]
    fn runs_are_those_of_the_table() {
        type Run = fn(&[u8]) -> usize;
        let runs: [(Run, Class); 2] = [(value_run, Class::VALUE), (token_run, Class::TOKEN)];
        for neighbour in [b'a', b'Z', b'-', b'0', b'~', b' ', b'\t', 0x00, 0x1f, 0x7e, 0x7f, 0x80, 0xff] {
            for len in 0..=17 {
                for at in 0..len {
                    for byte in 0..=255 {
                        let mut text: Vec<u8> = [neighbour].repeat(len);
                        text[at] = byte;
                        for (run, class) in runs {
                            let expected = text.iter().take_while(|&&byte| class.has(byte)).count();
                            assert_eq!(run(&text), expected, "{}", text.escape_ascii());
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn words_without_case() {
        let name = "sec-websocket-extensions";
        for len in 0..=name.len() {
            let word = &name.as_bytes()[..len];
            assert!(is_word(word, word) && is_word(&word.to_ascii_uppercase(), word));
            for at in 0..len {
                for byte in 0..=255 {
                    let mut text = word.to_vec();
                    text[at] = byte;
                    assert_eq!(
                        is_word(&text, word),
                        text.eq_ignore_ascii_case(word),
                        "{}",
                        text.escape_ascii()
                    );
                }
            }
            assert!(!is_word(&name.as_bytes()[..len], name.as_bytes()) || len == name.len());
        }
    }
}
