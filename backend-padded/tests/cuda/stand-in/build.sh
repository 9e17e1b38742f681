#!/usr/bin/env bash
# Builds the stand-in's libraries in FOLDER, for LIBRARY_PATH and LD_LIBRARY_PATH.
#
#   build.sh FOLDER SHIM CUDARC
#
# SHIM is the folder of cuda_shim.h, CUDARC that of cudarc's sources, which list the functions that programs link to.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1 shim=$2 cudarc=$3
mkdir -p "$folder"

# Whatever driver.cpp does not define is there, and says that it is not supported.
grep -rohE 'fn (cu[A-Z]|cublas|curand|nvrtc)[A-Za-z0-9_]+' "$cudarc"/src/{driver,cublas,cublaslt,curand,nvrtc}/sys |
    sort -u | sed 's/^fn \(.*\)/__attribute__((weak)) int \1() { return 801; }/' >"$folder/others.c"
g++ -x c -w -c -fPIC -o "$folder/others.o" "$folder/others.c"
# What kernels are compiled with. Libraries do not share the variables of cuda_shim.h. The header is compiled once for all of them.
flags="-std=c++17 -O1 -w -ffp-contract=off -fPIC -fno-gnu-unique"
g++ $flags -x c++-header -o "$folder/cuda_shim.h.gch" "$shim/cuda_shim.h"
g++ -std=c++17 -O1 -Wall -Wno-stringop-overflow -c -fPIC -DCOMPILE="\"$flags -I$folder -I$shim\"" -o "$folder/driver.o" "$here/driver.cpp"

library() {
    local name=$1
    shift
    g++ -shared -Wl,-soname,"$name" -o "$folder/$name" "$@"
    ln -sf "$name" "$folder/${name%.so*}.so"
}
library libcuda.so.1 "$folder/driver.o" "$folder/others.o" -ldl
# One library has everything, so that all names lead to the same counters.
for name in libnvrtc.so.13 libcurand.so.10 libcublas.so.13 libcublasLt.so.13 libcudart.so.13; do
    library $name -Wl,--no-as-needed -L"$folder" -lcuda -Wl,-rpath,'$ORIGIN'
done
