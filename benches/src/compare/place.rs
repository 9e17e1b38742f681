//! Where contenders run.

use backend_flat::Flat;
use backend_padded::Padded;
use backend_padded::candle_core::{Device, DeviceLocation};
use variational::RunsVmc;

/// Threads of the host, and a device for tensors.
#[derive(Clone, Debug)]
pub struct Place {
    /// Number of threads.
    pub threads: usize,
    /// Where tensors are.
    pub device: Device,
}

impl Place {
    /// Threads of the host alone.
    pub fn host(threads: usize) -> Self {
        Place { threads, device: Device::Cpu }
    }

    /// The device's name: `cpu`, `cuda:0`.
    pub fn device_name(&self) -> String {
        match self.device.location() {
            DeviceLocation::Cpu => "cpu".to_owned(),
            DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
            DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
        }
    }
}

/// The places of all contenders of a comparison.
#[derive(Clone, Debug)]
pub struct Places {
    host: Vec<Place>,
    tensors: Vec<Place>,
}

impl Places {
    /// Each number of threads on the host. Backends of tensors run on the device instead, with the largest number of
    /// threads, unless the device is the host itself.
    pub fn new(threads: &[usize], device: &Device) -> Self {
        let host: Vec<Place> = threads.iter().map(|&threads| Place::host(threads)).collect();
        let tensors = if device.is_cpu() {
            host.clone()
        } else {
            let most = threads.iter().max();
            most.map(|&threads| Place { threads, device: device.clone() }).into_iter().collect()
        };
        Places { host, tensors }
    }
}

/// A backend that takes part in comparisons.
pub trait Placed: RunsVmc {
    /// Its places.
    fn places(places: &Places) -> &[Place];

    /// Its device at a place.
    fn device(place: &Place) -> Self::Device;
}

impl Placed for Flat {
    fn places(places: &Places) -> &[Place] {
        &places.host
    }

    fn device(_: &Place) -> Self::Device {}
}

impl Placed for Padded {
    fn places(places: &Places) -> &[Place] {
        &places.tensors
    }

    fn device(place: &Place) -> Device {
        place.device.clone()
    }
}
