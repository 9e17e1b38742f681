#!/usr/bin/env bash
# Checks and times the padded backend on a GPU. It is built on one machine and runs on another, which needs no network and
# no compiler: NVIDIA's driver, the libraries of CUDA 13 (those that PyTorch or JAX bring are found) and bash are enough.
#
#   device.sh pack FOLDER       builds the tests and `compare`, and puts them into FOLDER (about 30 MB)
#   device.sh run FOLDER OUT    on the machine with the GPU, in the repository's root: under ten minutes, logs in OUT
#
# `pack` takes the toolkit that CUDA_HOME names, or fetches NVIDIA's wheels (1.2 GB) and compiles candle's kernels with
# them, which takes some ten minutes. CUDA_COMPUTE_CAP is the GPU's architecture, 90 if it is not set. NETKET_PYTHON=3.12
# also fetches what NetKet needs beside a JAX that is there, for a Python of this version.
#
# `run` tests that the backend on the GPU does what it does on the host, runs the conformance suite there, lets
# compute-sanitizer watch some tests, if it is installed, and compares with NetKet on the same GPU, if it was packed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)

fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# NVIDIA's wheels as a toolkit.
fetch_toolkit() {
    local site=$target/toolkit
    CUDA_HOME=$site/nvidia/cu13
    [[ -e $CUDA_HOME/bin/nvcc ]] || python3 -m pip install --quiet --no-deps --only-binary :all: --target "$site" \
        'nvidia-cuda-nvcc==13.0.*' 'nvidia-nvvm==13.0.*' 'nvidia-cuda-crt==13.0.*' 'nvidia-cuda-runtime==13.0.*' \
        'nvidia-cuda-nvrtc==13.0.*' 'nvidia-cuda-cccl==13.0.*' 'nvidia-cublas==13.*' 'nvidia-curand==10.*'
    export CUDA_HOME NVCC=$CUDA_HOME/bin/nvcc
}

# What programs are linked to. The libraries of wheels lack the names that linkers look for, and the driver's is where a GPU
# is: the stand-in's serves.
link_libraries() {
    local links=$target/links sources name
    sources=$(cargo metadata --format-version 1 --features backend-padded/cuda | python3 -c 'import json, os, sys
print(*(os.path.dirname(p["manifest_path"]) for p in json.load(sys.stdin)["packages"] if p["name"] == "cudarc"))')
    "$here/stand-in/build.sh" "$target/stand-in" "$here/shim" "$sources"
    mkdir -p "$links"
    ln -sf "$target/stand-in/libcuda.so" "$links/libcuda.so"
    for name in nvrtc cublas cublasLt cudart curand; do
        ln -sf "$CUDA_HOME"/lib/lib$name.so.1[03] "$links/lib$name.so"
    done
    export LIBRARY_PATH=$links:$CUDA_HOME/lib${LIBRARY_PATH:+:$LIBRARY_PATH}
}

# The programs that cargo made, a line of name and path each.
programs() {
    python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable"):
        print(message["target"]["name"], message["executable"])'
}

pack() {
    local folder=$1 name path
    target=${CARGO_TARGET_DIR:-$root/target/cuda}
    mkdir -p "$folder/bin" "$target"
    folder=$(cd "$folder" && pwd)
    export CARGO_TARGET_DIR=$target CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-90}
    cd "$root"
    if [[ -z ${CUDA_HOME:-} ]]; then
        fetch_toolkit
        link_libraries
    fi
    export CUDA_PATH=$CUDA_HOME PATH=$CUDA_HOME/bin:$PATH
    {
        cargo test --release -p backend-padded --features cuda --lib --test cuda_device --test suite --no-run \
            --message-format=json ${CARGO_OPTIONS:-} | programs
        if grep -q '^cuda *=' benches/Cargo.toml; then
            cargo build --release -p benches --features cuda --bin compare --message-format=json ${CARGO_OPTIONS:-} |
                programs
        fi
    } | while read -r name path; do
        strip -s -o "$folder/bin/$name" "$path"
        xz -f -T0 "$folder/bin/$name"
    done
    if [[ -n ${NETKET_PYTHON:-} ]]; then
        python3 -m pip download --quiet --no-deps --only-binary :all: --python-version "$NETKET_PYTHON" \
            --implementation cp --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
            --platform manylinux2014_x86_64 -d "$folder/wheels" \
            netket==3.23.0 igraph texttable 'orjson<4' plum-dispatch beartype sparse
    fi
    du -sh "$folder"
}

