// CUDA C on the CPU, so that kernels are tested where there is no GPU. A source that includes this is plain C++.
//
// Each thread of a block is a fiber with a stack of its own. A fiber runs until it ends or waits: for its warp, where
// lanes show each other a value, or at a barrier of its block. Those that wait go on when all have arrived. A kernel that
// would hang or mix up values on a GPU ends the program here: lanes or threads that wait at different places, a barrier
// that a thread never reaches and, with SHIM_STRICT defined, an exchange that names lanes which have ended.
//
// With SHIM_SEED set, fibers and blocks take turns in random orders, so that a result that depends on an order shows.
// Grids and blocks have one dimension. Memory is that of the program: a sanitizer sees every access.
#pragma once
#include <math.h>
#include <setjmp.h>
#include <ucontext.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __constant__ static
#define __shared__ static thread_local
#define __align__(n) alignas(n)
#define __launch_bounds__(...)
using std::max;
using std::min;

namespace shim {
constexpr unsigned LANES = 32;
constexpr size_t STACK = 1 << 16;

struct Index {
    unsigned x = 0, y = 0, z = 0;
};
enum class State { Runs, WaitsForWarp, WaitsForBlock, Ended };

// Where code goes on. The first switch to a fiber's stack takes a system call; later ones are jumps, unless a sanitizer
// watches, which does not follow them.
struct Place {
    ucontext_t context;
    jmp_buf jump;
    bool is_known = false;
};
inline void go_on(Place &here, Place &there) {
#ifdef __SANITIZE_ADDRESS__
    swapcontext(&here.context, &there.context);
#else
    if (_setjmp(here.jump)) return;
    here.is_known = true;
    if (there.is_known) _longjmp(there.jump, 1);
    setcontext(&there.context);
#endif
}

struct Thread {
    Place place;
    std::unique_ptr<char[]> stack{new char[STACK]};
    Index index;
    State state;
    // Where it waits in the source, which lanes it names, and what it shows them.
    int line;
    unsigned named;
    unsigned long long shown;
};

// What the lanes of a warp showed in their last exchange; 0 for lanes that are not there.
struct Seen {
    unsigned long long values[LANES];
};

// The block that runs on this thread of the host.
struct Block {
    std::vector<Thread> threads;
    std::vector<Seen> seen;
    Thread *current;
    Place scheduler;
    Index number, size{1, 1, 1}, n_blocks{1, 1, 1};
    void (*call)(void *kernel, void **args);
    void *kernel;
    void **args;
    // Of a random number generator; 0 if the order is that of the numbers.
    unsigned long long random;
};
inline Block &block() {
    static thread_local Block block;
    return block;
}

[[noreturn]] inline void fail(const char *what, int line) {
    std::fprintf(stderr, "shim: line %d: %s\n", line, what);
    std::abort();
}

inline void wait(State state, int line) {
    Block &own = block();
    own.current->state = state;
    own.current->line = line;
    go_on(own.current->place, own.scheduler);
}

// A fiber serves one block after another.
inline void run_threads() {
    for (;;) {
        block().call(block().kernel, block().args);
        wait(State::Ended, 0);
    }
}

inline void make_threads(unsigned size) {
    block().threads = std::vector<Thread>(size);
    for (Thread &thread : block().threads) {
        ucontext_t &context = thread.place.context;
        getcontext(&context);
        context.uc_stack.ss_sp = thread.stack.get(), context.uc_stack.ss_size = STACK;
        makecontext(&context, run_threads, 0);
    }
}

// Marsaglia's xorshift.
inline size_t random_below(size_t n) {
    unsigned long long &x = block().random;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return x % n;
}
inline void shuffle(std::vector<unsigned> &order) {
    for (size_t n = order.size(); block().random && n > 1; n--) std::swap(order[n - 1], order[random_below(n)]);
}

// Lets threads go on that all wait in a state, unless some of them still run. Says whether any did.
inline bool release(Thread *begin, Thread *end, State state) {
    const Thread *first = std::find_if(begin, end, [=](const Thread &thread) { return thread.state == state; });
    if (first == end) return false;
    for (const Thread *thread = begin; thread != end; thread++) {
        if (thread->state == State::Ended) continue;
        if (thread->state != state) return false;
        if (thread->line != first->line) fail("threads wait at different places", thread->line);
    }
    for (Thread *thread = begin; thread != end; thread++)
        if (thread->state == state) thread->state = State::Runs;
    return true;
}

// Hands what lanes show to the others once all of them do.
inline bool exchange(unsigned warp) {
    Block &own = block();
    Thread *begin = &own.threads[warp * LANES];
    Thread *end = begin + min<size_t>(LANES, own.threads.size() - warp * LANES);
    if (!release(begin, end, State::WaitsForWarp)) return false;
    Seen seen = {};
    for (Thread *thread = begin; thread != end; thread++) {
        if (thread->state != State::Ended) seen.values[thread - begin] = thread->shown;
#ifdef SHIM_STRICT
        for (Thread *other = begin; other != end; other++)
            if (thread->state != State::Ended && other->state == State::Ended && thread->named >> (other - begin) & 1)
                fail("an exchange names a lane that has ended", thread->line);
#endif
    }
    own.seen[warp] = seen;
    return true;
}

inline void run_block() {
    Block &own = block();
    std::vector<unsigned> order;
    for (unsigned t = 0; t < own.threads.size(); t++) {
        Thread &thread = own.threads[t];
        order.push_back(t);
        thread.index.x = t, thread.state = State::Runs;
    }
    for (bool goes_on = true; goes_on;) {
        shuffle(order);
        for (unsigned t : order) {
            own.current = &own.threads[t];
            if (own.current->state == State::Runs) go_on(own.scheduler, own.current->place);
        }
        goes_on = release(own.threads.data(), own.threads.data() + own.threads.size(), State::WaitsForBlock);
        for (unsigned warp = 0; warp < own.seen.size(); warp++) goes_on |= exchange(warp);
    }
    for (const Thread &thread : own.threads)
        if (thread.state != State::Ended) fail("not all threads reach this barrier", thread.line);
}

template <class... A, size_t... I>
void call_with(void (*kernel)(A...), void **args, std::index_sequence<I...>) {
    kernel(*static_cast<A *>(args[I])...);
}

template <class... A> void launch(void (*kernel)(A...), unsigned n_blocks, unsigned size, void **args) {
    Block &own = block();
    own.call = [](void *kernel, void **args) {
        call_with(reinterpret_cast<void (*)(A...)>(kernel), args, std::index_sequence_for<A...>{});
    };
    own.kernel = reinterpret_cast<void *>(kernel), own.args = args;
    const char *seed = std::getenv("SHIM_SEED");
    own.random = seed ? 2 * std::strtoull(seed, nullptr, 10) + 1 : 0;
    if (own.threads.size() != size) make_threads(size);
    own.seen.assign((size + LANES - 1) / LANES, {});
    own.size.x = size, own.n_blocks.x = n_blocks;
    std::vector<unsigned> order;
    for (unsigned b = 0; b < n_blocks; b++) order.push_back(b);
    shuffle(order);
    for (unsigned b : order) own.number.x = b, run_block();
}

// What a lane sees of its warp after all lanes have shown a value.
template <class T> struct Exchange {
    const Seen &seen;

    Exchange(T value, unsigned named, int line) : seen(block().seen[block().current->index.x / LANES]) {
        static_assert(sizeof value <= 8, "lanes exchange at most eight bytes");
        Thread &own = *block().current;
        own.named = named, own.shown = 0;
        std::memcpy(&own.shown, &value, sizeof value);
        wait(State::WaitsForWarp, line);
    }
    T of(unsigned lane) const {
        T value;
        std::memcpy(&value, &seen.values[lane % LANES], sizeof value);
        return value;
    }
};
inline unsigned lane() { return block().current->index.x % LANES; }
}  // namespace shim

