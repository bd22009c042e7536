//! The last characters of a key: a checksum, by which a key that was mistyped or cut short is told
//! without its signature, and by which scanners of leaked secrets tell a key from a text like one.
//!
//! CRC-32 (ISO/IEC 8802-3) of all that stands before it, in six digits of base 62.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters of a checksum.
pub const LEN: usize = 6;

static TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "at most 255")]
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            let is_odd = crc & 1 == 1;
            crc >>= 1;
            if is_odd {
                crc ^= 0xEDB8_8320;
            }
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// Returns the checksum of a text.
pub fn of(text: &str) -> String {
    let crc = text.bytes().fold(u32::MAX, |crc, byte| {
        (crc >> 8) ^ TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)]
    });
    let mut rest = !crc as usize;
    let mut digits = [DIGITS[0]; LEN];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[rest % DIGITS.len()];
        rest /= DIGITS.len();
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// Returns a text without its checksum, if that is right.
pub fn strip(text: &str) -> Option<&str> {
    let (body, checksum) = text.split_at_checked(text.len().checked_sub(LEN)?)?;
    (of(body) == checksum).then_some(body)
}
