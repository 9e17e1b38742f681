//! Typed access to JSON that names the offending key in its errors, and knows which keys were read.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use ndarray::{Array2, Zip};
use num_complex::Complex64;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::parameters::ParameterValue;

/// The keys that were asked for, by the address of their object.
type Asked = HashMap<*const Value, Vec<String>>;

/// A JSON value and its path.
///
/// All readers of one text record the keys that they ask for, so [`refuse_the_rest`](Self::refuse_the_rest) finds
/// those that nobody did. Whoever reads a value therefore lists its keys nowhere.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    value: &'a Value,
    path: String,
    asked: Rc<RefCell<Asked>>,
}

impl<'a> Reader<'a> {
    /// The outermost value, called `name` in errors.
    pub(crate) fn new(value: &'a Value, name: &str) -> Self {
        Reader { value, path: name.to_owned(), asked: Rc::default() }
    }

    /// A value inside this one.
    fn inner(&self, value: &'a Value, path: String) -> Self {
        Reader { value, path, asked: self.asked.clone() }
    }

    /// Refuses keys in this value, at any depth, that were not asked for. `reader` is what read it, for the
    /// message.
    ///
    /// # Errors
    /// [`Error::UnknownKey`].
    pub(crate) fn refuse_the_rest(&self, reader: &str) -> Result<()> {
        match first_unread(self.value, &self.asked.borrow()) {
            Some((path, known)) => Err(Error::UnknownKey {
                path: format!("{}{path}", self.path),
                reader: reader.to_owned(),
                known: known.join(", "),
            }),
            None => Ok(()),
        }
    }

    /// An error that names the value and what was expected.
    fn expected<T>(&self, expected: &str) -> Result<T> {
        Err(Error::Spec(format!("{} is {}; expected {expected}", self.path, shown(self.value))))
    }

