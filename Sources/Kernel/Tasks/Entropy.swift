import Platform

/// Random numbers that decide where things lie; programs get theirs from getrandom(2)'s generator.
enum Entropy {
    nonisolated(unsafe) private static var state: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    nonisolated(unsafe) private static var isSeeded = false

    /// The next number: xoshiro256** seeded from the boot information.
    static func next() -> UInt64 {
        if !isSeeded { seed() }
        let result = rotate(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotate(state.3, 45)
        return result
    }

    private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
        value << count | value >> (64 - count)
    }

    private static func seed() {
        withUnsafeBytes(of: boot.pointee.random_seed) { bytes in
            state.0 = bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self) | 1
            state.1 = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            state.2 = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
            state.3 = bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        }
        isSeeded = true
        // The seed itself is given to others too: go away from it.
        for _ in 0..<16 { _ = next() }
    }
}
