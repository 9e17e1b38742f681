// What candle's own kernels need besides cuda_shim.h, behind CUDA's headers for small floating-point numbers.
#pragma once
#include <stdint.h>
#include <cmath>
#define __CUDACC_VER_MAJOR__ 13
#define __CUDACC_VER_MINOR__ 0
#include "cuda_bf16.h"
#include "cuda_fp16.h"
#include "cuda_fp8.h"
// The shim has its own.
#undef __global__
#undef __device__
#undef __host__
#undef __constant__
#undef __shared__
#undef __align__
#undef __launch_bounds__
#undef __forceinline__
#define __forceinline__ inline
#define __host__
#include "cuda_shim.h"
#define __CUDA_ARCH__ 900
using std::isinf, std::isnan, std::signbit;

template <class To, class From> To bits_as(From value) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    return std::memcpy(&to, &value, sizeof to), to;
}
inline unsigned __float_as_uint(float x) { return bits_as<unsigned>(x); }
inline int __float_as_int(float x) { return bits_as<int>(x); }
inline float __uint_as_float(unsigned x) { return bits_as<float>(x); }
inline float __int_as_float(int x) { return bits_as<float>(x); }
inline long long __double_as_longlong(double x) { return bits_as<long long>(x); }
inline double __longlong_as_double(long long x) { return bits_as<double>(x); }

template <class T, class U> T candle_atomic_max(T *at, U value) { return std::exchange(*at, max<T>(*at, value)); }
#define atomicMax candle_atomic_max
template <class T, class U> T candle_atomic_min(T *at, U value) { return std::exchange(*at, min<T>(*at, value)); }
#define atomicMin candle_atomic_min
template <class T, class U> T candle_atomic_cas(T *at, T compare, U value) {
    return *at == compare ? std::exchange(*at, T(value)) : *at;
}
#define atomicCAS candle_atomic_cas

inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
inline double rsqrt(double x) { return 1 / std::sqrt(x); }
inline float normcdff(float x) { return 0.5f * std::erfc(-x * 0.70710678f); }
inline double normcdf(double x) { return 0.5 * std::erfc(-x * 0.7071067811865476); }

#define HALF_FUNCTION(name, f) \
    template <class T> T name(T x) { return T(std::f(float(x))); }
HALF_FUNCTION(hsqrt, sqrt)
HALF_FUNCTION(hsin, sin)
HALF_FUNCTION(hcos, cos)
HALF_FUNCTION(hexp, exp)
HALF_FUNCTION(hlog, log)
