// One kernel and the emulator as a shared library. Compiled with -DSOURCE='"file.cu"' and the kernel's own macros.
#include SOURCE

#define EXPORTED extern "C" __attribute__((visibility("default")))

template <class Arguments>
static void call(void (*kernel)(Arguments), const void* arguments) {
    kernel(*static_cast<const Arguments*>(arguments));
}

// How many loads the threads of the last launch have made from device memory.
EXPORTED long long loads_made() { return emulator::loads; }

// Run a grid, block after block, in the order that the seed gives. Arrays are (begin, end, Use). Returns null, or the
// first mistake found.
EXPORTED const char* emulate(const int* grid, int threads, long long shared_bytes, const void* arguments, int count,
                             const unsigned char** begins, const unsigned char** ends, const int* uses, int order) {
    using namespace emulator;
    arrays.clear();
    for (int i = 0; i < count; i++) {
        const Use use = static_cast<Use>(uses[i]);
        const size_t words = (ends[i] - begins[i]) / 4;
        arrays.push_back({begins[i], ends[i], use, std::vector<bool>(use == Use::input ? 0 : words),
                          std::vector<bool>(use == Use::update ? words : 0),
                          std::vector<long long>(use == Use::update ? words : 0, NOBODY)});
    }
    kernel = [arguments] { call(KERNEL, arguments); };
    block_size = {threads, 1, 1};
    grid_size = {grid[0], grid[1], grid[2]};
    message[0] = 0;
    seed = order;
    loads = 0;
    for (const int block : order_of(grid[0] * grid[1] * grid[2])) {
        block_index = {block % grid[0], block / grid[0] % grid[1], block / grid[0] / grid[1]};
        reset_shared(shared_bytes);
        copies.assign(threads, Copies());
        if (!run_block()) return message;
    }
    return nullptr;
}
