import LinuxABI

/// Where a core goes.
public protocol CoreOutput: AnyObject {
    /// Takes bytes at a position behind all before; what lies between reads as zero. False when no more
    /// is taken.
    func write(_ bytes: UnsafeRawBufferPointer, at position: UInt64) -> Bool
}

/// A core while it is written, from the beginning to the end.
public struct CoreStream: ~Copyable {
    private let output: any CoreOutput
    /// Collects what is written at once; the caller's.
    private let room: UnsafeMutableRawBufferPointer
    private var count = 0
    /// Of the room's beginning.
    private var start: UInt64 = 0
    /// False when the output took no more.
    public private(set) var isWhole = true

    public init(_ output: any CoreOutput, room: UnsafeMutableRawBufferPointer) {
        self.output = output
        self.room = room
    }

    public var position: UInt64 { start + UInt64(count) }

    @inline(never)
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        var done = 0
        while done < bytes.count {
            let part = min(bytes.count - done, room.count - count)
            UnsafeMutableRawBufferPointer(rebasing: room[count..<count + part])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[done..<done + part]))
            count += part
            done += part
            if count == room.count { flush() }
        }
    }

    @inline(never)
    public mutating func append(_ value: UInt64) {
        withUnsafeBytes(of: value) { append($0) }
    }

    /// Two of half the size.
    public mutating func append(_ low: UInt32, _ high: UInt32) {
        append(UInt64(low) | UInt64(high) << 32)
    }

    public mutating func append(_ low: Int32, _ high: Int32) {
        append(UInt32(bitPattern: low), UInt32(bitPattern: high))
    }

    /// Passes over bytes, which read as zero.
    @inline(never)
    public mutating func skip(_ length: UInt64) {
        guard length > 0 else { return }
        flush()
        start += length
    }

    public mutating func skip(toMultipleOf alignment: UInt64) {
        skip((0 &- position) % alignment)
    }

    public mutating func flush() {
        guard count > 0 else { return }
        if isWhole {
            isWhole = output.write(UnsafeRawBufferPointer(rebasing: room[..<count]), at: start)
        }
        start += UInt64(count)
        count = 0
    }
}
