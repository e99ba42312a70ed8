import LinuxABI
import Platform

/// Kernel memory of a size that the program chose: getting it may fail.
public struct KernelBuffer: ~Copyable {
    public let bytes: UnsafeMutableRawBufferPointer

    /// Throws `noMemory`.
    public init(_ count: Int) throws(Errno) {
        bytes = UnsafeMutableRawBufferPointer(
            start: try KernelBuffer.allocate(count),
            count: count
        )
    }

    deinit { KernelBuffer.free(bytes.baseAddress) }

    /// Memory that `free` gives back, not zeroed.
    static func allocate(_ count: Int) throws(Errno) -> UnsafeMutableRawPointer {
        guard let memory = kernel_allocate(max(count, 1)) else { throw .noMemory }
        return memory
    }

    static func allocateZeroed(_ count: Int) throws(Errno) -> UnsafeMutableRawPointer {
        let memory = try allocate(count)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        return memory
    }

    static func free(_ memory: UnsafeMutableRawPointer?) { kernel_free(memory) }
}