# The folders of CUDA's libraries: the toolkit's, or those that Python's packages brought.
cuda_folders() {
    python3 - <<'PYTHON'
import glob, os, sys
roots = [os.path.join(path, "nvidia") for path in sys.path if path.endswith("packages")]
roots += sorted(glob.glob("/usr/local/cuda*/lib64")) + glob.glob("/usr/local/cuda/targets/*/lib")
names = ["libcudart.so.13", "libcublas.so.13", "libcublasLt.so.13", "libcurand.so.10", "libnvrtc.so.13"]
found = {name: [p for root in roots for p in glob.glob(f"{root}/**/{name}", recursive=True)] for name in names}
missing = [name for name, paths in found.items() if not paths]
if missing:
    print("not found beside Python or in /usr/local:", *missing, file=sys.stderr)
print(*dict.fromkeys(os.path.dirname(paths[0]) for paths in found.values() if paths), sep=":")
PYTHON
}

run() {
    local folder=$1 out=$2 name libraries failed=()
    mkdir -p "$out"
    programs=$(mktemp -d)
    trap 'rm -r "$programs"' EXIT
    for name in "$folder"/bin/*.xz; do
        python3 -c 'import lzma, shutil, sys
shutil.copyfileobj(lzma.open(sys.argv[1]), open(sys.argv[2], "wb"))' "$name" "$programs/$(basename "$name" .xz)"
    done
    chmod +x "$programs"/*
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv | tee "$out/device.csv" || true
    libraries=$(cuda_folders)
    libraries=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$libraries:/usr/local/nvidia/lib64

    # A step has so many seconds, and a log of its own.
    step() {
        local name=$1 seconds=$2
        shift 2
        printf '\n== %ds: %s\n' "$SECONDS" "$name"
        # Not of Python, which finds its own libraries.
        LD_LIBRARY_PATH=$libraries timeout "$seconds" "$@" >"$out/$name.log" 2>&1 || failed+=("$name")
        tail -n 15 "$out/$name.log"
    }
    # One after another: they count what is copied, and share the GPU.
    step kernels 60 "$programs/backend_padded" --ignored --test-threads=1
    step device 120 "$programs/cuda_device" --ignored --test-threads=1
    PADDED_DEVICE=cuda step conformance 100 "$programs/suite" conformance:: --test-threads=1
    if command -v compute-sanitizer >/dev/null; then
        step sanitizer 90 compute-sanitizer --tool memcheck --error-exitcode 9 \
            "$programs/cuda_device" --ignored --test-threads=1 copies:: refused::
    else
        printf '\ncompute-sanitizer is not installed\n'
    fi
    if [[ -x $programs/compare ]]; then
        local peers=()
        if [[ -d $folder/wheels ]]; then
            python3 -m pip install --quiet --no-index --no-deps --no-compile --upgrade --target "$programs/site" \
                "$folder"/wheels/*.whl
            printf '#!/bin/sh\nunset LD_LIBRARY_PATH\nexport PYTHONPATH=%s\nexec python3 "$@"\n' "$programs/site" \
                >"$programs/python"
            chmod +x "$programs/python"
            export XLA_PYTHON_CLIENT_PREALLOCATE=false JAX_PLATFORMS=cuda JAX_ENABLE_X64=1
            peers=(--netket "$programs/python")
        fi
        step compare 200 "$programs/compare" --device cuda --markdown --quick "${peers[@]}"
    fi
    printf '\n== %ds: done' "$SECONDS"
    ((${#failed[@]} == 0)) || { printf ', failed: %s\n' "${failed[*]}" && exit 1; }
    printf '\n'
}

case ${1:-} in
pack) pack "${2:?device.sh pack FOLDER}" ;;
run) run "${2:?device.sh run FOLDER OUT}" "${3:?device.sh run FOLDER OUT}" ;;
*) fail "device.sh pack FOLDER | run FOLDER OUT" ;;
esac
