//! Compiled kernels, kept for the whole process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{CudaContext, CudaFunction, CudaModule};
use candle_core::{Error, Result};

use super::compile::{Unit, compile};
use super::kernels::Kind;

/// A kernel of a program, which is compiled when a device first asks for it.
pub(crate) fn function(context: &Arc<CudaContext>, kind: Kind, kernel: &str) -> Result<CudaFunction> {
    module(context, kind)?.load_function(kernel).w()
}

/// By the address of a context. A module keeps its context alive, so no other one takes this address.
type Modules = HashMap<(usize, Kind), Arc<CudaModule>>;

fn module(context: &Arc<CudaContext>, kind: Kind) -> Result<Arc<CudaModule>> {
    static MODULES: Mutex<Option<Modules>> = Mutex::new(None);
    // Modules are inserted whole, so a panic elsewhere leaves the map as it should be. It stays locked while one is
    // compiled, so that none is compiled twice.
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    let modules = modules.get_or_insert_default();
    let key = (context.cu_ctx() as usize, kind);
    if let Some(module) = modules.get(&key) {
        return Ok(module.clone());
    }
    let (major, minor) = context.compute_capability().w()?;
    let unit = Unit { source: kind.source(), defines: kind.defines() };
    let code = compile(&unit, 10 * major + minor).map_err(Error::wrap)?;
    let module = context.load_module(code).w()?;
    modules.insert(key, module.clone());
    Ok(module)
}

#[cfg(test)]
mod tests {
    use operator_core::hilbert::Spin;
    use operator_core::{Boundary, Graph, Ising, Model};

    use super::super::kernels::{Number, Program};
    use super::*;

    #[test]
    #[ignore = "needs a GPU or its stand-in"]
    fn operators_of_a_kind_share_a_module() {
        let device = crate::device("cuda").unwrap();
        let stream = device.as_cuda_device().unwrap().cuda_stream();
        let module_of = |n: usize, program| {
            let chain = Graph::chain(n, Boundary::Periodic).unwrap();
            let ising = Ising::new(Spin::half(n).unwrap(), &chain, 0.5, 1.0).unwrap();
            let engine = ising.definition().unwrap().engine::<f64>().unwrap();
            module(stream.context(), Kind::new(program, engine.arrays().kind())).unwrap()
        };
        let (small, large) =
            (module_of(4, Program::Pack(Number::F32)), module_of(9, Program::Pack(Number::F32)));
        assert!(Arc::ptr_eq(&small, &large));
        assert!(!Arc::ptr_eq(&small, &module_of(4, Program::Pack(Number::F64))));
    }
}
