//! Named arrays and notes in one file, which reads back to the same bits.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::str::FromStr;

use ndarray::{Array, ArrayView, Dimension, IxDyn};
use safetensors::{Dtype, SafeTensors, View};

use super::file;
use crate::error::{Error, Result};

/// The largest count that is read: whole numbers up to it are floating-point numbers too.
const MAX_COUNT: u64 = 1 << 53;

/// The note that holds the checksum in files.
const CHECKSUM: &str = "checksum";

mod sealed {
    use safetensors::Dtype;

    /// A type of numbers with its form in files.
    pub trait Number: Copy {
        const DTYPE: Dtype;

        fn to_bytes(values: impl Iterator<Item = Self>) -> Vec<u8>;

        /// `None` if numbers of the file's type cannot be read as this type.
        fn from_bytes(dtype: Dtype, bytes: &[u8]) -> Option<Vec<Self>>;
    }
}

/// The memory of a run: named arrays and notes, written to a file and read back to the same bits.
///
/// States, optimisers and callbacks save what they need to continue, each in a part of its own, and read it back
/// later. The file is in the safetensors format, with the notes as metadata.
///
/// ```
/// use ndarray::{Array1, array};
/// use variational::Snapshot;
///
/// let mut snapshot = Snapshot::new();
/// snapshot.insert("velocity", array![0.5, -1.0].view());
/// snapshot.note("n_steps", 3);
/// let velocity: Array1<f64> = snapshot.array("velocity")?;
/// assert_eq!((velocity[1], snapshot.read_note::<u64>("n_steps")?), (-1.0, 3));
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    arrays: BTreeMap<String, Stored>,
    notes: BTreeMap<String, String>,
    /// The file it was read from, for messages.
    origin: Option<String>,
}

/// An array as in the file: little endian, row by row.
#[derive(Clone, Debug, PartialEq)]
struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// The types of numbers that a [`Snapshot`] stores: `f64`, `u64` and `i8`. Sealed.
pub trait Storable: sealed::Number {}

macro_rules! storable {
    ($number:ty, $dtype:ident, $($read:ident as $from:ty),+) => {
        impl Storable for $number {}
        impl sealed::Number for $number {
            const DTYPE: Dtype = Dtype::$dtype;

            fn to_bytes(values: impl Iterator<Item = Self>) -> Vec<u8> {
                values.flat_map(<$number>::to_le_bytes).collect()
            }

            fn from_bytes(dtype: Dtype, bytes: &[u8]) -> Option<Vec<Self>> {
                match dtype {
                    $(Dtype::$read => {
                        let (numbers, _) = bytes.as_chunks::<{ size_of::<$from>() }>();
                        Some(numbers.iter().map(|&number| <$from>::from_le_bytes(number).into()).collect())
                    })+
                    _ => None,
                }
            }
        }
    };
}

// Other programs may have written parameters in single precision.
storable!(f64, F64, F64 as f64, F32 as f32);
storable!(u64, U64, U64 as u64);
storable!(i8, I8, I8 as i8);

impl Snapshot {
    /// An empty snapshot.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an array, or replaces the one with this name.
    pub fn insert<T: Storable, D: Dimension>(
        &mut self,
        name: impl Into<String>,
        values: ArrayView<'_, T, D>,
    ) {
        let bytes = T::to_bytes(values.iter().copied());
        let stored = Stored { dtype: T::DTYPE, shape: values.shape().to_vec(), bytes };
        self.arrays.insert(name.into(), stored);
    }

    /// Adds a line of text or a number, or replaces the one with this name.
    pub fn note(&mut self, name: impl Into<String>, value: impl ToString) {
        self.notes.insert(name.into(), value.to_string());
    }

    /// Whether there is an array with this name.
    pub fn has_array(&self, name: &str) -> bool {
        self.arrays.contains_key(name)
    }

    /// Whether there is a note with this name.
    pub fn has_note(&self, name: &str) -> bool {
        self.notes.contains_key(name)
    }

    /// Reads an array.
    ///
    /// # Errors
    /// [`Error::Content`] if it is missing, or has another type or number of dimensions.
    pub fn array<T: Storable, D: Dimension>(&self, name: &str) -> Result<Array<T, D>> {
        let Some(stored) = self.arrays.get(name) else {
            return Err(self.error(format!("no array {name:?}; it is the file of something else")));
        };
        let Stored { dtype, shape, bytes } = stored;
        let values = T::from_bytes(*dtype, bytes)
            .ok_or_else(|| self.error(format!("array {name:?} holds {dtype}; expected {}", T::DTYPE)))?;
        let n_values = values.len();
        let array = Array::from_shape_vec(IxDyn(shape), values)
            .map_err(|_| self.error(format!("array {name:?} has shape {shape:?} and {n_values} values")))?;
        array.into_dimensionality().map_err(|_| {
            let expected = D::NDIM.map_or("other".into(), |n| n.to_string());
            self.error(format!("array {name:?} has shape {shape:?}; expected {expected} dimensions"))
        })
    }

