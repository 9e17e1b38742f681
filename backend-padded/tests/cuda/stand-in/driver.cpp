// A CUDA driver, NVRTC, and the bits of cuBLAS and cuRAND that candle needs, whose device is the CPU. With it the
// code around kernels is tested without a GPU: how they are compiled, loaded and launched, and what is copied.
//
// Device memory is host memory, and streams run at once. A cubin is a shared library that g++ makes of the kernels with
// cuda_shim.h (COMPILE has the options). PTX is the same library as text. Candle's own PTX is empty here (toolkit/bin/nvcc),
// so the library that CUDA_STAND_IN_CANDLE names takes its place.
//
// CUDA_STAND_IN_DEVICES (1) is how many devices there are, CUDA_STAND_IN_ARCH (90) what they are, and
// CUDA_STAND_IN_NVRTC an error that the compiler gives. Libraries are kept in the folder CUDA_STAND_IN_CACHE, if there is
// one.
//
// build.sh adds a function that says "not supported" (801) for all others that the program links to.
#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <regex>
#include <sstream>
#include <string>

namespace {
using Launcher = void (*)(unsigned, unsigned, void **);

struct Program {
    std::string source, log, library;
};

std::atomic<long> to_device, to_host;
int handle;  // what all handles point to

int setting(const char *name, int otherwise) {
    const char *value = std::getenv(name);
    return value ? std::atoi(value) : otherwise;
}
std::string contents(const std::string &path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}
// Where a library made of this text is kept; empty if none is.
std::string kept_path(const std::string &text) {
    const char *folder = std::getenv("CUDA_STAND_IN_CACHE");
    return folder ? folder + ("/" + std::to_string(std::hash<std::string>()(text)) + ".so") : "";
}
int give(const std::string &bytes, char *to) { return std::memcpy(to, bytes.data(), bytes.size()), 0; }

// The end of the section headers, which linkers put last.
size_t elf_size(const void *image) {
    auto header = static_cast<const Elf64_Ehdr *>(image);
    return header->e_shoff + size_t(header->e_shnum) * header->e_shentsize;
}
const std::string PTX = "// stand-in ";
std::string as_ptx(const std::string &library) {
    std::string out = PTX;
    for (unsigned char byte : library) out += "0123456789abcdef"[byte / 16], out += "0123456789abcdef"[byte % 16];
    return out + '\0';
}
std::string from_ptx(const char *text) {
    std::string out;
    for (text += PTX.size(); *text; text += 2) out += char(std::stoi(std::string(text, 2), nullptr, 16));
    return out;
}
void *load(const std::string &library) {
    int file = memfd_create("kernels", 0);
    bool written = write(file, library.data(), library.size()) == ssize_t(library.size());
    void *module = written ? dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW) : nullptr;
    // The file stays open: the loader takes a file at a number that it knows for the library that was there.
    return module;
}

// c = a b for matrices by columns, `count` of them.
template <class T>
int multiply(bool transpose_a, bool transpose_b, int m, int n, int k, const T *a, int lda, long stride_a, const T *b,
             int ldb, long stride_b, T *c, int ldc, long stride_c, int count) {
    for (; count > 0; count--, a += stride_a, b += stride_b, c += stride_c)
        for (int row = 0; row < m; row++)
            for (int column = 0; column < n; column++) {
                T sum = 0;
                for (int i = 0; i < k; i++)
                    sum += (transpose_a ? a[i + row * lda] : a[row + i * lda]) *
                           (transpose_b ? b[column + i * ldb] : b[i + column * ldb]);
                c[row + column * ldc] = sum;
            }
    return 0;
}
}  // namespace

