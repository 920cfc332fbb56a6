// One block of a CUDA grid on a CPU: a fiber for each thread, warps in lockstep at their collective instructions.
//
// A fiber runs until it needs others: at a warp instruction (ldmatrix, mma) or at the block's barrier. The scheduler
// carries out a warp instruction once all 32 lanes have come to the same one, and opens the barrier once all threads
// have. Anything else is a mistake of the kernel, and is reported with the lines where the threads stand.
//
// Where threads reach a number that others change meanwhile, a lane lets the other ones of its warp run first, so that
// their steps come between its own. With a seed it does so by chance, and blocks, warps and lanes run in a random
// order.
#pragma once

#include <csetjmp>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ucontext.h>

namespace emulator {

struct Index3 {
    int x = 0, y = 0, z = 0;
};

// A line of the source or of a header: as a default argument, the line of the call.
struct CallSite {
    const char* file = "";
    int line = 0;

    static CallSite here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }

    bool operator==(const CallSite& other) const { return line == other.line && !strcmp(file, other.file); }

    const char* file_name() const {
        const char* folder = strrchr(file, '/');
        return folder ? folder + 1 : file;
    }
};

enum class State { ready, collective, barrier, finished };

// A warp instruction as one lane issues it: what it brings and where its part of the result goes.
struct Collective {
    const char* name;
    CallSite site;
    const void* in;
    void* out;
    void (*carry_out)(Collective* lanes, int first_thread);
};

struct Fiber {
    std::unique_ptr<char[]> stack;
    ucontext_t start;
    jmp_buf resume;
    bool started = false;
    State state = State::ready;
    CallSite site;  // where it waits
    Collective collective;
};

inline char message[1024];  // the first mistake found
inline jmp_buf scheduler;
inline std::vector<Fiber> fibers;
inline std::function<void()> kernel;
inline int current;         // index of the running thread
inline uint64_t seed;       // of the order in which threads run; 0 for the one of their numbers
inline int barriers_passed; // by the running block
inline Index3 thread_index, block_index, block_size, grid_size;

constexpr size_t STACK_BYTES = 256 << 10;

// Give up the block: nothing of a kernel needs destroying, so that its fibers are simply left.
[[noreturn]] inline void fail(CallSite site, const char* format, ...) {
    char reason[700];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    snprintf(message, sizeof message, "%s, line %d, block (%d, %d, %d), thread %d: %s", site.file_name(), site.line,
             block_index.x, block_index.y, block_index.z, current, reason);
    _longjmp(scheduler, 2);
}

__attribute__((noinline)) inline void wait(State state, CallSite site) {
    Fiber& fiber = fibers[current];
    fiber.state = state;
    fiber.site = site;
    if (!_setjmp(fiber.resume)) _longjmp(scheduler, 1);
}

inline void enter() {
    kernel();
    wait(State::finished, {});
}

// A random number below `count` (Knuth's multiplier; the high bits).
inline uint64_t drawn(uint64_t count) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % count;
}

// The numbers below `count`, in a random order if there is a seed.
inline std::vector<int> order_of(int count) {
    std::vector<int> order(count);
    for (int i = 0; i < count; i++) {
        const int j = seed ? static_cast<int>(drawn(i + 1)) : i;
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}

inline void let_others_run() {
    if (!seed || drawn(2)) wait(State::ready, {});
}

inline void barrier(CallSite site) { wait(State::barrier, site); }

inline void collective(const Collective& instruction) {
    fibers[current].collective = instruction;
    wait(State::collective, instruction.site);
}

__attribute__((noinline)) inline bool run_until_it_waits(int thread) {
    Fiber& fiber = fibers[thread];
    current = thread_index.x = thread;
    switch (_setjmp(scheduler)) {
        case 0:
            if (fiber.started) _longjmp(fiber.resume, 1);
            fiber.started = true;
            setcontext(&fiber.start);
        case 1: return true;
        default: return false;
    }
}

inline std::string place(const Fiber& fiber) {
    if (fiber.state == State::finished) return "the end";
    const std::string name = fiber.state == State::barrier ? "__syncthreads" : fiber.collective.name;
    return name + " (" + fiber.site.file_name() + ", line " + std::to_string(fiber.site.line) + ")";
}

// Threads first .. first + count - 1 all wait for the same thing, or they have diverged.
inline bool agree(int first, int count) {
    const Fiber& lead = fibers[first];
    for (int i = first + 1; i < first + count; i++) {
        const Fiber& other = fibers[i];
        if (other.state == lead.state && other.site == lead.site) continue;
        snprintf(message, sizeof message,
                 "block (%d, %d, %d): threads %d and %d have diverged: one is at %s, the other at %s", block_index.x,
                 block_index.y, block_index.z, first, i, place(lead).c_str(), place(other).c_str());
        return false;
    }
    return true;
}

// Run one warp to the barrier or the end.
inline bool run_warp(int first) {
    for (;;) {
        const std::vector<int> order = order_of(32);
        for (int i = first; i < first + 32; i++) fibers[i].state = State::ready;
        for (bool again = true; again;) {
            again = false;
            for (const int lane : order) {
                const Fiber& fiber = fibers[first + lane];
                if (fiber.state != State::ready) continue;
                if (!run_until_it_waits(first + lane)) return false;
                again |= fiber.state == State::ready;
            }
        }
        if (!agree(first, 32)) return false;
        if (fibers[first].state != State::collective) return true;
        Collective lanes[32];
        for (int l = 0; l < 32; l++) lanes[l] = fibers[first + l].collective;
        if (_setjmp(scheduler)) return false;
        lanes[0].carry_out(lanes, first);
    }
}

inline bool run_block() {
    const int threads = block_size.x;
    barriers_passed = 0;
    if (fibers.size() != static_cast<size_t>(threads)) fibers = std::vector<Fiber>(threads);
    for (Fiber& fiber : fibers) {
        if (!fiber.stack) fiber.stack.reset(new char[STACK_BYTES]);
        fiber.started = false;
        getcontext(&fiber.start);
        fiber.start.uc_stack.ss_sp = fiber.stack.get();
        fiber.start.uc_stack.ss_size = STACK_BYTES;
        fiber.start.uc_link = nullptr;
        makecontext(&fiber.start, enter, 0);
    }
    for (;; barriers_passed++) {
        for (const int warp : order_of(threads / 32))
            if (!run_warp(warp * 32)) return false;
        if (!agree(0, threads)) return false;  // one warp at a barrier, another at the end
        if (fibers[0].state == State::finished) return true;
    }
}

}  // namespace emulator
