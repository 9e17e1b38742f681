// Random numbers that are counted, not carried on: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC'11).

// What a chain draws in a step, as columns of its numbers.
#define ACCEPT 0
#define PLACE 1
#define KIND 2
#define SHIFT 3
#define N_DRAWS 4

struct Words {
    u32 of[4];
};

__device__ Words philox(Words counter, u32 key_low, u32 key_high) {
    for (u32 round = 0; round < 10; round++) {
        u64 a = 0xd2511f53ull * counter.of[0], b = 0xcd9e8d57ull * counter.of[2];
        counter = {(u32)(b >> 32) ^ counter.of[1] ^ key_low, (u32)b, (u32)(a >> 32) ^ counter.of[3] ^ key_high, (u32)a};
        key_low += 0x9e3779b9u, key_high += 0xbb67ae85u;
    }
    return counter;
}

// The 53 highest bits, as a number from 0 to below 1.
__device__ double uniform_of(u32 low, u32 high) {
    return (double)((low | (u64)high << 32) >> 11) * (1.0 / 9007199254740992.0);
}

// A number below n; 0 if n is 0. The product may round up to n.
__device__ u32 below(double uniform, u32 n) { return n == 0 ? 0 : min((u32)(uniform * n), n - 1); }

// keys (n_chains) -> numbers (n_chains, n_draws). A thread two draws of a chain.
extern "C" __global__ void uniforms(const u64 *keys, double *numbers, u32 step, u32 n_draws, u32 n_chains) {
    u32 n_pairs = (n_draws + 1) / 2;
    u64 thread = thread_number(), chain = thread / n_pairs;
    u32 pair = (u32)(thread % n_pairs);
    if (chain >= n_chains) return;
    Words words = philox({{step, 0, pair, 0}}, (u32)keys[chain], (u32)(keys[chain] >> 32));
    double *own = numbers + chain * n_draws + 2 * pair;
    own[0] = uniform_of(words.of[0], words.of[1]);
    if (2 * pair + 1 < n_draws) own[1] = uniform_of(words.of[2], words.of[3]);
}
