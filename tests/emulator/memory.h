// Shared and device memory of an emulated block, with every access checked.
//
// Each 32-bit word of shared memory remembers who last wrote and read it, and how many barriers had been passed. Two
// threads that touch a word without a barrier between them, one of them writing, are a race, however the threads
// happen to be scheduled. An asynchronous copy takes effect as late as it may: at the wait for it.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <vector>

#include "fibers.h"

namespace emulator {

constexpr int NOBODY = -1, SEVERAL = -2;
constexpr uint32_t SHARED_BASE = 4096;  // not zero, so that an offset used as an address is caught

struct Word {
    int writer = NOBODY, written = 0;     // by which thread, after how many barriers
    int reader = NOBODY, read = 0;
    int lowerer = NOBODY, lowered = 0;    // by lower_shared, or read by load_lowered_shared
    int copier = NOBODY;                  // whose asynchronous copy into it is on its way

    // Whether another thread has lowered it since the last barrier, and whether one has stored or read it otherwise.
    bool lowers() const { return lowerer != NOBODY && lowerer != current && lowered == barriers_passed; }
    bool stores() const { return writer != NOBODY && writer != current && written == barriers_passed; }
    bool reads() const { return reader != NOBODY && reader != current && read == barriers_passed; }
};

inline std::vector<unsigned char> shared;
inline std::vector<Word> words;

inline void reset_shared(size_t bytes) {
    shared.assign(bytes, 0xFF);  // as float32, NaN
    words.assign(bytes / 4, Word());
}

inline uint32_t shared_offset(uint32_t address, uint32_t bytes, const char* what, CallSite site) {
    if (address % bytes) fail(site, "%s: shared address %u is not a multiple of %u", what, address, bytes);
    if (address < SHARED_BASE || address + bytes > SHARED_BASE + shared.size())
        fail(site, "%s: shared address %lld is outside the block's %zu bytes", what,
             static_cast<long long>(address) - SHARED_BASE, shared.size());
    return address - SHARED_BASE;
}

// The word may be written by this thread now.
inline void check_write(Word& word, const char* what, CallSite site) {
    if (word.reads()) fail(site, "%s: writes what another thread has read since the last barrier", what);
    if (word.stores()) fail(site, "%s: writes what thread %d has written since the last barrier", what, word.writer);
    if (word.lowers()) fail(site, "%s: writes what another thread has lowered since the last barrier", what);
    if (word.copier != NOBODY) fail(site, "%s: writes where a copy of thread %d is on its way", what, word.copier);
}

inline void read_shared(void* to, uint32_t address, uint32_t bytes, const char* what, CallSite site) {
    const uint32_t offset = shared_offset(address, bytes, what, site);
    for (uint32_t i = offset / 4; i < (offset + bytes) / 4; i++) {
        Word& word = words[i];
        if (word.copier != NOBODY) fail(site, "%s: reads what a copy of thread %d is on its way to", what, word.copier);
        if (word.writer == NOBODY) fail(site, "%s: reads shared memory that nobody has written", what);
        if (word.stores())
            fail(site, "%s: reads what thread %d has written since the last barrier", what, word.writer);
        if (word.lowers()) fail(site, "%s: reads what another thread has lowered since the last barrier", what);
        word.reader = word.reads() ? SEVERAL : current;
        word.read = barriers_passed;
    }
    memcpy(to, shared.data() + offset, bytes);
}

inline void write_shared(uint32_t address, const void* from, uint32_t bytes, const char* what, CallSite site) {
    const uint32_t offset = shared_offset(address, bytes, what, site);
    for (uint32_t i = offset / 4; i < (offset + bytes) / 4; i++) {
        check_write(words[i], what, site);
        words[i].writer = current;
        words[i].written = barriers_passed;
    }
    memcpy(shared.data() + offset, from, bytes);
}

// Any number of threads may lower a word between two barriers, and then none stores or reads it in another way.
inline uint32_t* lowered_shared(uint32_t address, const char* what, CallSite site) {
    const uint32_t offset = shared_offset(address, 4, what, site);
    Word& word = words[offset / 4];
    if (word.writer == NOBODY) fail(site, "%s: lowers shared memory that nobody has written", what);
    if (word.copier != NOBODY) fail(site, "%s: lowers what a copy of thread %d is on its way to", what, word.copier);
    if (word.stores())
        fail(site, "%s: lowers what thread %d has written since the last barrier", what, word.writer);
    if (word.reads()) fail(site, "%s: lowers what another thread has read since the last barrier", what);
    word.lowerer = word.lowers() ? SEVERAL : current;
    word.lowered = barriers_passed;
    return reinterpret_cast<uint32_t*>(shared.data() + offset);
}

inline uint32_t lower_shared(uint32_t address, uint32_t value, const char* what, CallSite site) {
    uint32_t* word = lowered_shared(address, what, site);
    const uint32_t before = *word;
    if (value < before) *word = value;
    return before;
}

// Device memory: the arrays of the launch. Outputs remember which of their words are written. An array that is updated
// in place remembers besides which thread has read a word: another one that writes it may come first on a GPU.
enum class Use { input, output, update };

struct Array {
    const unsigned char *begin, *end;
    Use use;
    std::vector<bool> written, lowered;
    std::vector<long long> reader;  // thread of the grid, NOBODY or SEVERAL
};

inline std::vector<Array> arrays;

inline long long thread_of_grid() {
    const Index3 &b = block_index, &g = grid_size;
    return ((static_cast<long long>(b.z) * g.y + b.y) * g.x + b.x) * block_size.x + current;
}

inline Array& device_array(const void* pointer, size_t bytes, const char* what, CallSite site) {
    const auto* at = static_cast<const unsigned char*>(pointer);
    if (reinterpret_cast<uintptr_t>(at) % bytes)
        fail(site, "%s: device address %p is not a multiple of %zu", what, pointer, bytes);
    for (Array& array : arrays)
        if (at >= array.begin && at + bytes <= array.end) return array;
    fail(site, "%s: %zu bytes at %p lie outside every array of the launch", what, bytes, pointer);
}

inline long long loads;  // instructions of threads that read device memory

inline void read_device(void* to, const void* from, size_t bytes, const char* what, CallSite site) {
    loads++;
    Array& array = device_array(from, bytes, what, site);
    if (array.use == Use::output) fail(site, "%s: reads an output", what);
    if (array.use == Use::update) {
        const size_t first = (static_cast<const unsigned char*>(from) - array.begin) / 4;
        for (size_t i = first; i < first + bytes / 4; i++) {
            if (array.written[i]) fail(site, "%s: reads element %zu of an array after it was updated", what, i);
            long long& reader = array.reader[i];
            reader = reader == NOBODY || reader == thread_of_grid() ? thread_of_grid() : SEVERAL;
        }
    }
    memcpy(to, from, bytes);
}

inline void write_device(void* to, const void* from, size_t bytes, const char* what, CallSite site) {
    Array& array = device_array(to, bytes, what, site);
    if (array.use == Use::input) fail(site, "%s: writes an input", what);
    const size_t first = (static_cast<unsigned char*>(to) - array.begin) / 4;
    for (size_t i = first; i < first + bytes / 4; i++) {
        if (array.written[i]) fail(site, "%s: writes element %zu of an output a second time", what, i);
        if (array.use == Use::update && array.reader[i] != NOBODY && array.reader[i] != thread_of_grid())
            fail(site, "%s: updates element %zu of an array, which another thread has read", what, i);
        array.written[i] = true;
    }
    memcpy(to, from, bytes);
}

// Any number of threads may exchange what they find, and then none of the launch reads or writes it in another way.
inline void exchange_device(void* at, void* before, const void* value, size_t bytes, const char* what, CallSite site) {
    Array& array = device_array(at, bytes, what, site);
    const size_t element = (static_cast<unsigned char*>(at) - array.begin) / 4;
    if (array.use != Use::update) fail(site, "%s: exchanges what is not read and written", what);
    if (array.reader[element] != NOBODY) fail(site, "%s: exchanges element %zu, which was read", what, element);
    array.written[element] = true;
    memcpy(before, at, bytes);
    memcpy(at, value, bytes);
}

// Any number of threads may lower a number, and then none of the launch reads or writes it in another way.
inline const uint32_t* lowered_device(const uint32_t* at, const char* what, CallSite site) {
    Array& array = device_array(at, 4, what, site);
    const size_t element = (reinterpret_cast<const unsigned char*>(at) - array.begin) / 4;
    if (array.use != Use::update) fail(site, "%s: lowers what is not read and written", what);
    if (array.reader[element] != NOBODY || (array.written[element] && !array.lowered[element]))
        fail(site, "%s: lowers element %zu, which was read or written", what, element);
    array.written[element] = array.lowered[element] = true;
    return at;
}

inline uint32_t lower_device(uint32_t* at, uint32_t value, const char* what, CallSite site) {
    const uint32_t before = *lowered_device(at, what, site);
    if (value < before) *at = value;
    return before;
}

// Asynchronous copies of one thread: those not yet in a group, and groups in order.
struct Copy {
    uint32_t to;
    unsigned char bytes[16];
    uint32_t count;
};
struct Copies {
    std::vector<Copy> open;
    std::deque<std::vector<Copy>> groups;
};
inline std::vector<Copies> copies;

inline void start_copy(uint32_t to, const void* from, bool wanted, uint32_t count, const char* what, CallSite site) {
    Copy copy{shared_offset(to, count, what, site), {}, count};
    if (wanted) read_device(copy.bytes, from, count, what, site);
    for (uint32_t i = copy.to / 4; i < copy.to / 4 + count / 4; i++) {
        check_write(words[i], what, site);
        words[i].copier = current;
    }
    memset(shared.data() + copy.to, 0xFF, count);
    copies[current].open.push_back(copy);
}

inline void commit() {
    Copies& own = copies[current];
    own.groups.push_back(std::move(own.open));
    own.open.clear();
}

inline void finish_copies(size_t pending) {
    Copies& own = copies[current];
    for (; own.groups.size() > pending; own.groups.pop_front())
        for (const Copy& copy : own.groups.front()) {
            memcpy(shared.data() + copy.to, copy.bytes, copy.count);
            for (uint32_t i = copy.to / 4; i < copy.to / 4 + copy.count / 4; i++) {
                words[i].copier = NOBODY;
                words[i].writer = current;
                words[i].written = barriers_passed;
            }
        }
}

}  // namespace emulator
