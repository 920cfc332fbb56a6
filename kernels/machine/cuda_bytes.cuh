// Neighbouring bytes of an image in words: whatever address they begin at, by loads of aligned words and a shift.
//
// Rows of an odd width, and neighbours of a pixel, begin anywhere. Where four bytes are a word, one load takes them;
// elsewhere the two words that hold them do, where four loads took them one by one. The words reach up to 3 bytes
// farther on either side: near the ends of a line, and so of the image, callers load single bytes.
//
// Included behind cuda_ptx.cuh.
#pragma once

// Whether the words with `count` bytes of a line, from number `first` on, lie inside the line.
__device__ __forceinline__ bool in_words(int first, int count, int line) {
    return first >= 3 && first + count + 3 <= line;
}

// Bytes in registers, the first in the low bits of the first word.
template <int WORDS>
struct Bytes {
    u32 word[WORDS];
};

// COUNT bytes, and up to 3 that lie behind them.
template <int COUNT>
__device__ __forceinline__ Bytes<(COUNT + 3) / 4> load_bytes(const void* from) {
    constexpr int WORDS = (COUNT + 3) / 4;
    const u32 before = reinterpret_cast<unsigned long long>(from) % 4;  // bytes of the first word that nobody wants
    const u32* words = reinterpret_cast<const u32*>(static_cast<const unsigned char*>(from) - before);
    Bytes<WORDS> bytes;
    u32 word = load_number(words);
#pragma unroll
    for (int i = 0; i < WORDS; i++) {
        const bool wanted = i + 1 < WORDS || before + COUNT > WORDS * 4;
        const u32 next = wanted ? load_number(words + i + 1) : 0;
        bytes.word[i] = shift_right(word, next, before * 8);
        word = next;
    }
    return bytes;
}

// Four neighbouring bytes of them, from number `first` on, which the compiler knows.
template <int WORDS>
__device__ __forceinline__ u32 four_of(const Bytes<WORDS>& bytes, int first) {
    const u32 word = bytes.word[first / 4];
    return first % 4 ? shift_right(word, bytes.word[first / 4 + 1], first % 4 * 8) : word;
}
