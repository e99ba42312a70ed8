import LinuxABI
import Platform

/// A range of the program's memory that the kernel was asked to read or write.
///
/// Nothing is believed about it but its numbers: the copy routines check that it lies in the
/// program's part of the address space, and a fault on the way becomes `badAddress`.
public struct UserBuffer {
    public var address: UInt
    public var count: Int

    @inline(__always)
    public init(address: UInt, count: Int) {
        self.address = address
        self.count = count
    }

    /// Copies `source` to the buffer's beginning.
    @inline(__always)
    public func copyOut(_ source: UnsafeRawBufferPointer, at offset: Int = 0) throws(Errno) {
        guard offset >= 0, source.count <= count &- offset else { throw .badAddress }
        try UserMemory.write(source, at: address &+ UInt(offset))
    }

    /// Fills `destination` from the buffer's beginning.
    @inline(__always)
    public func copyIn(_ destination: UnsafeMutableRawBufferPointer, at offset: Int = 0)
        throws(Errno)
    {
        guard offset >= 0, destination.count <= count &- offset else { throw .badAddress }
        try UserMemory.read(destination, at: address &+ UInt(offset))
    }
}

/// The address in the program's memory of one value of a plain type.
public struct UserPointer<Value: BitwiseCopyable> {
    public let address: UInt

    @inline(__always)
    public init(_ address: UInt) { self.address = address }

    @inline(__always)
    public var isNull: Bool { address == 0 }

    @inline(__always)
    public func load() throws(Errno) -> Value {
        try withUnsafeTemporaryValue { (bytes) throws(Errno) in
            try UserMemory.read(bytes, at: address)
        }
    }

    @inline(__always)
    public func store(_ value: Value) throws(Errno) {
        var value = value
        try UserMemory.write(&value, count: MemoryLayout<Value>.size, at: address)
    }

    @inline(__always)
    public subscript(index: Int) -> UserPointer<Value> {
        UserPointer(address &+ UInt(bitPattern: index &* MemoryLayout<Value>.stride))
    }

    @inline(__always)
    private func withUnsafeTemporaryValue(
        _ fill: (UnsafeMutableRawBufferPointer) throws(Errno) -> Void
    ) throws(Errno) -> Value {
        let size = MemoryLayout<Value>.size
        // A tuple of words would need a size; the stack buffer is what the compiler can size.
        var failure: Errno? = nil
        let value = withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { slot -> Value in
            let bytes = UnsafeMutableRawBufferPointer(start: slot.baseAddress, count: size)
            do throws(Errno) { try fill(bytes) } catch {
                failure = error
                bytes.initializeMemory(as: UInt8.self, repeating: 0)
            }
            return slot[0]
        }
        if let failure { throw failure }
        return value
    }
}

/// The copy routines between kernel and program: the only code that touches program memory.
public enum UserMemory {
    /// Whether a range lies in the program's part of the address space.
    @inline(__always)
    public static func isProgram(_ address: UInt, _ count: Int) -> Bool {
        let (end, overflow) = address.addingReportingOverflow(UInt(bitPattern: count))
        guard count >= 0, !overflow else { return false }
        return end <= user_low_end || (address >= user_high_start && end <= user_high_end)
    }

    @inline(__always)
    public static func read(_ destination: UnsafeMutableRawBufferPointer, at address: UInt)
        throws(Errno)
    {
        guard let base = destination.baseAddress, destination.count > 0 else { return }
        guard isProgram(address, destination.count) else { throw .badAddress }
        guard user_copy(base, UnsafeRawPointer(bitPattern: address), destination.count) == 0 else {
            throw .badAddress
        }
    }

    @inline(__always)
    public static func write(_ source: UnsafeRawBufferPointer, at address: UInt) throws(Errno) {
        guard let base = source.baseAddress, source.count > 0 else { return }
        try write(base, count: source.count, at: address)
    }

    @inline(__always)
    public static func write(_ source: UnsafeRawPointer, count: Int, at address: UInt)
        throws(Errno)
    {
        guard isProgram(address, count) else { throw .badAddress }
        guard user_copy(UnsafeMutableRawPointer(bitPattern: address), source, count) == 0 else {
            throw .badAddress
        }
    }

    /// Writes `count` zero bytes.
    public static func zero(at address: UInt, count: Int) throws(Errno) {
        guard count > 0 else { return }
        guard isProgram(address, count) else { throw .badAddress }
        guard user_zero(UnsafeMutableRawPointer(bitPattern: address), count) == 0 else {
            throw .badAddress
        }
    }

    /// Copies a NUL-terminated string into `buffer`, without the NUL, and returns its length.
    /// Throws `badAddress`, or `tooLong` when no NUL is found in `buffer.count` bytes.
    @_optimize(speed)
    public static func readString(
        at address: UInt,
        into buffer: UnsafeMutableRawBufferPointer,
        tooLong: Errno = .nameTooLong
    ) throws(Errno) -> Int {
        guard let base = buffer.baseAddress else { throw .badAddress }
        let limit = min(buffer.count, roomAbove(address))
        let length = user_copy_string(base, UnsafeRawPointer(bitPattern: address), limit)
        guard length >= 0 else { throw .badAddress }
        guard length < limit else { throw limit < buffer.count ? .badAddress : tooLong }
        return length
    }

    /// Bytes from an address to the end of the program's part that it lies in; none outside.
    @inline(__always)
    private static func roomAbove(_ address: UInt) -> Int {
        let address = UInt64(address)
        if address < user_low_end { return Int(truncatingIfNeeded: user_low_end &- address) }
        guard address >= user_high_start, address < user_high_end else { return 0 }
        return Int(truncatingIfNeeded: user_high_end &- address)
    }
}
