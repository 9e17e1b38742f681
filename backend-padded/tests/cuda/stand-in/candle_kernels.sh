#!/usr/bin/env bash
# Compiles candle's own kernels for the CPU.
#
#   candle_kernels.sh LIBRARY SHIM HEADERS SOURCES
#
# SHIM is the folder of cuda_shim.h, HEADERS that of CUDA's headers, SOURCES that of candle-kernels.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
library=$1 shim=$2 headers=$3 sources=$4
build=$(mktemp -d)
trap 'rm -r "$build"' EXIT
compile="g++ -std=c++17 -w -I$here -I$shim -I$headers -I$headers/cccl"

one() {
    local file=$build/$1.cpp
    # Macros name most kernels, so the preprocessor lists them.
    printf '#include "candle_kernels.h"\n#ifdef LIST\n#undef __global__\n#endif\n#include "%s/%s.cu"\n' \
        "$sources" "$1" >"$file"
    $compile -DLIST -E "$file" | grep -oE '__global__ +void +[a-z0-9_A-Z]+' | sed 's/.* \(.*\)/SHIM_EXPORT(\1)/' |
        sort -u >"$build/$1.exports"
    cat "$build/$1.exports" >>"$file"
    $compile -O1 -fPIC -fno-gnu-unique -c -o "$build/$1.o" "$file"
}
export -f one
export build compile sources
printf '%s\n' binary unary reduce indexing cast affine fill ternary |
    xargs -P "$(nproc)" -I{} bash -euo pipefail -c 'one {}'
g++ -shared -Wl,-z,nodelete,--allow-multiple-definition -o "$library" "$build"/*.o