    /// Reads an array of known shape.
    ///
    /// # Errors
    /// As [`array`](Self::array), and [`Error::Content`] if the shape differs.
    pub fn array_of_shape<T: Storable, D: Dimension>(
        &self,
        name: &str,
        expected: &[usize],
    ) -> Result<Array<T, D>> {
        match self.arrays.get(name) {
            Some(Stored { shape, .. }) if shape != expected => {
                Err(self.error(format!("array {name:?} has shape {shape:?}; expected {expected:?}")))
            }
            _ => self.array(name),
        }
    }

    /// Reads a note as a `T`.
    ///
    /// # Errors
    /// [`Error::Content`] if it is missing or does not parse.
    pub fn read_note<T: FromStr>(&self, name: &str) -> Result<T> {
        let Some(text) = self.notes.get(name) else {
            return Err(self.error(format!("no note {name:?}; it is the file of something else")));
        };
        text.parse().map_err(|_| self.error(format!("note {name:?} is {text:?}, which cannot be read")))
    }

    /// Reads a note that counts something.
    ///
    /// # Errors
    /// As [`read_note`](Self::read_note), and [`Error::Content`] for more than 2⁵³, which nothing counts to: the next
    /// step would overflow, or be lost in a floating-point number.
    pub fn read_count(&self, name: &str) -> Result<usize> {
        let count: u64 = self.read_note(name)?;
        match usize::try_from(count) {
            Ok(count) if count as u64 <= MAX_COUNT => Ok(count),
            _ => Err(self.error(format!("note {name:?} is {count}; expected at most 2^53"))),
        }
    }

    /// Adds all of another snapshot, with `part/` before its names.
    pub fn insert_part(&mut self, part: &str, other: Snapshot) {
        self.arrays.extend(other.arrays.into_iter().map(|(name, array)| (format!("{part}/{name}"), array)));
        self.notes.extend(other.notes.into_iter().map(|(name, note)| (format!("{part}/{name}"), note)));
    }

    /// The part that [`insert_part`](Self::insert_part) added; empty if there is none.
    #[must_use]
    pub fn part(&self, part: &str) -> Snapshot {
        fn behind<V: Clone>(part: &str, map: &BTreeMap<String, V>) -> BTreeMap<String, V> {
            let inside = |name: &String| Some(name.strip_prefix(part)?.strip_prefix('/')?.to_owned());
            map.iter().filter_map(|(name, value)| Some((inside(name)?, value.clone()))).collect()
        }
        let (arrays, notes) = (behind(part, &self.arrays), behind(part, &self.notes));
        Snapshot { arrays, notes, origin: self.origin.clone() }
    }

