//! Devices by name.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use candle_core::Device;
use operator_core::{Error, Result};

/// The device of a name: `cpu`, `cuda` or `cuda:1`, `metal` or `metal:0`.
///
/// `cuda` and `metal` need the cargo feature of that name.
///
/// A GPU is opened once in a process, and all callers share its one stream of work. Take devices from here, not from
/// [`Device::new_cuda`]: to candle, two devices that were opened apart differ even if they are the same GPU, and a
/// device of `new_cuda` gives each thread of the host a stream of its own, without an order between them.
///
/// # Errors
/// [`Error::Device`] for another name, a device that the machine does not have, or a feature that is off.
///
/// ```
/// assert!(backend_padded::device("cpu")?.is_cpu());
/// # Ok::<(), operator_core::Error>(())
/// ```
pub fn device(name: &str) -> Result<Device> {
    let failed = |reason: String| Error::Device { device: name.to_owned(), reason };
    let (kind, number) = name.split_once(':').unwrap_or((name, "0"));
    let ordinal: usize = number.parse().map_err(|_| failed(format!("{number:?} is not a number")))?;
    let device = match (kind, ordinal) {
        ("cpu", 0) => return Ok(Device::Cpu),
        ("cuda", _) => cuda(ordinal),
        ("metal", _) => Device::new_metal(ordinal),
        _ => return Err(failed("expected cpu, cuda:N or metal:N".into())),
    };
    // Below its first line, a message of candle may carry a backtrace.
    device.map_err(|error| {
        let message = error.to_string();
        let message = message.lines().next().unwrap_or_default();
        failed(match remedy(message) {
            Some(remedy) => format!("{message}; {remedy}"),
            None => message.to_owned(),
        })
    })
}

/// The GPU of a number, opened on the first call.
fn cuda(ordinal: usize) -> candle_core::Result<Device> {
    static OPENED: Mutex<BTreeMap<usize, Device>> = Mutex::new(BTreeMap::new());
    // A device is inserted whole, so a panic elsewhere leaves the map as it should be.
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(device) = opened.get(&ordinal) {
        return Ok(device.clone());
    }
    let device = Device::new_cuda_with_stream(ordinal)?;
    opened.insert(ordinal, device.clone());
    Ok(device)
}

/// What to do about an error of the CUDA driver.
fn remedy(message: &str) -> Option<&'static str> {
    const REMEDIES: [(&str, &str); 4] = [
        (
            "CUDA_ERROR_NO_DEVICE",
            "nvidia-smi lists the GPUs of this machine, CUDA_VISIBLE_DEVICES may hide them",
        ),
        ("CUDA_ERROR_INVALID_DEVICE", "nvidia-smi lists the GPUs of this machine, counted from 0"),
        ("CUDA_ERROR_STUB_LIBRARY", "install NVIDIA's driver; only a stub of libcuda.so is found"),
        ("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "restart after an update of NVIDIA's driver"),
    ];
    REMEDIES.iter().find(|(name, _)| message.contains(name)).map(|&(_, remedy)| remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_that_are_not_there_are_named() {
        let message = |name: &str| device(name).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(message("cpu"), Ok(()));
        let unknown = "device \"tpu\" is not there: expected cpu, cuda:N or metal:N";
        assert_eq!(message("tpu"), Err(unknown.into()));
        let no_number = "device \"cuda:x\" is not there: \"x\" is not a number";
        assert_eq!(message("cuda:x"), Err(no_number.into()));
        // No machine has that many; without the feature there is none at all.
        let missing = message("cuda:4096").unwrap_err();
        assert!(missing.starts_with("device \"cuda:4096\" is not there: "), "{missing}");
    }
}
