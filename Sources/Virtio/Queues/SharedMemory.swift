/// Memory that driver and device share, as each of them addresses it. The driver's is zero at first.
public struct SharedMemory {
    public let pointer: UnsafeMutableRawPointer
    /// What the device calls the first byte.
    public let address: UInt64
    public let size: Int

    public init(pointer: UnsafeMutableRawPointer, address: UInt64, size: Int) {
        self.pointer = pointer
        self.address = address
        self.size = size
    }

    /// A part of it.
    public func part(_ offset: Int, _ size: Int) -> SharedMemory {
        precondition(offset >= 0 && size >= 0 && size <= self.size - offset)
        return SharedMemory(
            pointer: pointer + offset,
            address: address &+ UInt64(offset),
            size: size
        )
    }

    public var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: pointer, count: size)
    }

    /// As a buffer of a chain.
    public func buffer(isWritten: Bool) -> Buffer {
        Buffer(address: address, length: UInt32(size), isWritten: isWritten)
    }
}