    /// Writes a file. If the program ends while writing, the old file is intact.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let mut notes: HashMap<String, String> = self.notes.clone().into_iter().collect();
        notes.insert(CHECKSUM.into(), self.checksum());
        let bytes = safetensors::serialize(&self.arrays, Some(notes)).map_err(|error| Error::Content {
            origin: path.display().to_string(),
            reason: error.to_string(),
        })?;
        file::write_atomically(path, &bytes)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read; [`Error::Content`] if it is not a whole safetensors file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = file::read(path)?;
        let origin = path.display().to_string();
        let refused = |error: safetensors::SafeTensorError| Error::Content {
            origin: origin.clone(),
            reason: format!("not a whole safetensors file: {error}"),
        };
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(refused)?;
        let notes = metadata.metadata().iter().flatten();
        let notes = notes.map(|(name, note)| (name.clone(), note.clone())).collect();
        let tensors = SafeTensors::deserialize(&bytes).map_err(refused)?;
        let arrays = tensors
            .iter()
            .map(|(name, tensor)| {
                let (dtype, shape, bytes) = (tensor.dtype(), tensor.shape().to_vec(), tensor.data().to_vec());
                (name.to_owned(), Stored { dtype, shape, bytes })
            })
            .collect();
        let mut snapshot = Snapshot { arrays, notes, origin: Some(origin) };
        // Files of other programs have no checksum.
        match snapshot.notes.remove(CHECKSUM) {
            Some(checksum) if checksum != snapshot.checksum() => {
                let found = snapshot.checksum();
                Err(snapshot.error(format!("damaged: its checksum is {found}; expected {checksum}")))
            }
            _ => Ok(snapshot),
        }
    }

    /// Fowler, Noll and Vo's FNV-1a hash of everything, in the order of the names.
    fn checksum(&self) -> String {
        let mut hash = 0xcbf2_9ce4_8422_2325;
        let mut add = |bytes: &[u8]| {
            for &byte in bytes {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for (name, Stored { dtype, shape, bytes }) in &self.arrays {
            add(format!("{name:?} {dtype} {shape:?}").as_bytes());
            add(bytes);
        }
        self.notes.iter().for_each(|(name, note)| add(format!("{name:?} {note:?}").as_bytes()));
        format!("{hash:016x}")
    }

    /// An error about this snapshot's content, for code that reads it.
    pub fn error(&self, reason: impl Into<String>) -> Error {
        let origin = self.origin.clone().unwrap_or_else(|| "snapshot".into());
        Error::Content { origin, reason: reason.into() }
    }
}

impl View for &Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, array};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_give_back_every_bit() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.safetensors");
        let mut inner = Snapshot::new();
        let numbers = array![[f64::NAN, -0.0, f64::MIN_POSITIVE / 8.0], [1.0 / 3.0, f64::INFINITY, 1e300]];
        inner.insert("x", numbers.t());
        inner.note("text", "ψ = \"1\"\n");
        let mut snapshot = Snapshot::new();
        snapshot.insert("n", array![u64::MAX, 0].view());
        snapshot.insert("spins", array![[[1i8, -1]]].view());
        snapshot.insert("none", Array2::<f64>::zeros((0, 3)).view());
        snapshot.insert_part("state", inner.clone());
        snapshot.write(&path)?;

        let read = Snapshot::read(&path)?;
        assert_eq!((&read.arrays, &read.notes), (&snapshot.arrays, &snapshot.notes));
        let part = read.part("state");
        assert_eq!((&part.arrays, &part.notes), (&inner.arrays, &inner.notes));
        let bits = |array: &Array2<f64>| array.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&part.array("x")?), bits(&numbers.t().to_owned()));
        assert_eq!(read.array::<u64, _>("n")?, array![u64::MAX, 0]);
        assert_eq!(read.array_of_shape::<f64, ndarray::Ix2>("none", &[0, 3])?.len(), 0);
        Ok(())
    }

    proptest! {
        /// A flipped bit in the name of the checksum turns it into a note more.
        #[test]
        fn a_flipped_bit_is_found_or_changes_nothing(place in 0.0..1.0f64, bit in 0u32..8) {
            let mut snapshot = Snapshot::new();
            snapshot.insert("x", array![[0.5, -1.0, 3.0]].view());
            snapshot.insert("spins", array![1i8, -1, 1].view());
            snapshot.note("n_steps", 17);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("flipped.safetensors");
            snapshot.write(&path).unwrap();
            let mut bytes = file::read(&path).unwrap();
            let place = (place * bytes.len() as f64) as usize;
            bytes[place] ^= 1 << bit;
            file::write_atomically(&path, &bytes).unwrap();
            match Snapshot::read(&path) {
                Err(error) => {
                    let refused = matches!(error, Error::Content { .. });
                    prop_assert!(refused, "{error}");
                }
                Ok(read) => {
                    prop_assert_eq!(&read.arrays, &snapshot.arrays);
                    prop_assert_eq!(read.read_note::<u64>("n_steps").ok(), Some(17));
                }
            }
        }
    }

    #[test]
    fn what_is_missing_or_of_another_kind_is_named() {
        let mut snapshot = Snapshot::new();
        snapshot.insert("x", array![1.0, 2.0].view());
        snapshot.note("n", "many");
        let message = |error: Error| error.to_string();
        let x = snapshot.array::<u64, ndarray::Ix1>("x").unwrap_err();
        assert_eq!(message(x), "snapshot: array \"x\" holds F64; expected U64");
        let x = snapshot.array::<f64, ndarray::Ix2>("x").unwrap_err();
        assert_eq!(message(x), "snapshot: array \"x\" has shape [2]; expected 2 dimensions");
        let x = snapshot.array_of_shape::<f64, ndarray::Ix1>("x", &[3]).unwrap_err();
        assert_eq!(message(x), "snapshot: array \"x\" has shape [2]; expected [3]");
        let y = snapshot.array::<f64, ndarray::Ix1>("y").unwrap_err();
        assert_eq!(message(y), "snapshot: no array \"y\"; it is the file of something else");
        let n = snapshot.read_note::<u64>("n").unwrap_err();
        assert_eq!(message(n), "snapshot: note \"n\" is \"many\", which cannot be read");
        for (count, read) in [(1 << 53, Some(1usize << 53)), ((1 << 53) + 1, None), (u64::MAX, None)] {
            snapshot.note("n", count);
            assert_eq!(snapshot.read_count("n").ok(), read);
        }
        let n = snapshot.read_count("n").unwrap_err();
        assert_eq!(message(n), "snapshot: note \"n\" is 18446744073709551615; expected at most 2^53");
    }

    #[test]
    fn files_cut_short_or_of_another_kind_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.safetensors");
        let mut snapshot = Snapshot::new();
        snapshot.insert("x", Array1::<f64>::ones(9).view());
        snapshot.write(&path).unwrap();
        let bytes = file::read(&path).unwrap();
        for length in 0..bytes.len() {
            file::write_atomically(&path, &bytes[..length]).unwrap();
            assert!(matches!(Snapshot::read(&path), Err(Error::Content { .. })), "{length}");
        }
        file::write_atomically(&path, b"{\"Energy\": {\"iters\": [0]}}").unwrap();
        assert!(matches!(Snapshot::read(&path), Err(Error::Content { .. })));
    }
}
