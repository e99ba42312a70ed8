import LinuxABI
import Platform

/// Random bytes, from ChaCha20 (RFC 8439) keyed by what the platform gave at the start.
///
/// Each block's first half becomes the next key, so that what was given out cannot be computed
/// from the generator's state later.
public enum Random {
    nonisolated(unsafe) private static var key = InlineArray<8, UInt32>(repeating: 0)
    nonisolated(unsafe) private static var pool = InlineArray<16, UInt32>(repeating: 0)
    /// Bytes of the pool that were not given out.
    nonisolated(unsafe) private static var left = 0
    nonisolated(unsafe) private static var counter: UInt64 = 0

    static func start() {
        withUnsafeBytes(of: boot.pointee.random_seed) { seed in
            for index in 0..<8 {
                key[index] = seed.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
            }
        }
        left = 0
    }

    /// Fills a buffer of the kernel's.
    public static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var done = 0
        while done < buffer.count {
            if left == 0 { refill() }
            let part = min(left, buffer.count - done)
            withUnsafeMutableBytes(of: &pool) { bytes in
                let start = 64 - left
                for index in 0..<part {
                    buffer[done + index] = bytes[start + index]
                    bytes[start + index] = 0
                }
            }
            left -= part
            done += part
        }
    }

    /// Gives random bytes to all of a transfer.
    static func give(_ transfer: inout Transfer) throws(Errno) -> Int {
        var done = 0
        var chunk = InlineArray<32, UInt64>(repeating: 0)
        while transfer.remaining > 0 {
            let wanted = min(transfer.remaining, 256)
            do throws(Errno) {
                let count = try withUnsafeMutableBytes(of: &chunk) { (bytes) throws(Errno) in
                    fill(UnsafeMutableRawBufferPointer(rebasing: bytes[..<wanted]))
                    return try transfer.give(bytes.baseAddress!, wanted)
                }
                done += count
                if count < wanted { break }
            } catch {
                guard done > 0 else { throw error }
                break
            }
        }
        return done
    }

    /// As getrandom(2).
    public static func give(to buffer: UserBuffer) throws(Errno) -> Int {
        var transfer = Transfer(buffer)
        return try give(&transfer)
    }

    private static func refill() {
        // 32 bytes become the next key, 32 are given out.
        block()
        for index in 0..<8 {
            key[index] = pool[index]
            pool[index] = 0
        }
        left = 32
    }

    private static func block() {
        var state = InlineArray<16, UInt32>(repeating: 0)
        state[0] = 0x6170_7865
        state[1] = 0x3320_646e
        state[2] = 0x7962_2d32
        state[3] = 0x6b20_6574
        for index in 0..<8 { state[4 + index] = key[index] }
        state[12] = UInt32(truncatingIfNeeded: counter)
        state[13] = UInt32(truncatingIfNeeded: counter >> 32)
        counter &+= 1
        pool = state
        for _ in 0..<10 {
            quarter(0, 4, 8, 12)
            quarter(1, 5, 9, 13)
            quarter(2, 6, 10, 14)
            quarter(3, 7, 11, 15)
            quarter(0, 5, 10, 15)
            quarter(1, 6, 11, 12)
            quarter(2, 7, 8, 13)
            quarter(3, 4, 9, 14)
        }
        for index in 0..<16 { pool[index] &+= state[index] }
    }

    @inline(__always)
    private static func quarter(_ a: Int, _ b: Int, _ c: Int, _ d: Int) {
        mix(a, b, d, 16)
        mix(c, d, b, 12)
        mix(a, b, d, 8)
        mix(c, d, b, 7)
    }

    @inline(__always)
    private static func mix(_ sum: Int, _ addend: Int, _ target: Int, _ shift: UInt32) {
        pool[sum] &+= pool[addend]
        let value = pool[target] ^ pool[sum]
        pool[target] = value << shift | value >> (32 - shift)
    }
}
