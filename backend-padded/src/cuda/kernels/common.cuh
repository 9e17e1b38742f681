// What all kernels use: short names of types, and sums and places within a warp.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define ALL_LANES 0xffffffffu
#define THREADS 128

__device__ u64 thread_number() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ u64 warp_number() { return thread_number() / 32; }
__device__ u32 lane_number() { return threadIdx.x % 32; }

// The lanes before this one, as bits.
__device__ u32 lanes_before() { return (1u << lane_number()) - 1; }

// The sum over the warp, for every lane.
template <class T> __device__ T sum_of_warp(T value) {
    for (u32 distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(ALL_LANES, value, distance);
    return value;
}

// The sum over the lanes before this one.
__device__ u32 sum_before(u32 value) {
    u32 sum = value;
    for (u32 distance = 1; distance < 32; distance *= 2) {
        u32 before = __shfl_up_sync(ALL_LANES, sum, distance);
        if (lane_number() >= distance) sum += before;
    }
    return sum - value;
}