extern "C" {
// For tests: copies so far, to the device and to the host.
void cuda_stand_in_copies(long *to) { to[0] = to_device, to[1] = to_host; }

// Devices, contexts, streams and events.
int cuInit(unsigned) { return setting("CUDA_STAND_IN_DEVICES", 1) > 0 ? 0 : 100; }
int cuDeviceGetCount(int *n) { return *n = setting("CUDA_STAND_IN_DEVICES", 1), 0; }
int cuDeviceGet(int *device, int ordinal) {
    return *device = ordinal, ordinal < setting("CUDA_STAND_IN_DEVICES", 1) ? 0 : 101;
}
int cuDeviceGetAttribute(int *value, int attribute, int) {
    enum { MAJOR = 75, MINOR = 76, MEMORY_POOLS = 115 };
    int arch = setting("CUDA_STAND_IN_ARCH", 90);
    *value = attribute == MAJOR ? arch / 10 : attribute == MINOR ? arch % 10 : attribute == MEMORY_POOLS;
    return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int) { return *context = &handle, 0; }
int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
int cuCtxGetCurrent(void **context) { return *context = &handle, 0; }
int cuCtxSetCurrent(void *) { return 0; }
int cuCtxSynchronize() { return 0; }
int cuStreamCreate(void **stream, unsigned) { return *stream = &handle, 0; }
int cuStreamDestroy_v2(void *) { return 0; }
int cuStreamSynchronize(void *) { return 0; }
int cuStreamWaitEvent(void *, void *, unsigned) { return 0; }
int cuStreamIsCapturing(void *, int *status) { return *status = 0, 0; }
int cuEventCreate(void **event, unsigned) { return *event = &handle, 0; }
int cuEventDestroy_v2(void *) { return 0; }
int cuEventRecord(void *, void *) { return 0; }
int cuEventSynchronize(void *) { return 0; }

// Memory, which holds nothing useful until it is written.
int cuMemAllocAsync(void **to, size_t n, void *) { return *to = std::memset(std::malloc(n), 0xa5, n), 0; }
int cuMemFreeAsync(void *at, void *) { return std::free(at), 0; }
int cuMemsetD8Async(void *at, unsigned char value, size_t n, void *) { return std::memset(at, value, n), 0; }
int cuMemcpyHtoDAsync_v2(void *to, const void *from, size_t n, void *) {
    return to_device++, std::memcpy(to, from, n), 0;
}
int cuMemcpyDtoHAsync_v2(void *to, const void *from, size_t n, void *) { return to_host++, std::memcpy(to, from, n), 0; }
int cuMemcpyDtoDAsync_v2(void *to, const void *from, size_t n, void *) { return std::memcpy(to, from, n), 0; }

// Modules and kernels.
int cuModuleLoadData(void **module, const void *image) {
    auto text = static_cast<const char *>(image);
    if (!std::memcmp(text, ELFMAG, SELFMAG))
        *module = load(std::string(text, elf_size(image)));
    else if (!std::strncmp(text, PTX.c_str(), PTX.size()))
        *module = load(from_ptx(text));
    else if (const char *candle = std::getenv("CUDA_STAND_IN_CANDLE"))
        *module = dlopen(candle, RTLD_NOW);
    else
        *module = nullptr;
    if (*module) return 0;
    if (const char *why = dlerror()) std::fprintf(stderr, "stand-in: %s\n", why);
    return 218;
}
int cuModuleUnload(void *) { return 0; }
int cuModuleGetFunction(void **function, void *module, const char *name) {
    *function = dlsym(module, (std::string("shim_") + name).c_str());
    return *function ? 0 : 500;
}
int cuLaunchKernel(Launcher kernel, unsigned grid, unsigned grid_y, unsigned grid_z, unsigned block, unsigned block_y,
                   unsigned block_z, unsigned shared, void *, void **args, void **) {
    if (grid == 0 || block == 0 || block > 1024 || shared || grid_y * grid_z * block_y * block_z != 1) return 1;
    return kernel(grid, block, args), 0;
}
int cuGetErrorName(int code, const char **name) {
    return *name = code == 100 ? "CUDA_ERROR_NO_DEVICE" : code == 101 ? "CUDA_ERROR_INVALID_DEVICE" : "CUDA_ERROR", 0;
}
int cuGetErrorString(int, const char **text) { return *text = "an error of the driver on the CPU", 0; }

// What candle asks of cuBLAS and cuRAND.
int cublasCreate_v2(void **to) { return *to = &handle, 0; }
int cublasSetStream_v2(void *, void *) { return 0; }
int cublasDestroy_v2(void *) { return 0; }
int cublasDgemmStridedBatched(void *, int ta, int tb, int m, int n, int k, const double *, const double *a, int lda, long sa,
                              const double *b, int ldb, long sb, const double *, double *c, int ldc, long sc, int count) {
    return multiply(ta, tb, m, n, k, a, lda, sa, b, ldb, sb, c, ldc, sc, count);
}
int cublasGemmStridedBatchedEx(void *, int ta, int tb, int m, int n, int k, const void *, const float *a, int type, int lda,
                               long sa, const float *b, int, int ldb, long sb, const void *, float *c, int, int ldc, long sc,
                               int count, int, int) {
    const int F32 = 0, NOT_SUPPORTED = 15;
    return type == F32 ? multiply(ta, tb, m, n, k, a, lda, sa, b, ldb, sb, c, ldc, sc, count) : NOT_SUPPORTED;
}
int curandCreateGenerator(void **generator, int) { return *generator = &handle, 0; }
int curandSetPseudoRandomGeneratorSeed(void *, unsigned long long) { return 0; }
int curandSetStream(void *, void *) { return 0; }
int curandDestroyGenerator(void *) { return 0; }

// The compiler.
int nvrtcGetNumSupportedArchs(int *n) { return *n = 2, 0; }
int nvrtcGetSupportedArchs(int *archs) { return archs[0] = 80, archs[1] = 90, 0; }
int nvrtcCreateProgram(Program **program, const char *source, const char *, int, const char *const *, const char *const *) {
    return *program = new Program{source, "", ""}, 0;
}
int nvrtcDestroyProgram(Program **program) { return delete *program, 0; }
int nvrtcCompileProgram(Program *program, int n_options, const char *const *options) {
    if (int code = setting("CUDA_STAND_IN_NVRTC", 0)) return code;
    std::string options_text;
    for (int k = 0; k < n_options; k++)
        if (!std::strncmp(options[k], "-D", 2)) options_text += std::string(" '") + options[k] + "'";
    std::string kept = kept_path(program->source + options_text);
    if (!kept.empty() && !(program->library = contents(kept)).empty()) return 0;
    char folder[] = "/tmp/stand-in-nvrtc-XXXXXX";
    std::string at = std::string(mkdtemp(folder)) + "/kernels";
    std::ofstream file(at + ".cpp");
    file << "#include \"cuda_shim.h\"\n#line 1 \"kernels.cu\"\n" << program->source << "\n";
    std::regex kernel("__global__\\s+void\\s+(?:__launch_bounds__\\([^)]*\\)\\s+)?(\\w+)");
    for (std::sregex_iterator k(program->source.begin(), program->source.end(), kernel), end; k != end; ++k)
        file << "SHIM_EXPORT(" << (*k)[1] << ")\n";
    file.close();
    std::string command = "g++ -shared -Wl,-z,nodelete " COMPILE + options_text;
    command += " $SHIM_FLAGS -o " + at + ".so " + at + ".cpp 2>" + at + ".log";
    const int COMPILATION = 6;
    bool failed = std::system(command.c_str());
    program->log = contents(at + ".log"), program->library = contents(at + ".so");
    if (!failed && !kept.empty()) std::filesystem::copy_file(at + ".so", kept, std::filesystem::copy_options::skip_existing);
    std::filesystem::remove_all(folder);
    return failed ? COMPILATION : 0;
}
int nvrtcGetCUBINSize(Program *program, size_t *to) { return *to = program->library.size(), 0; }
int nvrtcGetCUBIN(Program *program, char *to) { return give(program->library, to); }
int nvrtcGetPTXSize(Program *program, size_t *to) { return *to = as_ptx(program->library).size(), 0; }
int nvrtcGetPTX(Program *program, char *to) { return give(as_ptx(program->library), to); }
int nvrtcGetProgramLogSize(Program *program, size_t *to) { return *to = program->log.size() + 1, 0; }
int nvrtcGetProgramLog(Program *program, char *to) { return give(program->log + '\0', to); }
}
