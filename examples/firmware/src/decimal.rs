//! Numbers as text, without the formatting of `core`.

/// A number's digits.
pub struct Decimal {
    digits: [u8; 10],
    start: usize,
}

impl Decimal {
    pub fn new(number: usize) -> Self {
        let mut decimal = Self { digits: [b'0'; 10], start: 10 };
        let mut rest = number;
        for digit in decimal.digits.iter_mut().rev() {
            decimal.start -= 1;
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        decimal
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }
}