#define threadIdx (shim::block().current->index)
#define blockIdx shim::block().number
#define blockDim shim::block().size
#define gridDim shim::block().n_blocks

inline void __syncthreads(int line = __builtin_LINE()) { shim::wait(shim::State::WaitsForBlock, line); }
inline void __syncwarp(unsigned lanes = ~0u, int line = __builtin_LINE()) { shim::Exchange<int>(0, lanes, line); }
inline unsigned __ballot_sync(unsigned lanes, bool value, int line = __builtin_LINE()) {
    shim::Exchange<bool> seen(value, lanes, line);
    unsigned ballot = 0;
    for (unsigned lane = 0; lane < shim::LANES; lane++) ballot |= unsigned(seen.of(lane)) << lane;
    return ballot & lanes;
}
template <class T> T __shfl_sync(unsigned lanes, T value, unsigned from, int = 32, int line = __builtin_LINE()) {
    return shim::Exchange<T>(value, lanes, line).of(from);
}
template <class T> T __shfl_xor_sync(unsigned lanes, T value, unsigned mask, int = 32, int line = __builtin_LINE()) {
    return shim::Exchange<T>(value, lanes, line).of(shim::lane() ^ mask);
}
template <class T> T __shfl_up_sync(unsigned lanes, T value, unsigned by, int = 32, int line = __builtin_LINE()) {
    shim::Exchange<T> seen(value, lanes, line);
    return shim::lane() < by ? value : seen.of(shim::lane() - by);
}
template <class T> T __shfl_down_sync(unsigned lanes, T value, unsigned by, int = 32, int line = __builtin_LINE()) {
    shim::Exchange<T> seen(value, lanes, line);
    return shim::lane() + by >= shim::LANES ? value : seen.of(shim::lane() + by);
}
template <class T> T atomicAdd(T *at, T value) { return std::exchange(*at, *at + value); }
template <class T> T atomicMin(T *at, T value) { return std::exchange(*at, min(*at, value)); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(unsigned x) { return __builtin_ffs(int(x)); }
inline int __ffsll(unsigned long long x) { return __builtin_ffsll((long long)x); }

// A function that launches the kernel with pointers to its arguments, as cuLaunchKernel does.
#define SHIM_EXPORT(kernel)                                                                                    \
    extern "C" __attribute__((visibility("default"))) void shim_##kernel(unsigned grid, unsigned size, void **args) { \
        shim::launch(kernel, grid, size, args);                                                                \
    }