    fn object(&self) -> Result<&'a Map<String, Value>> {
        self.value.as_object().map_or_else(|| self.expected("an object"), Ok)
    }

    fn path_of(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// The value of a required key.
    pub(crate) fn key(&self, key: &str) -> Result<Reader<'a>> {
        match self.optional(key)? {
            Some(reader) => Ok(reader),
            None => Err(Error::Spec(format!("{} is missing", self.path_of(key)))),
        }
    }

    /// The value of a key, `None` if it is absent or null.
    pub(crate) fn optional(&self, key: &str) -> Result<Option<Reader<'a>>> {
        let object = self.object()?;
        let mut asked = self.asked.borrow_mut();
        let asked = asked.entry(self.value).or_default();
        if !asked.iter().any(|known| known == key) {
            asked.push(key.to_owned());
        }
        let value = object.get(key).filter(|value| !value.is_null());
        Ok(value.map(|value| self.inner(value, self.path_of(key))))
    }

    pub(crate) fn is_array(&self) -> bool {
        self.value.is_array()
    }

    /// The items of an array.
    pub(crate) fn items(&self) -> Result<impl ExactSizeIterator<Item = Reader<'a>> + use<'a>> {
        let Some(items) = self.value.as_array() else { return self.expected("an array") };
        let array = self.clone();
        let item = move |(k, value)| array.inner(value, format!("{}[{k}]", array.path));
        Ok(items.iter().enumerate().map(item))
    }

    pub(crate) fn str(&self) -> Result<&'a str> {
        self.value.as_str().map_or_else(|| self.expected("a string"), Ok)
    }

    pub(crate) fn bool(&self) -> Result<bool> {
        self.value.as_bool().map_or_else(|| self.expected("true or false"), Ok)
    }

    pub(crate) fn number(&self) -> Result<f64> {
        self.value.as_f64().map_or_else(|| self.expected("a number"), Ok)
    }

    /// A whole number, 0 or more.
    pub(crate) fn count(&self) -> Result<usize> {
        let count = self.value.as_u64().and_then(|count| usize::try_from(count).ok());
        count.map_or_else(|| self.expected("a whole number, 0 or more"), Ok)
    }

    /// A number, or a pair `[re, im]`.
    pub(crate) fn complex(&self) -> Result<Complex64> {
        match self.value {
            Value::Array(pair) if pair.len() == 2 => {
                let parts = self.numbers()?;
                Ok(Complex64::new(parts[0], parts[1]))
            }
            Value::Number(_) => Ok(self.number()?.into()),
            _ => self.expected("a number or [re, im]"),
        }
    }

    pub(crate) fn numbers(&self) -> Result<Vec<f64>> {
        self.items()?.map(|item| item.number()).collect()
    }

    pub(crate) fn counts(&self) -> Result<Vec<usize>> {
        self.items()?.map(|item| item.count()).collect()
    }

    /// A number, or an array of numbers.
    pub(crate) fn parameter(&self) -> Result<ParameterValue> {
        match self.value {
            Value::Array(_) => Ok(self.numbers()?.into()),
            Value::Number(_) => Ok(self.number()?.into()),
            _ => self.expected("a number or an array of numbers"),
        }
    }

    /// A pair of whole numbers.
    pub(crate) fn pair(&self) -> Result<[usize; 2]> {
        self.sites("a pair of sites")
    }

    /// `N` whole numbers.
    pub(crate) fn sites<const N: usize>(&self, expected: &str) -> Result<[usize; N]> {
        self.counts()?.try_into().or_else(|_| self.expected(expected))
    }

    /// The rows of a matrix, all of equal length.
    pub(crate) fn matrix(&self) -> Result<Array2<f64>> {
        let rows = self.items()?.map(|row| row.numbers()).collect::<Result<Vec<_>>>()?;
        let n_cols = rows.first().map_or(0, Vec::len);
        let shape = (rows.len(), n_cols);
        if let Some(odd) = rows.iter().position(|row| row.len() != n_cols) {
            let got = rows[odd].len();
            return Err(Error::Spec(format!("{}[{odd}] has {got} elements; row 0 has {n_cols}", self.path)));
        }
        Array2::from_shape_vec(shape, rows.concat()).or_else(|_| self.expected("a matrix"))
    }

    /// A matrix from its real part `re` and its optional imaginary part `im`.
    pub(crate) fn complex_matrix(&self) -> Result<Array2<Complex64>> {
        let re = self.key("re")?.matrix()?;
        let mut matrix = re.mapv(Complex64::from);
        if let Some(reader) = self.optional("im")? {
            let im = reader.matrix()?;
            if im.dim() != re.dim() {
                return reader.wrong(&format!("{} x {} numbers, as re has", re.nrows(), re.ncols()));
            }
            Zip::from(&mut matrix).and(&im).for_each(|z, &im| z.im = im);
        }
        Ok(matrix)
    }

    /// An error about the number of items in this value.
    pub(crate) fn wrong_len<T>(&self, got: usize, expected: usize, what: &str) -> Result<T> {
        Err(Error::Spec(format!("{} has {got} items; expected {expected}, {what}", self.path)))
    }

    /// An error about this value.
    pub(crate) fn wrong<T>(&self, expected: &str) -> Result<T> {
        self.expected(expected)
    }
}

/// The path of the first key that was not asked for, and the keys of its object that were.
fn first_unread(value: &Value, asked: &Asked) -> Option<(String, Vec<String>)> {
    match value {
        Value::Object(object) => {
            let known = asked.get(&std::ptr::from_ref(value)).map_or(&[][..], Vec::as_slice);
            if let Some(key) = object.keys().find(|key| !known.contains(key)) {
                return Some((format!(".{key}"), known.to_vec()));
            }
            object.iter().find_map(|(key, value)| {
                first_unread(value, asked).map(|(rest, known)| (format!(".{key}{rest}"), known))
            })
        }
        Value::Array(items) => items.iter().enumerate().find_map(|(k, item)| {
            first_unread(item, asked).map(|(rest, known)| (format!("[{k}]{rest}"), known))
        }),
        _ => None,
    }
}

/// A value for a message, truncated.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 40;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
