// Matrix elements as numbers of type REAL, in pairs if COMPLEX, and the values of slots.
//
// Operations are in the order of the CPU and none is fused, so that they round as there. A product with a real number
// leaves out the terms of its imaginary part: they are zeros, and a sum that starts at 0 is never -0.

#if COMPLEX
struct Number {
    REAL re, im;
};
__device__ Number number(REAL re, REAL im) { return {re, im}; }
__device__ Number operator+(Number a, Number b) { return {a.re + b.re, a.im + b.im}; }
__device__ Number operator*(Number a, REAL b) { return {a.re * b, a.im * b}; }
__device__ Number operator-(Number a) { return {-a.re, -a.im}; }
__device__ bool is_zero(Number a) { return a.re == 0 && a.im == 0; }
__device__ REAL real_part(Number a) { return a.re; }
__device__ REAL imaginary_part(Number a) { return a.im; }
#else
typedef REAL Number;
__device__ Number number(REAL re, REAL) { return re; }
__device__ bool is_zero(Number a) { return a == 0; }
__device__ REAL real_part(Number a) { return a; }
__device__ REAL imaginary_part(Number) { return 0; }
#endif

__device__ Number signed_number(Number value, bool negative) { return negative ? -value : value; }

__device__ Number of_lane(Number value, u32 lane) {
#if COMPLEX
    return {__shfl_sync(ALL_LANES, value.re, lane), __shfl_sync(ALL_LANES, value.im, lane)};
#else
    return __shfl_sync(ALL_LANES, value, lane);
#endif
}

// The values of slots.
struct Values {
    const REAL *re, *im;

    __device__ Number of(u32 slot) const {
#if COMPLEX
        return {re[slot], im[slot]};
#else
        return re[slot];
#endif
    }
};

// What a slot is multiplied by in an element. Factors are real and do not depend on REAL: derivatives are in double
// precision.
struct Term {
    u32 slot;
    double factor;
};
