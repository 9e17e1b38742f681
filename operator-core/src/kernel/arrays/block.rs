//! Arrays as bytes, and where a program finds them.

/// Arrays start at multiples of this many bytes, the size of the largest item that a program reads at once.
const ALIGNMENT: usize = 16;

/// A program's parameter has room for this many pointers and pairs of numbers.
const WORDS: usize = 24;

/// The arrays of an engine as bytes, and the numbers that go with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineBlock {
    arrays: Vec<Vec<u8>>,
    numbers: Vec<u32>,
}

/// A program's parameter: the addresses of the arrays, then the numbers. The engine of masks and that of tables have
/// different numbers of either; programs read only their own.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineArgument([u64; WORDS]);

impl EngineBlock {
    /// Adds an array.
    pub(super) fn array<const N: usize>(mut self, values: impl IntoIterator<Item = [u8; N]>) -> Self {
        self.arrays.push(values.into_iter().flatten().collect());
        self
    }

    /// Adds an array of numbers.
    pub(super) fn u32s<'a>(self, values: impl IntoIterator<Item = &'a u32>) -> Self {
        self.array(values.into_iter().map(|value| value.to_le_bytes()))
    }

    /// Adds an array of words.
    pub(super) fn u64s<'a>(self, values: impl IntoIterator<Item = &'a u64>) -> Self {
        self.array(values.into_iter().map(|value| value.to_le_bytes()))
    }

    /// Adds the numbers, which come last.
    pub(super) fn numbers<const N: usize>(mut self, numbers: [usize; N]) -> Self {
        // Kernels number what they have by 32 bits (`offsets`).
        self.numbers.extend(numbers.map(|number| number as u32));
        self
    }

    /// The bytes of each array.
    pub fn arrays(&self) -> &[Vec<u8>] {
        &self.arrays
    }

    /// All arrays one after another, and where each starts.
    pub fn joined(&self) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        for array in &self.arrays {
            starts.push(bytes.len());
            bytes.extend_from_slice(array);
            bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        }
        (bytes, starts)
    }

    /// The parameter for arrays at these addresses, in the order of [`arrays`](Self::arrays).
    pub fn argument(&self, addresses: impl IntoIterator<Item = u64>) -> EngineArgument {
        let numbers = self.numbers.chunks(2).map(|pair| match *pair {
            [low, high] => u64::from(low) | u64::from(high) << 32,
            _ => pair.first().copied().unwrap_or_default().into(),
        });
        let addresses = addresses.into_iter().take(self.arrays.len());
        let mut words = [0; WORDS];
        words.iter_mut().zip(addresses.chain(numbers)).for_each(|(to, word)| *to = word);
        EngineArgument(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_aligned_and_numbers_follow_their_addresses() {
        let block = EngineBlock::default().u32s(&[1, 2, 3, 4, 5]).array([[7u8]]).numbers([8, 9, 10]);
        let (bytes, starts) = block.joined();
        assert_eq!((starts, bytes.len()), (vec![0, 32], 48));
        assert_eq!((bytes[16], bytes[32]), (5, 7));
        let EngineArgument(words) = block.argument([1000, 2000]);
        assert_eq!(words[..5], [1000, 2000, 8 | 9 << 32, 10, 0]);
    }
}
